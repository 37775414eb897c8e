"""What stands on the board: lines made of expressions, matrices of entries, numbers and signs.

A line is read from left to right. Its expressions are syntax trees, in which some things stand beside the
notation: an entry, ``Indexed(Name("w"), ("1", "2"))``, and calls of the signs below: a partial derivative,
a differential, a number of its own spelling, a sum over indices, a size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pullback.syntax.tree import Call, Indexed, Name, Syntax

if TYPE_CHECKING:
    from numpy import ndarray

PARTIAL = "partial"
"""``Call(PARTIAL, (y, x))`` is the partial derivative of y by x."""
LITERAL = "literal"
"""``Call(LITERAL, (Name("1.2e-9"),))`` is a number that the notation has no short literal for."""
DIFFERENTIAL = "differential"
"""``Call(DIFFERENTIAL, (x,))`` is dx."""
TOTAL = "total"
"""``Call(TOTAL, (body, i, j))`` is the sum of the body over the indices i and j."""
PLACE = "place"
"""``Call(PLACE, (i, j))`` is the place (i, j) of a matrix; of a vector, i."""
EXTENT = "extent"
"""``Call(EXTENT, (m, n))`` is the size m × n."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Entries in brackets; None is a place that is not filled yet. A column is a matrix of one column."""

    rows: tuple[tuple[Syntax | None, ...], ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.rows[0]) if self.rows else 0


@dataclass(frozen=True, slots=True)
class Numbers:
    """An array of numbers, small enough to be written out; NaN is a place that is not filled yet if ``partly``."""

    shape: tuple[int, ...]
    values: tuple[float, ...]
    filled: int | None = None
    """How many columns are filled; None where all are."""

    @staticmethod
    def of(array: Any, filled: int | None = None) -> Numbers:
        """Hold an array."""
        return Numbers(tuple(array.shape), tuple(float(v) for v in array.reshape(-1)), filled)

    @property
    def array(self) -> ndarray[Any, Any]:
        """The numbers as an array."""
        import numpy as np

        return np.asarray(self.values, dtype=np.float64).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Big:
    """An array too large to be written out: its shape and its norm."""

    shape: tuple[int, ...]
    norm: float


@dataclass(frozen=True, slots=True)
class Sign:
    """What stands between parts: ``=``, ``+``, ``-``, ``.*``, ``.``."""

    text: str


Part = Syntax | Matrix | Numbers | Big | Sign

EQUALS = Sign("=")


@dataclass(frozen=True, slots=True)
class Line:
    """Parts from left to right."""

    parts: tuple[Part, ...]


def line(*parts: Part) -> Line:
    """Write a line."""
    return Line(parts)


def equation(*sides: Part | Sequence[Part]) -> Line:
    """Write sides with an equals sign between them; a side is a part or several."""
    parts: list[Part] = []
    for side in sides:
        if parts:
            parts.append(EQUALS)
        parts.extend(side if isinstance(side, list | tuple) else [side])  # type: ignore[list-item]
    return Line(tuple(parts))


def partial(above: Syntax, below: Syntax) -> Syntax:
    """The partial derivative of one by the other."""
    return Call(PARTIAL, (above, below))


def entry(name: str, indices: Iterable[int | str]) -> Syntax:
    """One entry of a tensor, or the tensor itself if it is a scalar; numbers count from one."""
    subscripts = tuple(str(k) for k in indices)
    return Indexed(Name(name), subscripts) if subscripts else Name(name)


def column(entries: Iterable[Syntax | None]) -> Matrix:
    """Entries one below the other."""
    return Matrix(tuple((e,) for e in entries))


def place(indices: Sequence[int | str]) -> Syntax:
    """A place in a tensor, to be said: i, or (i, j)."""
    return Call(PLACE, tuple(Name(str(index)) for index in indices))


def total(body: Syntax, indices: Iterable[str]) -> Syntax:
    """The sum of a body over all values of the indices; the body itself where there are none."""
    names = tuple(Name(index) for index in indices)
    return Call(TOTAL, (body, *names)) if names else body


def through(gradient: Syntax, name: str) -> Syntax:
    """The part of a gradient that comes through one of the statements that use the variable."""
    return Indexed(gradient, (name,))
