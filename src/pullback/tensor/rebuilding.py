"""A node made again from other parts."""

from __future__ import annotations

from collections.abc import Mapping

from pullback.tensor.add import add
from pullback.tensor.apply import apply
from pullback.tensor.node import Apply, Node, Product, Sum
from pullback.tensor.product import product


def rebuilt(node: Node, done: Mapping[Node, Node]) -> Node:
    """Build a node again from what its parts have become; itself where none has changed."""
    if all(done.get(child, child) is child for child in node.children):
        return node
    if isinstance(node, Sum):
        return add([(c, done[n]) for c, n in node.terms], node.axes)
    if isinstance(node, Product):
        factors = [(done[f.node], f.indices, f.exponent) for f in node.factors]
        return product(factors, node.output, dict(enumerate(node.dimensions)))
    assert isinstance(node, Apply)
    return apply(node.operation, [done[argument] for argument in node.arguments])
