"""NumPy and array-API functions read as programs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.checking.check import check
from pullback.errors import PullbackError
from pullback.tracing.trace import trace
from tests.tracing.numpy_functions import READ, REFUSED


def affine(W: Any, x: Any, b: Any) -> Any:
    z = W @ x + b
    h = np.tanh(z)
    return h


def layer_norm(X: Any, gamma: Any, beta: Any) -> Any:
    mu = X.mean(axis=-1, keepdims=True)
    var = ((X - mu) ** 2).mean(axis=-1, keepdims=True)
    return gamma * (X - mu) / np.sqrt(var + 1e-5) + beta


def attention(Q: Any, K: Any, V: Any) -> Any:
    s = np.einsum("bhqd,bhkd->bhqk", Q, K) / np.sqrt(Q.shape[-1])
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return (e / e.sum(axis=-1, keepdims=True)) @ V


def heads(X: Any, W: Any) -> Any:
    b, t, d = X.shape
    y = (X @ W).reshape(b, t, 2, d // 2).transpose(0, 2, 1, 3)
    return (y @ np.swapaxes(y, -1, -2)).sum(axis=1)


def pieces(x: Any) -> Any:
    return np.concatenate([x[1:], x[:1] * 2, np.stack([x[0], x[-1]])]) ** 2


def api(x: Any, y: Any) -> Any:
    xp = x.__array_namespace__()
    return xp.where(x > y, xp.exp(x), xp.sum(y * y) * y)


CASES: list[tuple[Any, dict[str, Any]]] = [
    (affine, {"W": ("m", "n"), "x": ("n",), "b": ("m",)}),
    (layer_norm, {"X": ("B", "n"), "gamma": ("n",), "beta": ("n",)}),
    (attention, {"Q": (2, 2, 3, 4), "K": (2, 2, 5, 4), "V": (2, 2, 5, 4)}),
    (heads, {"X": (2, 3, 4), "W": (4, 4)}),
    (pieces, {"x": (5,)}),
    (api, {"x": (4,), "y": (4,)}),
    (lambda x: np.linalg.norm(x) * np.clip(x, -0.5, 0.5), {"x": (4,)}),
    (lambda A, b: np.linalg.solve(A, b) + np.linalg.slogdet(A @ A.T)[1], {"A": (3, 3), "b": (3,)}),
    (lambda x: x[::2].var() + x.std() + np.outer(x, x).trace(), {"x": (6,)}),
]


@pytest.mark.parametrize(("function", "shapes"), CASES)
def test_functions_are_read_and_derived(function: Any, shapes: dict[str, Any]) -> None:
    report = check(trace(function, shapes=shapes), points=["random"])
    assert report, str(report)


def test_steps_have_the_names_of_the_function() -> None:
    program = trace(affine, W=("m", "n"), x=("n",), b=("m",))
    assert {"z", "h"} <= {statement.name for statement in program.statements}
    assert str(pb.backward(program)["b"]) == "g .* (1 - tanh(W x + b).^2)"


@pytest.mark.parametrize("name", READ)
def test_what_people_do_with_arrays_is_read(name: str) -> None:
    function, shapes = READ[name]
    report = check(trace(function, shapes=shapes), points=["random"])
    assert report, str(report)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_refused_with_its_place(name: str) -> None:
    function, what = REFUSED[name]
    with pytest.raises(PullbackError, match=what) as caught:
        trace(function, a=(3,))
    placeless = ("no result", "a constant", "recursion", "not a number", "a view of what has changed")
    assert name in placeless or "numpy_functions.py:" in str(caught.value)


def stable_softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def test_a_softmax_that_is_written_out_is_softmax() -> None:
    program = trace(stable_softmax, x=("B", "n"))
    written = "(g - sum(g .* softmax(x, rows), rows) ones(n)') .* softmax(x, rows)"
    assert str(pb.backward(program)["x"]) == written


def test_whole_numbers_are_given_as_they_are() -> None:
    def picked(x: Any, y: Any, times: int) -> Any:
        return times * x[np.arange(3), y].sum()

    program = trace(picked, np.zeros((3, 4)), np.array([0, 2, 1]), 2)
    assert list(program.inputs) == ["x", "c1"]
    assert check(program, points=["random"])


def test_a_traced_program_is_derived_step_by_step() -> None:
    text = pb.derive(
        trace(affine, W=(2, 3), x=(3,), b=(2,)), values={"W": np.ones((2, 3)), "x": [1, 2, 3], "b": [0, 0]}
    )
    assert "h = tanh(z)" in text.terminal(unicode=False)
