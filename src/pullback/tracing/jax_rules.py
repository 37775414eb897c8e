"""What the primitives of JAX mean, in the operations of the reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from pullback.dimension import ONE, Dimension
from pullback.tracing import exponentials, ops
from pullback.tracing.array import strided
from pullback.tracing.convolution import Window, pooled
from pullback.tracing.tape import Recording, Shape, Value, refuse

Rule = Callable[[list[Value], Mapping[str, Any]], Value]
_MOST_FACTORS = 24


def _shape(parameters: Mapping[str, Any], key: str) -> Shape:
    return tuple(Dimension.of(int(n)) for n in parameters[key])


def _dot_general(values: list[Value], parameters: Mapping[str, Any]) -> Value:
    (left_inner, right_inner), (left_batch, right_batch) = parameters["dimension_numbers"]
    left, right = values
    a = list(range(left.rank))
    b = list(range(left.rank, left.rank + right.rank))
    for i, j in (*zip(left_inner, right_inner, strict=True), *zip(left_batch, right_batch, strict=True)):
        b[j] = a[i]
    summed = {a[i] for i in left_inner}
    batch = [a[i] for i in left_batch]
    output = [*batch, *(k for k in a if k not in summed and k not in batch), *(k for k in b if k >= left.rank)]
    return ops.contract([(left, a, 1), (right, b, 1)], output, "matrix product")


def _broadcast_in_dim(values: list[Value], parameters: Mapping[str, Any]) -> Value:
    value, shape, place = values[0], _shape(parameters, "shape"), parameters["broadcast_dimensions"]
    middle = [ONE] * len(shape)
    for axis, at in zip(value.shape, place, strict=True):
        middle[at] = axis
    return ops.broadcast_to(ops.reshape(value, tuple(middle)), shape)


def _slice(values: list[Value], parameters: Mapping[str, Any]) -> Value:
    value = values[0]
    strides = parameters["strides"] or [1] * value.rank
    for axis, (start, stop, step) in enumerate(
        zip(parameters["start_indices"], parameters["limit_indices"], strides, strict=True)
    ):
        value = ops.take(value, axis, start, stop - start) if step == 1 else strided(value, axis, start, stop, step)
    return value


def split(value: Value, parameters: Mapping[str, Any]) -> list[Value]:
    """The parts of these sizes along an axis."""
    start, parts = 0, []
    for size in parameters["sizes"]:
        parts.append(ops.take(value, parameters["axis"], start, size))
        start += size
    return parts


def _pad(values: list[Value], parameters: Mapping[str, Any]) -> Value:
    value, filler = values
    if ops.known(filler) != 0.0:
        raise refuse("padding with anything but zeros")
    for axis, (before, after, inside) in enumerate(parameters["padding_config"]):
        if inside:
            raise refuse("padding between entries")
        value = ops.pad(value, axis, before, after)
    return value


def _reduced(name: str, sign: int = 1) -> Rule:
    def rule(values: list[Value], parameters: Mapping[str, Any]) -> Value:
        value = ops.scale(sign, values[0]) if sign < 0 else values[0]
        for axis in sorted(parameters["axes"], reverse=True):
            value = ops.along(name, value, axis, False)
        return ops.scale(sign, value) if sign < 0 else value

    return rule


def _select(values: list[Value], _: Mapping[str, Any]) -> Value:
    if len(values) != 3:
        raise refuse("a choice among more than two")
    condition, no, yes = values
    return ops.where(condition, yes, no)


def _clamp(values: list[Value], _: Mapping[str, Any]) -> Value:
    low, value, high = values
    return ops.minimum(ops.maximum(value, low), high)


def _not_equal(values: list[Value], _: Mapping[str, Any]) -> Value:
    left, right = values
    if left is right:
        return ops.filled(0, left.shape)
    return ops.different(left, right)


def _entrywise(name: str) -> Rule:
    return lambda values, _: ops.entrywise(name, *values)


def _product(values: list[Value], parameters: Mapping[str, Any]) -> Value:
    (value,) = values
    for axis in sorted(parameters["axes"], reverse=True):
        length = value.shape[axis].number or 0
        if not 1 <= length <= _MOST_FACTORS:
            raise refuse(f"a product over {length} entries", hint="write exp(sum(log(x))) for positive entries")
        parts = [ops.squeeze(ops.take(value, axis, k, 1), [axis]) for k in range(length)]
        value = parts[0]
        for part in parts[1:]:
            value = ops.multiply(value, part)
    return value


def window(recording: Recording, value: Value, parameters: Mapping[str, Any], largest: bool) -> Value:
    """A sum or a maximum over windows."""
    if any(n != 1 for n in parameters["base_dilation"]):
        raise refuse("a window over entries with gaps")
    keys = ("window_dimensions", "window_strides", "window_dilation", "padding")
    lengths, strides, dilations, padding = (parameters[key] for key in keys)
    windows = [Window(length, strides[k], dilations[k], *padding[k]) for k, length in enumerate(lengths)]
    result = pooled(recording, value, windows, largest)
    return result if largest else ops.scale(prod(lengths), result)


RULES: dict[str, Rule] = {
    **{name: _entrywise(name) for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign", "abs", "erf")},
    "log": lambda v, _: exponentials.log(v[0]),
    "logistic": _entrywise("sigmoid"),
    "neg": lambda v, _: ops.scale(-1, v[0]),
    "add": lambda v, _: ops.add(*v),
    "add_any": lambda v, _: ops.add(*v),
    "sub": lambda v, _: ops.subtract(*v),
    "mul": lambda v, _: ops.multiply(v[0], v[1]),
    "div": lambda v, _: exponentials.divide(*v),
    "max": lambda v, _: ops.maximum(*v),
    "min": lambda v, _: ops.minimum(*v),
    "pow": lambda v, _: ops.power(*v),
    "integer_pow": lambda v, p: ops.power(v[0], p["y"]),
    "square": lambda v, _: ops.power(v[0], 2),
    "sqrt": lambda v, _: ops.power(v[0], 0.5),
    "rsqrt": lambda v, _: ops.power(v[0], -0.5),
    "log1p": lambda v, _: ops.entrywise("log", ops.add(ops.filled(1), v[0])),
    "expm1": lambda v, _: ops.subtract(ops.entrywise("exp", v[0]), ops.filled(1)),
    "erfc": lambda v, _: ops.subtract(ops.filled(1), ops.entrywise("erf", v[0])),
    "exp2": lambda v, _: ops.entrywise("exp", ops.scale(0.6931471805599453, v[0])),
    "dot_general": _dot_general,
    "reduce_sum": lambda v, p: ops.sum_over(v[0], p["axes"]) if p["axes"] else v[0],
    "reduce_max": _reduced("max"),
    "reduce_min": _reduced("max", -1),
    "broadcast_in_dim": _broadcast_in_dim,
    "transpose": lambda v, p: ops.permute(v[0], p["permutation"]),
    "reshape": lambda v, p: ops.reshape(v[0], _shape(p, "new_sizes")),
    "squeeze": lambda v, p: ops.squeeze(v[0], p["dimensions"]),
    "expand_dims": lambda v, p: ops.reshape(v[0], _shape(p, "shape")),
    "concatenate": lambda v, p: ops.concat(v, p["dimension"]),
    "slice": _slice,
    "pad": _pad,
    "select_n": _select,
    "clamp": _clamp,
    "gt": lambda v, _: ops.greater(*v),
    "lt": lambda v, _: ops.greater(v[1], v[0]),
    "ge": lambda v, _: ops.greater_equal(*v),
    "le": lambda v, _: ops.greater_equal(v[1], v[0]),
    "ne": _not_equal,
    "eq": lambda v, p: ops.subtract(ops.filled(1), _not_equal(v, p)),
    "is_finite": lambda v, _: ops.filled(1, v[0].shape),
    "atan": _entrywise("atan"),
    "and": lambda v, _: ops.multiply(v[0], v[1]),
    "or": lambda v, _: ops.subtract(ops.add(*v), ops.multiply(v[0], v[1])),
    "not": lambda v, _: ops.subtract(ops.filled(1), v[0]),
    "reduce_prod": _product,
    "stack": lambda v, p: ops.concat([ops.unsqueeze(x, p["axis"]) for x in v], p["axis"]),
    "cholesky": lambda v, _: ops.structured("chol", v[0]),
}
