"""Replacing variables by tensors, which may have further axes: the mechanism behind every lifting.

A graph is rebuilt with some of its variables replaced. A replacement may have extra leading axes, each
with a name of its own; whatever depends on it gets the same extra axes, and what does not is shared.
So one function instantiates a derivative rule, spreads it over the axes of a Jacobian's seed, lifts
a per-sample program over a batch, and applies an operation row by row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pullback.dimension import Dimension
from pullback.tensor.add import add
from pullback.tensor.apply import apply
from pullback.tensor.axes import broadcast
from pullback.tensor.node import Apply, Axes, Node, Product, Sum, Variable, make_variable, topological
from pullback.tensor.product import product


class Lifted(NamedTuple):
    """A tensor whose leading axes are extra ones: one name in ``extra`` for each."""

    node: Node
    extra: tuple[str, ...] = ()


def substitute(
    root: Node,
    leaves: Mapping[Node, Lifted],
    sizes: Mapping[str, Dimension] | None = None,
) -> Lifted:
    """Rebuild a graph with variables replaced and dimension names substituted.

    The extra axes of the result are those of the replacements it depends on, in order of first use.
    """
    return substitute_all([root], leaves, sizes)[0]


def substitute_all(
    roots: list[Node],
    leaves: Mapping[Node, Lifted],
    sizes: Mapping[str, Dimension] | None = None,
) -> list[Lifted]:
    """Rebuild several graphs together, each shared node once."""
    rebuild = _Rebuild(sizes or {})
    done: dict[Node, Lifted] = dict(leaves)
    for node in topological(roots):
        if node not in done:
            done[node] = rebuild.node(node, done)
    return [done[root] for root in roots]


def spread(lifted: Lifted, extra: tuple[str, ...], axes: Axes) -> Node:
    """Give a tensor exactly these extra axes in this order."""
    node, have = lifted
    if have == extra:
        return node
    core = node.axes[len(have) :]
    place = [*(extra.index(name) for name in have), *range(len(extra), len(extra) + len(core))]
    return broadcast(node, axes + core, place)


class _Rebuild:
    def __init__(self, sizes: Mapping[str, Dimension]) -> None:
        self.sizes = sizes
        self.axis_of: dict[str, Dimension] = {}

    def axes(self, axes: Axes) -> Axes:
        return tuple(axis.substitute(self.sizes) for axis in axes) if self.sizes else axes

    def node(self, node: Node, done: Mapping[Node, Lifted]) -> Lifted:
        parts = [done[child] for child in node.children]
        extra: tuple[str, ...] = tuple(dict.fromkeys(name for part in parts for name in part.extra))
        for part in parts:
            self.axis_of.update(zip(part.extra, part.node.axes, strict=False))
        if isinstance(node, Product):
            return Lifted(self.product(node, parts, extra), extra)
        if isinstance(node, Sum):
            lead = tuple(self.axis_of[name] for name in extra)
            terms = [(t.coefficient, spread(part, extra, lead)) for t, part in zip(node.terms, parts, strict=True)]
            return Lifted(add(terms, lead + self.axes(node.axes)), extra)
        if isinstance(node, Apply):
            lead = tuple(self.axis_of[name] for name in extra)
            return Lifted(
                apply(node.operation.resized(self.sizes), [spread(part, extra, lead) for part in parts]), extra
            )
        assert isinstance(node, Variable)
        if self.sizes:
            return Lifted(make_variable(node.name, self.axes(node.axes), node.properties))
        return Lifted(node)

    def product(self, node: Product, parts: list[Lifted], extra: tuple[str, ...]) -> Node:
        count = len(node.dimensions)
        label = {name: count + k for k, name in enumerate(extra)}
        dimensions = dict(enumerate(self.axes(node.dimensions)))
        for name in extra:
            dimensions[label[name]] = self.axis_of[name]
        factors = [
            (part.node, (*(label[name] for name in part.extra), *factor.indices), factor.exponent)
            for factor, part in zip(node.factors, parts, strict=True)
        ]
        return product(factors, (*label.values(), *node.output), dimensions)
