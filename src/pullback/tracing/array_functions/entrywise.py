"""NumPy's functions of single numbers."""

from __future__ import annotations

import math
from typing import Any

from pullback.tracing import exponentials, ops
from pullback.tracing.array import Array, arrays, as_value
from pullback.tracing.array_functions.registry import FUNCTIONS, binary, define, plain, unary
from pullback.tracing.tape import Value, refuse


def _named(name: str, operation: str) -> None:
    unary(name, lambda x: ops.entrywise(operation, x))


def _scaled(value: Value, number: float) -> Value:
    return ops.scale(number, value)


for _name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign", "abs", "erf"):
    _named(_name, _name)
for _name, _operation in (
    ("absolute", "abs"),
    ("fabs", "abs"),
    ("arctan", "atan"),
    ("atan", "atan"),
    ("expit", "sigmoid"),
):
    _named(_name, _operation)
unary("log", exponentials.log)
unary("negative", lambda x: ops.scale(-1, x))
unary("positive", lambda x: x)
unary("sqrt", lambda x: ops.power(x, 0.5))
unary("square", lambda x: ops.power(x, 2))
unary("reciprocal", lambda x: ops.power(x, -1))
unary("log1p", lambda x: exponentials.log(ops.add(ops.filled(1), x)))
unary("expm1", lambda x: ops.subtract(ops.entrywise("exp", x), ops.filled(1)))
unary("log2", lambda x: _scaled(exponentials.log(x), 1 / math.log(2)))
unary("log10", lambda x: _scaled(exponentials.log(x), 1 / math.log(10)))
unary("exp2", lambda x: ops.entrywise("exp", _scaled(x, math.log(2))))
unary("erfc", lambda x: ops.subtract(ops.filled(1), ops.entrywise("erf", x)))

for _name, _make in (
    ("add", ops.add),
    ("subtract", ops.subtract),
    ("multiply", ops.multiply),
    ("divide", exponentials.divide),
    ("true_divide", exponentials.divide),
    ("power", ops.power),
    ("pow", ops.power),
    ("float_power", ops.power),
    ("maximum", ops.maximum),
    ("minimum", ops.minimum),
    ("fmax", ops.maximum),
    ("fmin", ops.minimum),
):
    binary(_name, _make)
binary("logaddexp", lambda a, b: ops.add(a, ops.entrywise("softplus", ops.subtract(b, a))))
binary("greater", ops.greater, mask=True)
binary("greater_equal", ops.greater_equal, mask=True)
binary("less", lambda a, b: ops.greater(b, a), mask=True)
binary("less_equal", lambda a, b: ops.greater_equal(b, a), mask=True)
binary("equal", lambda a, b: ops.subtract(ops.filled(1), ops.different(a, b)), mask=True)
binary("not_equal", ops.different, mask=True)


@define("heaviside")
def _heaviside(x: Array, at_zero: Any) -> Array:
    if not isinstance(at_zero, int | float) or at_zero != 0:
        raise refuse(f"numpy.heaviside with {at_zero} at 0", hint="heaviside(x, 0) can be read")
    return Array(ops.greater(x.value, ops.filled(0)), x.recording)


@define("where")
def _where(condition: Any, a: Any, b: Any) -> Array:
    recording = arrays([condition, a, b])
    return Array(ops.where(*(as_value(v, recording) for v in (condition, a, b))), recording)


@define("clip")
def _clip(x: Array, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None, **options: Any) -> Array:
    plain("clip", options)
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    value = x.value
    if low is not None:
        value = ops.maximum(value, as_value(low, x.recording))
    if high is not None:
        value = ops.minimum(value, as_value(high, x.recording))
    return Array(value, x.recording)


def _logical(name: str, left: Any, right: Any) -> Array:
    for part in (left, right):
        if isinstance(part, Array) and not part.mask:
            raise refuse(f"{name} of what is no comparison")
    recording = arrays([left, right])
    a, b = as_value(left, recording), as_value(right, recording)
    both = ops.multiply(a, b)
    value = both if name == "logical_and" else ops.subtract(ops.add(a, b), both)
    return Array(value, recording, mask=True)


FUNCTIONS["logical_and"] = FUNCTIONS["bitwise_and"] = lambda a, b: _logical("logical_and", a, b)
FUNCTIONS["logical_or"] = FUNCTIONS["bitwise_or"] = lambda a, b: _logical("logical_or", a, b)


@define("logical_not", "bitwise_not", "invert", "bitwise_invert")
def _logical_not(x: Array) -> Array:
    if not x.mask:
        raise refuse("logical_not of what is no comparison")
    return Array(ops.subtract(ops.filled(1), x.value), x.recording, mask=True)


@define("ones_like")
def _ones_like(x: Array, **options: Any) -> Array:
    plain("ones_like", options)
    return Array(ops.filled(1, x.value.shape), x.recording)


@define("zeros_like", "empty_like")
def _zeros_like(x: Array, **options: Any) -> Array:
    plain("zeros_like", options)
    return Array(ops.filled(0, x.value.shape), x.recording)


@define("full_like")
def _full_like(x: Array, fill_value: Any, **options: Any) -> Array:
    plain("full_like", options)
    return Array(ops.broadcast_to(as_value(fill_value, x.recording), x.value.shape), x.recording)


@define("copy", "asarray", "array", "ascontiguousarray", "real")
def _copy(x: Any, *_: Any, **options: Any) -> Array:
    plain("copy", options)
    if not isinstance(x, Array):
        from pullback.tracing.array_functions.moving import stack

        return stack(x)
    return Array(x.value, x.recording)
