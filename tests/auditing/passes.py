"""Backward passes written with NumPy, wrong and right: as in homework, courses and hand-written layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

DRAW = np.random.default_rng(0).standard_normal
Pass = Callable[..., Any]


@dataclass(frozen=True)
class Pair:
    """A forward and a backward pass with example arguments; ``keys`` explain each gradient that is wrong."""

    id: str
    layer: str
    forward: Pass
    backward: Pass
    values: tuple[Any, ...]
    keys: dict[str, tuple[str, ...]]


WRONG: list[Pair] = []
RIGHT: list[Pair] = []


def pair(layer: str, forward: Pass, *values: Any, **keys: str) -> Callable[[Pass], Pass]:
    """Enter a backward pass; ``x="sign"`` says that the gradient of x is wrong and how."""

    def enter(backward: Pass) -> Pass:
        said = {name: tuple(text.split()) for name, text in keys.items()}
        (WRONG if keys else RIGHT).append(Pair(backward.__name__, layer, forward, backward, values, said))
        return backward

    return enter


# an affine layer

X, W, B = DRAW((4, 3)), DRAW((2, 3)), DRAW(2)


def affine(x: Any, w: Any, b: Any) -> Any:
    return x @ w.T + b


@pair("linear", affine, X, W, B)
def affine_by_products(g: Any, x: Any, w: Any, b: Any) -> Any:
    return g @ w, g.T @ x, g.sum(axis=0)


@pair("linear", affine, X, W, B)
def affine_by_einsum(g: Any, x: Any, w: Any, b: Any) -> Any:
    return {
        "x": np.einsum("bo,oi->bi", g, w),
        "w": np.einsum("bo,bi->oi", g, x),
        "b": np.einsum("bo->o", g),
    }


@pair("linear", affine, X, W, B)
def affine_by_loops(g: Any, x: Any, w: Any, b: Any) -> Any:
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(b)
    for row in range(len(x)):
        dx[row] += w.T @ g[row]
        dw += np.outer(g[row], x[row])
        db += g[row]
    return dx, dw, db


@pair("linear", affine, X, W, B, b="not_summed")
def affine_bias_not_summed(g: Any, x: Any, w: Any, b: Any) -> Any:
    return g @ w, g.T @ x, g


@pair("linear", affine, X, W, B, b="mean_surplus")
def affine_bias_mean(g: Any, x: Any, w: Any, b: Any) -> Any:
    return g @ w, g.T @ x, g.mean(axis=0)


@pair("linear", affine, X, W, B, w="mean_surplus")
def affine_weight_mean(g: Any, x: Any, w: Any, b: Any) -> Any:
    return g @ w, g.T @ x / len(x), g.sum(axis=0)


@pair("linear", affine, X, W, B, b="made.axis")
def affine_bias_axis(g: Any, x: Any, w: Any, b: Any) -> Any:
    return g @ w, g.T @ x, g.sum(axis=1)


@pair("linear", affine, X, W, B, b="axis_of_one")
def affine_bias_keepdims(g: Any, x: Any, w: Any, b: Any) -> Any:
    return g @ w, g.T @ x, g.sum(axis=0, keepdims=True)


@pair("linear", affine, X, W, B, w="transposed")
def affine_weight_transposed(g: Any, x: Any, w: Any, b: Any) -> Any:
    return g @ w, x.T @ g, g.sum(axis=0)


@pair("linear", affine, X, W, B, x="swapped", w="swapped")
def affine_order_of_results(g: Any, x: Any, w: Any, b: Any) -> Any:
    return g.T @ x, g @ w, g.sum(axis=0)


# two layers

NET = (DRAW((5, 3)), DRAW((3, 4)), DRAW(4), DRAW((4, 2)), DRAW(2))


def network(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    z = x @ w1 + b1
    h = np.maximum(z, 0)
    return h @ w2 + b2


@pair("mlp", network, *NET)
def network_by_mask(g: Any, x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    z = x @ w1 + b1
    dz = (g @ w2.T) * (z > 0)
    return dz @ w1.T, x.T @ dz, dz.sum(0), np.maximum(z, 0).T @ g, g.sum(0)


@pair("mlp", network, *NET)
def network_by_assignment(g: Any, x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    h = np.maximum(x @ w1 + b1, 0)
    dz = g @ w2.T
    dz[h <= 0] = 0
    return dz @ w1.T, x.T @ dz, dz.sum(0), h.T @ g, g.sum(0)


@pair("mlp", network, *NET, x="derivative_missing", w1="derivative_missing", b1="derivative_missing")
def network_no_mask(g: Any, x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    dz = g @ w2.T
    return dz @ w1.T, x.T @ dz, dz.sum(0), np.maximum(x @ w1 + b1, 0).T @ g, g.sum(0)


@pair("mlp", network, *NET, x="mask_by_gradient", w1="mask_by_gradient", b1="mask_by_gradient")
def network_mask_by_gradient(g: Any, x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    dh = g @ w2.T
    dz = dh * (dh > 0)
    return dz @ w1.T, x.T @ dz, dz.sum(0), np.maximum(x @ w1 + b1, 0).T @ g, g.sum(0)


@pair("mlp", network, *NET, w2="other_value")
def network_cached_before_activation(g: Any, x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    z = x @ w1 + b1
    dz = (g @ w2.T) * (z > 0)
    return dz @ w1.T, x.T @ dz, dz.sum(0), z.T @ g, g.sum(0)


@pair("mlp", network, *NET, w2="in_place", b2="in_place")
def network_changes_its_gradient(g: Any, x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    h = np.maximum(x @ w1 + b1, 0)
    dz = (g @ w2.T) * (h > 0)
    g *= 0.5
    return dz @ w1.T, x.T @ dz, dz.sum(0), h.T @ g, g.sum(0)


# softmax, written out

LOGITS = (DRAW((4, 3)),)
ONE_HOT = np.eye(3)[[0, 2, 1, 1]]
LABELS = np.array([0, 2, 1, 1])


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pair("softmax", softmax, *LOGITS)
def softmax_by_correction(g: Any, x: Any) -> Any:
    p = softmax(x)
    return p * (g - (g * p).sum(-1, keepdims=True))


@pair("softmax", softmax, *LOGITS)
def softmax_by_jacobians(g: Any, x: Any) -> Any:
    return np.stack([(np.diag(p) - np.outer(p, p)) @ row for p, row in zip(softmax(x), g, strict=True)])


@pair("softmax", softmax, *LOGITS)
def softmax_without_a_shift(g: Any, x: Any) -> Any:
    e = np.exp(x)
    total = e.sum(1)[:, None]
    return e * g / total - e * (e * g).sum(1)[:, None] / total**2


@pair("softmax", softmax, *LOGITS, x="softmax_diagonal")
def softmax_diagonal(g: Any, x: Any) -> Any:
    p = softmax(x)
    return g * p * (1 - p)


@pair("softmax", softmax, *LOGITS, x="softmax_not_weighted")
def softmax_not_weighted(g: Any, x: Any) -> Any:
    p = softmax(x)
    return p * (g - g.sum(-1, keepdims=True))


@pair("softmax", softmax, *LOGITS, x="softmax_axis")
def softmax_axis(g: Any, x: Any) -> Any:
    p = softmax(x)
    return p * (g - (g * p).sum(0, keepdims=True))


@pair("softmax", softmax, DRAW((3, 3)), x="softmax_keepdims")
def softmax_no_keepdims(g: Any, x: Any) -> Any:
    p = softmax(x)
    return p * (g - (g * p).sum(-1))


# losses


def cross_entropy(z: Any, t: Any) -> Any:
    return -np.mean(np.sum(t * np.log(softmax(z)), axis=1))


@pair("loss", cross_entropy, DRAW((4, 3)), ONE_HOT)
def cross_entropy_of_one_hot(g: Any, z: Any, t: Any) -> Any:
    return g * (softmax(z) - t) / len(z), None


@pair("loss", cross_entropy, DRAW((4, 3)), ONE_HOT, z="mean_as_sum mean_missing")
def cross_entropy_no_mean(g: Any, z: Any, t: Any) -> Any:
    return g * (softmax(z) - t), None


def labelled(x: Any, y: Any) -> Any:
    shifted = x - np.max(x, axis=1, keepdims=True)
    logs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.sum(logs[np.arange(len(x)), y]) / len(x)


@pair("loss", labelled, DRAW((4, 3)), LABELS)
def labelled_by_subtracting_one(g: Any, x: Any, y: Any) -> Any:
    p = softmax(x)
    p[np.arange(len(x)), y] -= 1
    return g * p / len(x), None


@pair("loss", labelled, DRAW((4, 3)), LABELS, x="coefficient mean_missing factor_surplus_number")
def labelled_no_mean(g: Any, x: Any, y: Any) -> Any:
    p = softmax(x)
    p[np.arange(len(x)), y] -= 1
    return g * p, None


@pair("loss", labelled, DRAW((4, 3)), LABELS, x="use path")
def labelled_without_the_label(g: Any, x: Any, y: Any) -> Any:
    return g * softmax(x) / len(x), None


def mean_square(y: Any, t: Any) -> Any:
    return np.mean((y - t) ** 2)


SQUARE = (DRAW((4, 3)), DRAW((4, 3)))


@pair("loss", mean_square, *SQUARE)
def mean_square_by_size(g: Any, y: Any, t: Any) -> Any:
    d = 2 * g * (y - t) / y.size
    return d, -d


@pair("loss", mean_square, *SQUARE, y="power_factor", t="power_factor")
def mean_square_no_two(g: Any, y: Any, t: Any) -> Any:
    return g * (y - t) / y.size, -g * (y - t) / y.size


@pair("loss", mean_square, *SQUARE, y="mean_missing", t="mean_missing")
def mean_square_len_for_size(g: Any, y: Any, t: Any) -> Any:
    return 2 * g * (y - t) / len(y), -2 * g * (y - t) / len(y)


@pair("loss", mean_square, *SQUARE, t="sign")
def mean_square_sign_of_target(g: Any, y: Any, t: Any) -> Any:
    return 2 * g * (y - t) / y.size, 2 * g * (y - t) / y.size


@pair("loss", mean_square, *SQUARE, y="upstream_forgotten", t="upstream_forgotten")
def mean_square_no_upstream(g: Any, y: Any, t: Any) -> Any:
    return 2 * (y - t) / y.size, -2 * (y - t) / y.size


# normalisations

ROWS = (DRAW((4, 5)), DRAW(5), DRAW(5))


def layer_norm(x: Any, gamma: Any, beta: Any) -> Any:
    mu = x.mean(axis=-1, keepdims=True)
    var = x.var(axis=-1, keepdims=True)
    xhat = (x - mu) / np.sqrt(var + 1e-5)
    return gamma * xhat + beta


def _normal(x: Any) -> Any:
    s = np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    return (x - x.mean(-1, keepdims=True)) / s, s


@pair("layer norm", layer_norm, *ROWS)
def layer_norm_by_means(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
    xhat, s = _normal(x)
    d = g * gamma
    dx = (d - d.mean(-1, keepdims=True) - xhat * (d * xhat).mean(-1, keepdims=True)) / s
    return dx, (g * xhat).sum(0), g.sum(0)


@pair("layer norm", layer_norm, *ROWS, x="path")
def layer_norm_mean_constant(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
    xhat, s = _normal(x)
    d = g * gamma
    return (d - xhat * (d * xhat).mean(-1, keepdims=True)) / s, (g * xhat).sum(0), g.sum(0)


@pair("layer norm", layer_norm, *ROWS, x="path")
def layer_norm_variance_constant(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
    xhat, s = _normal(x)
    d = g * gamma
    return (d - d.mean(-1, keepdims=True)) / s, (g * xhat).sum(0), g.sum(0)


@pair("layer norm", layer_norm, *ROWS, x="factor")
def layer_norm_no_gamma(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
    xhat, s = _normal(x)
    dx = (g - g.mean(-1, keepdims=True) - xhat * (g * xhat).mean(-1, keepdims=True)) / s
    return dx, (g * xhat).sum(0), g.sum(0)


@pair("layer norm", layer_norm, *ROWS, gamma="other_value")
def layer_norm_input_for_normal(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
    dx, _, db = layer_norm_by_means(g, x, gamma, beta)
    return dx, (g * x).sum(0), db


def batch_norm(x: Any, gamma: Any, beta: Any) -> Any:
    mu = x.mean(axis=0)
    var = ((x - mu) ** 2).mean(axis=0)
    xhat = (x - mu) / np.sqrt(var + 1e-5)
    return gamma * xhat + beta


@pair("batch norm", batch_norm, *ROWS)
def batch_norm_step_by_step(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
    n = len(x)
    mu = x.mean(0)
    xmu = x - mu
    inv = 1 / np.sqrt((xmu**2).mean(0) + 1e-5)
    dxhat = g * gamma
    dvar = (dxhat * xmu).sum(0) * -0.5 * inv**3
    dxmu = dxhat * inv + 2 * xmu * dvar / n
    return dxmu - dxmu.sum(0) / n, (g * xmu * inv).sum(0), g.sum(0)


@pair("batch norm", batch_norm, *ROWS, x="two")
def batch_norm_sums_for_means(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
    mu = x.mean(0)
    s = np.sqrt(((x - mu) ** 2).mean(0) + 1e-5)
    xhat = (x - mu) / s
    d = g * gamma
    return (d - d.sum(0) - xhat * (d * xhat).sum(0)) / s, (g * xhat).sum(0), g.sum(0)


@pair("batch norm", batch_norm, *ROWS, x="mean_as_sum")
def batch_norm_variance_sum(g: Any, x: Any, gamma: Any, beta: Any) -> Any:
    n = len(x)
    xmu = x - x.mean(0)
    inv = 1 / np.sqrt((xmu**2).mean(0) + 1e-5)
    dvar = (g * gamma * xmu).sum(0) * -0.5 * inv**3
    dxmu = g * gamma * inv + 2 * xmu * dvar
    return dxmu - dxmu.sum(0) / n, (g * xmu * inv).sum(0), g.sum(0)


# attention

HEADS = (DRAW((4, 3)), DRAW((4, 3)), DRAW((4, 3)))


def attention(q: Any, k: Any, v: Any) -> Any:
    s = q @ k.T / np.sqrt(q.shape[-1])
    p = softmax(s)
    return p @ v


def _attended(g: Any, q: Any, k: Any, v: Any) -> Any:
    p = softmax(q @ k.T / np.sqrt(q.shape[-1]))
    dp = g @ v.T
    return p, p * (dp - (dp * p).sum(-1, keepdims=True)) / np.sqrt(q.shape[-1])


@pair("attention", attention, *HEADS)
def attention_right(g: Any, q: Any, k: Any, v: Any) -> Any:
    p, ds = _attended(g, q, k, v)
    return ds @ k, ds.T @ q, p.T @ g


@pair("attention", attention, *HEADS, q="divisor", k="divisor")
def attention_no_scale(g: Any, q: Any, k: Any, v: Any) -> Any:
    p, ds = _attended(g, q, k, v)
    ds = ds * np.sqrt(q.shape[-1])
    return ds @ k, ds.T @ q, p.T @ g


@pair("attention", attention, *HEADS, q="softmax_diagonal", k="softmax_diagonal")
def attention_diagonal(g: Any, q: Any, k: Any, v: Any) -> Any:
    p, _ = _attended(g, q, k, v)
    ds = p * (1 - p) * (g @ v.T) / np.sqrt(q.shape[-1])
    return ds @ k, ds.T @ q, p.T @ g


@pair("attention", attention, *HEADS, k="transpose_upstream transpose")
def attention_scores_untransposed(g: Any, q: Any, k: Any, v: Any) -> Any:
    p, ds = _attended(g, q, k, v)
    return ds @ k, ds @ q, p.T @ g


@pair("attention", attention, *HEADS, q="swapped", k="swapped")
def attention_swapped(g: Any, q: Any, k: Any, v: Any) -> Any:
    p, ds = _attended(g, q, k, v)
    return ds.T @ q, ds @ k, p.T @ g


@pair("attention", attention, *HEADS, v="transpose_other")
def attention_values_untransposed(g: Any, q: Any, k: Any, v: Any) -> Any:
    p, ds = _attended(g, q, k, v)
    return ds @ k, ds.T @ q, p @ g


# activations and small layers


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def swish(x: Any) -> Any:
    return x * sigmoid(x)


def tanh(x: Any) -> Any:
    return np.tanh(x)


def dropped(x: Any, mask: Any) -> Any:
    return x * mask / 0.8


def normalised(x: Any) -> Any:
    return x / np.linalg.norm(x)


def matmul(a: Any, b: Any) -> Any:
    return a @ b


def scaled(a: Any, c: Any) -> Any:
    return a * c


VECTOR = (DRAW(5),)
SQUARES = (DRAW((3, 3)), DRAW((3, 3)))


@pair("activation", sigmoid, *VECTOR)
def sigmoid_by_exponentials(g: Any, x: Any) -> Any:
    return g * np.exp(-x) / (1 + np.exp(-x)) ** 2


@pair("activation", sigmoid, *VECTOR, x="one_plus")
def sigmoid_plus(g: Any, x: Any) -> Any:
    return g * sigmoid(x) * (1 + sigmoid(x))


@pair("activation", sigmoid, *VECTOR, x="at_input")
def sigmoid_of_input(g: Any, x: Any) -> Any:
    return g * x * (1 - x)


@pair("activation", tanh, *VECTOR)
def tanh_by_cosh(g: Any, x: Any) -> Any:
    return g / np.cosh(x) ** 2


@pair("activation", tanh, *VECTOR, x="square_missing")
def tanh_no_square(g: Any, x: Any) -> Any:
    return g * (1 - np.tanh(x))


@pair("activation", swish, *VECTOR)
def swish_by_product_rule(g: Any, x: Any) -> Any:
    s = sigmoid(x)
    return g * (s + x * s * (1 - s))


@pair("activation", swish, *VECTOR, x="sigmoid_half")
def swish_half_of_sigmoid(g: Any, x: Any) -> Any:
    s = sigmoid(x)
    return g * (s + x * s)


@pair("dropout", dropped, DRAW((4, 3)), (DRAW((4, 3)) > 0).astype(float), x="factor")
def dropout_no_mask(g: Any, x: Any, mask: Any) -> Any:
    return g / 0.8, None


@pair("normalisation", normalised, *VECTOR)
def normalised_by_projection(g: Any, x: Any) -> Any:
    r = np.sqrt(x @ x)
    u = x / r
    return (g - u * (u @ g)) / r


@pair("normalisation", normalised, *VECTOR, x="use path")
def normalised_norm_constant(g: Any, x: Any) -> Any:
    return g / np.linalg.norm(x)


@pair("matrix product", matmul, *SQUARES, a="made.product_for_elementwise", b="made.product_for_elementwise")
def matmul_entrywise(g: Any, a: Any, b: Any) -> Any:
    return g * b, a * g


@pair("matrix product", matmul, *SQUARES, a="transpose_other", b="transpose_other")
def matmul_untransposed(g: Any, a: Any, b: Any) -> Any:
    return g @ b, a @ g


@pair("broadcast", scaled, DRAW((4, 3)), DRAW((4, 1)))
def scaled_summed(g: Any, a: Any, c: Any) -> Any:
    return g * c, np.sum(g * a, axis=1, keepdims=True)


@pair("broadcast", scaled, DRAW((4, 3)), DRAW((4, 1)), c="made.sum_surplus not_summed")
def scaled_not_summed(g: Any, a: Any, c: Any) -> Any:
    return g * c, g * a


@pair("activation", tanh, *VECTOR, x="zero")
def tanh_detached(g: Any, x: Any) -> Any:
    return np.zeros_like(x)
