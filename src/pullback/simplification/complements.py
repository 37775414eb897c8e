"""A function at x and at -x in one sum: with f(-x) = 1 - f(x) for one of them, the sum may be shorter.

(1 - y) sigmoid(z) - y sigmoid(-z) is sigmoid(z) - y. The graph keeps sigmoid(-z) as it is elsewhere:
1 - sigmoid(z) has lost all its digits where it is small.
"""

from __future__ import annotations

from collections.abc import Iterator

from pullback.tensor.add import add
from pullback.tensor.axes import ones
from pullback.tensor.node import Apply, Node, Product, Sum
from pullback.tensor.product import product

_DEEPEST = 3


def complemented(node: Sum) -> Iterator[Node]:
    """Give the sum with one of two opposite functions written by the other, one way and the other."""
    found = {f.arguments[0]: f for f in _functions(node, _DEEPEST)}
    for argument, function in found.items():
        opposite = found.get(add([(-1, argument)], argument.axes))
        if opposite is not None:
            rest = add([(1, ones(opposite.axes)), (-1, opposite)], opposite.axes)
            yield _replaced(node, function, rest, _DEEPEST)


def _functions(node: Node, depth: int) -> Iterator[Apply]:
    """The functions of that kind among the terms and factors of a sum, not inside of others."""
    if isinstance(node, Apply) and node.operation.complement:
        yield node
    elif isinstance(node, Sum | Product) and depth:
        for child in node.children:
            yield from _functions(child, depth - 1)


def _replaced(node: Node, old: Node, new: Node, depth: int) -> Node:
    if node is old:
        return new
    if isinstance(node, Sum) and depth:
        return add([(c, _replaced(n, old, new, depth - 1)) for c, n in node.terms], node.axes)
    if isinstance(node, Product) and depth:
        factors = [(_replaced(f.node, old, new, depth - 1), f.indices, f.exponent) for f in node.factors]
        return product(factors, node.output, dict(enumerate(node.dimensions)))
    return node
