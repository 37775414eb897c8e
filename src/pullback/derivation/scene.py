"""One statement on the board: its entries, its local derivatives entry by entry, and their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product as every
from typing import Any

from pullback.derivation.expanding import Expander, Index, TooLongError
from pullback.derivation.formula import entry, partial, through
from pullback.derivation.local import Local
from pullback.derivation.naming import letters
from pullback.derivation.readings import EntryReadings, Readings
from pullback.derivation.scalars import is_zero
from pullback.derivation.standin import MOST_PARTIALS
from pullback.expression import Expression
from pullback.syntax.tree import Name, Syntax
from pullback.tensor.node import Apply, Node


@dataclass
class Scene:
    """A statement of the small program; ``readings`` are there where it is the program itself with values."""

    local: Local
    readings: Readings | None
    shared: frozenset[str] = frozenset()
    """Operands that other statements use too, so that this one gives a part of their gradient."""
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, given in self.local.program.inputs.items():
            self.shapes[name] = tuple(axis.number or 0 for axis in given.shape)
        self.shapes[self.local.name] = tuple(axis.number or 0 for axis in self.local.statement.shape)

    @cached_property
    def expander(self) -> Expander:
        """What writes entries out."""
        node = self.local.statement.local
        own = (node, self.local.name) if isinstance(node, Apply) else None
        return Expander(self.local.names.symbols, self.shapes, self.local.order, self.local.spell, own)

    @cached_property
    def entries(self) -> EntryReadings | None:
        """Numbers for entries."""
        if self.readings is None:
            return None
        names = self.local.names
        return EntryReadings(names.symbols, names.loss, self.readings.values, self.readings.gradients)

    # entries by name

    @property
    def out(self) -> str:
        """The name of the statement."""
        return self.local.name

    def indices(self, name: str) -> list[Index]:
        """All places in a tensor, in the axes that the graph has."""
        return list(every(*(range(length) for length in self.axes(name))))

    def axes(self, name: str) -> tuple[int, ...]:
        """The lengths of the axes that the graph has: those that are not one."""
        return tuple(length for length in self.shapes[name] if length != 1)

    def symbol(self, name: str, place: Sequence[int | str]) -> Syntax:
        """The entry of a name at a place; numbers count from zero."""
        return entry(self.local.names.symbols[name], self.subscripts(name, place))

    def subscripts(self, name: str, place: Sequence[int | str]) -> list[int | str]:
        """What stands below the symbol of an entry; axes of length one have their subscript too."""
        given = iter([k + 1 if isinstance(k, int) else k for k in place])
        return [1 if length == 1 else next(given) for length in self.shapes[name]]

    def gradient(self, name: str, place: Sequence[int | str]) -> Syntax:
        """The derivative of the loss by an entry."""
        whole = partial(Name(self.local.names.loss), self.symbol(name, place))
        return through(whole, self.out) if name in self.shared else whole

    def slope(self, out: Sequence[int | str], operand: str, place: Sequence[int | str]) -> Syntax:
        """The derivative of an entry of the statement by an entry of an operand."""
        return partial(self.symbol(self.out, out), self.symbol(operand, place))

    def written(self, place: Index) -> Syntax:
        """An entry of the right side, written out; raises TooLongError."""
        plain = Expander(self.local.names.symbols, self.shapes, self.local.order, self.local.spell, in_full=True)
        return plain.entry(self.local.statement.local, place)


@dataclass
class Slopes:
    """All local partial derivatives of a statement by one operand."""

    scene: Scene
    operand: str
    node: Node = field(init=False)

    def __post_init__(self) -> None:
        self.node = self.scene.local.jacobian(self.operand)
        if len(self.outs) * len(self.places) > MOST_PARTIALS:
            raise TooLongError

    @cached_property
    def outs(self) -> list[Index]:
        """The places in the statement."""
        return self.scene.indices(self.scene.out)

    @cached_property
    def places(self) -> list[Index]:
        """The places in the operand."""
        return self.scene.indices(self.operand)

    def at(self, out: Index, place: Index) -> Syntax:
        """One partial derivative, written out."""
        return self.scene.expander.entry(self.node, (*out, *place))

    @cached_property
    def support(self) -> dict[Index, list[Index]]:
        """For each place in the operand, the places in the statement where it appears."""
        return {p: [o for o in self.outs if not is_zero(self.at(o, p))] for p in self.places}

    @cached_property
    def is_single(self) -> bool:
        """Whether every entry of the operand appears in one entry of the statement at most."""
        return all(len(found) <= 1 for found in self.support.values())

    @cached_property
    def appearances(self) -> list[tuple[int | str, ...]] | None:
        """Where the general entry appears: tied axes by their letter, the others by all their numbers.

        None where that is not the same for every entry.
        """
        found: list[tuple[int | str, ...]] = []
        for out in self.outs:
            place = tuple(self.letters[b] if b is not None else k for k, b in zip(out, self.tied, strict=True))
            if place not in found:
                found.append(place)
        for entry_place, support in self.support.items():
            value = dict(zip(self.letters, entry_place, strict=True))
            if {tuple(value[k] if isinstance(k, str) else k for k in place) for place in found} != set(support):
                return None
        return found

    @cached_property
    def numbers(self) -> Any | None:
        """The partial derivatives as numbers."""
        readings = self.scene.readings
        program = self.scene.local.program
        if readings is None or any(name not in readings.values for name in program.inputs):
            return None
        expression = Expression(self.node, self.node.axes, program)
        return readings.computed(expression, {name: readings.values[name] for name in program.inputs})

    def number(self, out: Index, place: Index) -> float | None:
        """One partial derivative as a number."""
        return None if self.numbers is None else float(self.numbers[(*out, *place)])

    # the pattern in letters

    @cached_property
    def letters(self) -> tuple[str, ...]:
        """Letters for the axes of the operand."""
        return letters(len(self.scene.axes(self.operand)), self.scene.local.names.taken)

    @cached_property
    def tied(self) -> tuple[int | None, ...]:
        """For each axis of the statement, the axis of the operand whose index it always has; else None."""
        pairs = [(o, p) for p, found in self.support.items() for o in found]
        outer, inner = self.scene.axes(self.scene.out), self.scene.axes(self.operand)
        result: list[int | None] = []
        for a, length in enumerate(outer):
            same = [b for b, other in enumerate(inner) if other == length and all(o[a] == p[b] for o, p in pairs)]
            result.append(same[0] if same and pairs else None)
        return tuple(result)

    @cached_property
    def out_letters(self) -> tuple[str, ...]:
        """Letters for the axes of the statement: the operand's where they are tied, else further ones."""
        free = iter(letters(len(self.tied), {*self.letters, *self.scene.local.names.taken}))
        return tuple(self.letters[b] if b is not None else next(free) for b in self.tied)

    def generic(self, out: Sequence[str], place: Sequence[str]) -> Syntax | None:
        """A partial derivative with letters for indices, where it can be said without a sum."""
        return self.scene.expander.generic(self.node, (*out, *place))
