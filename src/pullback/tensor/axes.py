"""Axes along which nothing varies: ones, identities, spreading a tensor and taking it back."""

from __future__ import annotations

from collections.abc import Iterable

from pullback.tensor.add import add
from pullback.tensor.node import Axes, Node, Sum
from pullback.tensor.product import product


def ones(axes: Axes) -> Node:
    """The tensor of ones."""
    return product([], range(len(axes)), dict(enumerate(axes)))


def identity(axes: Axes) -> Node:
    """The delta between two copies of the same axes: result axes are ``axes + axes``."""
    labels = list(range(len(axes)))
    return product([], labels + labels, dict(enumerate(axes)))


def broadcast(node: Node, axes: Axes, place: Iterable[int]) -> Node:
    """Spread a tensor over more axes: axis k of the node becomes axis ``place[k]`` of the result."""
    place = tuple(place)
    if place == tuple(range(len(axes))):
        return node
    if isinstance(node, Sum):
        return add([(c, broadcast(n, axes, place)) for c, n in node.terms], axes)
    return product([(node, place, 1)], range(len(axes)), dict(enumerate(axes)))
