"""NumPy functions of the reference: columns are 1-D, complex numbers pass, kinks go by the real part."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class UnfitError(Exception):
    """The point is no place to compare derivatives at."""


def transpose(a: Array) -> Array:
    if a.ndim == 1:
        return a.reshape(1, -1)
    if a.ndim == 2 and a.shape[0] == 1:
        return a.reshape(-1)
    return a.T


def together(a: Array, b: Array) -> tuple[Array, Array]:
    """A scalar goes with anything; nothing else is repeated."""
    if a.shape == b.shape:
        return a, b
    if a.size == 1 and b.ndim >= a.ndim:
        return a.reshape(()), b
    if b.size == 1:
        return a, b.reshape(())
    if a.size == 1:
        return a.reshape(()), b
    if a.size == b.size and {a.ndim, b.ndim} == {1, 2}:
        return a.reshape(-1), b.reshape(-1)
    raise AssertionError(f"shapes {a.shape} and {b.shape}")


def levelled(a: Array, b: Array) -> tuple[Array, Array]:
    if a.size == 1 or b.size == 1 or a.ndim == b.ndim:
        return (a.reshape(()) if a.size == 1 else a), (b.reshape(()) if b.size == 1 else b)
    return (a.reshape(-1, 1), b) if a.ndim < b.ndim else (a, b.reshape(-1, 1))


def times(a: Array, b: Array) -> Array:
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if a.ndim == 2 and a.shape[-1] == b.shape[0]:
        result = a @ b
        return result.reshape(()) if result.size == 1 else result
    if a.ndim == 1 and b.ndim == 2 and b.shape[0] == 1:
        return a.reshape(-1, 1) @ b
    if a.size == 1 or b.size == 1:
        return a.reshape(()) * b if a.size == 1 else a * b.reshape(())
    raise AssertionError(f"shapes {a.shape} and {b.shape}")


def concat(values: list[Array], axis: str | None) -> Array:
    if all(v.ndim < 2 for v in values):
        return np.concatenate([v.reshape(-1) for v in values])
    if any(v.ndim < 2 for v in values):
        raise UnfitError("a matrix of one number has lost its axes")
    return np.concatenate(values, axis=1 if axis == "rows" else 0)


def cholesky(a: Array) -> Array:
    """By its definition, of the symmetric part, so that complex numbers and single entries pass."""
    n, a = a.shape[0], (a + a.T) / 2
    low = np.zeros((n, n), dtype=np.result_type(a, float))
    for i in range(n):
        for j in range(i + 1):
            rest = a[i, j] - low[i, :j] @ low[j, :j]
            low[i, j] = np.sqrt(rest) if i == j else rest / low[j, j]
    return low


def expm(a: Array) -> Array:
    """Scaling, Taylor's series and squaring."""
    if float(np.max(np.abs(np.real(a)))) > 8:
        raise UnfitError("a large exponential")
    halvings = 8
    small = a / 2**halvings
    total = term = np.eye(a.shape[0], dtype=np.result_type(a, float))
    for k in range(1, 16):
        term = term @ small / k
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total


def erf(x: Array) -> Array:
    """By its series."""
    x = np.asarray(x)
    total = term = x + 0.0
    for k in range(1, 120):
        term = -term * x * x / k
        total = total + term / (2 * k + 1)
    return total * 2 / math.sqrt(math.pi)


def _norm(a: Array) -> Array:
    square = np.sum(a * a)
    if np.real(square) < 1e-3:
        raise UnfitError("the norm of zero")
    return np.asarray(np.sqrt(square))


def _norm1(a: Array) -> Array:
    if np.min(np.abs(np.real(a)), initial=1.0) < 1e-2:
        raise UnfitError("near a kink")
    return np.asarray(np.sum(np.where(np.real(a) < 0, -a, a)))


def _softmax(a: Array) -> Array:
    return np.asarray(np.exp(a) / np.sum(np.exp(a)))


def _diag(a: Array) -> Array:
    if a.ndim == 2 and a.shape[0] == 1:
        return np.diag(a.reshape(-1))
    return np.diag(a) if a.ndim else a


def _cross_entropy(z: Array, t: Array) -> Array:
    if z.ndim != t.ndim:
        raise UnfitError("a single column beside a vector")
    if z.ndim < 2:
        return np.asarray(-np.sum(t * (z - np.log(np.sum(np.exp(z))))))
    return np.asarray(np.mean(np.asarray([_cross_entropy(row, target) for row, target in zip(z, t, strict=True)])))


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _positive(x: Array) -> Array:
    return np.where(np.real(x) > 0, 1.0, 0.0)


KINKS = {"abs": 0, "sign": 0, "relu": 0, "leaky_relu": 0, "step": 0}
ENTRYWISE: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tan": lambda x: np.sin(x) / np.cos(x),
    "atan": np.arctan,
    "sinh": lambda x: (np.exp(x) - np.exp(-x)) / 2,
    "cosh": lambda x: (np.exp(x) + np.exp(-x)) / 2,
    "tanh": lambda x: 1 - 2 / (np.exp(2 * x) + 1),
    "sigmoid": _sigmoid,
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "relu": lambda x: x * _positive(x),
    "leaky_relu": lambda x: np.where(np.real(x) > 0, x, 0.01 * x),
    "step": _positive,
    "abs": lambda x: np.where(np.real(x) < 0, -x, x),
    "sign": lambda x: np.where(np.real(x) < 0, -1.0, 1.0),
    "erf": erf,
    "gelu": lambda x: x * (1 + erf(x / math.sqrt(2))) / 2,
    "silu": lambda x: x * _sigmoid(x),
    "sqrt": lambda x: np.exp(np.log(x) / 2),
    "square": lambda x: x * x,
}
PLAIN: dict[str, Callable[..., Array]] = {
    "pi": lambda: np.asarray(math.pi),
    "sum": np.sum,
    "mean": np.mean,
    "norm": _norm,
    "norm1": _norm1,
    "logsumexp": lambda a: np.log(np.sum(np.exp(a))),
    "softmax": _softmax,
    "mse": lambda a, b: np.mean((together(a, b)[0] - together(a, b)[1]) ** 2),
    "cross_entropy": _cross_entropy,
    "tr": lambda a: np.trace(a) if a.ndim == 2 else a,
    "diag": _diag,
    "outer": lambda x, y: np.multiply.outer(x.reshape(-1), y.reshape(-1)),
    "dot": lambda x, y: np.sum(x * y),
    "vec": lambda a: a.reshape(-1, order="F"),
    "kron": lambda a, b: np.kron(*levelled(a, b)),
}
