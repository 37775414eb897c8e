"""Compiled and emitted functions are finite where a form is, though it overflows as it is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.compiling import compile_expression, compile_program
from pullback.emission.emitting import emit_program

LARGE = np.array([1e4, -1e4, 3.0, 1e-9, 0.0])
LOG_COSH = np.where(np.abs(LARGE) > 100, np.abs(LARGE) - np.log(2), np.log(np.cosh(np.clip(LARGE, -100, 100))))
FORMS = [
    ("sum(log(cosh(x)))", 1.0),
    ("sum(log(1 - tanh(x).^2))", -2.0),
    ("h = log(cosh(x)); sum(h)", 1.0),
    ("c = cosh(x); 3 sum(log(c))", 3.0),
]
forms = pytest.mark.parametrize(("program", "factor"), FORMS)


def compare(found: Any, factor: float) -> None:
    value, gradient = found
    np.testing.assert_allclose(value, factor * LOG_COSH.sum(), rtol=1e-13)
    np.testing.assert_allclose(gradient, factor * np.tanh(LARGE), rtol=1e-13)


@forms
@pytest.mark.parametrize("backend", ["numpy", "c", "torch", "jax"])
def test_programs(program: str, factor: float, backend: str) -> None:
    if backend in ("torch", "jax"):
        pytest.importorskip(backend)
    value, gradients = compile_program(program, "x", backend=backend)(x=LARGE)
    compare((value, gradients["x"]), factor)


@forms
@pytest.mark.parametrize("target", ["numpy", "numpy-out"])
def test_emitted(program: str, factor: float, target: str) -> None:
    scope: dict[str, Any] = {"__name__": "emitted"}
    exec(emit_program(program, target, wrt="x"), scope)
    if target == "numpy":
        compare(scope["loss"](LARGE), factor)
    else:
        compare(scope["make_loss"](LARGE.size)(LARGE), factor)


@forms
def test_results_by_themselves(program: str, factor: float) -> None:
    np.testing.assert_allclose(compile_expression(pb.gradient(program, "x"))(x=LARGE), factor * np.tanh(LARGE))
    found = compile_expression(pb.hessian(program, "x"))(x=LARGE)
    np.testing.assert_allclose(found, np.diag(factor * (1 - np.tanh(LARGE) ** 2)), atol=1e-15)


def test_one_inside_the_other() -> None:
    value, gradients = compile_program("sum(log(cosh(log(cosh(x)))))", "x")(x=LARGE)
    inner = np.abs(LOG_COSH)
    np.testing.assert_allclose(value, (inner + np.log1p(np.exp(-2 * inner)) - np.log(2)).sum(), rtol=1e-13)
    np.testing.assert_allclose(gradients["x"], np.tanh(LOG_COSH) * np.tanh(LARGE), rtol=1e-9, atol=1e-15)
