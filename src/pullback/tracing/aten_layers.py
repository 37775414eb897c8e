"""What whole layers of PyTorch's ATen library mean: normalisations, convolutions, losses, attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pullback.dimension import ONE
from pullback.tracing import ops
from pullback.tracing.aten import define, number, shape_of
from pullback.tracing.convolution import Window, convolution, pooled, with_bias
from pullback.tracing.tape import Recording, Value, refuse


@define("native_layer_norm", "layer_norm")
def _layer_norm(
    recording: Recording, x: Value, shape: Sequence[int], w: Any = None, b: Any = None, eps: float = 1e-5, *_: Any
) -> Any:
    rows, axes = _in_rows(x, len(shape))
    centred = ops.subtract(rows, ops.mean_over(rows, axes, True))
    variance = ops.mean_over(ops.power(centred, 2), axes, True)
    root = ops.power(ops.add(variance, ops.filled(eps)), -0.5)
    y = _affine(ops.multiply(centred, root), w, b)
    return ops.reshape(y, x.shape), None, None


def _in_rows(x: Value, count: int) -> tuple[Value, list[int]]:
    """A value with all but its last axes made one, and these last axes."""
    lead = ONE
    for axis in x.shape[: x.rank - count]:
        lead = lead * axis
    rows = ops.reshape(x, (lead, *x.shape[x.rank - count :])) if x.rank > count + 1 else x
    return rows, list(range(rows.rank - count, rows.rank))


def _affine(x: Value, w: Value | None, b: Value | None) -> Value:
    x = x if w is None else ops.multiply(x, w)
    return x if b is None else ops.add(x, b)


@define("rms_norm", "_fused_rms_norm")
def _rms_norm(recording: Recording, x: Value, shape: Sequence[int], w: Any = None, eps: float | None = None) -> Any:
    import numpy as np

    eps = float(np.finfo(np.float64).eps) if eps is None else eps
    rows, axes = _in_rows(x, len(shape))
    square = ops.mean_over(ops.power(rows, 2), axes, True)
    y = _affine(ops.multiply(rows, ops.power(ops.add(square, ops.filled(eps)), -0.5)), w, None)
    return ops.reshape(y, x.shape)


@define(
    "_native_batch_norm_legit_functional",
    "_native_batch_norm_legit",
    "native_batch_norm",
    "_batch_norm_with_update_functional",
)
def _batch_norm(recording: Recording, x: Value, w: Any, b: Any, mean: Any, var: Any, *rest: Any) -> Any:
    training, eps = (rest[0], rest[-1]) if isinstance(rest[0], bool) else (True, rest[-1])
    axes = [k for k in range(x.rank) if k != 1]
    shape = tuple(x.shape[1] if k == 1 else ONE for k in range(x.rank))
    if training:
        centred = ops.subtract(x, ops.mean_over(x, axes, True))
        spread = ops.mean_over(ops.power(centred, 2), axes, True)
    else:
        centred = ops.subtract(x, ops.reshape(mean, shape))
        spread = ops.reshape(var, shape)
    y = ops.multiply(centred, ops.power(ops.add(spread, ops.filled(eps)), -0.5))
    w, b = (v if v is None else ops.reshape(v, shape) for v in (w, b))
    return _affine(y, w, b), None, None, mean, var


@define("_native_batch_norm_legit_no_training")
def _batch_norm_still(
    recording: Recording, x: Value, w: Any, b: Any, mean: Value, var: Value, momentum: float, eps: float
) -> Any:
    return _batch_norm(recording, x, w, b, mean, var, False, momentum, eps)


@define("native_group_norm")
def _group_norm(
    recording: Recording, x: Value, w: Any, b: Any, n: int, c: int, hw: int, groups: int, eps: float
) -> Any:
    split = ops.reshape(x, shape_of([n, groups, (c // groups) * hw]))
    centred = ops.subtract(split, ops.mean_over(split, [2], True))
    spread = ops.mean_over(ops.power(centred, 2), [2], True)
    y = ops.reshape(ops.multiply(centred, ops.power(ops.add(spread, ops.filled(eps)), -0.5)), x.shape)
    shape = tuple(x.shape[1] if k == 1 else ONE for k in range(x.rank))
    w, b = (v if v is None else ops.reshape(v, shape) for v in (w, b))
    return _affine(y, w, b), None, None


@define("convolution")
def _convolution(
    recording: Recording,
    x: Value,
    w: Value,
    b: Value | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool = False,
    output_padding: Sequence[int] = (),
    groups: int = 1,
) -> Value:
    lengths = [number(a) for a in w.shape[2:]]
    windows = [
        Window(length, *(_each(given, k) for given in (stride, dilation, padding, padding)))
        for k, length in enumerate(lengths)
    ]
    more = [_each(output_padding, k) for k in range(len(windows))] if transposed else None
    return with_bias(convolution(recording, x, w, windows, groups, more), b)


def _each(given: Sequence[int], k: int) -> int:
    """PyTorch's lists of one number are for all axes."""
    return given[k] if len(given) > 1 else given[0]


@define("avg_pool2d", "avg_pool1d", "avg_pool3d")
def _avg_pool(
    recording: Recording,
    x: Value,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor: Any = None,
) -> Value:
    if ceil_mode or divisor is not None or (any(padding) and not count_include_pad):
        raise refuse("average pooling with ceil_mode, a divisor or padding that is not counted")
    windows = [
        Window(length, _each(stride or kernel, k), 1, _each(padding, k), _each(padding, k))
        for k, length in enumerate(kernel)
    ]
    return pooled(recording, x, windows, largest=False)


@define("max_pool2d_with_indices", "max_pool2d", "max_pool1d", "max_pool3d_with_indices")
def _max_pool(
    recording: Recording,
    x: Value,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    ceil_mode: bool = False,
) -> Any:
    if ceil_mode or any(padding):
        raise refuse("maximum pooling with ceil_mode or padding")
    windows = [Window(n, _each(stride or kernel, k), _each(dilation, k)) for k, n in enumerate(kernel)]
    return pooled(recording, x, windows, largest=True), None


@define("mse_loss")
def _mse(recording: Recording, x: Value, y: Value, reduction: int = 1) -> Value:
    return _reduced(ops.power(ops.subtract(x, y), 2), reduction)


def _reduced(x: Value, reduction: int) -> Value:
    axes = list(range(x.rank))
    return x if reduction == 0 else ops.mean_over(x, axes) if reduction == 1 else ops.sum_over(x, axes)


@define("binary_cross_entropy_with_logits")
def _bce(
    recording: Recording, x: Value, t: Value, weight: Any = None, pos_weight: Any = None, reduction: int = 1
) -> Value:
    if weight is not None or pos_weight is not None:
        raise refuse("weights in binary_cross_entropy_with_logits")
    return _reduced(ops.subtract(ops.entrywise("softplus", x), ops.multiply(x, t)), reduction)


@define("smooth_l1_loss", "huber_loss")
def _huber(recording: Recording, x: Value, y: Value, reduction: int = 1, beta: float = 1.0) -> Value:
    d = ops.entrywise("abs", ops.subtract(x, y))
    near = ops.minimum(d, ops.filled(beta))
    return _reduced(ops.linear([(0.5, ops.power(near, 2)), (beta, ops.subtract(d, near))]), reduction)


@define("nll_loss_forward")
def _nll(
    recording: Recording, x: Value, target: Any, weight: Any = None, reduction: int = 1, ignore: int = -100
) -> Any:
    import numpy as np

    labels = np.broadcast_to(target.array, [number(a) for a in target.shape]) if target.array is not None else None
    if labels is None or (weight is not None and weight.array is None):
        raise refuse("nll_loss with labels, or weights of classes, that are computed")
    labels = np.asarray(labels, dtype=int)
    classes = number(x.shape[1])
    each = np.ones(classes) if weight is None else np.broadcast_to(weight.array, (classes,))
    counted = np.where(labels == ignore, 0.0, each[np.where(labels == ignore, 0, labels)])
    onehot = np.moveaxis(np.eye(classes)[np.where(labels == ignore, 0, labels)] * counted[..., None], -1, 1)
    picked = ops.sum_over(ops.multiply(x, recording.constant(onehot, "T")), [1])
    if reduction == 1 and (weight is not None or np.any(labels == ignore)):
        return ops.scale(-1 / float(counted.sum()), ops.sum_over(picked, range(picked.rank))), None
    return ops.scale(-1, _reduced(picked, reduction)), None


@define(
    "scaled_dot_product_attention",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_efficient_attention",
)
def _attention(
    recording: Recording,
    q: Value,
    k: Value,
    v: Value,
    *rest: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Any:
    if rest and isinstance(rest[0], Value):
        attn_mask = rest[0]
    is_causal = is_causal or any(option is True for option in rest)
    size = number(q.shape[-1])
    scores = ops.matmul(q, ops.permute(k, [*range(k.rank - 2), k.rank - 1, k.rank - 2]))
    scores = ops.scale(scale if scale is not None else 1 / size**0.5, scores)
    if is_causal:
        import numpy as np

        mask = np.triu(np.full((number(q.shape[-2]), number(k.shape[-2])), -1e9), 1)
        scores = ops.add(scores, recording.constant(mask))
    if attn_mask is not None:
        scores = ops.add(scores, attn_mask)
    result = ops.matmul(ops.along("softmax", scores, -1), v)
    return (result, None)
