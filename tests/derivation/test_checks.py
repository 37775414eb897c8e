"""The comparison beside the results: where it was made, what was left out, and that it stays small."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from pullback.derivation.checking import Check
from pullback.rendering.derivation import derive

RANDOM = "Agrees with the complex step at 3 random draws (seed 0): worst difference"


def check(text: str, **choices: Any) -> Check:
    found = derive(text, **choices).check
    assert found is not None
    return found


def said(text: str, **choices: Any) -> str:
    """The last section of the derivation, on one row."""
    return " ".join(derive(text, **choices).terminal(width=200, colour=False).split("\n\n")[-1].split())


def test_without_values_it_draws_them() -> None:
    found = check("f = logdet(A)", assume={"A": "spd"})
    assert found.passed and found.draws == 3 and found.seed == 0 and not found.at_values
    assert said("y = W x").startswith(RANDOM)


def test_given_values_are_compared_too() -> None:
    found = check("y = W x", values={"W": [[1, 2], [3, 4]], "x": [5, 6]})
    assert found.passed and found.at_values and found.entries > 6


def test_values_of_any_size_are_compared_entry_by_entry() -> None:
    values = {"a": [1e10, 1 / 3, -1e-9], "x": [-2.5e8, 3, 1e300]}
    assert check("y = a .* x", values=values).passed


def test_a_kink_is_left_out_and_said() -> None:
    values = {"x": [0.0, 1.0, -1.0]}
    found = check("y = relu(x)", values=values)
    assert found.passed and found.kinks == 1
    assert said("y = relu(x)", values=values).endswith("no derivative to compare with, were left out: 1.")


def test_where_there_is_no_value_it_says_so() -> None:
    values = {"x": [-1.0, 0.0, 2.0]}
    found = check("y = log(x)", values=values)
    assert found.passed and found.undefined and not found.at_values
    assert "At the given values the function has no finite value" in said("y = log(x)", values=values)


def test_a_deep_program_is_compared_along_directions_in_little_time() -> None:
    layers = "\n".join(f"h{k + 1} = tanh(W{k} h{k})" for k in range(30))
    derivation = derive(layers)
    _ = derivation.results.spelled
    begin = time.perf_counter()
    assert derivation.check is not None and derivation.check.passed and derivation.check.entries <= 12
    assert time.perf_counter() - begin < 20


def test_it_can_be_left_out() -> None:
    derivation = derive("y = W x", check=False)
    assert derivation.check is None and derivation.steps[-1].kind == "result"


@pytest.mark.parametrize("functions", [{"f": np.sin, "f'": np.cos}, {"f": np.exp, "f'": np.exp}])
def test_functions_that_only_the_values_define_are_compared(functions: dict[str, Any]) -> None:
    assert check("f : entrywise; y = f(W x)", values={"W": [[1.0, 2.0]], "x": [0.5, -1.0], **functions}).passed
