"""Simplification of whole graphs, from the leaves up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product as iterate
from math import prod

from pullback.simplification.choosing import chosen
from pullback.simplification.complements import complemented
from pullback.simplification.cost import cost
from pullback.simplification.factoring import factored
from pullback.simplification.merging import has_merges, opened
from pullback.simplification.summing import summed
from pullback.tensor.add import add
from pullback.tensor.node import Node, Product, Rational, Sum, Term, topological
from pullback.tensor.product import product
from pullback.tensor.rebuilding import rebuilt

_MOST_EXPANDED = 64
_MOST_ROUNDS = 3
_MOST_MULTIPLIED = 4


def simplify(roots: Sequence[Node]) -> list[Node]:
    """Give shorter graphs of the same values; once more where factors taken out leave sums to be taken."""
    known: dict[Node, int] = {}
    for _ in range(_MOST_ROUNDS):
        done: dict[Node, Node] = {}
        for node in topological(roots):
            done[node] = _shortest(chosen(_expanded(summed(opened(rebuilt(node, done))))), known)
        roots = [done[root] for root in roots]
        if all(summed(node) is node for node in topological(roots)):
            break
    return list(roots)


def open_merges(root: Node) -> Node:
    """Sum over both axes where merged axes meet, and do no more; cheap where nothing is merged."""
    if not has_merges(root):
        return root
    done: dict[Node, Node] = {}
    for node in topological([root]):
        done[node] = opened(rebuilt(node, done))
    return done[root]


def _shortest(node: Node, known: dict[Node, int]) -> Node:
    """Factor a sum; multiply a product out and factor it anew, where that is no longer."""
    if isinstance(node, Sum):
        found = [node, *map(spread_out, complemented(node))] if len(node.terms) < _MOST_EXPANDED else [node]
        return min((factored(_gathered(form), known) for form in found), key=lambda form: cost(form, known))
    if not isinstance(node, Product):
        return node
    spread = multiplied_out(node)
    if spread is node or _is_unmixed(node, spread):
        return node
    again = factored(spread, known)
    return again if cost(again, known) < cost(node, known) else node


def _is_unmixed(node: Product, spread: Node) -> bool:
    """Whether nothing met anything when a product was multiplied out, so that factoring would only undo it.

    Of two vectors or more: an identity, or a matrix that could go to the other side, may be worth another look.
    """
    sums = [f.node for f in node.factors if isinstance(f.node, Sum) and f.exponent == 1 and len(f.node.terms) > 1]
    if len(sums) < 2 or any(len(inner.axes) > 1 for inner in sums):
        return False
    return isinstance(spread, Sum) and len(spread.terms) == prod(len(inner.terms) for inner in sums)


def _gathered(node: Node) -> Node:
    """diag(u) + diag(v) is diag(u + v)."""
    if len(node.axes) != 2 or not isinstance(node, Sum):
        return node
    diagonal = [t for t in node.terms if isinstance(t.node, Product) and t.node.output[0] == t.node.output[1]]
    if len(diagonal) < 2:
        return node
    axes = node.axes[:1]
    vectors = [(c, product([(n, (0, 0), 1)], (0,))) for c, n in diagonal]
    rest = [t for t in node.terms if t not in diagonal]
    spread = product([(chosen(add(vectors, axes)), (0,), 1)], (0, 0))
    return add([*rest, (1, spread)], node.axes)


def spread_out(node: Node) -> Node:
    """Multiply out the terms of a sum and collect like ones."""
    if not isinstance(node, Sum):
        return node
    terms = [(c, multiplied_out(n) if isinstance(n, Product) else n) for c, n in node.terms]
    return add(terms, node.axes)


def multiplied_out(node: Product) -> Node:
    """Multiply out the sums among the factors, if that gives few terms; else the node itself."""
    sums = [
        k
        for k, f in enumerate(node.factors)
        if isinstance(f.node, Sum) and f.exponent == 1 and f.node.terms and not _is_centred(f.node)
    ]
    count = 1
    for k in sums:
        count *= len(node.factors[k].node.children)
    if not sums or count > _MOST_MULTIPLIED:
        return node
    dimensions = dict(enumerate(node.dimensions))
    rest = [f for k, f in enumerate(node.factors) if k not in sums]
    choices = [[(c, (n, node.factors[k].indices, 1)) for c, n in _terms(node.factors[k].node)] for k in sums]
    terms: list[tuple[Rational, Node]] = []
    for choice in iterate(*choices):
        coefficient: Rational = 1
        for c, _ in choice:
            coefficient *= c
        terms.append((coefficient, product([*rest, *(f for _, f in choice)], node.output, dimensions)))
    return add(terms, node.axes)


def _is_centred(node: Sum) -> bool:
    """Whether a sum is something less its own mean: multiplied out, large numbers would cancel."""
    whole = {term.node for term in node.terms}
    return any(_is_summed(part, whole) for part in whole if isinstance(part, Product))


def _is_summed(node: Product, whole: set[Node]) -> bool:
    """Whether a product is one of some tensors, summed, beside numbers and lengths."""
    inner = [f for s in node.factors if isinstance(s.node, Product) and s.exponent == 1 for f in s.node.factors]
    tensors = [f for f in (*node.factors, *inner) if f.indices]
    if len(tensors) != 1 or tensors[0].exponent != 1 or tensors[0].node not in whole:
        return False
    return tensors[0] in inner or any(label not in node.output for label in tensors[0].indices)


def _terms(node: Node) -> Sequence[Term]:
    assert isinstance(node, Sum)
    return node.terms


def _expanded(node: Node) -> Node:
    """Multiply out sums of more than two axes: no matrix notation says them inside a product."""
    if isinstance(node, Sum):
        if any(_wide_sum(term.node) is not None for term in node.terms):
            return _expanded(add([(c, _expanded(n)) for c, n in node.terms], node.axes))
        return node
    at = _wide_sum(node)
    if at is None:
        return node
    assert isinstance(node, Product)
    wide = node.factors[at]
    assert isinstance(wide.node, Sum)
    dimensions = dict(enumerate(node.dimensions))
    rest = [f for k, f in enumerate(node.factors) if k != at]
    terms = [(c, product([*rest, (n, wide.indices, 1)], node.output, dimensions)) for c, n in wide.node.terms]
    return _expanded(add(terms, node.axes))


def _wide_sum(node: Node) -> int | None:
    """Find a factor that is a sum of more than two axes."""
    if not isinstance(node, Product):
        return None
    for k, factor in enumerate(node.factors):
        inner = factor.node
        if (
            isinstance(inner, Sum)
            and len(inner.axes) > 2
            and factor.exponent == 1
            and len(inner.terms) <= _MOST_EXPANDED
        ):
            return k
    return None
