"""The fixture ``assert_gradient``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pullback.pytest_plugin import assert_gradient

__all__ = ["assert_gradient"]


def test_right_ones_pass(assert_gradient: Any) -> None:
    assert_gradient("y = W x", {"W": "g x'"})
    assert_gradient("y = tanh(x)")
    assert_gradient(lambda x: x**2, lambda g, x: (2 * x * g,), values=[np.arange(3.0)])


def test_a_failure_reads_well(assert_gradient: Any) -> None:
    with pytest.raises(pytest.fail.Exception, match="transpose of the right gradient"):
        assert_gradient("y = W x", {"W": "x g'"})
    with pytest.raises(pytest.fail.Exception, match="exponent 2 is not brought down"):
        assert_gradient(lambda x: x**2, lambda g, x: (x * g,), values=[np.arange(1.0, 4.0)])
