"""The cost that simplification lowers: how many names, numbers and functions a form takes to write."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from pullback.tensor.add import content
from pullback.tensor.node import Apply, Node, Product, Rational, Sum, Variable
from pullback.tensor.product import is_symmetric

_FREE = (1, -1)
_EASY = (2, Fraction(1, 2))
_FUNCTION = 2
_CONGRUENCE = 3
"""A function of anything: what it is of does not change, and gets a name where it stands often."""


def cost(node: Node, known: dict[Node, int] | None = None) -> int:
    """Count what is written: one for each variable, number and power, two for a function."""
    known = {} if known is None else known
    stack = [node]
    while stack:
        here = stack[-1]
        missing = [child for child in here.children if child not in known]
        if missing:
            stack += missing
            continue
        stack.pop()
        if here not in known:
            known[here] = _written(here, known)
    return known[node]


def _written(node: Node, known: dict[Node, int]) -> int:
    if isinstance(node, Variable):
        return 1
    if isinstance(node, Apply):
        return _FUNCTION if node.arguments else 1
    if isinstance(node, Sum):
        shared = abs(content(node.terms, signed=False)) if node.terms else 1
        total = sum(known[n] + (abs(c) != shared) for c, n in node.terms) + (shared != 1)
        flat = [n for _, n in node.terms if node.axes and isinstance(n, Product) and _is_flat(n)]
        if any(n not in flat and not _is_delta(n) for _, n in node.terms):
            total -= sum(2 * len(n.output) - (not n.factors) for n in flat)
        return max(total, 1)
    assert isinstance(node, Product)
    total = sum(known[f.node] + _exponent(f.exponent) for f in node.factors) + _extra(node)
    return max(1, total - (_CONGRUENCE if _is_congruence(node) else 0))


def _is_congruence(node: Product) -> bool:
    """Whether a product reads A' (…) A, with something symmetric inside: worth a few symbols more."""
    if len(set(node.output)) != 2 or not any(isinstance(f.node, Sum) and len(f.node.axes) == 2 for f in node.factors):
        return False
    ends = [[f.node for f in node.factors if len(f.indices) == 2 and i in f.indices] for i in node.output]
    return len(ends[0]) == len(ends[1]) == 1 and ends[0][0] is ends[1][0] and is_symmetric(node)


def _exponent(exponent: Rational) -> int:
    """Count a power: squares and roots are easier to read than others."""
    return 0 if exponent in _FREE else 1 if exponent in _EASY else 2


def _extra(node: Product) -> int:
    """Count the functions that a product takes beside its factors: ones(n), eye(n), diag(x)."""
    used = {i for f in node.factors for i in f.indices}
    joined = {i for f in node.factors if len(f.indices) == 2 for i in f.indices}
    labelled = {f.indices[0] for f in node.factors if len(f.indices) == 1}
    ones = sum(min(3, 1 + node.output.count(i)) for i in set(node.output) if i not in used)
    repeated = len(set(node.output)) < len(node.output) and bool(used & set(node.output))
    inner = [i for i in labelled & joined if len(node.output) > 1 and _edges(node, i) + node.output.count(i) > 1]
    seen = Counter(i for f in node.factors for i in f.indices)
    sums = any(count == 1 and i not in node.output for i, count in seen.items())
    return ones + repeated + len(inner) + sums


def _is_delta(node: Node) -> bool:
    """Whether two axes are tied: beside a diagonal, numbers are written with their ones."""
    return isinstance(node, Product) and len(set(node.output)) < len(node.output)


def _is_flat(node: Product) -> bool:
    """Whether every entry is the same number: a scalar spread over the axes."""
    used = {i for f in node.factors for i in f.indices}
    return len(set(node.output)) == len(node.output) and not used & set(node.output)


def _edges(node: Product, index: int) -> int:
    return sum(1 for f in node.factors if len(f.indices) == 2 and index in f.indices)
