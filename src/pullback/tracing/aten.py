"""What the operations of PyTorch's ATen library mean, in the operations of the reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pullback.dimension import ONE, Dimension
from pullback.tracing import exponentials, ops
from pullback.tracing.array import strided
from pullback.tracing.numbers import exact
from pullback.tracing.tape import Recording, Shape, Value, refuse

Rule = Callable[..., Any]
R = TypeVar("R", bound=Rule)
RULES: dict[str, Rule] = {}


def define(*names: str) -> Callable[[R], R]:
    """Enter a rule into the table under these names."""

    def decorate(rule: R) -> R:
        for name in names:
            RULES[name] = rule
        return rule

    return decorate


def value(recording: Recording, thing: Any) -> Value:
    """A traced value of a value or a number."""
    return thing if isinstance(thing, Value) else ops.filled(float(thing) if not isinstance(thing, int) else thing)


def shape_of(lengths: Sequence[int]) -> Shape:
    """The shape of these lengths."""
    return tuple(Dimension.of(int(n)) for n in lengths)


def number(axis: Dimension) -> int:
    """The length of an axis, which exported programs always have as a number."""
    length = axis.number
    if length is None:
        raise refuse("a symbolic length")
    return length


def _entrywise(*names: str) -> None:
    for name in names:
        RULES[name] = lambda r, x, name=name, **_: ops.entrywise(name, x)


_entrywise("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sigmoid", "relu", "erf", "abs", "silu")
RULES["log"] = lambda r, x: exponentials.log(x)
RULES["sign"] = lambda r, x: ops.entrywise("sign", x)
RULES["neg"] = lambda r, x: ops.scale(-1, x)
RULES["sqrt"] = lambda r, x: ops.power(x, 0.5)
RULES["rsqrt"] = lambda r, x: ops.power(x, -0.5)
RULES["reciprocal"] = lambda r, x: ops.power(x, -1)
RULES["square"] = lambda r, x: ops.power(x, 2)
RULES["log1p"] = lambda r, x: ops.entrywise("log", ops.add(ops.filled(1), x))
RULES["expm1"] = lambda r, x: ops.subtract(ops.entrywise("exp", x), ops.filled(1))
RULES["softplus"] = lambda r, x, beta=1, threshold=20: (
    ops.entrywise("softplus", x) if beta == 1 else ops.scale(1 / beta, ops.entrywise("softplus", ops.scale(beta, x)))
)
RULES["clone"] = RULES["alias"] = RULES["contiguous"] = RULES["_to_copy"] = RULES["to"] = RULES[
    "lift_fresh_copy"
] = RULES["lift_fresh"] = RULES["detach_"] = lambda r, x, *_, **__: x
RULES["mul"] = lambda r, a, b: ops.multiply(value(r, a), value(r, b))
RULES["div"] = lambda r, a, b: exponentials.divide(value(r, a), value(r, b))
RULES["maximum"] = lambda r, a, b: ops.maximum(a, b)
RULES["minimum"] = lambda r, a, b: ops.minimum(a, b)
RULES["pow"] = lambda r, a, b: ops.power(value(r, a), b if isinstance(b, Value) else float(b))
RULES["mm"] = RULES["bmm"] = RULES["matmul"] = RULES["mv"] = RULES["dot"] = lambda r, a, b: ops.matmul(a, b)
RULES["gt"] = lambda r, a, b: ops.greater(a, value(r, b))
RULES["lt"] = lambda r, a, b: ops.greater(value(r, b), a)
RULES["ge"] = lambda r, a, b: ops.greater_equal(a, value(r, b))
RULES["le"] = lambda r, a, b: ops.greater_equal(value(r, b), a)
RULES["where"] = lambda r, c, a, b: ops.where(c, value(r, a), value(r, b))
RULES["ne"] = lambda r, a, b: different(r, a, b)
RULES["eq"] = lambda r, a, b: ops.subtract(ops.filled(1), different(r, a, b))
RULES["isnan"] = RULES["isinf"] = lambda r, x: ops.filled(0, x.shape)
RULES["logical_not"] = RULES["bitwise_not"] = lambda r, a: ops.subtract(ops.filled(1), a)
RULES["logical_and"] = RULES["bitwise_and"] = lambda r, a, b: ops.multiply(a, b)
RULES["nll_loss2d_forward"] = lambda r, *a: RULES["nll_loss_forward"](r, *a)
RULES["permute"] = lambda r, x, dims: ops.permute(x, dims)
RULES["t"] = lambda r, x: ops.permute(x, [1, 0]) if x.rank == 2 else x
RULES["unsqueeze"] = lambda r, x, dim: ops.unsqueeze(x, dim)
RULES["amax"] = lambda r, x, dim=(), keepdim=False: _extreme(x, dim, keepdim)
RULES["dropout"] = lambda r, x, p=0.5, train=False: x if not train or p == 0 else _random("dropout")
RULES["native_dropout"] = lambda r, x, p, train: (x, None) if not train or p == 0 else _random("dropout")


def _random(name: str) -> Value:
    raise refuse(f"{name} in training", hint="use module.eval(), or p = 0")


def different(recording: Recording, a: Value, b: Any) -> Value:
    """1 where two are not equal."""
    return ops.different(a, value(recording, b))


@define("linalg_vector_norm")
def _vector_norm(
    recording: Recording, x: Value, p: float = 2, dim: Any = None, keepdim: bool = False, **_: Any
) -> Value:
    axes = list(range(x.rank)) if dim is None else [dim] if isinstance(dim, int) else dim
    if p == 1:
        return ops.sum_over(ops.entrywise("abs", x), axes, keepdim)
    if p != 2:
        raise refuse(f"the norm of order {p}")
    return ops.power(ops.sum_over(ops.power(x, 2), axes, keepdim), 0.5)


@define("embedding")
def _embedding(recording: Recording, weight: Value, indices: Value, *_: Any) -> Value:
    """Rows of a matrix by number: its product with a table of ones and zeros."""
    import numpy as np

    places = None if indices.array is None else np.broadcast_to(indices.array, [number(a) for a in indices.shape])
    if places is None:
        raise refuse("looking entries up by an index that is computed")
    rows = number(weight.shape[0])
    table = recording.constant(np.eye(rows)[np.asarray(places, dtype=int)], "E")
    labels = list(range(2, 2 + len(indices.shape)))
    return ops.contract([(table, [*labels, 0], 1), (weight, [0, 1], 1)], [*labels, 1], "rows of a table")


@define("_embedding_bag", "index", "index_select", "gather", "scatter", "index_put")
def _indexed(recording: Recording, *_: Any, **__: Any) -> Value:
    raise refuse("looking entries up by index", hint="write it as a product with a one-hot matrix")


@define("add")
def _add(recording: Recording, a: Any, b: Any, *, alpha: float = 1) -> Value:
    return ops.linear([(1, value(recording, a)), (alpha, value(recording, b))])


@define("sub")
def _sub(recording: Recording, a: Any, b: Any, *, alpha: float = 1) -> Value:
    return ops.linear([(1, value(recording, a)), (-alpha, value(recording, b))])


@define("rsub")
def _rsub(recording: Recording, a: Any, b: Any, alpha: float = 1) -> Value:
    return ops.linear([(1, value(recording, b)), (-alpha, value(recording, a))])


@define("addmm", "addmv", "baddbmm")
def _addmm(recording: Recording, c: Value, a: Value, b: Value, *, beta: float = 1, alpha: float = 1) -> Value:
    return ops.linear([(beta, c), (alpha, ops.matmul(a, b))])


@define("linear")
def _linear(recording: Recording, x: Value, w: Value, b: Value | None = None) -> Value:
    y = ops.matmul(x, ops.permute(w, [1, 0]))
    return y if b is None else ops.add(y, b)


@define("bilinear")
def _bilinear(recording: Recording, x: Value, y: Value, w: Value, b: Value | None = None) -> Value:
    return _trilinear_of(x, y, w, b)


def _trilinear_of(x: Value, y: Value, w: Value, b: Value | None) -> Value:
    lead = list(range(x.rank - 1))
    i, j, o = 101, 102, 103
    z = ops.contract([(x, [*lead, i], 1), (w, [o, i, j], 1), (y, [*lead, j], 1)], [*lead, o], "bilinear form")
    return z if b is None else ops.add(z, b)


@define("_trilinear")
def _trilinear(
    recording: Recording,
    a: Value,
    b: Value,
    c: Value,
    e1: list[int],
    e2: list[int],
    e3: list[int],
    s: list[int],
    unroll: int = 1,
) -> Value:
    parts = []
    for v, expand in ((a, e1), (b, e2), (c, e3)):
        for k in sorted(expand):
            v = ops.unsqueeze(v, k)
        parts.append(v)
    rank = parts[0].rank
    labels = list(range(rank))
    return ops.contract([(p, labels, 1) for p in parts], [k for k in labels if k not in s], "bilinear form")


def _extreme(x: Value, dim: Any, keepdim: bool) -> Value:
    axes = [dim] if isinstance(dim, int) else list(dim) or list(range(x.rank))
    for k in sorted((a % x.rank for a in axes), reverse=True):
        x = ops.along("max", x, k, keepdim)
    return x


@define("max")
def _max(recording: Recording, x: Value, *more: Any) -> Any:
    if more and not isinstance(more[0], Value):
        return ops.along("max", x, more[0], bool(more[1]) if len(more) > 1 else False), None
    return ops.maximum(x, more[0]) if more else _extreme(ops.reshape(x, shape_of([_entries(x)])), 0, False)


def _entries(x: Value) -> int:
    total = 1
    for axis in x.shape:
        total *= number(axis)
    return total


@define("sum")
def _sum(recording: Recording, x: Value, dim: Any = None, keepdim: bool = False, **_: Any) -> Value:
    axes = list(range(x.rank)) if dim is None or dim == [] else [dim] if isinstance(dim, int) else dim
    return ops.sum_over(x, axes, keepdim)


@define("mean")
def _mean(recording: Recording, x: Value, dim: Any = None, keepdim: bool = False, **_: Any) -> Value:
    axes = list(range(x.rank)) if dim is None or dim == [] else [dim] if isinstance(dim, int) else dim
    return ops.mean_over(x, axes, keepdim)


@define("var")
def _var(
    recording: Recording, x: Value, dim: Any = None, *, correction: float = 1, keepdim: bool = False, **_: Any
) -> Value:
    axes = list(range(x.rank)) if dim is None else dim
    centred = ops.subtract(x, ops.mean_over(x, axes, True))
    count = 1
    for k in axes:
        count *= number(x.shape[k])
    return ops.scale(1 / (count - correction), ops.sum_over(ops.power(centred, 2), axes, keepdim))


@define("var_mean")
def _var_mean(recording: Recording, x: Value, dim: Any = None, *, correction: float = 1, keepdim: bool = False) -> Any:
    axes = list(range(x.rank)) if dim is None else dim
    return _var(recording, x, axes, correction=correction, keepdim=keepdim), ops.mean_over(x, axes, keepdim)


@define("_softmax", "softmax")
def _softmax(recording: Recording, x: Value, dim: int, *_: Any, **__: Any) -> Value:
    return ops.along("softmax", x, dim)


@define("_safe_softmax")
def _safe(recording: Recording, x: Value, dim: int, *_: Any, **__: Any) -> Value:
    return ops.along("softmax", x, dim)


@define("_log_softmax", "log_softmax")
def _log_softmax(recording: Recording, x: Value, dim: int, *_: Any, **__: Any) -> Value:
    return ops.subtract(x, ops.along("logsumexp", x, dim, True))


@define("logsumexp")
def _logsumexp(recording: Recording, x: Value, dim: Any, keepdim: bool = False) -> Value:
    (axis,) = dim if isinstance(dim, list | tuple) else [dim]
    return ops.along("logsumexp", x, axis, keepdim)


@define("gelu")
def _gelu(recording: Recording, x: Value, *, approximate: str = "none") -> Value:
    if approximate == "none":
        return ops.entrywise("gelu", x)
    inner = ops.add(x, ops.scale(0.044715, ops.power(x, 3)))
    slope = ops.entrywise("tanh", ops.scale(0.7978845608028654, inner))
    return ops.multiply(ops.scale(0.5, x), ops.add(ops.filled(1), slope))


@define("leaky_relu")
def _leaky(recording: Recording, x: Value, negative_slope: float = 0.01) -> Value:
    positive = ops.entrywise("relu", x)
    return ops.linear([(1 - exact(negative_slope), positive), (negative_slope, x)], "leaky_relu")


@define("elu")
def _elu(recording: Recording, x: Value, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Value:
    negative = ops.minimum(x, ops.filled(0))
    below = ops.scale(alpha, ops.subtract(ops.entrywise("exp", ops.scale(input_scale, negative)), ops.filled(1)))
    return ops.scale(scale, ops.add(ops.entrywise("relu", x), below))


@define("hardtanh", "clamp")
def _clamp(recording: Recording, x: Value, low: Any = None, high: Any = None) -> Value:
    if low is not None:
        x = ops.maximum(x, value(recording, low))
    return x if high is None else ops.minimum(x, value(recording, high))


@define("clamp_min")
def _clamp_min(recording: Recording, x: Value, low: Any) -> Value:
    return ops.maximum(x, value(recording, low))


@define("view", "reshape", "_unsafe_view")
def _view(recording: Recording, x: Value, shape: Sequence[int]) -> Value:
    lengths = [int(n) for n in shape]
    if -1 in lengths:
        known = 1
        for n in lengths:
            known *= n if n != -1 else 1
        lengths[lengths.index(-1)] = _entries(x) // known
    return ops.reshape(x, shape_of(lengths))


@define("expand")
def _expand(recording: Recording, x: Value, shape: Sequence[int], **_: Any) -> Value:
    lengths = list(shape)
    shift = len(lengths) - x.rank
    full = tuple(x.shape[k - shift] if n == -1 else Dimension.of(int(n)) for k, n in enumerate(lengths))
    return ops.broadcast_to(x, full)


@define("transpose")
def _transpose(recording: Recording, x: Value, a: int, b: int) -> Value:
    order = list(range(x.rank))
    order[a], order[b] = order[b], order[a]
    return ops.permute(x, order)


@define("squeeze")
def _squeeze(recording: Recording, x: Value, dim: Any = None) -> Value:
    axes = list(range(x.rank)) if dim is None else [dim] if isinstance(dim, int) else dim
    return ops.squeeze(x, [k for k in axes if x.shape[k] is ONE])


@define("flatten")
def _flatten(recording: Recording, x: Value, start: int = 0, end: int = -1) -> Value:
    shape = [number(a) for a in x.shape]
    end %= x.rank
    total = 1
    for n in shape[start : end + 1]:
        total *= n
    return ops.reshape(x, shape_of([*shape[:start], total, *shape[end + 1 :]]))


@define("slice")
def _slice(recording: Recording, x: Value, dim: int = 0, start: Any = None, stop: Any = None, step: int = 1) -> Value:
    length = number(x.shape[dim])
    first, last, by = slice(start, stop, step).indices(length)
    if by != 1:
        return strided(x, dim % x.rank, first, last, by)
    return ops.take(x, dim, first, last - first)


@define("select")
def _select(recording: Recording, x: Value, dim: int, index: int) -> Value:
    at = index % number(x.shape[dim])
    return ops.squeeze(ops.take(x, dim, at, 1), [dim])


@define("split", "split_with_sizes")
def split(recording: Recording, x: Value, sizes: Any, dim: int = 0) -> list[Value]:
    """Cut an axis into pieces of these sizes."""
    length = number(x.shape[dim])
    if isinstance(sizes, int):
        sizes = [min(sizes, length - k) for k in range(0, length, sizes)]
    start, parts = 0, []
    for size in sizes:
        parts.append(ops.take(x, dim, start, size))
        start += size
    return parts


@define("chunk")
def _chunk(recording: Recording, x: Value, count: int, dim: int = 0) -> list[Value]:
    return split(recording, x, -(-number(x.shape[dim]) // count), dim)


@define("unbind")
def _unbind(recording: Recording, x: Value, dim: int = 0) -> list[Value]:
    return [_select(recording, x, dim, k) for k in range(number(x.shape[dim]))]


@define("cat")
def _cat(recording: Recording, parts: Sequence[Value], dim: int = 0) -> Value:
    return ops.concat(list(parts), dim)


@define("stack")
def _stack(recording: Recording, parts: Sequence[Value], dim: int = 0) -> Value:
    return ops.concat([ops.unsqueeze(p, dim) for p in parts], dim)


@define("constant_pad_nd")
def _pad(recording: Recording, x: Value, padding: Sequence[int], fill: float = 0) -> Value:
    if fill != 0:
        raise refuse("padding with anything but zeros")
    for k in range(0, len(padding), 2):
        x = ops.pad(x, x.rank - 1 - k // 2, padding[k], padding[k + 1])
    return x


@define("full", "ones", "zeros")
def _full(recording: Recording, shape: Sequence[int], fill: Any = None, **_: Any) -> Value:
    if fill is None:
        raise refuse("a filled tensor of unknown value")
    return ops.filled(fill, shape_of(shape))


RULES["ones"] = lambda r, shape, **_: ops.filled(1, shape_of(shape))
RULES["zeros"] = lambda r, shape, **_: ops.filled(0, shape_of(shape))
RULES["full_like"] = lambda r, x, fill, **_: ops.filled(fill, x.shape)
RULES["zeros_like"] = lambda r, x, **_: ops.filled(0, x.shape)
RULES["ones_like"] = lambda r, x, **_: ops.filled(1, x.shape)
RULES["scalar_tensor"] = lambda r, fill, **_: ops.filled(fill)
