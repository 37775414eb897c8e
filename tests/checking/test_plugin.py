"""The fixture ``assert_gradient``: what a test that fails says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pullback.pytest_plugin import assert_gradient

__all__ = ["assert_gradient"]
pytest_plugins = ["pytester"]

LAYERS = """
import numpy as np
from pullback.pytest_plugin import assert_gradient

def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()

class Layer:
    def __init__(self):
        rng = np.random.default_rng(0)
        self.W = rng.standard_normal((3, 4))
        self.b = rng.standard_normal(3)
    def forward(self, x):
        self.x = x
        return x @ self.W.T + self.b
    def backward(self, g):
        self.dW = g.T @ self.x
        self.db = g.mean(0)
        return g @ self.W
"""


def test_right_ones_pass(assert_gradient: Any) -> None:
    assert assert_gradient("y = W x", {"W": "g x'"}).right
    assert_gradient("y = tanh(x)", order=2)
    assert_gradient(lambda x: x**2, lambda g, x: (2 * x * g,), values=[np.arange(3.0)])
    assert_gradient((lambda x: x**2, lambda g, x: (2 * x * g,)), values=[np.arange(3.0)])


def test_a_failure_reads_well(assert_gradient: Any) -> None:
    with pytest.raises(pytest.fail.Exception, match="transpose of the right gradient"):
        assert_gradient("y = W x", {"W": "x g'"})
    with pytest.raises(pytest.fail.Exception, match="exponent 2 is not brought down"):
        assert_gradient(lambda x: x**2, lambda g, x: (x * g,), values=[np.arange(1.0, 4.0)])


def said_by(pytester: pytest.Pytester, body: str) -> list[str]:
    """What a run of pytest says of one test."""
    pytester.makepyfile(layers=LAYERS)
    pytester.makepyfile(f"from layers import *\n\ndef test_it(assert_gradient):\n    {body}\n")
    result = pytester.runpytest_inprocess("-p", "no:xdist", "-p", "no:cacheprovider")
    return result.outlines


def test_a_failed_function_is_explained_at_its_line(pytester: pytest.Pytester) -> None:
    lines = said_by(pytester, "assert_gradient(softmax, lambda g, x: softmax(x) * g, values=[np.arange(4.0)])")
    assert "wrong: softmax(x)" in lines
    assert any(line.startswith("  worst entry x[4] (given values): given -0.471517391744") for line in lines)
    assert "  the term - p p' of softmax's Jacobian is missing: it is diag(p) - p p'" in lines
    assert "  the step: softmax(x)   [layers.py:6  return e / e.sum()]" in lines
    assert not [line for line in lines if "pytest_plugin.py" in line or "Traceback" in line]
    assert any(line.startswith("FAILED") and "Failed: " in line for line in lines)


def test_a_failed_layer_is_explained(pytester: pytest.Pytester) -> None:
    lines = said_by(pytester, "assert_gradient(Layer(), values=[np.ones((5, 4))])")
    assert "wrong: Layer(x, W, b)" in lines
    assert "  it is divided by B once too often (a mean stands where a sum belongs)" in lines


def test_in_korean(pytester: pytest.Pytester) -> None:
    lines = said_by(pytester, """assert_gradient("y = W x", {"x": "W g"}, lang="ko")""")
    assert "틀렸습니다: dL/dx = W g" in lines
    assert "  W에 전치가 빠졌습니다" in lines


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('assert_gradient("y = W x +")', "the gradient can't be judged: '+' is followed by the end of the text"),
        ("assert_gradient(lambda x: 1 / 0, lambda g, x: g, values=[1.0])", "ZeroDivisionError: division by zero"),
        ('assert_gradient("y = W x", {"V": "g"})', "the gradient can't be judged: V is not an input"),
    ],
)
def test_what_can_not_be_judged_is_said_without_a_traceback(pytester: pytest.Pytester, body: str, said: str) -> None:
    lines = said_by(pytester, body)
    assert any(said in line for line in lines)
    assert not [line for line in lines if "During handling" in line or "pytest_plugin.py" in line]
