"""Linear operations that move entries between axes: merge, split, pad, part; and the circle constant.

Each is an operation of its own for its sizes, and knows its adjoint, so it needs no derivative rule.
Axes are merged in row-major order: entry (i, k) of an a x b matrix goes to i b + k.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pullback.dimension import Dimension
from pullback.errors import ValuesError
from pullback.tensor.add import add, zeros
from pullback.tensor.apply import apply
from pullback.tensor.node import Apply, Axes, Node, Operation, Product, Rational, Signature, Sum, Variable
from pullback.tensor.product import product

_MATRIX_IN = Signature((("a", "b"),), ("?",))
_VECTOR_IN = Signature((("a",),), ("?",))
_VECTOR_TO_MATRIX = Signature((("a",),), ("?", "?"))


class Linear(Operation):
    """A linear operation with its sizes; ``kind`` is one of merge, split, pad, part."""

    __slots__ = ("kind", "sizes")

    def __init__(self, kind: str, signature: Signature, sizes: Axes) -> None:
        shown = ", ".join(map(str, sizes))
        super().__init__(f"{kind}[{shown}]", signature, rewrite=self.undo)
        self.kind, self.sizes = kind, sizes

    def resized(self, sizes: Mapping[str, Dimension]) -> Linear:
        """The same operation with dimension names replaced."""
        return Linear(self.kind, self.signature, tuple(s.substitute(sizes) for s in self.sizes))

    def output(self, cores: Sequence[Axes]) -> Axes:
        """The core axes of the result."""
        if self.kind == "merge":
            return (self.sizes[0] * self.sizes[1],)
        return self.sizes if self.kind == "split" else (self.sizes[1],)

    def adjoint(self, cores: Sequence[Axes]) -> Linear:
        """The transpose of this operation; ``cores`` are the core axes of the argument."""
        if self.kind == "merge":
            return Linear("split", _VECTOR_TO_MATRIX, self.sizes)
        if self.kind == "split":
            return Linear("merge", _MATRIX_IN, self.sizes)
        (length,) = cores[0]
        other = "part" if self.kind == "pad" else "pad"
        return Linear(other, _VECTOR_IN, (self.sizes[0], length))

    def undo(self, arguments: tuple[Node, ...]) -> Node | None:
        """A linear operation goes inside sums and past numbers; merge undoes split, and part undoes pad."""
        (inner,) = arguments
        lead = inner.axes[: len(inner.axes) - len(self.signature.inputs[0])]
        if isinstance(inner, Sum):
            cores = [inner.axes[len(lead) :]]
            return add([(c, apply(self, [term])) for c, term in inner.terms], lead + self.output(cores))
        if self.kind == "merge" and (whole := self.identity(inner)) is not None:
            return whole
        if isinstance(inner, Product):
            scalars = [(f.node, (), f.exponent) for f in inner.factors if not f.indices]
            if scalars:
                rest = [(f.node, f.indices, f.exponent) for f in inner.factors if f.indices]
                core = apply(self, [product(rest, inner.output, dict(enumerate(inner.dimensions)))])
                labels = range(len(core.axes))
                return product([*scalars, (core, labels, 1)], labels, dict(enumerate(core.axes)))
            if self.kind == "split" and inner.output.count(inner.output[-1]) == 2:
                return self.through_delta(inner)
            if self.kind in ("split", "part"):
                return self.into_factor(inner)
        if isinstance(inner, Apply) and isinstance(inner.operation, Linear):
            back = inner.operation
            pair = {self.kind, back.kind}
            if pair == {"merge", "split"} and self.sizes == back.sizes:
                return inner.arguments[0]
            if (self.kind, back.kind) == ("part", "pad") and self.sizes[0] is back.sizes[0]:
                if inner.arguments[0].axes[-1] is self.sizes[1]:
                    return inner.arguments[0]
            if (self.kind, back.kind) == ("part", "pad"):
                start, stop = back.sizes[0], back.sizes[0] + inner.arguments[0].axes[-1]
                if _not_above(stop, self.sizes[0]) or _not_above(self.sizes[0] + self.sizes[1], start):
                    return zeros((*lead, self.sizes[1]))
        return None

    def identity(self, inner: Node) -> Node | None:
        """The identity of vectors from that of matrices, both sides merged."""
        if not isinstance(inner, Product) or len(inner.factors) != 1 or len(inner.axes) != 3:
            return None
        merge, indices, exponent = inner.factors[0]
        if not isinstance(merge, Apply) or not isinstance(merge.operation, Linear) or merge.operation.kind != "merge":
            return None
        (delta,) = merge.arguments
        if not isinstance(delta, Product) or delta.factors or exponent != 1 or sorted(indices) != sorted(inner.output):
            return None
        places = [indices.index(index) for index in inner.output]
        if places[0] != 2 or tuple(delta.output[place] for place in places[1:]) != delta.output[2:]:
            return None
        return product([], (0, 0), {0: inner.axes[0]})

    def through_delta(self, node: Product) -> Node | None:
        """Splitting one of two axes that are tied: both are, and the other is merged again."""
        index = node.output[-1]
        holders = [k for k, f in enumerate(node.factors) if index in f.indices]
        if any(node.factors[k].indices.count(index) != 1 for k in holders):
            return None
        first, second = len(node.dimensions), len(node.dimensions) + 1
        pieces: list[tuple[Node, Sequence[int], Rational]] = []
        for k, (inner, indices, exponent) in enumerate(node.factors):
            if k not in holders:
                pieces.append((inner, indices, exponent))
                continue
            others = [i for i in indices if i != index]
            split = apply(self, [product([(inner, indices, 1)], [*others, index])])
            pieces.append((split, [*others, first, second], exponent))
        place = node.output.index(index)
        rest = [i for k, i in enumerate(node.output[:-1]) if k != place]
        lengths = {i: d for i, d in enumerate(node.dimensions) if i != index}
        lengths |= {first: self.sizes[0], second: self.sizes[1]}
        whole = merged(product(pieces, [*rest, first, second, first, second], lengths))
        count = len(whole.axes)
        order = [*range(len(rest)), count - 3, count - 2]
        order.insert(place, count - 1)
        return product([(whole, range(count), 1)], order)

    def into_factor(self, node: Product) -> Node | None:
        """Act on the one factor that has the last axis, where there is just one."""
        index = node.output[-1]
        holders = [k for k, f in enumerate(node.factors) if index in f.indices]
        if len(holders) != 1 or node.output.count(index) != 1 or len(node.factors) == 1:
            return None
        (at,) = holders
        factor = node.factors[at]
        if factor.exponent != 1 or factor.indices.count(index) != 1:
            return None
        others = [i for i in factor.indices if i != index]
        turned = product([(factor.node, factor.indices, 1)], [*others, index])
        fresh = [len(node.dimensions) + k for k in range(len(self.output([])))]
        acted = (apply(self, [turned]), [*others, *fresh], 1)
        rest = [f for k, f in enumerate(node.factors) if k != at]
        kept = {i: d for i, d in enumerate(node.dimensions) if i != index}
        return product([*rest, acted], [*node.output[:-1], *fresh], kept)

    def evaluate(self, array: Any, sizes: Mapping[str, int]) -> Any:
        """Compute it for numbers of the dimensions."""
        import numpy as np

        first, second = (size.evaluate(sizes) for size in self.sizes)
        lead = array.shape[: array.ndim - len(self.signature.inputs[0])]
        if self.kind == "merge":
            return array.reshape(*lead, first * second)
        if self.kind == "split":
            return array.reshape(*lead, first, second)
        self.require(array.shape[-1], sizes)
        if self.kind == "part":
            return array[..., first : first + second]
        result = np.zeros((*lead, second), dtype=array.dtype)
        result[..., first : first + array.shape[-1]] = array
        return result

    def require(self, length: int, sizes: Mapping[str, int]) -> None:
        """Refuse to take more entries than there are, or to put more back than there is room for.

        Raises:
            ValuesError: With the entries that are wanted, and what the dimensions are.
        """
        if self.kind not in ("part", "pad"):
            return
        first, second = (size.evaluate(sizes) for size in self.sizes)
        wanted, whole = (second, length) if self.kind == "part" else (length, second)
        if first < 0 or first + wanted > whole:
            names = sorted(name for size in self.sizes for name in size.names if name in sizes)
            known = ", ".join(f"{name} = {sizes[name]}" for name in dict.fromkeys(names))
            raise ValuesError(
                f"entries {first + 1} to {first + wanted} are wanted of {whole}" + (f", with {known}" if known else ""),
                hint="slice(x, k, n) is the n entries after the first k",
            )


def lengths(node: Node) -> Sequence[Dimension]:
    """The lengths that must be numbers before a node can be computed from its children."""
    if isinstance(node, Variable):
        return ()
    if isinstance(node, Product):
        return node.dimensions
    if isinstance(node, Apply) and isinstance(node.operation, Linear):
        return (*node.axes, *node.operation.sizes)
    return node.axes


def _not_above(low: Dimension, high: Dimension) -> bool:
    """Whether one dimension is at most the other, whatever its names stand for."""
    return all(coefficient >= 0 for _, coefficient in (high - low).terms)


def merged(node: Node) -> Node:
    """Merge the last two axes into one."""
    a, b = node.axes[-2:]
    return apply(Linear("merge", _MATRIX_IN, (a, b)), [node])


def stacked(node: Node, sizes: Axes) -> Node:
    """Split the last axis into two."""
    return apply(Linear("split", _VECTOR_TO_MATRIX, sizes), [node])


def padded(node: Node, offset: Dimension, total: Dimension) -> Node:
    """Put zeros before and after along the last axis."""
    if node.axes[-1] is total:
        return node
    return apply(Linear("pad", _VECTOR_IN, (offset, total)), [node])


def part(node: Node, offset: Dimension, length: Dimension) -> Node:
    """Take a stretch of the last axis."""
    if node.axes[-1] is length:
        return node
    return apply(Linear("part", _VECTOR_IN, (offset, length)), [node])


def reshaped(node: Node, groups: Sequence[int]) -> Node:
    """Merge each group of axes (of one or two) into one axis; empty groups vanish."""
    start = 0
    for size in groups:
        if size == 2:
            rank = len(node.axes)
            order = [k for k in range(rank) if k not in (start, start + 1)]
            turned = product([(node, range(rank), 1)], [*order, start, start + 1])
            node = merged(turned)
            rank -= 1
            back = list(range(rank - 1))
            back.insert(start, rank - 1)
            node = product([(node, range(rank), 1)], back)
        start += 1 if size else 0
    return node


_PI = Operation("pi", Signature((), ()), positive=True)


def pi() -> Node:
    """The circle constant."""
    return apply(_PI, [])


CIRCLE_CONSTANT = math.pi
