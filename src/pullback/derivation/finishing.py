"""The last touch on all steps: how many entries something has is said by its dimensions, n for size(x)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from pullback.derivation.formula import Line, Matrix, Part
from pullback.derivation.request import Request
from pullback.derivation.steps import Parameter, Step
from pullback.dimension import ONE, Dimension
from pullback.syntax.forms import fold, rebuild
from pullback.syntax.parser import parse_expression
from pullback.syntax.tree import Call, Name, Syntax

_AXES = {"rows": 0, "columns": 1}


def finished(step: Step, request: Request) -> Step:
    """The step with its sizes said as dimensions, or as numbers where these are known."""
    return _Sizes(request).step(step)


class _Sizes:
    def __init__(self, request: Request) -> None:
        board, names = request.board, request.names
        self.shapes: dict[str, tuple[Dimension, ...]] = {n: given.shape for n, given in board.inputs.items()}
        self.shapes |= {request.name_of(k): s.shape for k, s in enumerate(board.statements)}
        self.shapes |= {names.spelling.get(name, name): shape for name, shape in self.shapes.items()}
        self.known = {name: Dimension.of(size) for name, size in request.arrays[1].items()}
        self.tree = cache(self._tree)

    def step(self, step: Step) -> Step:
        parameters: Mapping[str, Parameter] = {k: self.parameter(v) for k, v in step.parameters.items()}
        lines = tuple(map(self.line, step.lines))
        return replace(step, parameters=parameters, lines=lines, steps=tuple(map(self.step, step.steps)))

    def parameter(self, value: Parameter) -> Parameter:
        if isinstance(value, Line):
            return self.line(value)
        return self.tree(value) if isinstance(value, Syntax) else value

    def line(self, line: Line) -> Line:
        return Line(tuple(map(self.part, line.parts)))

    def part(self, part: Part) -> Part:
        if isinstance(part, Matrix):
            return Matrix(tuple(tuple(c if c is None else self.tree(c) for c in row) for row in part.rows))
        return self.tree(part) if isinstance(part, Syntax) else part

    def _tree(self, tree: Syntax) -> Syntax:
        return fold(tree, self.visit)

    def visit(self, node: Syntax, parts: list[Syntax]) -> Syntax:
        if isinstance(node, Call) and node.function == "size" and (axes := self.axes(node)) is not None:
            total = ONE
            for axis in axes:
                total = total * axis
            return parse_expression(str(total.substitute(self.known)), ())
        return rebuild(node, parts)

    def axes(self, node: Call) -> tuple[Dimension, ...] | None:
        """What a size is the product of; None where that is not known."""
        of, *rest = node.arguments
        if not isinstance(of, Name):
            return None
        if of.identifier not in self.shapes:
            return (Dimension.of(of.identifier),)
        shape = self.shapes[of.identifier]
        if not rest:
            return shape
        axis = _AXES.get(rest[0].identifier) if isinstance(rest[0], Name) else None
        return (shape[axis],) if axis is not None and axis < len(shape) else None
