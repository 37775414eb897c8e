"""Axes along which nothing varies: ones, identities, spreading a tensor and taking it back."""

from __future__ import annotations

from collections.abc import Iterable

from pullback.tensor.add import add
from pullback.tensor.node import Axes, Node, Product, Sum
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


def constant_axes(node: Node) -> frozenset[int]:
    """The axes along which every entry is the same."""
    if isinstance(node, Sum):
        shared = frozenset(range(len(node.axes)))
        for _, part in node.terms:
            shared &= constant_axes(part)
        return shared
    if isinstance(node, Product):
        used = {index for factor in node.factors for index in factor.indices}
        return frozenset(
            k for k, index in enumerate(node.output) if index not in used and node.output.count(index) == 1
        )
    return frozenset()


def without_axes(node: Node, gone: frozenset[int]) -> Node:
    """Drop axes along which every entry is the same."""
    if not gone:
        return node
    axes = tuple(axis for k, axis in enumerate(node.axes) if k not in gone)
    if isinstance(node, Sum):
        return add([(c, without_axes(n, gone)) for c, n in node.terms], axes)
    assert isinstance(node, Product)
    output = [index for k, index in enumerate(node.output) if k not in gone]
    dimensions = {i: d for i, d in enumerate(node.dimensions) if i not in {node.output[k] for k in gone}}
    return product([(f.node, f.indices, f.exponent) for f in node.factors], output, dimensions)
