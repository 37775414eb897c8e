"""The program at a size that fits on a board: every dimension a small number.

Where the sizes are known and small it is the program itself. Where they are symbols, or too large, it is
a stand-in of the same form, with a different small number for each dimension where there are enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from pullback.dimension import Dimension
from pullback.errors import PullbackError
from pullback.lowering.program import Program, lower_program
from pullback.syntax import tree
from pullback.syntax.forms import fold, rebuild
from pullback.syntax.tree import Call, Number, Syntax
from pullback.tensor.node import Variable, topological

LARGEST = 4
"""The longest axis that is written out."""

MOST_ENTRIES = 16
"""More entries of one statement are not written out."""

MOST_PARTIALS = 256
"""More local partial derivatives of one statement by one operand are not written out."""

_PREFERRED = (2, 3, 4)
_ATTEMPTS: tuple[tuple[tuple[int, ...], int], ...] = ((_PREFERRED, LARGEST), ((2, 3), 3), ((2,), 2), (_PREFERRED, 9))
"""Lengths to choose from, and the longest known length that is kept."""

_SIZED = ("eye", "ones", "zeros")


@dataclass(frozen=True, slots=True)
class StandIn:
    """A program whose dimensions are all small numbers."""

    program: Program
    sizes: tuple[tuple[str, int | None, int], ...]
    """Each dimension that was not a small number before: as it is written, its size where it is known, and
    the length that stands for it."""


def stand_in(program: Program, sizes: Mapping[str, int]) -> StandIn | None:
    """Make the small program; None where the form does not allow one.

    Lengths that are all different show best which axis is which. Where the board would be too full with
    them, smaller ones are tried; where the form asks for its own sizes, such as a reshape, these are kept.

    Args:
        program: The program as it is.
        sizes: What is known of its dimension names.
    """
    best: tuple[int, StandIn] | None = None
    for preferred, largest in _ATTEMPTS:
        made = _attempt(program, sizes, preferred, largest)
        if made is None:
            continue
        crowding = (_partials(made.program) > MOST_PARTIALS) + (_entries(made.program) > MOST_ENTRIES)
        if best is None or crowding < best[0]:
            best = (crowding, made)
        if not crowding:
            break
    return None if best is None else best[1]


def _attempt(program: Program, sizes: Mapping[str, int], preferred: Sequence[int], largest: int) -> StandIn | None:
    lengths = choose_lengths(program, sizes, preferred, largest)
    if lengths is None:
        return None
    shapes = {name: tuple(lengths[axis] for axis in entry.shape) for name, entry in program.inputs.items()}
    facts = {name: entry.properties for name, entry in program.inputs.items()}
    asked = {axis: length for axis, length in lengths.items() if axis.number is not None and axis.number != length}
    parsed = _resized(program, lengths, asked)
    try:
        small = lower_program(parsed, shapes, facts)
    except (PullbackError, AssertionError):
        return None
    if not _fits(small):
        return None
    shown = [(str(axis), _known(axis, sizes), length) for axis, length in lengths.items()]
    return StandIn(small, tuple((axis, known, length) for axis, known, length in shown if known != length))


def _entries(program: Program) -> int:
    """The most entries that a statement has."""
    return max(prod(axis.number or 1 for axis in statement.shape) for statement in program.statements)


def _partials(program: Program) -> int:
    """The most local partial derivatives that a statement has by one of its operands."""
    shapes = {name: entry.shape for name, entry in program.inputs.items()}
    shapes |= {s.name: s.shape for s in program.statements if s.name is not None}
    most = 0
    for statement in program.statements:
        outer = prod(axis.number or 1 for axis in statement.shape)
        for node in topological([statement.local]):
            if isinstance(node, Variable) and node.name in shapes:
                most = max(most, outer * prod(axis.number or 1 for axis in shapes[node.name]))
    return most


def choose_lengths(
    program: Program, sizes: Mapping[str, int], preferred: Sequence[int] = (2, 3, 4), largest: int = 4
) -> dict[Dimension, int] | None:
    """Give every dimension of the inputs a small length, those of one name the same."""
    axes = list(dict.fromkeys(axis for entry in program.inputs.values() for axis in entry.shape))
    if program.batch is not None and program.batch not in axes:
        axes.append(program.batch)
    kept = {axis: known for axis in axes if (known := _known(axis, sizes)) is not None and known <= largest}
    chosen: dict[Dimension, int] = {}
    small: dict[str, int] = {}
    used = set(kept.values())
    for axis in axes:
        if axis in kept and not (axis.names and any(_known(Dimension.of(n), sizes) is None for n in axis.names)):
            chosen[axis] = kept[axis]
        elif axis.name is not None or axis.number is not None:
            length = next((k for k in preferred if k not in used), None)
            if length is None:
                length = preferred[len(chosen) % min(2, len(preferred))]
            used.add(length)
            chosen[axis] = length
        if axis.name is not None:
            small[axis.name] = chosen[axis]
    for axis in axes:
        if axis not in chosen:
            try:
                chosen[axis] = axis.evaluate(small)
            except KeyError:
                return None
    return {axis: chosen[axis] for axis in axes}


def _known(axis: Dimension, sizes: Mapping[str, int]) -> int | None:
    try:
        return axis.evaluate(sizes)
    except KeyError:
        return None


def _resized(program: Program, lengths: Mapping[Dimension, int], asked: Mapping[Dimension, int]) -> tree.Program:
    """The text with small numbers for the large ones, and no declared shapes but those of the inputs."""
    numbers = {axis.number: length for axis, length in asked.items()}

    def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
        if isinstance(node, Call) and node.function in _SIZED:
            return Call(node.function, tuple(_shorter(p, numbers) for p in parts), node.span)
        return rebuild(node, parts)

    parsed = program.syntax
    bindings = tuple(
        tree.Binding(b.name, fold(b.value, visit), b.span, b.name_span) if numbers else b for b in parsed.bindings
    )
    declarations = tuple(
        tree.Declaration(d.name, None, d.properties, d.span) for d in parsed.declarations if d.properties
    )
    batch = parsed.batch
    if batch is not None:
        over = tuple(name for name, entry in program.inputs.items() if entry.batched)
        batch = tree.Batch(lengths.get(Dimension.of(batch.size), _PREFERRED[0]), over, batch.span)
    return tree.Program(bindings, declarations, batch, parsed.source)


def _shorter(part: Syntax, numbers: Mapping[int | None, int]) -> Syntax:
    if isinstance(part, Number) and part.value.denominator == 1 and int(part.value) in numbers:
        return Number(Fraction(numbers[int(part.value)]), part.span)
    return part


def _fits(program: Program) -> bool:
    """Whether all dimensions came out as small numbers."""
    for statement in program.statements:
        if any(axis.number is None or axis.number > LARGEST**2 for axis in statement.shape):
            return False
    return all(
        axis.number is not None for node in topological([s.local for s in program.statements]) for axis in node.axes
    )
