"""Values on the way through a foreign function: a shape, and how to build the graph from that of the arguments.

Values keep their full shapes, axes of length one included, as NumPy, PyTorch and JAX do; graphs do not
have these. So a value can be built twice: over the inputs, and over the names of the steps before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from pullback.dimension import ONE, Dimension
from pullback.errors import UnsupportedError
from pullback.lowering.program import Input, Program, Statement
from pullback.operations.table import FUNCTIONS
from pullback.syntax import tree
from pullback.syntax.names import normalise
from pullback.tensor.node import Axes, Node, make_variable

Shape = tuple[Dimension, ...]
Make = Callable[[Sequence[Node]], Node]


_HERE: ContextVar[Callable[[], str]] = ContextVar("_HERE", default=lambda: "")
"""Says at which place of the foreign code a value is made, as ``file:line``."""


@contextmanager
def placed(where: Callable[[], str]) -> Iterator[None]:
    """Let values be marked with the place that ``where`` gives while they are made."""
    token = _HERE.set(where)
    try:
        yield
    finally:
        _HERE.reset(token)


class Value:
    """One value: ``step`` says what operation it is; fused ones (reshapes, broadcasts) are no step of their own."""

    __slots__ = ("arguments", "array", "detail", "fused", "make", "place", "shape", "step")

    def __init__(
        self, shape: Shape, arguments: Sequence[Value], make: Make, step: str = "", fused: bool = False
    ) -> None:
        self.shape, self.arguments, self.make = shape, tuple(arguments), make
        self.step, self.fused = step, fused
        self.array: Any = None
        """What a constant is: a number where all its entries are one, else an array."""
        self.place = "" if fused else _HERE.get()()
        self.detail: Any = None
        """The axes that a reduction goes over, or the numbers of a linear combination."""

    @property
    def rank(self) -> int:
        """The number of axes, those of length one counted."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<traced {self.step or 'value'} of {' x '.join(map(str, self.shape)) or 'scalar'}>"


def axes_of(shape: Shape) -> Axes:
    """The axes that a shape has in the graph."""
    return tuple(axis for axis in shape if axis is not ONE)


def order_of(output: Value) -> list[Value]:
    """All values below one, arguments first."""
    order: list[Value] = []
    seen: set[int] = set()
    stack: list[tuple[Value, bool]] = [(output, False)]
    while stack:
        value, ready = stack.pop()
        if ready:
            order.append(value)
        elif id(value) not in seen:
            seen.add(id(value))
            stack.append((value, True))
            stack.extend((argument, False) for argument in reversed(value.arguments) if id(argument) not in seen)
    return order


class Recording:
    """The inputs and constants of a function that is being read."""

    def __init__(self) -> None:
        self.inputs: dict[str, Input] = {}
        self.values: dict[int, str] = {}
        self.kept: list[Value] = []
        self.constants: dict[str, Any] = {}

    def input(self, name: str, shape: Shape, properties: frozenset[str] = frozenset()) -> Value:
        """Make an input."""
        name = normalise(name)
        entry = Input(name, shape, properties)
        self.inputs[name] = entry
        variable = entry.variable
        value = Value(shape, (), lambda _: variable, "input")
        self.values[id(value)] = name
        self.kept.append(value)
        return value

    def constant(self, array: Any, stem: str = "c") -> Value:
        """A constant array: a number where all entries are one number, else an input that is not differentiated.

        ``stem`` begins its name; the same array is one input.
        """
        import numpy as np

        array = np.asarray(array, dtype=np.float64)
        shape = tuple(Dimension.of(int(n)) for n in array.shape)
        if array.size and np.all(array == array.reshape(-1)[0]):
            from pullback.tracing.ops import filled

            return filled(float(array.reshape(-1)[0]), shape)
        else:
            for known, kept in self.constants.items():
                if known.startswith(stem) and kept.shape == array.shape and np.array_equal(kept, array):
                    return next(v for v in self.kept if self.values[id(v)] == known)
            count = sum(known.startswith(stem) for known in self.constants) + 1
            name = f"{stem}{count}"
            while name in self.inputs:
                count += 1
                name = f"{stem}{count}"
            value = self.input(name, shape, frozenset({"constant"}))
            self.constants[name] = array
        value.array = array
        return value

    def program(
        self,
        output: Value,
        title: str,
        names: Mapping[int, str] | None = None,
        function: Callable[[Mapping[str, Any]], Any] | None = None,
    ) -> TracedProgram:
        """Make a program whose statements are the steps that were recorded.

        Args:
            output: The result.
            title: What the program is called where its text would stand.
            names: Names for steps, by the identity of their value.
            function: Computes the output from named arrays, for checks.
        """
        steps = [v for v in order_of(output) if v is output or (v.arguments and not v.fused and v.array is None)]
        called = _names(steps, names or {}, set(self.inputs))
        full: dict[int, Node] = {}
        local: dict[int, Node] = {}
        statements = []
        step_ids = {id(step) for step in steps}
        for value in order_of(output):
            full[id(value)] = value.make([full[id(a)] for a in value.arguments])
            near = value.make([local[id(a)] for a in value.arguments])
            assert near.axes == axes_of(value.shape), f"{value.step} has axes {near.axes}, not {value.shape}"
            if id(value) in step_ids:
                name = called[id(value)]
                statements.append(Statement(name, value.shape, full[id(value)], lambda near=near: near))  # type: ignore[misc]
                local[id(value)] = make_variable(normalise(name), axes_of(value.shape))
            else:
                local[id(value)] = near
        texts = {called[id(step)]: step.step for step in steps}
        asked = (
            {name: entry.shape for name, entry in self.inputs.items()},
            {name: entry.properties for name, entry in self.inputs.items()},
        )
        program = TracedProgram(
            title, None, dict(self.inputs), tuple(statements), None, asked, dict(self.constants), function, texts
        )
        program.places.update({called[id(step)]: step.place for step in steps if step.place})
        program.titles.update(called[id(step)] for step in steps if called[id(step)] == (names or {}).get(id(step)))
        return program


class TracedProgram(Program):
    """A program that was read from a function rather than from text.

    Attributes:
        constants: Values of the inputs that the function brought along.
        function: Computes the output from named arrays, as the original does.
        operations: What operation each statement is, by its name.
        places: Where each statement stands in the code it was read from, as ``file:line``.
        state: Values of the inputs that are parameters of the module that was read.
        titles: The statements whose names are the function's own.
        leaves: The inputs in order, each with the path of the parameter that it is ("" for an argument).
    """

    __slots__ = ("_syntax", "constants", "function", "leaves", "operations", "places", "state", "titles")
    _syntax: tree.Program | None
    constants: dict[str, Any]
    leaves: list[tuple[str, str]]
    function: Callable[[Mapping[str, Any]], Any] | None
    operations: dict[str, str]
    places: dict[str, str]
    state: dict[str, Any]
    titles: set[str]

    def __init__(
        self,
        source: str,
        syntax: tree.Program | None,
        inputs: dict[str, Input],
        statements: tuple[Statement, ...],
        batch: Dimension | None,
        asked: Any,
        constants: dict[str, Any],
        function: Callable[[Mapping[str, Any]], Any] | None,
        operations: dict[str, str],
    ) -> None:
        Program.__init__(self, source, cast(tree.Program, syntax), inputs, statements, batch, asked)
        object.__setattr__(self, "constants", constants)
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "operations", operations)
        object.__setattr__(self, "leaves", [])
        object.__setattr__(self, "places", {})
        object.__setattr__(self, "state", {})
        object.__setattr__(self, "titles", set())

    @property
    def syntax(self) -> tree.Program:
        """The statements in the notation; none where they have no notation."""
        if self._syntax is None:
            from pullback.tracing.notation import written

            object.__setattr__(self, "_syntax", written(self.inputs, self.statements, self.source))
        found = self._syntax
        assert found is not None
        return found

    @syntax.setter
    def syntax(self, parsed: tree.Program | None) -> None:
        object.__setattr__(self, "_syntax", parsed)


def _names(steps: Sequence[Value], given: Mapping[int, str], taken: set[str]) -> dict[int, str]:
    used = set(taken) | set(FUNCTIONS) | {"g"}
    result: dict[int, str] = {}
    for step in steps:
        name = given.get(id(step), "")
        if name.isidentifier() and not name.startswith("_") and normalise(name) not in used:
            result[id(step)] = name
            used.add(normalise(name))
    count = 0
    for step in steps:
        if id(step) not in result:
            while True:
                count += 1
                stem = "H" if step.rank == 2 else "h"
                if f"{stem}{count}" not in used:
                    break
            result[id(step)] = f"{stem}{count}"
            used.add(f"{stem}{count}")
    return result


def refuse(what: str, where: str = "", hint: str = "") -> UnsupportedError:
    """Make the refusal of something by name, with its place."""
    return UnsupportedError(f"{what} is not read" + (f", at {where}" if where else ""), hint=hint)
