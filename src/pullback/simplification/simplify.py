"""Simplification of whole graphs, from the leaves up."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.simplification.factoring import factored
from pullback.tensor.add import add
from pullback.tensor.apply import apply
from pullback.tensor.node import Apply, Node, Product, Sum, topological
from pullback.tensor.product import product

_MOST_EXPANDED = 64


def simplify(roots: Sequence[Node]) -> list[Node]:
    """Give shorter graphs of the same values."""
    known: dict[Node, int] = {}
    done: dict[Node, Node] = {}
    for node in topological(roots):
        done[node] = factored(_expanded(_rebuilt(node, done)), known)
    return [done[root] for root in roots]


def _rebuilt(node: Node, done: dict[Node, Node]) -> Node:
    """Build a node again from its simplified parts."""
    if all(done[child] is child for child in node.children):
        return node
    if isinstance(node, Sum):
        return add([(c, done[n]) for c, n in node.terms], node.axes)
    if isinstance(node, Product):
        factors = [(done[f.node], f.indices, f.exponent) for f in node.factors]
        return product(factors, node.output, dict(enumerate(node.dimensions)))
    assert isinstance(node, Apply)
    return apply(node.operation, [done[argument] for argument in node.arguments])


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
        if isinstance(inner, Sum) and len(inner.axes) > 2 and factor.exponent == 1 and len(inner.terms) <= _MOST_EXPANDED:
            return k
    return None
