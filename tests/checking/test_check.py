"""Checks: what is right is said to be right, what is wrong is found, kinks are left out by name."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from pullback.checking.check import check
from pullback.checking.evaluator import Evaluator, UnfitError
from pullback.checking.measure import ridders
from pullback.deriving import parse
from pullback.errors import ValuesError
from pullback.operations.table import FUNCTIONS
from pullback.syntax.parser import parse_expression

PROGRAMS = (
    "y = W x + b",
    "y = relu(W x)",
    "log(x)' y",
    "logdet(A)",
    "chol(A)",
    "norm(A x - b)^2",
    "softmax(W x)",
    "cross_entropy(W x, t)",
    "gelu(x)",
    "max(x)",
    "inv(A) B",
    "mse(tanh(W x), y)",
    "sqrt(x)",
    "x ./ norm(x)",
    "sum(softmax(X, rows), columns)",
    "kron(A, B) vec(C)",
)
DRAW = np.random.default_rng(3).standard_normal


@pytest.mark.parametrize("text", PROGRAMS)
def test_derived_forms_are_right_to_second_order(text: str) -> None:
    report = check(text, order=2)
    assert report, str(report)
    assert report.worst is not None and report.entries > 10


def test_a_batch() -> None:
    assert check("y = relu(W x + b)", batch="B")


def test_kinks_are_named() -> None:
    report = check("y = relu(x)", values={"x": [0.0, 1.0, -1.0]})
    assert report and report.excluded["kink: relu at 0"] >= 1
    assert "relu at 0" in str(report)


def test_ties_are_named() -> None:
    assert any("tie of max" in reason for reason in check("max(x)").excluded)


def test_points_without_a_value_are_named() -> None:
    assert any(reason == "undefined: zeros" for reason in check("sum(log(x))").excluded)


def test_values_that_do_not_fit() -> None:
    with pytest.raises(ValuesError):
        check("y = W x", values={"W": [[1, 2]], "x": [1, 2, 3]})


def test_the_report_in_korean() -> None:
    text = str(check("y = W x", lang="ko"))
    assert text.startswith("맞습니다") and "허용 오차" in text


def test_a_wrong_pair_names_its_worst_entry() -> None:
    report = check(lambda x: np.tanh(x), lambda g, x: (g * (1 - np.tanh(x)),), values=[DRAW(3)])
    assert not report and report.worst is not None
    assert report.worst.variable == "x" and report.worst.place in str(report)


def test_a_right_pair() -> None:
    assert check((lambda x: np.tanh(x), lambda g, x: (g * (1 - np.tanh(x) ** 2),)), values=[DRAW(3)])


def test_a_python_backward_of_a_program() -> None:
    assert check("y = W x", lambda g, W, x: (np.outer(g, x), W.T @ g))
    assert not check("y = W x", lambda g, W, x: (np.outer(g, x), 2 * W.T @ g))


def test_a_function_alone_is_derived() -> None:
    assert check(lambda x: np.maximum(x, 0) ** 2, shapes={"x": ("n",)})


def test_torch_functions() -> None:
    torch = pytest.importorskip("torch")

    class Exp(torch.autograd.Function):  # type: ignore[misc,name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * ctx.saved_tensors[0]

    class Wrong(Exp):
        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return ctx.saved_tensors[0]

    assert check(Exp, values=[DRAW(4)])
    assert not check(Wrong, values=[DRAW(4)])


def test_jax_custom_rules() -> None:
    jax = pytest.importorskip("jax")

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def f(x: Any) -> Any:
        return jax.numpy.sin(x)

    f.defvjp(lambda x: (f(x), x), lambda x, g: (-g * jax.numpy.cos(x),))
    assert not check(f, values=[DRAW(3)])


def test_extrapolation_is_exact_enough() -> None:
    found = ridders(lambda h: (float(np.exp(1 + h)), [], set()))
    assert abs(found.value - np.e) < 1e-10 and found.error < 1e-8


@pytest.mark.parametrize("text", ["A x", "x' A", "A .* A", "sum(A, rows)", "[i,j: A[i,k] A[j,k]]", "concat(x, x)"])
def test_the_evaluator_is_numpy(text: str) -> None:
    a, x = DRAW((3, 3)), DRAW(3)
    expected = {
        "A x": a @ x,
        "x' A": (x @ a).reshape(1, -1),
        "A .* A": a * a,
        "sum(A, rows)": a.sum(1),
        "[i,j: A[i,k] A[j,k]]": a @ a.T,
        "concat(x, x)": np.concatenate([x, x]),
    }[text]
    found = Evaluator({}).value(parse_expression(text, FUNCTIONS), {"A": a, "x": x})
    np.testing.assert_allclose(found, expected)


def test_the_evaluator_refuses_shapes_that_do_not_fit() -> None:
    with pytest.raises(UnfitError):
        Evaluator({}).value(parse_expression("A x", FUNCTIONS), {"A": DRAW((2, 3)), "x": DRAW(2)})


def chain(layers: int) -> str:
    """Layers on each other, each one more turn of the screw for rounding."""
    return "\n".join(f"h{k} = tanh(W{k} {'x' if k == 1 else f'h{k - 1}'})" for k in range(1, layers + 1))


@pytest.mark.parametrize("layers", [12, 24])
def test_deep_chains_are_not_called_wrong_for_their_rounding(layers: int) -> None:
    assert check(chain(layers), order=2)


def test_the_work_of_a_check_grows_with_the_program_and_no_faster() -> None:
    spent = []
    for layers in (25, 50):
        program = parse(chain(layers))
        start = time.process_time()
        assert check(program)
        spent.append(time.process_time() - start)
    assert spent[1] < 6 * spent[0]
