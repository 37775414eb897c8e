"""Programs that every derivation test walks through, and the lecture among them."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.rendering.derivation import Derivation, derive

LECTURE: dict[str, Any] = {
    "values": {"W": [[1, 2, 3], [4, 5, 6]], "x": [9, 10, 11]},
    "upstream": [7, 8],
}


def lecture(**choices: Any) -> Derivation:
    """y = W x with the numbers of the lecture."""
    return derive("y = W x", **{**LECTURE, **choices})


LAYERS: dict[str, tuple[str, dict[str, tuple[int, ...]]]] = {
    "linear": ("y = W x", {"W": (2, 3), "x": (3,)}),
    "bias": ("y = W x + b", {"W": (2, 3), "x": (3,), "b": (2,)}),
    "quadratic form": ("y = x' A x", {"A": (2, 2), "x": (2,)}),
    "bilinear form": ("s = x' A y", {"A": (2, 3), "x": (2,), "y": (3,)}),
    "batch": ("Y = X W' + ones(B) b'", {"X": (2, 3), "W": (4, 3), "b": (4,)}),
    "two layers": (
        "h = relu(W1 x + b1)\ny = W2 h + b2",
        {"W1": (3, 2), "x": (2,), "b1": (3,), "W2": (2, 3), "b2": (2,)},
    ),
    "softmax with cross-entropy": ("z = W x; L = cross_entropy(z, t)", {"W": (3, 2), "x": (2,), "t": (3,)}),
    "softmax": ("p = softmax(z)", {"z": (3,)}),
    "hadamard": ("y = a .* sigmoid(x)", {"a": (3,), "x": (3,)}),
    "inverse": ("Y = inv(A)", {"A": (2, 2)}),
    "norm": ("y = norm(A x - b)^2", {"A": (3, 2), "x": (2,), "b": (3,)}),
    "used twice": ("h = tanh(x); y = h .* x", {"x": (3,)}),
    "sum": ("s = sum(A)", {"A": (2, 3)}),
    "row": ("y = x' W", {"x": (2,), "W": (2, 3)}),
    "diagonal": ("d = diag(A)", {"A": (3, 3)}),
    "scaled": ("y = alpha x", {"alpha": (), "x": (3,)}),
    "trace": ("t = tr(A B)", {"A": (2, 3), "B": (3, 2)}),
    "logdet": ("f = logdet(A)", {"A": (2, 2)}),
    "kron": ("K = kron(A, B)", {"A": (2, 2), "B": (2, 2)}),
    "rows": ("P = softmax(Z, rows)", {"Z": (2, 3)}),
}


def draw(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    """Values of these shapes, the square matrices well away from singular."""
    generator = np.random.default_rng(5)
    values = {name: generator.standard_normal(shape) for name, shape in shapes.items()}
    for array in values.values():
        if array.ndim == 2 and array.shape[0] == array.shape[1]:
            array += 3 * np.eye(len(array))
    return values
