"""Picking entries by arrays of numbers, and assigning to entries: what NumPy does in place, done to values."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from pullback.dimension import Dimension
from pullback.tracing import ops
from pullback.tracing.tape import Recording, Value, refuse

MOST_ENTRIES = 200_000
"""Picking n entries of an array of m takes a table of n m numbers; this is the largest."""


def advanced(keys: Sequence[Any]) -> bool:
    """Whether an index has arrays of numbers (labels, a mask that is known) in it."""
    import numpy as np

    return any(isinstance(k, list | range | np.ndarray) and np.ndim(k) > 0 for k in keys)


def picked(value: Value, keys: Sequence[Any], recording: Recording) -> Value:
    """The entries that an index with arrays of numbers picks."""
    return placed_at(value, grid_of(value)[tuple(_plain(k) for k in keys)], recording)


def placed_at(value: Value, places: Any, recording: Recording) -> Value:
    """The entries that stand at these places, counted in row-major order."""
    import numpy as np

    places = np.asarray(places)
    shape = tuple(Dimension.of(int(n)) for n in places.shape)
    table = recording.constant(_table(places.reshape(-1), _count(value)))
    flat = ops.contract([(_flat(value), [0], 1), (table, [1, 0], 1)], [1], "picked entries")
    return ops.reshape(flat, shape)


def assigned(value: Value, key: Any, new: Value, recording: Recording) -> Value:
    """The array after ``x[key] = new``."""
    import numpy as np

    from pullback.tracing.array import Array

    keys = list(key) if isinstance(key, tuple) else [key]
    if any(isinstance(k, Array) for k in keys):
        return _masked(value, keys, new)
    grid = grid_of(value)
    places = grid[tuple(_plain(k) for k in keys)]
    if np.size(places) != np.size(np.unique(places)):
        raise refuse("an assignment to entries that are named twice")
    kept = np.ones(grid.size)
    kept[np.asarray(places).reshape(-1)] = 0.0
    shape = tuple(Dimension.of(int(n)) for n in np.shape(places))
    spread = ops.broadcast_to(new, shape)
    put = recording.constant(_table(np.asarray(places).reshape(-1), grid.size))
    moved = ops.contract([(_flat(spread), [1], 1), (put, [1, 0], 1)], [0], "assigned entries")
    rest = ops.multiply(value, recording.constant(kept.reshape(grid.shape)))
    return ops.add(rest, ops.reshape(moved, value.shape))


def _masked(value: Value, keys: Sequence[Any], new: Value) -> Value:
    """``x[mask] = number``, the mask computed from values."""
    from pullback.tracing.array import Array

    if len(keys) != 1 or not isinstance(keys[0], Array) or not keys[0].mask or keys[0].value.shape != value.shape:
        raise refuse("an index that is computed from values", hint="a mask of the same shape can be read")
    if new.rank:
        raise refuse("an assignment of an array through a mask", hint="write numpy.where")
    return ops.where(keys[0].value, new, value)


def _plain(key: Any) -> Any:
    import numpy as np

    return np.asarray(key) if isinstance(key, range) else key


def grid_of(value: Value) -> Any:
    """The number of each entry, in the shape of the array."""
    import numpy as np

    lengths = [axis.number for axis in value.shape]
    if any(n is None for n in lengths):
        raise refuse("an index into a symbolic length", hint="give its size as a number")
    return np.arange(prod(n or 0 for n in lengths)).reshape([n or 0 for n in lengths])


def _count(value: Value) -> int:
    return prod(axis.number or 0 for axis in value.shape)


def _flat(value: Value) -> Value:
    return ops.reshape(value, (Dimension.of(_count(value)),))


def _table(places: Any, count: int) -> Any:
    """One row for each place, with a one at the entry that it names."""
    import numpy as np

    if places.size * count > MOST_ENTRIES:
        raise refuse(f"picking {places.size} of {count} entries", hint="try it at a smaller size")
    table = np.zeros((places.size, count))
    table[np.arange(places.size), places] = 1.0
    return table
