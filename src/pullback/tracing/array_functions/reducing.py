"""NumPy's functions that make fewer numbers of many, and running sums."""

from __future__ import annotations

from typing import Any

from pullback.dimension import ONE, Dimension
from pullback.errors import ShapeError
from pullback.tracing import exponentials, ops
from pullback.tracing.array import Array
from pullback.tracing.array_functions.registry import FUNCTIONS, Function, define, number_of, plain
from pullback.tracing.tables import running_sum
from pullback.tracing.tape import Value, refuse

_MOST_FACTORS = 24


def axes_of(x: Array, axis: Any) -> list[int]:
    """The axes that an ``axis=`` names, counted from the start."""
    if axis is None:
        return list(range(x.ndim))
    given = list(axis) if isinstance(axis, tuple | list) else [axis]
    numbers = [number_of(k, "an axis") for k in given]
    for k in numbers:
        if not -x.ndim <= k < x.ndim:
            raise ShapeError(f"there is no axis {k} in an array of {x.ndim} axes")
    return [k % x.ndim for k in numbers]


@define("sum")
def total(x: Array, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Array:
    """The sum."""
    plain("sum", options)
    return Array(ops.sum_over(x.value, axes_of(x, axis), keepdims), x.recording)


@define("mean")
def _mean(x: Array, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Array:
    plain("mean", options)
    return Array(ops.mean_over(x.value, axes_of(x, axis), keepdims), x.recording)


@define("average")
def _average(x: Array, axis: Any = None, weights: Any = None, *, keepdims: bool = False, **options: Any) -> Array:
    plain("average", options)
    if weights is not None:
        raise refuse("numpy.average with weights=", hint="write (w * x).sum() / w.sum()")
    return _mean(x, axis, keepdims=keepdims)


@define("var")
def variance(
    x: Array, axis: Any = None, *, keepdims: bool = False, ddof: int = 0, correction: int = 0, **options: Any
) -> Array:
    """The variance."""
    plain("var", options)
    axes = axes_of(x, axis)
    centred = ops.subtract(x.value, ops.mean_over(x.value, axes, True))
    squares = ops.sum_over(ops.power(centred, 2), axes, keepdims)
    count: Array = Array(ops.length_of(ONE), x.recording)
    for k in axes:
        count = count * Array(ops.length_of(x.value.shape[k]), x.recording)
    less = ddof or correction
    return Array(ops.divide(squares, (count - less if less else count).value), x.recording)


@define("std")
def _std(x: Array, axis: Any = None, **options: Any) -> Array:
    return variance(x, axis, **options) ** 0.5


def _extreme(name: str, sign: int) -> Function:
    def function(x: Array, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Array:
        plain(name, options)
        value = x.value if sign > 0 else ops.scale(-1, x.value)
        axes = axes_of(x, axis)
        if axis is None or len(axes) > 1:
            value = _over_several(value, axes, keepdims)
        else:
            value = ops.along("max", value, axes[0], keepdims)
        return Array(value if sign > 0 else ops.scale(-1, value), x.recording)

    return function


def _over_several(value: Value, axes: list[int], keepdims: bool) -> Value:
    """The maximum over several axes at once, so that ties are shared by all of them."""
    kept = [k for k in range(value.rank) if k not in axes]
    shape = tuple(value.shape[k] for k in kept)
    inner = ONE
    for k in axes:
        inner = inner * value.shape[k]
    flat = ops.reshape(ops.permute(value, [*kept, *axes]), (*shape, inner))
    result = ops.along("max", flat, len(kept), False)
    if not keepdims:
        return result
    return ops.reshape(result, tuple(ONE if k in axes else a for k, a in enumerate(value.shape)))


FUNCTIONS["max"] = FUNCTIONS["amax"] = _extreme("max", 1)
FUNCTIONS["min"] = FUNCTIONS["amin"] = _extreme("min", -1)


@define("prod")
def _prod(x: Array, axis: Any = None, *, keepdims: bool = False, **options: Any) -> Array:
    plain("prod", options)
    value = x.value
    if axis is None:
        value, at = ops.reshape(value, (count(value),)), 0
    else:
        (at,) = axes_of(x, axis)
    length = value.shape[at].number
    if length is None or length > _MOST_FACTORS:
        raise refuse(f"a product over {value.shape[at]} entries", hint="write exp(sum(log(x))) for positive entries")
    result = ops.take(value, at, 0, 1)
    for k in range(1, length):
        result = ops.multiply(result, ops.take(value, at, k, 1))
    if keepdims and axis is None:
        return Array(ops.reshape(result, (ONE,) * x.ndim), x.recording)
    return Array(result if keepdims else ops.squeeze(result, [at]), x.recording)


@define("cumsum", "cumulative_sum")
def _cumsum(x: Array, axis: Any = None, **options: Any) -> Array:
    plain("cumsum", options)
    value = x.value
    if axis is None:
        value, axis = ops.reshape(value, (count(value),)), 0
    return Array(running_sum(x.recording, value, axis % value.rank), x.recording)


@define("softmax")
def _softmax(x: Array, axis: int = -1) -> Array:
    return Array(exponentials.softmax(x.value, axis), x.recording)


@define("logsumexp")
def _logsumexp(x: Array, axis: int = -1, *, keepdims: bool = False) -> Array:
    return Array(exponentials.logsumexp(x.value, axis, keepdims), x.recording)


def count(value: Value) -> Dimension:
    """The number of entries."""
    entries = ONE
    for axis in value.shape:
        entries = entries * axis
    return entries
