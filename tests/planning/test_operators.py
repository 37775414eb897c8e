"""Compressed Jacobians and Hessians: dense, products, solves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.compressed.operator import Operator

CASES: dict[str, tuple[str, str, dict[str, tuple[int, ...]]]] = {
    "kronecker": ("norm(T - U V')^2", "U", {"T": (6, 5), "U": (6, 3), "V": (5, 3)}),
    "diagonal": ("sum(x.^4)", "x", {"x": (5,)}),
    "logistic": ("sum(log(1 + exp(-y .* (X w))))", "w", {"X": (20, 4), "y": (20,), "w": (4,)}),
    "network": ("cross_entropy(relu(X W1') W2', T)", "W1", {"X": (9, 3), "W1": (4, 3), "W2": (2, 4), "T": (9, 2)}),
}


@pytest.mark.parametrize("name", CASES)
def test_products_and_solves_agree_with_the_dense_array(name: str) -> None:
    text, wrt, shapes = CASES[name]
    rng = np.random.default_rng(0)
    values: dict[str, Any] = {key: rng.normal(size=shape) for key, shape in shapes.items()}
    expression = pb.hessian(text, wrt)
    at = Operator(expression, len(shapes[wrt])).at(**values)
    dense = at.dense()
    np.testing.assert_allclose(dense, expression.evaluate(values), atol=1e-10)
    vector = rng.normal(size=shapes[wrt])
    rank = len(shapes[wrt])
    np.testing.assert_allclose(at @ vector, np.tensordot(dense, vector, rank), atol=1e-9)
    assert at.shape == dense.shape
    if name != "network":
        np.testing.assert_allclose(at @ at.solve(vector), vector, atol=1e-8)


def test_the_identity_beside_the_core_is_never_built() -> None:
    at = Operator(pb.hessian("norm(T - U V')^2", "U"), 2).at(
        U=np.ones((50, 2)), V=np.ones((40, 2)), T=np.zeros((50, 40))
    )
    assert sum(part.size for part in at.core) <= 200


def test_scipy_takes_it() -> None:
    pytest.importorskip("scipy")
    operator = Operator(pb.hessian("x' A x", "x"), 1).at(A=np.eye(3), x=np.ones(3)).linear_operator()
    np.testing.assert_allclose(operator.matvec(np.ones(3)), [2, 2, 2])
