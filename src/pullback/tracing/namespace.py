"""The functions of NumPy and of the array API that traced arrays answer to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pullback.dimension import ONE, Dimension
from pullback.tracing import exponentials, ops
from pullback.tracing.array import Array, Length, arrays, as_value
from pullback.tracing.tape import Recording, Value, refuse

Function = Callable[..., Any]
FUNCTIONS: dict[str, Function] = {}


F = TypeVar("F", bound=Function)


def _define(*names: str) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for name in names:
            FUNCTIONS[name] = function
        return function

    return decorate


def _unary(make: Callable[[Value], Value]) -> Function:
    return lambda x, **_: Array(make(x.value), x.recording)


def _binary(make: Callable[[Value, Value], Value]) -> Function:
    def function(a: Any, b: Any, **_: Any) -> Array:
        recording = arrays([a, b])
        return Array(make(as_value(a, recording), as_value(b, recording)), recording)

    return function


def _named(name: str) -> Function:
    return _unary(lambda x: ops.entrywise(name, x))


for _name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign", "abs"):
    FUNCTIONS[_name] = _named(_name)
FUNCTIONS["log"] = _unary(exponentials.log)
FUNCTIONS["absolute"] = FUNCTIONS["fabs"] = FUNCTIONS["abs"]
FUNCTIONS["negative"] = _unary(lambda x: ops.scale(-1, x))
FUNCTIONS["positive"] = _unary(lambda x: x)
FUNCTIONS["sqrt"] = _unary(lambda x: ops.power(x, 0.5))
FUNCTIONS["square"] = _unary(lambda x: ops.power(x, 2))
FUNCTIONS["reciprocal"] = _unary(lambda x: ops.power(x, -1))
FUNCTIONS["log1p"] = _unary(lambda x: ops.entrywise("log", ops.add(ops.filled(1), x)))
FUNCTIONS["expm1"] = _unary(lambda x: ops.subtract(ops.entrywise("exp", x), ops.filled(1)))
FUNCTIONS["erf"] = _named("erf")
FUNCTIONS["expit"] = _named("sigmoid")
FUNCTIONS["transpose"] = FUNCTIONS["permute_dims"] = lambda x, axes=None: x.transpose(*(axes or ()))
FUNCTIONS["matrix_transpose"] = lambda x: x.mT
FUNCTIONS["copy"] = FUNCTIONS["asarray"] = lambda x, *_, **__: x
FUNCTIONS["ravel"] = lambda x, *_, **__: x.reshape(-1)
for _name, _make in (
    ("add", ops.add),
    ("subtract", ops.subtract),
    ("multiply", ops.multiply),
    ("divide", exponentials.divide),
    ("true_divide", exponentials.divide),
    ("matmul", ops.matmul),
    ("power", ops.power),
    ("pow", ops.power),
    ("float_power", ops.power),
    ("maximum", ops.maximum),
    ("minimum", ops.minimum),
    ("greater", ops.greater),
    ("greater_equal", ops.greater_equal),
):
    FUNCTIONS[_name] = _binary(_make)
FUNCTIONS["less"] = _binary(lambda a, b: ops.greater(b, a))
FUNCTIONS["less_equal"] = _binary(lambda a, b: ops.greater_equal(b, a))
FUNCTIONS["logaddexp"] = _binary(lambda a, b: ops.add(a, ops.entrywise("softplus", ops.subtract(b, a))))
FUNCTIONS["heaviside"] = _binary(lambda a, _: ops.greater(a, ops.filled(0)))


def _axes(x: Array, axis: Any) -> list[int]:
    if axis is None:
        return list(range(x.ndim))
    return [axis] if isinstance(axis, int) else list(axis)


@_define("sum")
def _sum(x: Array, axis: Any = None, keepdims: bool = False, **options: Any) -> Array:
    _plain("sum", options)
    return Array(ops.sum_over(x.value, _axes(x, axis), keepdims), x.recording)


@_define("mean")
def _mean(x: Array, axis: Any = None, keepdims: bool = False, **options: Any) -> Array:
    _plain("mean", options)
    return Array(ops.mean_over(x.value, _axes(x, axis), keepdims), x.recording)


def _plain(name: str, options: dict[str, Any]) -> None:
    for option, given in options.items():
        if option not in ("dtype", "out") or (option == "out" and given is not None):
            raise refuse(f"numpy.{name} with {option}=")


@_define("var")
def _var(x: Array, axis: Any = None, keepdims: bool = False, ddof: int = 0, correction: int = 0, **_: Any) -> Array:
    axes = _axes(x, axis)
    centred = ops.subtract(x.value, ops.mean_over(x.value, axes, True))
    total = ops.sum_over(ops.power(centred, 2), axes, keepdims)
    count = Array(ops.length_of(ONE), x.recording)
    for k in axes:
        count = count * Array(ops.length_of(x.value.shape[k % x.ndim]), x.recording)
    count = count - (ddof or correction) if (ddof or correction) else count
    return Array(ops.divide(total, count.value), x.recording)


@_define("std")
def _std(x: Array, **options: Any) -> Array:
    return _var(x, **options) ** 0.5


def _extreme(sign: int) -> Function:
    def function(x: Array, axis: Any = None, keepdims: bool = False, **_: Any) -> Array:
        value = x.value if sign > 0 else ops.scale(-1, x.value)
        if axis is None:
            if keepdims:
                raise refuse("max over all axes with keepdims=")
            value = ops.along("max", ops.reshape(value, (_count(value),)), 0, False)
        else:
            for k in sorted((a % x.ndim for a in _axes(x, axis)), reverse=True):
                value = ops.along("max", value, k, keepdims)
        return Array(value if sign > 0 else ops.scale(-1, value), x.recording)

    return function


FUNCTIONS["max"] = FUNCTIONS["amax"] = _extreme(1)
FUNCTIONS["min"] = FUNCTIONS["amin"] = _extreme(-1)


def _count(value: Value) -> Dimension:
    total = ONE
    for axis in value.shape:
        total = total * axis
    return total


@_define("reshape")
def reshape(x: Array, shape: Any = None, **options: Any) -> Array:
    """Reshape; one length may be -1."""
    if options.get("order", "C") != "C":
        raise refuse("reshape with order=")
    shape = options.get("newshape", shape)
    wanted = [shape] if isinstance(shape, int | Length) else list(shape)
    lengths = [w.axis if isinstance(w, Length) else None if w == -1 else Dimension.of(int(w)) for w in wanted]
    if None in lengths:
        lengths[lengths.index(None)] = _quotient(_count(x.value), [n for n in lengths if n is not None])
    return Array(ops.reshape(x.value, tuple(n for n in lengths if n is not None)), x.recording)


def _quotient(total: Dimension, parts: Sequence[Dimension]) -> Dimension:
    known = ONE
    for axis in parts:
        known = known * axis
    if known.number is not None and total.number is not None:
        return Dimension.of(total.number // known.number)
    if len(total.terms) == 1 and len(known.terms) == 1:
        (names, count), (gone, divisor) = total.terms[0], known.terms[0]
        rest = list(names)
        for name in gone:
            rest.remove(name)
        result = Dimension.of(count // divisor)
        for name in rest:
            result = result * Dimension.of(name)
        return result
    raise refuse("a reshape with -1 among symbolic lengths")


@_define("dot")
def _dot(a: Any, b: Any) -> Array:
    recording = arrays([a, b])
    left, right = as_value(a, recording), as_value(b, recording)
    if left.rank == 0 or right.rank == 0:
        return Array(ops.multiply(left, right), recording)
    if right.rank > 2:
        raise refuse("numpy.dot with more than two axes on the right", hint="write @ or einsum")
    return Array(ops.matmul(left, right), recording)


FUNCTIONS["vdot"] = FUNCTIONS["vecdot"] = FUNCTIONS["linalg.vecdot"] = lambda a, b: _sum(
    FUNCTIONS["multiply"](a, b), axis=-1
)
FUNCTIONS["inner"] = FUNCTIONS["vdot"]


@_define("outer", "linalg.outer")
def _outer(a: Any, b: Any) -> Array:
    recording = arrays([a, b])
    parts = [(as_value(a, recording), [0], 1), (as_value(b, recording), [1], 1)]
    return Array(ops.contract(parts, [0, 1], "outer product"), recording)


@_define("einsum")
def _einsum(text: str, *operands: Any, **_: Any) -> Array:
    recording = arrays(operands)
    return Array(ops.einsum(text, *(as_value(o, recording) for o in operands)), recording)


@_define("tensordot")
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Array:
    recording = arrays([a, b])
    left, right = as_value(a, recording), as_value(b, recording)
    if isinstance(axes, int):
        axes = (list(range(left.rank - axes, left.rank)), list(range(axes)))
    first = [axes[0]] if isinstance(axes[0], int) else list(axes[0])
    second = [axes[1]] if isinstance(axes[1], int) else list(axes[1])
    a_labels = list(range(left.rank))
    b_labels = list(range(left.rank, left.rank + right.rank))
    for i, j in zip(first, second, strict=True):
        b_labels[j % right.rank] = a_labels[i % left.rank]
    summed = {a_labels[i % left.rank] for i in first}
    output = [k for k in (*a_labels, *b_labels) if k not in summed]
    return Array(ops.contract([(left, a_labels, 1), (right, b_labels, 1)], output, "tensordot"), recording)


@_define("where")
def _where(condition: Any, a: Any, b: Any) -> Array:
    recording = arrays([condition, a, b])
    return Array(ops.where(*(as_value(v, recording) for v in (condition, a, b))), recording)


@_define("clip")
def _clip(x: Array, low: Any = None, high: Any = None, **_: Any) -> Array:
    value = x.value
    if low is not None:
        value = ops.maximum(value, as_value(low, x.recording))
    if high is not None:
        value = ops.minimum(value, as_value(high, x.recording))
    return Array(value, x.recording)


@_define("concatenate", "concat", "hstack")
def _concatenate(parts: Sequence[Any], axis: int = 0, **_: Any) -> Array:
    recording = arrays([parts])
    return Array(ops.concat([as_value(p, recording) for p in parts], axis), recording)


@_define("stack")
def _stack(parts: Sequence[Any], axis: int = 0, **_: Any) -> Array:
    recording = arrays([parts])
    return Array(ops.concat([ops.unsqueeze(as_value(p, recording), axis) for p in parts], axis), recording)


FUNCTIONS["expand_dims"] = lambda x, axis: Array(ops.unsqueeze(x.value, axis), x.recording)
FUNCTIONS["squeeze"] = lambda x, axis=None: Array(
    ops.squeeze(x.value, [k for k, a in enumerate(x.value.shape) if a is ONE] if axis is None else _axes(x, axis)),
    x.recording,
)
FUNCTIONS["swapaxes"] = lambda x, a, b: Array(ops.permute(x.value, _swapped(x.ndim, a, b)), x.recording)
FUNCTIONS["moveaxis"] = lambda x, a, b: Array(ops.permute(x.value, _moved(x.ndim, a, b)), x.recording)
FUNCTIONS["trace"] = FUNCTIONS["linalg.trace"] = lambda x, **_: Array(
    ops.contract([(x.value, [0, 0], 1)], [], "trace"), x.recording
)
FUNCTIONS["diagonal"] = FUNCTIONS["linalg.diagonal"] = lambda x, **_: Array(
    ops.contract([(x.value, [0, 0], 1)], [0], "diagonal"), x.recording
)
FUNCTIONS["ones_like"] = lambda x, **_: Array(ops.filled(1, x.value.shape), x.recording)
FUNCTIONS["zeros_like"] = lambda x, **_: Array(ops.filled(0, x.value.shape), x.recording)
FUNCTIONS["linalg.inv"] = _unary(lambda x: ops.structured("inv", x))
FUNCTIONS["linalg.det"] = _unary(lambda x: ops.structured("det", x))
FUNCTIONS["linalg.cholesky"] = _unary(lambda x: ops.structured("chol", x))
FUNCTIONS["linalg.matmul"] = FUNCTIONS["matmul"]


def _swapped(rank: int, a: int, b: int) -> list[int]:
    order = list(range(rank))
    order[a], order[b] = order[b], order[a]
    return order


def _moved(rank: int, a: int, b: int) -> list[int]:
    order = [k for k in range(rank) if k != a % rank]
    order.insert(b % rank, a % rank)
    return order


@_define("diag")
def _diag(x: Array) -> Array:
    output = [0, 0] if x.ndim == 1 else [0]
    labels = [0] if x.ndim == 1 else [0, 0]
    return Array(ops.contract([(x.value, labels, 1)], output, "diag"), x.recording)


@_define("linalg.solve")
def _solve(a: Any, b: Any) -> Array:
    recording = arrays([a, b])
    return Array(ops.matmul(ops.structured("inv", as_value(a, recording)), as_value(b, recording)), recording)


@_define("linalg.slogdet")
def _slogdet(a: Array) -> tuple[Array, Array]:
    one = Array(ops.filled(1), a.recording)
    return one, Array(ops.structured("logdet", a.value), a.recording)


@_define("linalg.norm", "linalg.vector_norm", "linalg.matrix_norm")
def _norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    if ord == 1 and (x.ndim == 1 or axis is not None):
        return _sum(abs(x), axis=axis, keepdims=keepdims)
    if ord not in (None, 2, "fro") or (ord == 2 and x.ndim == 2 and axis is None):
        raise refuse(f"the norm of order {ord}")
    return _sum(x * x, axis=axis, keepdims=keepdims) ** 0.5


@_define("softmax")
def _softmax(x: Array, axis: int = -1) -> Array:
    return Array(exponentials.softmax(x.value, axis), x.recording)


@_define("logsumexp")
def _logsumexp(x: Array, axis: int = -1, keepdims: bool = False) -> Array:
    return Array(exponentials.logsumexp(x.value, axis, keepdims), x.recording)


class Namespace:
    """The array-API namespace of traced arrays, as ``x.__array_namespace__()`` gives it."""

    pi, e, inf = math.pi, math.e, math.inf
    float64 = "float64"

    def __init__(self, recording: Recording, prefix: str = "") -> None:
        self._recording, self._prefix = recording, prefix

    @property
    def linalg(self) -> Namespace:
        """The linear algebra functions."""
        return Namespace(self._recording, "linalg.")

    def __getattr__(self, name: str) -> Function:
        found = FUNCTIONS.get(self._prefix + name)
        if found is None:
            raise refuse(f"the array function {self._prefix}{name}")
        return found

    def ones(self, shape: Any, **_: Any) -> Array:
        """Ones."""
        return self.full(shape, 1)

    def zeros(self, shape: Any, **_: Any) -> Array:
        """Zeros."""
        return self.full(shape, 0)

    def full(self, shape: Any, number: Any, **_: Any) -> Array:
        """A tensor of one number."""
        lengths = [shape] if isinstance(shape, int | Length) else list(shape)
        axes = tuple(n.axis if isinstance(n, Length) else Dimension.of(n) for n in lengths)
        return Array(ops.filled(number, axes), self._recording)

    def eye(self, count: Any, **_: Any) -> Array:
        """The identity."""
        import numpy as np

        if isinstance(count, Length):
            raise refuse("eye of a symbolic length")
        return Array(self._recording.constant(np.eye(count)), self._recording)
