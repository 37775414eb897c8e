"""Stand-ins for arrays: a NumPy or array-API function runs on them and leaves a record of what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from pullback.dimension import ONE, Dimension
from pullback.errors import UnsupportedError
from pullback.tracing import ops
from pullback.tracing.tape import Recording, Value, refuse


class Length:
    """A symbolic length, as ``x.shape`` gives it; it may be multiplied and divided by."""

    def __init__(self, axis: Dimension, recording: Recording) -> None:
        self.axis, self.recording = axis, recording

    def _array(self) -> Array:
        return Array(ops.length_of(self.axis), self.recording)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Length):
            return Length(self.axis * other.axis, self.recording)
        if isinstance(other, int):
            return Length(self.axis * other, self.recording)
        return self._array() * other

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self._array() / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self._array()

    def __pow__(self, other: Any) -> Any:
        return self._array() ** other

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Length) and self.axis is other.axis

    def __hash__(self) -> int:
        return hash(self.axis)

    def __index__(self) -> NoReturn:
        raise refuse(f"a loop or range over the symbolic length {self.axis}", hint="give its size as a number")

    def __str__(self) -> str:
        return str(self.axis)


class Array:
    """A traced array; operators and functions of NumPy and of the array API work on it."""

    __array_priority__ = 1000

    def __init__(self, value: Value, recording: Recording) -> None:
        self.value, self.recording = value, recording

    # what it is

    @property
    def shape(self) -> tuple[Any, ...]:
        return tuple(
            axis.number if axis.number is not None else Length(axis, self.recording) for axis in self.value.shape
        )

    @property
    def ndim(self) -> int:
        return self.value.rank

    @property
    def size(self) -> Any:
        total: Any = 1
        for length in self.shape:
            total = length * total
        return total

    @property
    def dtype(self) -> Any:
        import numpy as np

        return np.dtype(np.float64)

    @property
    def T(self) -> Array:
        return self._new(ops.permute(self.value, range(self.ndim)[::-1]))

    @property
    def mT(self) -> Array:
        return self._new(ops.permute(self.value, [*range(self.ndim - 2), self.ndim - 1, self.ndim - 2]))

    @property
    def real(self) -> Array:
        return self

    def _new(self, value: Value) -> Array:
        return Array(value, self.recording)

    def __len__(self) -> int:
        length = self.shape[0]
        if isinstance(length, Length):
            raise refuse(f"len of the symbolic length {length}", hint="give its size as a number, or use shape[0]")
        return int(length)

    def __iter__(self) -> Any:
        return (self[k] for k in range(len(self)))

    def __bool__(self) -> bool:
        raise refuse("a branch on a value", hint="write numpy.where, so that both sides are seen")

    def __float__(self) -> float:
        raise refuse("float() of a traced array", hint="keep to array operations")

    __int__ = __float__

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise refuse("turning a traced array into a plain one", hint="this function leaves array operations")

    def __setitem__(self, key: Any, new: Any) -> None:
        raise refuse("assignment to entries in place", hint="build the array with where or concatenate")

    # arithmetic

    def _with(self, other: Any, function: Callable[[Value, Value], Value], swapped: bool = False) -> Array:
        value = as_value(other, self.recording)
        return self._new(function(value, self.value) if swapped else function(self.value, value))

    def __add__(self, other: Any) -> Array:
        return self._with(other, ops.add)

    def __radd__(self, other: Any) -> Array:
        return self._with(other, ops.add, True)

    def __sub__(self, other: Any) -> Array:
        return self._with(other, ops.subtract)

    def __rsub__(self, other: Any) -> Array:
        return self._with(other, ops.subtract, True)

    def __mul__(self, other: Any) -> Array:
        return self._with(other, ops.multiply)

    def __rmul__(self, other: Any) -> Array:
        return self._with(other, ops.multiply, True)

    def __truediv__(self, other: Any) -> Array:
        return self._with(other, ops.divide)

    def __rtruediv__(self, other: Any) -> Array:
        return self._with(other, ops.divide, True)

    def __matmul__(self, other: Any) -> Array:
        return self._with(other, ops.matmul)

    def __rmatmul__(self, other: Any) -> Array:
        return self._with(other, ops.matmul, True)

    def __pow__(self, other: Any) -> Array:
        return self._with(other, ops.power)

    def __rpow__(self, other: Any) -> Array:
        return self._with(other, ops.power, True)

    def __neg__(self) -> Array:
        return self._new(ops.scale(-1, self.value))

    def __pos__(self) -> Array:
        return self

    def __abs__(self) -> Array:
        return self._new(ops.entrywise("abs", self.value))

    def __gt__(self, other: Any) -> Array:
        return self._with(other, ops.greater)

    def __lt__(self, other: Any) -> Array:
        return self._with(other, ops.greater, True)

    def __ge__(self, other: Any) -> Array:
        return self._with(other, ops.greater_equal)

    def __le__(self, other: Any) -> Array:
        return self._with(other, ops.greater_equal, True)

    # parts

    def __getitem__(self, key: Any) -> Array:
        keys = list(key) if isinstance(key, tuple) else [key]
        given = sum(k is not None and k is not Ellipsis for k in keys)
        if Ellipsis in [k if not isinstance(k, Array) else None for k in keys]:
            at = next(i for i, k in enumerate(keys) if k is Ellipsis)
            keys[at : at + 1] = [slice(None)] * (self.ndim - given)
        value, axis = self.value, 0
        for k in keys:
            if k is None:
                value = ops.unsqueeze(value, axis)
                axis += 1
            elif isinstance(k, int):
                length = value.shape[axis].number
                if length is None and k < 0:
                    raise refuse("an index from the end of a symbolic length")
                at = k if k >= 0 else k + (length or 0)
                value = ops.squeeze(ops.take(value, axis, at, 1), [axis])
            elif isinstance(k, slice):
                value = _slice(value, axis, k)
                axis += 1
            else:
                raise refuse(f"an index of type {type(k).__name__}", hint="index with numbers and slices")
        return self._new(value)

    # methods

    def __getattr__(self, name: str) -> Any:
        from pullback.tracing.namespace import FUNCTIONS

        if name in _METHODS and name in FUNCTIONS:
            function = FUNCTIONS[name]
            return lambda *arguments, **options: function(self, *arguments, **options)
        raise AttributeError(f"a traced array has no {name}")

    def reshape(self, *shape: Any, **_: Any) -> Array:
        from pullback.tracing.namespace import reshape

        result: Array = reshape(self, shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape)
        return result

    def transpose(self, *axes: Any) -> Array:
        if not axes or axes == (None,):
            return self.T
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
        return self._new(ops.permute(self.value, list(order)))

    def astype(self, *_: Any, **__: Any) -> Array:
        return self

    def copy(self) -> Array:
        return self

    def ravel(self, *_: Any) -> Array:
        return self.reshape(-1)

    flatten = ravel

    # protocols

    def __array_namespace__(self, **_: Any) -> Any:
        from pullback.tracing.namespace import Namespace

        return Namespace(self.recording)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from pullback.tracing.namespace import FUNCTIONS

        if method == "reduce" and ufunc.__name__ in ("add", "maximum"):
            name = {"add": "sum", "maximum": "max"}[ufunc.__name__]
            return FUNCTIONS[name](*inputs, **options)
        if method != "__call__" or ufunc.__name__ not in FUNCTIONS:
            raise refuse(f"numpy.{ufunc.__name__}" + (f".{method}" if method != "__call__" else ""))
        if any(option is not None for name, option in options.items() if name == "out"):
            raise refuse(f"numpy.{ufunc.__name__} with out=", hint="without out= it can be read")
        return FUNCTIONS[ufunc.__name__](*inputs)

    def __array_function__(self, func: Any, types: Any, arguments: Any, options: Any) -> Any:
        from pullback.tracing.namespace import FUNCTIONS

        name = func.__name__
        if "linalg" in (func.__module__ or ""):
            name = f"linalg.{name}"
        if name not in FUNCTIONS:
            raise refuse(f"numpy.{name}")
        return FUNCTIONS[name](*arguments, **options)


_METHODS = frozenset("sum mean max min dot clip squeeze var std trace swapaxes".split())


def _slice(value: Value, axis: int, key: slice) -> Value:
    if key == slice(None):
        return value
    length = value.shape[axis].number
    if length is None:
        if key.start in (None, 0) and key.stop is None and key.step is None:
            return value
        raise refuse("a slice of a symbolic length", hint="give its size as a number")
    start, stop, step = key.indices(length)
    if step != 1:
        return strided(value, axis, start, stop, step)
    if stop <= start:
        raise refuse("an empty slice")
    return ops.take(value, axis, start, stop - start)


def strided(value: Value, axis: int, start: int, stop: int, step: int) -> Value:
    """Every ``step``-th entry: pad to whole strides, split, take the first of each."""
    if step < 0:
        raise refuse("a slice that runs backwards")
    length = value.shape[axis].number
    assert length is not None
    count = -(-(stop - start) // step)
    needed = start + count * step
    longer = ops.pad(value, axis, 0, max(0, needed - length))
    piece = ops.take(longer, axis, start, count * step)
    shape = (*piece.shape[:axis], Dimension.of(count), Dimension.of(step), *piece.shape[axis + 1 :])
    split = ops.reshape(piece, shape)
    return ops.squeeze(ops.take(split, axis + 1, 0, 1), [axis + 1])


def as_value(thing: Any, recording: Recording) -> Value:
    """A traced value of an array, a number, a length or a constant array."""
    import numpy as np

    if isinstance(thing, Array):
        return thing.value
    if isinstance(thing, Length):
        return ops.length_of(thing.axis)
    if isinstance(thing, bool | int | float | np.number):
        return ops.filled(thing.item() if isinstance(thing, np.number) else thing)
    array = np.asarray(thing)
    if array.dtype.kind not in "biuf":
        raise refuse(f"a value of type {type(thing).__name__}")
    return recording.constant(array)


def arrays(things: Sequence[Any]) -> Recording:
    """The recording that the arrays among the arguments belong to."""
    for thing in things:
        if isinstance(thing, Array):
            return thing.recording
        if isinstance(thing, tuple | list):
            for part in thing:
                if isinstance(part, Array):
                    return part.recording
    raise UnsupportedError("no traced array among the arguments")


_ = ONE
