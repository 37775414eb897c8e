"""A lowered expression before all dimensions are known: its shape now, its node later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pullback.dimension import ONE, Dimension
from pullback.errors import NOWHERE, Place, ShapeError, Span
from pullback.lowering.dimensions import Solver
from pullback.tensor.axes import broadcast
from pullback.tensor.node import Axes, Node, Rational
from pullback.tensor.product import product

Shape = tuple[Dimension, ...]


@dataclass(eq=False, slots=True)
class Value:
    """A shape that may still hold unknown dimensions, and how to build the node once they are known.

    ``named`` are inputs and bound names: one of 1 x n is a matrix, while x' is a vector lying down.
    """

    shape: Shape
    make: Callable[[], Node]
    span: Span = NOWHERE
    made: Node | None = field(default=None)
    needs: tuple[Value, ...] = ()
    named: bool = False

    @property
    def rank(self) -> int:
        """The number of axes, those of length one counted."""
        return len(self.shape)

    def node(self) -> Node:
        """Build the node, once; what it needs first, without recursion along long chains."""
        stack = [self]
        while stack:
            value = stack[-1]
            missing = [need for need in value.needs if need.made is None] if value.made is None else []
            if missing:
                stack += missing
                continue
            if value.made is None:
                value.made = value.make()
            stack.pop()
        assert self.made is not None
        return self.made

    def at(self, span: Span) -> Value:
        """Say where in the text the value stands."""
        return Value(self.shape, self.node, span, needs=(self,), named=self.named)


@dataclass(frozen=True, slots=True)
class Context:
    """What all values of a program share."""

    solver: Solver
    source: str

    def resolved(self, shape: Shape) -> Shape:
        """Put in what is known of a shape."""
        return tuple(self.solver.resolve(axis) for axis in shape)

    def axes(self, shape: Shape) -> Axes:
        """The axes that a tensor of this shape has in the graph: those that are not of length one."""
        return tuple(axis for axis in self.resolved(shape) if axis is not ONE)

    def is_scalar(self, value: Value) -> bool:
        """Whether it is one number, as far as is known now."""
        return all(axis is ONE for axis in self.resolved(value.shape))

    def is_row(self, value: Value) -> bool:
        """Whether it is a row: a matrix with one row and more than one column."""
        shape = self.resolved(value.shape)
        return len(shape) == 2 and shape[0] is ONE and shape[1] is not ONE

    def settle(self, shape: Shape) -> Shape:
        """A result that is 1 x 1 is a scalar."""
        shape = self.resolved(shape)
        return () if all(axis is ONE for axis in shape) else shape

    def contract(
        self,
        parts: Sequence[tuple[Value, Sequence[int], Rational]],
        output: Sequence[int],
        lengths: dict[int, Dimension] | None = None,
        span: Span = NOWHERE,
    ) -> Value:
        """Multiply values over labels; labels not in ``output`` are summed over."""
        known = dict(lengths or {})
        for value, labels, _ in parts:
            for label, axis in zip(labels, value.shape, strict=True):
                known.setdefault(label, axis)

        def make() -> Node:
            lengths = {label: self.solver.resolve(axis) for label, axis in known.items()}

            def kept(labels: Sequence[int]) -> list[int]:
                return [label for label in labels if lengths[label] is not ONE]

            factors = [(value.node(), kept(labels), exponent) for value, labels, exponent in parts]
            return product(factors, kept(output), {k: v for k, v in lengths.items() if v is not ONE})

        needs = tuple(value for value, _, _ in parts)
        return Value(self.settle(tuple(known[label] for label in output)), make, span, needs=needs)

    def spread(self, value: Value, shape: Shape) -> Node:
        """Build a value with a scalar repeated over a shape."""
        if value.shape and not self.is_scalar(value):
            return value.node()
        return broadcast(value.node(), self.axes(shape), ())

    def describe(self, value: Value) -> str:
        """Say what a value is: ``a vector of n``, ``a 2 x 3 matrix``."""
        shape = [str(axis) if "?" not in str(axis) else "…" for axis in self.resolved(value.shape)]
        shape = [axis.replace("~", "") for axis in shape]
        if self.is_scalar(value):
            return "a scalar"
        if len(shape) == 1:
            return "a vector" if shape[0] == "…" else f"a vector of {shape[0]}"
        kind = "row" if shape[0] == "1" else "matrix" if len(shape) == 2 else "tensor"
        return f"a {' x '.join(shape)} {kind}" if any(s != "…" for s in shape) else f"a {kind}"

    def mismatch(self, message: str, values: Sequence[Value], hint: str = "") -> ShapeError:
        """Make the error of two parts that don't fit, with a caret under each."""
        places = tuple(Place(value.span, self.describe(value)) for value in values)
        return ShapeError(message, source=self.source, places=places, hint=hint)
