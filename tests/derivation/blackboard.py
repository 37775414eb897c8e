"""A second reader of the board: it computes every side of every line by other means than the derivation did.

Forward values come from evaluating the text; every derivative, of the loss or of one entry by another,
from central differences of that. A side that holds letters for indices, or a place that is not filled
yet, has no number and is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from pullback.checking.evaluator import Evaluator, UnfitError
from pullback.derivation.formula import (
    DIFFERENTIAL,
    EQUALS,
    EXTENT,
    LITERAL,
    PARTIAL,
    PLACE,
    TOTAL,
    Big,
    Line,
    Matrix,
    Numbers,
    Part,
    Sign,
)
from pullback.errors import PullbackError
from pullback.rendering.derivation import Derivation
from pullback.syntax.forms import children, rebuild
from pullback.syntax.tree import Binding, Call, Indexed, Name, Syntax

_STEP = 1e-6


class NoNumber(Exception):
    """A side that has no number."""


@dataclass
class Blackboard:
    """The numbers of a derivation with values, found anew."""

    derivation: Derivation
    upstream: Any = None
    wheres: dict[str, Any] = field(default_factory=dict)
    """Names that results give to the parts that they share."""

    def __post_init__(self) -> None:
        request = self.derivation.request
        self.names = request.names
        arrays, sizes = request.arrays
        self.evaluator = Evaluator(sizes)
        self.inputs = {name: np.asarray(arrays[name], dtype=float) for name in request.program.inputs}
        self.bindings = [
            Binding(request.name_of(k), binding.value) for k, binding in enumerate(request.board.syntax.bindings)
        ]
        self.values = self.run({})
        self.symbols = {symbol: name for name, symbol in self.names.symbols.items()}
        self.local: dict[str, Any] = {}

    def run(self, instead: dict[str, Any]) -> dict[str, Any]:
        """Compute all names, some of them set by hand."""
        names: dict[str, Any] = {**self.inputs, **instead}
        for binding in self.bindings:
            if binding.name not in instead:
                names[str(binding.name)] = self.evaluator.value(binding.value, names)
        return names

    @cached_property
    def seed(self) -> Any:
        """The gradient of the output."""
        output = self.values[self.names.output]
        return np.ones(output.shape) if self.upstream is None else np.reshape(self.upstream, output.shape)

    def slope(self, function: Callable[[Any], Any], at: Any) -> Any:
        """Differences of an array by each entry of another: the axes of the array, then those of the other."""
        at = np.asarray(at, dtype=float)
        columns = []
        for k in range(at.size):
            step = np.zeros(at.size)
            step[k] = _STEP * max(1.0, abs(at.reshape(-1)[k]))
            up, down = function(at + step.reshape(at.shape)), function(at - step.reshape(at.shape))
            columns.append((np.asarray(up) - np.asarray(down)) / (2 * step[k]))
        return np.moveaxis(
            np.array(columns).reshape(at.shape + np.shape(columns[0])), range(at.ndim), range(-at.ndim, 0)
        )

    def gradient(self, name: str) -> Any:
        """dL/dname."""
        if name == self.names.output:
            return self.seed
        key = f"dL/d{name}"
        if key not in self.local:

            def loss(value: Any) -> Any:
                return np.sum(self.seed * self.run({name: value})[self.names.output])

            self.local[key] = self.slope(loss, self.values[name])
        return self.local[key]

    def partials(self, out: str, of: str) -> Any:
        """The derivative of a statement by one of the names in it, the others held."""
        key = f"d{out}/d{of}"
        if key not in self.local:
            (binding,) = [b for b in self.bindings if b.name == out]

            def statement(value: Any) -> Any:
                return self.evaluator.value(binding.value, {**self.values, of: value})

            self.local[key] = self.slope(statement, self.values[of])
        return self.local[key]

    # reading

    def side(self, parts: Sequence[Part]) -> Any:
        """The number of one side of a line; raises NoNumber."""
        value: Any = None
        sign = "*"
        for part in parts:
            if isinstance(part, Sign):
                if part.text not in ("+", "-", ".*", "."):
                    raise NoNumber
                sign = part.text
                if value is None:
                    value = np.zeros(())
                continue
            here = self.part(part)
            if value is None:
                value = here
            elif sign in "+-":
                value = value + here if sign == "+" else value - here
            elif sign in (".*", ".") or np.ndim(value) == 0 or np.ndim(here) == 0:
                value = value * here
            else:
                value = value @ here
            sign = "*"
        return value

    def part(self, part: Part) -> Any:
        if isinstance(part, Matrix):
            rows = [[self.tree(cell) for cell in row if cell is not None] for row in part.rows]
            if any(cell is None for row in part.rows for cell in row):
                raise NoNumber
            return np.array(rows, dtype=float)
        if isinstance(part, Numbers):
            return part.array
        if isinstance(part, Big):
            raise NoNumber
        assert isinstance(part, Syntax)
        return self.tree(part)

    def tree(self, tree: Syntax) -> Any:
        """The number of an expression of the board."""
        found: dict[str, Any] = {}
        bare = self.bare(tree, found)
        try:
            return self.evaluator.value(bare, {**self.values, **self.wheres, **found})
        except (UnfitError, PullbackError):
            raise NoNumber from None

    def bare(self, tree: Syntax, found: dict[str, Any]) -> Syntax:
        """The expression with names in place of what the notation does not have."""

        def put(value: Any) -> Syntax:
            name = f"found{len(found)}"
            found[name] = np.asarray(value)
            return Name(name)

        if isinstance(tree, Indexed):
            return put(self.entry(tree))
        if isinstance(tree, Call) and tree.function == PARTIAL:
            return put(self.derivative(tree))
        if isinstance(tree, Call) and tree.function == LITERAL:
            return put(float(tree.arguments[0].identifier))  # type: ignore[union-attr]
        if isinstance(tree, Call) and tree.function in (TOTAL, EXTENT, PLACE, DIFFERENTIAL):
            raise NoNumber
        return rebuild(tree, [self.bare(part, found) for part in children(tree)])

    def entry(self, tree: Indexed) -> Any:
        operand = tree.operand
        if isinstance(operand, Call) and operand.function == PARTIAL:
            return self.through(operand, tree.indices[0])
        if not all(index.isdigit() for index in tree.indices):
            raise NoNumber
        place = tuple(int(index) - 1 for index in tree.indices)
        if isinstance(operand, Name) and operand.identifier in self.symbols:
            return np.asarray(self.values[self.symbols[operand.identifier]])[place]
        return np.asarray(self.tree(operand))[place]

    def derivative(self, tree: Call) -> Any:
        """``dL/dx``, ``dL/dx_1`` or ``dy_1/dx_1``."""
        above, below = tree.arguments
        of, place = self.named(below)
        if isinstance(above, Name) and above.identifier == self.names.loss and above.identifier != self.names.output:
            return self.gradient(of)[place]
        out, where = self.named(above)
        if out == self.names.output and out == self.names.loss:
            uses = sum(1 for b in self.bindings if b.name == out and self.mentions(b.value, of))
            return self.partials(out, of)[(*where, *place)] if uses and place else self.gradient(of)[place]
        return self.partials(out, of)[(*where, *place)]

    def mentions(self, tree: Syntax, name: str) -> bool:
        return (isinstance(tree, Name) and tree.identifier == name) or any(
            self.mentions(part, name) for part in children(tree)
        )

    def through(self, tree: Call, statement: str) -> Any:
        """The part of a gradient that comes through one statement."""
        of, place = self.named(tree.arguments[1])
        above = self.gradient(statement)
        slopes = self.partials(statement, of)
        return np.tensordot(above, slopes, above.ndim)[place]

    def named(self, tree: Syntax) -> tuple[str, tuple[int, ...]]:
        if isinstance(tree, Name):
            name = tree.identifier
            return name if name in self.values else self.symbols[name], ()
        assert isinstance(tree, Indexed) and isinstance(tree.operand, Name)
        if not all(index.isdigit() for index in tree.indices):
            raise NoNumber
        return self.symbols[tree.operand.identifier], tuple(int(index) - 1 for index in tree.indices)


def sides(line: Line) -> list[list[Part]]:
    """The sides of a line."""
    found: list[list[Part]] = [[]]
    for part in line.parts:
        if part == EQUALS:
            found.append([])
        else:
            found[-1].append(part)
    return found


def compared(derivation: Derivation, upstream: Any = None) -> Iterator[tuple[Line, list[Any]]]:
    """Every line of which at least two sides have numbers, with these."""
    board = Blackboard(derivation, upstream)
    for top in derivation.steps:
        for step in top.walk():
            # Names that results give to shared parts hold for the lines after them.
            board.wheres = {}
            for line in step.lines:
                numbers = []
                for side in sides(line):
                    try:
                        numbers.append(np.asarray(board.side(side), dtype=float))
                    except (NoNumber, KeyError, IndexError, ValueError):
                        continue
                first = line.parts[0]
                if isinstance(first, Name) and first.identifier not in board.values and len(numbers) == 1:
                    board.wheres = {**board.wheres, first.identifier: numbers[0]}
                if len(numbers) > 1:
                    yield line, numbers
