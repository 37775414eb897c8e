"""Long products and high powers: no recursion, and terms in the order in which one would write them."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb


@pytest.mark.parametrize("count", [35, 36, 37, 40, 64])
def test_a_power_is_derived_whatever_its_exponent(count: int) -> None:
    gradient = pb.gradient(f"tr(A^{count})", "A")
    values = np.array([[0.5, 0.25], [-0.5, 0.75]])
    power = np.linalg.matrix_power(values, count - 1)
    np.testing.assert_allclose(gradient.evaluate({"A": values}), count * power.T, rtol=1e-12)
    assert f"A^{count - 1}" in str(gradient)
    assert pb.parse(str(gradient)).output.node is gradient.node


def test_a_power_times_a_vector() -> None:
    results = pb.backward("A^40 x")
    assert "A^40" in str(results["x"])
    matrix, upstream = np.array([[0.5, 0.25], [-0.5, 0.75]]), np.array([3.0, 4.0])
    first = np.linalg.matrix_power(matrix, 40).T @ upstream
    np.testing.assert_allclose(results["x"].evaluate(A=matrix, x=[1.0, 2.0], g=upstream), first, rtol=1e-12)


def test_a_product_of_many_matrices() -> None:
    text = " ".join(f"A{k}" for k in range(120)) + " x"
    assert len(pb.parse(text).inputs) == 121
    rng = np.random.default_rng(0)
    values = {f"A{k}": rng.standard_normal((2, 2)) for k in range(120)} | {"x": [1.0, 2.0]}
    jacobian = pb.jacobian(text, "x").evaluate(values)
    expected = np.linalg.multi_dot([values[f"A{k}"] for k in range(120)])
    np.testing.assert_allclose(jacobian, expected, rtol=1e-9)


def test_powers_are_in_the_order_of_their_exponents() -> None:
    printed = str(pb.backward("A^12 x", wrt="A"))
    places = [printed.index(f"A^{k}' g") for k in range(2, 11)]
    assert places == sorted(places)
