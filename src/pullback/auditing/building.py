"""Short ways to build the graphs that mistakes are made of."""

from __future__ import annotations

from typing import Any

from pullback.operations.table import TABLE
from pullback.tensor.add import add, scaled
from pullback.tensor.apply import apply
from pullback.tensor.axes import broadcast, ones
from pullback.tensor.node import Apply, Node, Variable
from pullback.tensor.product import permuted, product
from pullback.tensor.substitute import Lifted, substitute


def times(left: Node, right: Node) -> Node:
    """Entry by entry."""
    labels = range(len(left.axes))
    return product([(left, labels, 1), (right, labels, 1)], labels)


def called(name: str, *arguments: Node) -> Node:
    """Apply an operation of the table."""
    primitive = TABLE[name].primitive
    assert primitive is not None
    return apply(primitive.operation, arguments)


def along(name: str, node: Node, axis: int) -> Node:
    """Apply an operation on vectors, such as softmax, along one axis."""
    rank = len(node.axes)
    last = [*(k for k in range(rank) if k != axis), axis]
    result = called(name, permuted(node, last))
    if len(result.axes) < rank:
        return result
    return permuted(result, [last.index(k) for k in range(rank)])


def minus(left: Node | int, right: Node) -> Node:
    """Subtract; a number is that many ones."""
    first = scaled(left, ones(right.axes)) if isinstance(left, int) else left
    return add([(1, first), (-1, right)], right.axes)


def plus(left: Node | int, right: Node) -> Node:
    """Add; a number is that many ones."""
    first = scaled(left, ones(right.axes)) if isinstance(left, int) else left
    return add([(1, first), (1, right)], right.axes)


def over_last(node: Node) -> Node:
    """Sum over the last axis and repeat."""
    labels = list(range(len(node.axes)))
    total = product([(node, labels, 1)], labels[:-1])
    return broadcast(total, node.axes, labels[:-1])


def spread(node: Node, axes: Any) -> Node:
    """Repeat along further axes at the end."""
    return broadcast(node, axes, range(len(node.axes)))


def swap(node: Node, used: Variable, other: Variable) -> Node:
    """One variable in place of another."""
    return substitute(node, {used: Lifted(other)}).node


def is_square(node: Node) -> bool:
    """Whether the last two axes are one."""
    return len(node.axes) >= 2 and node.axes[-1] is node.axes[-2]


def flip(node: Node) -> list[int]:
    """The order that exchanges the last two axes."""
    rank = len(node.axes)
    return [*range(rank - 2), rank - 1, rank - 2]


def applied(node: Apply, *arguments: Node) -> Apply:
    """The same operation on other arguments."""
    result = apply(node.operation, arguments)
    assert isinstance(result, Apply)
    return result
