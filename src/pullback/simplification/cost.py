"""The cost that simplification lowers: how many names, numbers and functions a form takes to write."""

from __future__ import annotations

from collections import Counter

from pullback.tensor.node import Apply, Node, Product, Sum, Variable


def cost(node: Node, known: dict[Node, int] | None = None) -> int:
    """Count what is written: one for each variable, function, number and power, shared parts each time."""
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
        return 1 + sum(known[argument] for argument in node.arguments)
    if isinstance(node, Sum):
        total = sum(known[n] + (c not in (1, -1)) for c, n in node.terms)
        flat = [n for _, n in node.terms if node.axes and isinstance(n, Product) and _is_flat(n)]
        if len(flat) < len(node.terms):
            total -= sum(2 * len(n.output) - (not n.factors) for n in flat)
        return max(total, 1)
    assert isinstance(node, Product)
    return max(1, sum(known[f.node] + (f.exponent not in (1, -1)) for f in node.factors) + _extra(node))


def _extra(node: Product) -> int:
    """Count the functions that a product takes beside its factors: ones(n), eye(n), diag(x)."""
    used = {i for f in node.factors for i in f.indices}
    joined = {i for f in node.factors if len(f.indices) == 2 for i in f.indices}
    labelled = {f.indices[0] for f in node.factors if len(f.indices) == 1}
    ones = 2 * sum(1 for i in set(node.output) if i not in used)
    repeated = len(set(node.output)) < len(node.output) and bool(used & set(node.output))
    inner = [i for i in labelled & joined if len(node.output) > 1 and _edges(node, i) + node.output.count(i) > 1]
    seen = Counter(i for f in node.factors for i in f.indices)
    sums = any(count == 1 and i not in node.output for i, count in seen.items())
    return ones + repeated + len(inner) + sums


def _is_flat(node: Product) -> bool:
    """Whether every entry is the same number: a scalar spread over the axes."""
    used = {i for f in node.factors for i in f.indices}
    return len(set(node.output)) == len(node.output) and not used & set(node.output)


def _edges(node: Product, index: int) -> int:
    return sum(1 for f in node.factors if len(f.indices) == 2 and index in f.indices)
