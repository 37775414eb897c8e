"""What a derivation is asked for, made ready: the program, its values, its small form, its names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pullback.derivation.local import Local
from pullback.derivation.naming import Names, choose_names
from pullback.derivation.readings import Readings
from pullback.derivation.splitting import split
from pullback.derivation.standin import StandIn, stand_in
from pullback.deriving import backward, gradient
from pullback.dimension import ONE
from pullback.errors import UnsupportedError
from pullback.evaluation.arrays import as_array, by_name
from pullback.evaluation.binding import bind
from pullback.expression import Results, evaluate_all
from pullback.lowering.asked import chosen, free_name
from pullback.lowering.program import Input, Program
from pullback.tensor.node import Variable, topological
from pullback.tensor.reshape import lengths

_UPSTREAM = "dL/dy"
"""No input is called this."""


@dataclass(frozen=True)
class Request:
    """A program to derive, and all that was said about it."""

    program: Program
    wrt: tuple[str, ...]
    values: Mapping[str, Any] | None
    upstream: Any | None
    structured: bool = False
    is_layer: bool = False
    """Whether something comes after the output in any case, a single number too."""
    reserved: frozenset[str] = frozenset()
    """Names that mean something else on the same board."""

    @cached_property
    def board(self) -> Program:
        """The program as it is derived, its inner parts named."""
        return split(self.program)

    @cached_property
    def names(self) -> Names:
        """The names to use."""
        return choose_names(self.board, self.reserved)

    @property
    def is_loss(self) -> bool:
        """Whether the output is the loss itself: a scalar that nothing was said to come after."""
        if self.is_layer or self.upstream is not None:
            return False
        return all(axis is ONE for axis in self.program.output.shape)

    @cached_property
    def upstream_name(self) -> str:
        """What results call the upstream gradient."""
        return free_name(self.board, "g", "dy", self.names.upstreams[self.names.output])

    @cached_property
    def results(self) -> Results:
        """The closed forms of the whole program."""
        if self.is_loss:
            found = gradient(self.program, list(self.wrt), structured=self.structured)
            assert isinstance(found, Results)
            return found
        return backward(self.program, list(self.wrt), self.upstream_name)

    @cached_property
    def arrays(self) -> tuple[dict[str, Any], dict[str, int]]:
        """The values of the inputs in their full shapes, and the sizes of the dimensions.

        Raises:
            ValuesError: The values don't fit.
        """
        if self.values is None and self.upstream is None:
            return {}, {}
        inputs = dict(self.program.inputs)
        values = {} if self.values is None else by_name(self.values)
        given = {name: value for name, value in values.items() if not callable(value)}
        if self.upstream is not None:
            inputs[_UPSTREAM] = Input(f"dL/d{self.names.output}", self.program.output.shape, frozenset())
            given[_UPSTREAM] = self.upstream
        order = list(topological([s.node for s in self.program.statements]))
        needed = [v for v in order if isinstance(v, Variable)] if self.values is not None else []
        told = {n for name in given if name in inputs for axis in inputs[name].shape for n in axis.names}
        known = {n for node in order for axis in lengths(node) for n in axis.names}
        bound = bind(inputs, given, needed, sorted(told | (known & set(given))))
        full: dict[str, Any] = {}
        for variable, array in bound.arrays.items():
            shape = tuple(axis.evaluate(bound.sizes) for axis in inputs[variable.name].shape)
            full[variable.name] = array.reshape(shape)
        if self.upstream is not None:
            full[_UPSTREAM] = as_array(inputs[_UPSTREAM].name, self.upstream)
        return full, bound.sizes

    @cached_property
    def readings(self) -> Readings | None:
        """The numbers: inputs, statements, and the gradient of the output where it is known."""
        arrays, _ = self.arrays
        if self.values is None and self.upstream is None:
            return None
        import numpy as np

        values = {name: array for name, array in arrays.items() if name != _UPSTREAM}
        gradients: dict[str, Any] = {}
        if _UPSTREAM in arrays:
            gradients[self.names.output] = arrays[_UPSTREAM]
        elif self.is_loss:
            gradients[self.names.output] = np.ones(tuple(1 for _ in self.program.output.shape))
        if self.values is not None:
            roots = [(s.node, s.shape) for s in self.board.statements]
            forward = evaluate_all(roots, self.program.inputs, self.values)
            for k, array in enumerate(forward):
                values[self.name_of(k)] = array
        functions = {name: value for name, value in (self.values or {}).items() if callable(value)}
        free = tuple(d for d in self.program.syntax.declarations if "entrywise" in d.properties)
        return Readings(self.names, values, gradients, self.arrays[1], functions, free)

    def name_of(self, position: int) -> str:
        """The name of a statement; the output has one in any case."""
        return self.board.statements[position].name or self.names.output

    @cached_property
    def small(self) -> StandIn | None:
        """The program at the size of a board."""
        return stand_in(self.board, self.arrays[1])

    def local(self, position: int) -> Local:
        """A statement on its own."""
        return Local(self.board, position, self.name_of(position), self.names, self.arrays[1])

    @cached_property
    def order(self) -> list[int]:
        """The statements that pass something back to what is asked for, from the output on."""
        program = self.board
        reaching: set[str] = set(self.wrt)
        uses: list[list[str]] = []
        for k, statement in enumerate(program.statements):
            operands = [v.name for v in topological([statement.local]) if isinstance(v, Variable)]
            uses.append(operands)
            if reaching & set(operands):
                reaching.add(self.name_of(k))
        needed = {self.names.output}
        found = []
        for k in reversed(range(len(program.statements))):
            name = self.name_of(k)
            if name in needed and name in reaching:
                found.append(k)
                needed.update(uses[k])
        return found

    @cached_property
    def reaching(self) -> frozenset[str]:
        """The names whose gradient is wanted, for itself or on the way."""
        return frozenset({*self.wrt, *(self.name_of(k) for k in self.order)})

    @cached_property
    def uses(self) -> dict[str, int]:
        """In how many of the statements each name is used."""
        count: dict[str, int] = {}
        for k in self.order:
            local = self.board.statements[k].local
            for name in {v.name for v in topological([local]) if isinstance(v, Variable)}:
                count[name] = count.get(name, 0) + 1
        return count


def make_request(
    program: Program,
    wrt: str | Sequence[str] | None,
    values: Mapping[str, Any] | None,
    upstream: Any,
    structured: bool,
    is_layer: bool = False,
) -> Request:
    """Check and hold what was asked for."""
    names = tuple(chosen(program, wrt))
    if not program.syntax.bindings:
        raise UnsupportedError(
            f"the steps of {program.source} have no notation", hint="backward gives its closed forms"
        )
    return Request(program, names, values, upstream, structured, is_layer)
