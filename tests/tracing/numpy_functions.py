"""Functions written with NumPy: one for each thing that people do with arrays, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Shapes = dict[str, tuple[int | str, ...]]
Function = Callable[..., Any]


def in_place(a: Any, b: Any) -> Any:
    h = a * 2
    other = h
    h += b
    h *= a
    return other


def entries_assigned(a: Any) -> Any:
    y = a * 1.0
    y[0] = a[1] * 2
    y[1, 2] = 5.0
    y[:, 3] *= 2
    return y * a


def through_a_view(a: Any) -> Any:
    y = a * 1.0
    part = y[1:]
    part *= 3
    return y**2


def masked(a: Any) -> Any:
    y = a.copy()
    y[y < 0] = 0
    return y


def rectified(a: Any) -> Any:
    y = a * 2
    np.maximum(y, 0.1, out=y)
    return y


def looped(a: Any) -> Any:
    s = 0
    for k in range(4):
        s = s * a[k] + a[k] ** 2
    return s


def correct_log_probabilities(x: Any) -> Any:
    shifted = x - np.max(x, axis=1, keepdims=True)
    logs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -logs[np.arange(3), [0, 2, 1]].mean()


READ: dict[str, tuple[Function, Shapes]] = {
    "inner": (lambda a, b: np.inner(a, b), {"a": (3, 4), "b": (2, 4)}),
    "vdot": (lambda a, b: np.vdot(a, b), {"a": (3, 4), "b": (3, 4)}),
    "matvec": (lambda a, x: np.vecmat(x, a) + a @ x, {"a": (3, 3), "x": (3,)}),
    "multi_dot": (lambda a, b, c: np.linalg.multi_dot([a, b, c]), {"a": (2, 3), "b": (3, 4), "c": (4, 2)}),
    "tensordot": (lambda a, b: np.tensordot(a, b, axes=([1], [0])), {"a": (2, 3), "b": (3, 4)}),
    "outer of matrices": (lambda a, b: np.outer(a, b), {"a": (2, 2), "b": (3,)}),
    "kron": (lambda a, b: np.kron(a, b), {"a": (2, 3), "b": (2, 2)}),
    "einsum with an ellipsis": (lambda a, b: np.einsum("...ij,...jk", a, b), {"a": (2, 3, 4), "b": (2, 4, 2)}),
    "einsum of a diagonal": (lambda a: np.einsum("ii->i", a), {"a": (3, 3)}),
    "symbolic sizes": (lambda a, w: np.tanh(a @ w).mean(0), {"a": ("B", "n"), "w": ("n", "m")}),
    "a length as a number": (lambda a: a / np.sqrt(a.shape[-1]) + 1 / len(a.shape), {"a": ("B", "n")}),
    "hstack": (lambda a, b: np.hstack([a, b]), {"a": (3, 4), "b": (3, 2)}),
    "vstack": (lambda a, b: np.vstack([a, b]), {"a": (4,), "b": (3, 4)}),
    "split": (lambda a: np.split(a, 2, axis=1)[0] * np.split(a, 2, axis=1)[1], {"a": (3, 4)}),
    "flip": (lambda a: np.flip(a, 0) * a[:, ::-1], {"a": (3, 4)}),
    "roll and repeat": (lambda a: np.roll(a, 1, axis=0).sum() * np.repeat(a, 2, axis=1), {"a": (3, 4)}),
    "tile and pad": (lambda a: np.pad(np.tile(a, (2, 1)), ((1, 0), (2, 1))) ** 2, {"a": (3, 4)}),
    "triangles": (lambda a: np.tril(a) @ np.triu(a, 1), {"a": (3, 3)}),
    "axes": (lambda a: np.moveaxis(a, 0, 2) + np.swapaxes(a, 0, -1).transpose(1, 0, 2), {"a": (2, 3, 2)}),
    "numbers as an index": (lambda a: a[[0, 2]] * a[np.array([1, 1])], {"a": (3, 4)}),
    "labels as an index": (correct_log_probabilities, {"x": (3, 4)}),
    "a known mask as an index": (lambda a: a[np.array([True, False, True])], {"a": (3, 4)}),
    "new axes": (lambda a, b: a[:, None] * b[None, :] + a[..., np.newaxis], {"a": (3,), "b": (2,)}),
    "running sum": (lambda a: np.cumsum(a, axis=1) ** 2, {"a": (3, 4)}),
    "product": (lambda a: np.prod(a, axis=0), {"a": (3, 4)}),
    "variances": (lambda a: a.std(0).sum() + a.var(1, ddof=1), {"a": (3, 4)}),
    "extremes": (lambda a: np.max(a, keepdims=True) * np.minimum(a.min(0), 0.3), {"a": (3, 4)}),
    "norms": (lambda a: a / np.linalg.norm(a, axis=1, keepdims=True), {"a": (3, 4)}),
    "reductions of functions": (lambda a: np.add.reduce(a) + np.maximum.reduce(a), {"a": (3, 4)}),
    "clip by name": (lambda a: np.clip(a, a_min=-0.5, a_max=0.5), {"a": (5,)}),
    "masks": (lambda a: np.where((a > 0) & (a < 1) | ~(a > -1), a**2, a), {"a": (9,)}),
    "equality": (lambda a: np.where(a == 0, 1.0, a * a), {"a": (5,)}),
    "logarithms": (lambda a: np.log2(a * a + 1) + np.log10(a * a + 1) + np.exp2(a), {"a": (3,)}),
    "powers": (lambda a: 2.0**a + a**3 + np.abs(a) ** 2.5, {"a": (3,)}),
    "matrix_power": (lambda a: np.linalg.matrix_power(a, 3), {"a": (3, 3)}),
    "diagonals": (lambda a: np.diagonal(a, axis1=1, axis2=2), {"a": (2, 3, 3)}),
    "in place": (in_place, {"a": (3, 4), "b": (4,)}),
    "entries assigned": (entries_assigned, {"a": (3, 4)}),
    "through a view": (through_a_view, {"a": (4,)}),
    "a mask assigned": (masked, {"a": (3, 4)}),
    "out=": (rectified, {"a": (3,)}),
    "a loop": (looped, {"a": (4,)}),
    "a sum of rows": (lambda a: sum(row * row for row in a), {"a": (3, 4)}),
}


def argument_assigned(a: Any) -> Any:
    a[0] = 1
    return a


def stale_view(a: Any) -> Any:
    y = a * 1.0
    part = y[:2]
    y[0] = 3
    return part


def filled(a: Any) -> Any:
    y = np.zeros(3)
    for k in range(3):
        y[k] = a[k] * 2
    return y


def endless(a: Any) -> Any:
    return endless(a)


def repeated(a: Any) -> Any:
    while a.sum() > 0:
        a = a - 1
    return a


REFUSED: dict[str, tuple[Function, str]] = {
    "a branch": (lambda a: a if a[0] > 0 else -a, "a branch on a value is not read"),
    "a condition of a loop": (repeated, "a branch on a value is not read"),
    "an argument assigned to": (argument_assigned, "assignment to entries of an argument is not read"),
    "a view of what has changed": (stale_view, "a view of an array that was assigned to since is not read"),
    "numpy.zeros": (filled, "filled can't be run on stand-ins for arrays: ValueError"),
    "where=": (lambda a: np.sqrt(a, where=a > 0), "numpy.sqrt with where= is not read"),
    "dtype=": (lambda a: np.sum(a, dtype=int), "numpy.sum with dtype= is not read"),
    "initial=": (lambda a: np.max(a, initial=0), "numpy.max with initial= is not read"),
    "whole numbers": (lambda a: a.astype(int), "turning a traced array into int64 is not read"),
    "float()": (lambda a: float(a[0]) * a, r"float\(\) of a traced array is not read"),
    "an index from values": (lambda a: a[a > 0], "an index of type Array is not read"),
    "an index outside": (lambda a: a[5], "index 5 is outside an axis of length 3"),
    "an axis that is not there": (lambda a: a.sum(axis=3), "there is no axis 3 in an array of 1 axes"),
    "sorting": (lambda a: np.sort(a), "numpy.sort is not read"),
    "rounding": (lambda a: np.floor(a), "numpy.floor is not read"),
    "Fourier": (lambda a: np.fft.fft(a), "numpy.fft.fft is not read"),
    "no result": (lambda a: None, "gives NoneType, not an array made of its arguments"),
    "a constant": (lambda a: np.ones(3), "gives ndarray, not an array made of its arguments"),
    "not a number": (lambda a: a * np.nan, "the number nan is not read"),
    "another error": (lambda a: dict[str, int]()["x"], "KeyError: 'x'"),
    "recursion": (endless, "endless calls itself without end"),
    "einsum": (lambda a: np.einsum("ij->i", a), "ij stands for an array of 1 axes"),
}
