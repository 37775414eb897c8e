"""NumPy's functions that only move, repeat or join entries."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pullback.dimension import ONE, Dimension
from pullback.errors import ShapeError
from pullback.tracing import ops
from pullback.tracing.array import Array, Length, arrays, as_value
from pullback.tracing.array_functions.reducing import axes_of, count
from pullback.tracing.array_functions.registry import FUNCTIONS, Function, define, number_of, plain
from pullback.tracing.assigning import grid_of, placed_at
from pullback.tracing.tape import refuse


@define("reshape")
def reshape(x: Array, shape: Any = None, order: str = "C", **options: Any) -> Array:
    """Reshape; one length may be -1."""
    shape = options.pop("newshape", shape)
    plain("reshape", options)
    if order not in ("C", None):
        raise refuse(f"reshape with order={order!r}", hint="transpose before and after")
    wanted = [shape] if isinstance(shape, int | Length) else list(shape)
    lengths = [w.axis if isinstance(w, Length) else _length(w) for w in wanted]
    if None in lengths:
        at = lengths.index(None)
        lengths[at] = _quotient(count(x.value), [n for k, n in enumerate(lengths) if n is not None and k != at])
    return Array(ops.reshape(x.value, tuple(n for n in lengths if n is not None)), x.recording)


def _length(wanted: Any) -> Dimension | None:
    number = number_of(wanted, "a length")
    return None if number == -1 else Dimension.of(number)


def _quotient(total: Dimension, parts: Sequence[Dimension]) -> Dimension:
    known = ONE
    for axis in parts:
        known = known * axis
    if known.number is not None and total.number is not None:
        if known.number == 0 or total.number % known.number:
            raise ShapeError(f"can't reshape {total} entries into rows of {known}")
        return Dimension.of(total.number // known.number)
    if len(total.terms) == 1 and len(known.terms) == 1:
        (names, amount), (gone, divisor) = total.terms[0], known.terms[0]
        rest = list(names)
        if all(rest.count(name) >= list(gone).count(name) for name in gone) and amount % divisor == 0:
            for name in gone:
                rest.remove(name)
            result = Dimension.of(amount // divisor)
            for name in rest:
                result = result * Dimension.of(name)
            return result
    raise refuse("a reshape with -1 among symbolic lengths")


@define("ravel")
def _ravel(x: Array, order: str = "C") -> Array:
    return reshape(x, -1, order)


@define("transpose", "permute_dims")
def _transpose(x: Array, axes: Any = None) -> Array:
    return x.T if axes is None else x.transpose(*axes)


@define("matrix_transpose")
def _matrix_transpose(x: Array) -> Array:
    return x.mT


@define("concatenate", "concat")
def concatenate(parts: Sequence[Any], axis: Any = 0, **options: Any) -> Array:
    """Put arrays end to end."""
    plain("concatenate", options)
    recording = arrays([parts])
    values = [as_value(part, recording) for part in parts]
    if axis is None:
        values, axis = [ops.reshape(value, (count(value),)) for value in values], 0
    if any(value.rank != values[0].rank or value.rank == 0 for value in values):
        raise ShapeError("concatenate needs arrays with the same number of axes, at least one")
    return Array(ops.concat(values, axis), recording)


@define("stack")
def stack(parts: Sequence[Any], axis: int = 0, **options: Any) -> Array:
    """Put arrays side by side along a new axis; lists of lists are stacked from the inside."""
    plain("stack", options)
    parts = [stack(part) if isinstance(part, list | tuple) and _holds(part) else part for part in parts]
    recording = arrays([parts])
    return Array(ops.concat([ops.unsqueeze(as_value(p, recording), axis) for p in parts], axis), recording)


def _holds(part: Any) -> bool:
    return isinstance(part, Array) or (isinstance(part, list | tuple) and any(_holds(p) for p in part))


@define("hstack")
def _hstack(parts: Sequence[Any], **options: Any) -> Array:
    recording = arrays([parts])
    values = [Array(as_value(p, recording), recording) for p in parts]
    values = [v if v.ndim else v.reshape(1) for v in values]
    return concatenate(values, 0 if values[0].ndim == 1 else 1, **options)


@define("vstack")
def _vstack(parts: Sequence[Any], **options: Any) -> Array:
    recording = arrays([parts])
    values = [Array(as_value(p, recording), recording) for p in parts]
    return concatenate([v if v.ndim > 1 else v.reshape(1, -1) for v in values], 0, **options)


@define("column_stack")
def _column_stack(parts: Sequence[Any]) -> Array:
    recording = arrays([parts])
    values = [Array(as_value(p, recording), recording) for p in parts]
    return concatenate([v if v.ndim > 1 else v.reshape(-1, 1) for v in values], 1)


@define("split", "array_split")
def _split(x: Array, sections: Any, axis: int = 0) -> list[Array]:
    axis %= x.ndim
    length = x.value.shape[axis].number
    if length is None:
        raise refuse("a split of a symbolic length", hint="give its size as a number")
    if isinstance(sections, int):
        if length % sections:
            raise ShapeError(f"{length} entries can't be split into {sections} equal parts")
        bounds = list(range(0, length + 1, length // sections))
    else:
        bounds = [0, *(min(max(int(k), 0), length) for k in sections), length]
    if any(a >= b for a, b in pairwise(bounds)):
        raise refuse("a split with an empty part")
    return [Array(ops.take(x.value, axis, a, b - a), x.recording) for a, b in pairwise(bounds)]


@define("expand_dims")
def _expand_dims(x: Array, axis: Any) -> Array:
    value = x.value
    axes = [axis] if isinstance(axis, int) else list(axis)
    for k in sorted(a % (x.ndim + len(axes)) for a in axes):
        value = ops.unsqueeze(value, k)
    return Array(value, x.recording)


@define("squeeze")
def _squeeze(x: Array, axis: Any = None) -> Array:
    gone = [k for k, a in enumerate(x.value.shape) if a is ONE] if axis is None else axes_of(x, axis)
    return Array(ops.squeeze(x.value, gone), x.recording)


@define("swapaxes", "matrix_swapaxes")
def _swapaxes(x: Array, a: int, b: int) -> Array:
    order = list(range(x.ndim))
    order[a], order[b] = order[b], order[a]
    return Array(ops.permute(x.value, order), x.recording)


@define("moveaxis")
def _moveaxis(x: Array, source: int, destination: int) -> Array:
    at, to = number_of(source, "an axis") % x.ndim, number_of(destination, "an axis") % x.ndim
    order = [k for k in range(x.ndim) if k != at]
    order.insert(to, at)
    return Array(ops.permute(x.value, order), x.recording)


@define("broadcast_to")
def _broadcast_to(x: Array, shape: Any) -> Array:
    wanted = [shape] if isinstance(shape, int | Length) else list(shape)
    axes = tuple(n.axis if isinstance(n, Length) else Dimension.of(int(n)) for n in wanted)
    return Array(ops.broadcast_to(x.value, axes), x.recording)


@define("pad")
def _pad(x: Array, pad_width: Any, mode: str = "constant", **options: Any) -> Array:
    import numpy as np

    if mode != "constant" or np.any(options.pop("constant_values", 0)):
        raise refuse("numpy.pad with anything but zeros")
    plain("pad", options)
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2))
    value = x.value
    for k, (before, after) in enumerate(widths.tolist()):
        value = ops.pad(value, k, before, after)
    return Array(value, x.recording)


def _triangle(name: str) -> Function:
    def function(x: Array, k: int = 0) -> Array:
        import numpy as np

        grid = grid_of(x.value)
        mask = getattr(np, name)(np.ones(grid.shape), k)
        return Array(ops.multiply(x.value, x.recording.constant(mask)), x.recording)

    return function


FUNCTIONS["tril"], FUNCTIONS["triu"] = _triangle("tril"), _triangle("triu")


def _moves(name: str) -> Function:
    """A function that moves or repeats entries: it is asked where each entry of a table of places goes."""

    def function(x: Array, *arguments: Any, **options: Any) -> Array:
        import numpy as np

        places = getattr(np, name)(grid_of(x.value), *arguments, **options)
        return Array(placed_at(x.value, places, x.recording), x.recording)

    return function


for _name in ("flip", "fliplr", "flipud", "roll", "repeat", "tile", "rot90", "take", "delete", "rollaxis"):
    FUNCTIONS[_name] = _moves(_name)
