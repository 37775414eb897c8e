"""Stand-ins for arrays: a NumPy or array-API function runs on them and leaves a record of what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from pullback.dimension import ONE, Dimension
from pullback.errors import ShapeError, UnsupportedError
from pullback.tracing import exponentials, ops
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

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        given = [part._array() if isinstance(part, Length) else part for part in inputs]
        return self._array().__array_ufunc__(ufunc, method, *given, **options)

    def __add__(self, other: Any) -> Any:
        return self._array() + other

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._array() - other

    def __rsub__(self, other: Any) -> Any:
        return other - self._array()

    def __neg__(self) -> Any:
        return -self._array()

    def __float__(self) -> float:
        raise refuse(f"float() of the symbolic length {self.axis}", hint="give its size as a number")

    def __bool__(self) -> bool:
        raise refuse(f"a branch on the symbolic length {self.axis}", hint="give its size as a number")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int):
            raise refuse(f"a comparison with the symbolic length {self.axis}", hint="give its size as a number")
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

    def __init__(self, value: Value, recording: Recording, role: str = "", mask: bool = False) -> None:
        self._value, self.recording, self.mask = value, recording, mask
        self.role = role
        """Why its entries may not be assigned to: it is an argument, or shares its entries in a way not followed."""
        self.base: tuple[Array, Any] | None = None
        """The array whose entries this one shares, with the index that picks them."""
        self.version = self.seen = 0
        """How often it was assigned to; and how often the array that it shares entries with had been."""

    # what it is

    @property
    def value(self) -> Value:
        if self.base is not None and self.base[0].version != self.seen:
            raise refuse("a view of an array that was assigned to since", hint="take the part again, or take a copy")
        return self._value

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
        return self._view(ops.permute(self.value, range(self.ndim)[::-1]))

    @property
    def mT(self) -> Array:
        return self._view(ops.permute(self.value, [*range(self.ndim - 2), self.ndim - 1, self.ndim - 2]))

    @property
    def real(self) -> Array:
        return self

    def _new(self, value: Value) -> Array:
        return Array(value, self.recording)

    def _view(self, value: Value, key: Any = None) -> Array:
        """An array that shares its entries with this one in NumPy."""
        view = Array(value, self.recording, role="" if key is not None else "a view of another array", mask=self.mask)
        view.base, view.seen = (self, key), self.version
        return view

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
        from pullback.tracing.assigning import assigned

        self._replace(assigned(self.value, key, as_value(new, self.recording), self.recording))

    def _replace(self, value: Value) -> Array:
        """Change this array in place, as all see who hold it; a part of another array changes that one too."""
        if self.role:
            raise refuse(f"assignment to entries of {self.role}", hint="assign to a copy: x = x.copy()")
        if value.shape != self.value.shape:
            raise refuse("an assignment in place that changes the shape")
        if self.base is not None:
            base, key = self.base
            base[key] = Array(value, self.recording)
            self.seen = base.version
        self._value = value
        self.version += 1
        return self

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
        return self._with(other, exponentials.divide)

    def __rtruediv__(self, other: Any) -> Array:
        return self._with(other, exponentials.divide, True)

    def __matmul__(self, other: Any) -> Array:
        return self._with(other, ops.matmul)

    def __rmatmul__(self, other: Any) -> Array:
        return self._with(other, ops.matmul, True)

    def __pow__(self, other: Any) -> Array:
        return self._with(other, ops.power)

    def __rpow__(self, other: Any) -> Array:
        return self._with(other, ops.power, True)

    def __iadd__(self, other: Any) -> Array:
        return self._replace((self + other).value)

    def __isub__(self, other: Any) -> Array:
        return self._replace((self - other).value)

    def __imul__(self, other: Any) -> Array:
        return self._replace((self * other).value)

    def __itruediv__(self, other: Any) -> Array:
        return self._replace((self / other).value)

    def __ipow__(self, other: Any) -> Array:
        return self._replace((self**other).value)

    def __neg__(self) -> Array:
        return self._new(ops.scale(-1, self.value))

    def __pos__(self) -> Array:
        return self

    def __abs__(self) -> Array:
        return self._new(ops.entrywise("abs", self.value))

    def _compared(self, other: Any, function: Callable[[Value, Value], Value], swapped: bool = False) -> Array:
        result = self._with(other, function, swapped)
        result.mask = True
        return result

    def __gt__(self, other: Any) -> Array:
        return self._compared(other, ops.greater)

    def __lt__(self, other: Any) -> Array:
        return self._compared(other, ops.greater, True)

    def __ge__(self, other: Any) -> Array:
        return self._compared(other, ops.greater_equal)

    def __le__(self, other: Any) -> Array:
        return self._compared(other, ops.greater_equal, True)

    def __eq__(self, other: Any) -> Any:
        return self._compared(other, lambda a, b: ops.subtract(ops.filled(1), ops.different(a, b)))

    def __ne__(self, other: Any) -> Any:
        return self._compared(other, ops.different)

    __hash__ = object.__hash__

    def __and__(self, other: Any) -> Any:
        return _function("logical_and")(self, other)

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        return _function("logical_or")(self, other)

    __ror__ = __or__

    def __invert__(self) -> Any:
        return _function("logical_not")(self)

    # parts

    def __getitem__(self, key: Any) -> Array:
        from pullback.tracing.assigning import advanced, picked

        keys = list(key) if isinstance(key, tuple) else [key]
        if advanced(keys) or any(isinstance(k, slice) and _runs_backwards(k) for k in keys):
            return self._new(picked(self.value, keys, self.recording))
        given = sum(k is not None and k is not Ellipsis for k in keys)
        if given > self.ndim:
            raise ShapeError(f"{given} indices for an array of {self.ndim} axes")
        if any(k is Ellipsis for k in keys):
            at = next(i for i, k in enumerate(keys) if k is Ellipsis)
            keys[at : at + 1] = [slice(None)] * (self.ndim - given)
        value, axis = self.value, 0
        for k in keys:
            if k is None:
                value = ops.unsqueeze(value, axis)
                axis += 1
            elif isinstance(k, slice):
                value = _slice(value, axis, k)
                axis += 1
            else:
                value = ops.squeeze(ops.take(value, axis, index_of(k, value.shape[axis]), 1), [axis])
        return self._view(value, key)

    # methods

    def __getattr__(self, name: str) -> Any:
        from pullback.tracing.array_functions.namespace import FUNCTIONS

        if name in _METHODS and name in FUNCTIONS:
            function = FUNCTIONS[name]
            return lambda *arguments, **options: function(self, *arguments, **options)
        raise AttributeError(f"a traced array has no {name}")

    def reshape(self, *shape: Any, **options: Any) -> Array:
        from pullback.tracing.array_functions.moving import reshape

        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        return self._view(reshape(self, wanted, **options).value)

    def transpose(self, *axes: Any) -> Array:
        if not axes or axes == (None,):
            return self.T
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
        return self._view(ops.permute(self.value, list(order)))

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Array:
        import numpy as np

        if np.dtype(dtype).kind != "f" and not self.mask:
            raise refuse(f"turning a traced array into {np.dtype(dtype)}", hint="keep to real numbers")
        return Array(self.value, self.recording, mask=self.mask)

    def copy(self, *_: Any) -> Array:
        return Array(self.value, self.recording, mask=self.mask)

    def ravel(self, order: str = "C") -> Array:
        return self.reshape(-1, order=order)

    def flatten(self, order: str = "C") -> Array:
        return self.reshape(-1, order=order).copy()

    # protocols

    def __array_namespace__(self, **_: Any) -> Any:
        from pullback.tracing.array_functions.namespace import Namespace

        return Namespace(self.recording)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from pullback.tracing.array_functions.namespace import FUNCTIONS

        if method == "reduce" and ufunc.__name__ in _REDUCTIONS:
            return FUNCTIONS[_REDUCTIONS[ufunc.__name__]](*inputs, **{"axis": 0, **options})
        if method != "__call__" or ufunc.__name__ not in FUNCTIONS:
            raise refuse(f"numpy.{ufunc.__name__}" + (f".{method}" if method != "__call__" else ""))
        out = options.pop("out", None)
        if options:
            raise refuse(f"numpy.{ufunc.__name__} with {next(iter(options))}=")
        result = FUNCTIONS[ufunc.__name__](*inputs)
        if out is None:
            return result
        if len(out) != 1 or not isinstance(out[0], Array):
            raise refuse(f"numpy.{ufunc.__name__} with out=", hint="without out= it can be read")
        return out[0]._replace(result.value)

    def __array_function__(self, func: Any, types: Any, arguments: Any, options: Any) -> Any:
        from pullback.tracing.array_functions.namespace import FUNCTIONS

        name = func.__name__
        module = func.__module__ or "numpy"
        if "linalg" in module:
            name = f"linalg.{name}"
        if name not in FUNCTIONS or "fft" in module:
            raise refuse(f"{module}.{func.__name__}")
        return FUNCTIONS[name](*arguments, **options)


def _function(name: str) -> Callable[..., Any]:
    """A function of the table, which is loaded when it is first needed."""
    from pullback.tracing.array_functions.namespace import FUNCTIONS

    return FUNCTIONS[name]


_REDUCTIONS = {"add": "sum", "maximum": "max", "minimum": "min", "multiply": "prod"}
_METHODS = frozenset("sum mean max min dot clip squeeze var std trace swapaxes diagonal prod cumsum repeat".split())


def index_of(key: Any, length: Dimension) -> int:
    """A whole number that counts from the start of an axis.

    Raises:
        UnsupportedError: It is no whole number, or counts from the end of a symbolic length.
        ShapeError: It is outside.
    """
    import operator

    if isinstance(key, bool) or not hasattr(key, "__index__"):
        raise refuse(f"an index of type {type(key).__name__}", hint="index with numbers, slices or arrays of numbers")
    at = operator.index(key)
    if length.number is None:
        if at < 0:
            raise refuse("an index from the end of a symbolic length")
        return at
    if not -length.number <= at < length.number:
        raise ShapeError(f"index {at} is outside an axis of length {length.number}")
    return at % length.number


def _runs_backwards(key: slice) -> bool:
    return isinstance(key.step, int) and key.step < 0


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
