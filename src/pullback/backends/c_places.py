"""Where arrays are for generated C: a pointer, an offset and strides that are numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isnan, prod

from pullback.planning.steps import Extent


@dataclass(frozen=True)
class Place:
    """Where a slot is: a pointer, how far from it, and how far apart its entries are along each axis."""

    pointer: str
    strides: tuple[int, ...]
    offset: int = 0
    number: float | None = None

    @property
    def start(self) -> str:
        """The address of the first entry."""
        return f"{self.pointer} + {self.offset}" if self.offset else self.pointer

    def at(self, names: Sequence[str]) -> str:
        """One entry."""
        if self.number is not None:
            return number(self.number)
        terms = [n if s == 1 else f"{n} * {s}" for n, s in zip(names, self.strides, strict=True) if s]
        terms += [str(self.offset)] if self.offset else []
        return f"{self.pointer}[{' + '.join(terms) or '0'}]"


def number(value: float) -> str:
    """A number as C."""
    if isnan(value):
        return "(T)NAN"
    return f"(T){value!r}" if isfinite(value) else f"(T){'-' if value < 0 else ''}INFINITY"


def merged(shape: Extent, places: Sequence[Place]) -> tuple[Extent, list[Place]]:
    """Join axes that all places run through without a gap, and leave out those of length one."""
    kept = [k for k, n in enumerate(shape) if n != 1]
    groups: list[list[int]] = []
    for k in kept:
        before = groups[-1][-1] if groups else None
        if before is not None and all(
            p.number is not None or p.strides[before] == p.strides[k] * shape[k] for p in places
        ):
            groups[-1].append(k)
        else:
            groups.append([k])
    new = tuple(prod(shape[k] for k in group) for group in groups)
    moved = [Place(p.pointer, tuple(p.strides[g[-1]] for g in groups), p.offset, p.number) for p in places]
    return new, moved


def row_strides(shape: Extent) -> tuple[int, ...]:
    """How far apart the entries of an array lie that is stored row by row."""
    strides = [1] * len(shape)
    for k in range(len(shape) - 2, -1, -1):
        strides[k] = strides[k + 1] * max(shape[k + 1], 1)
    return tuple(strides)


def leading(strides: Sequence[int], shape: tuple[int, int]) -> tuple[bool, int] | None:
    """Whether BLAS has to be told that a matrix is transposed, and the distance of its rows."""
    (down, along), (rows, columns) = strides, shape
    if (along == 1 or columns == 1) and (down >= columns or rows == 1):
        return False, max(down if rows > 1 else columns, columns)
    if (down == 1 or rows == 1) and (along >= rows or columns == 1):
        return True, max(along if columns > 1 else rows, rows)
    return None
