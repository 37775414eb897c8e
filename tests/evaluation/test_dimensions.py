"""Dimensions that no value tells: named where they are missing, and checked where they do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.deriving import parse
from pullback.errors import ValuesError
from pullback.expression import Expression

MISSING: list[tuple[str, dict[str, Any], str]] = [
    ("slice(g, n, m)", {"g": [1, 2, 3, 4, 5], "m": 2}, "n"),
    ("slice(g, n, m)", {"g": [1, 2, 3, 4, 5], "n": 2}, "m"),
    ("norm(slice(g, n, m))^2", {"g": [1, 2, 3], "m": 2}, "n"),
    ("concat(slice(g, n, 2), x)", {"g": [1, 2, 3], "x": [1]}, "n"),
    ("reshape(x, m, n)", {"x": [1, 2, 3, 4, 5, 6]}, "m"),
    ("ones(n)", {}, "n"),
    ("ones(m, n)", {"m": 2}, "n"),
    ("sum(ones(n))", {}, "n"),
    ("x ones(n)'", {"x": [1, 2]}, "n"),
    ("zeros(m, n)", {"n": 2}, "m"),
    ("eye(n)", {}, "n"),
    ("tr(eye(n)) x", {"x": [1, 2]}, "n"),
]
UNFIT: list[tuple[str, dict[str, Any], str]] = [
    ("slice(g, n, m)", {"g": [1, 2, 3, 4, 5], "n": 4, "m": 3}, "entries 5 to 7 are wanted of 5, with n = 4, m = 3"),
    ("slice(x, 2, n)", {"x": [1], "n": 1}, "entries 3 to 3 are wanted of 1"),
    ("slice(x, k, n)", {"x": [1, 2], "k": -1, "n": 1}, "whole number"),
    ("slice(x, k, n)", {"x": [1, 2], "k": 0.5, "n": 1}, "whole number"),
    ("reshape(x, m, n)", {"x": [1, 2, 3, 4, 5, 6], "m": 4}, "m n is 6"),
    ("reshape(x, 3, n)", {"x": [1, 2, 3, 4]}, "3 n is 4"),
]


def ways(text: str) -> dict[str, Callable[[dict[str, Any]], Any]]:
    """All that gives numbers for a program."""
    program = parse(text)
    output = Expression(program.output.node, program.output.shape, program)
    found: dict[str, Callable[[dict[str, Any]], Any]] = {
        "evaluate": output.evaluate,
        "compile": lambda values: output.compile()(**values),
    }
    if program.inputs:
        first = next(iter(program.inputs))
        found["derive"] = lambda values: pb.derive(program, values=values).terminal()
        found["jacobian"] = lambda values: pb.jacobian(program, first).evaluate(values)
    return found


@pytest.mark.parametrize(("text", "values", "missing"), MISSING)
def test_a_missing_dimension_is_named(text: str, values: dict[str, Any], missing: str) -> None:
    for way in ways(text).values():
        with pytest.raises(ValuesError, match=rf"\b{missing}\b"):
            way(values)


@pytest.mark.parametrize(("text", "values", "message"), UNFIT)
def test_dimensions_that_do_not_fit_are_refused(text: str, values: dict[str, Any], message: str) -> None:
    for name, way in ways(text).items():
        with pytest.raises(ValuesError) as caught:
            way(values)
        assert message.partition(",")[0] in str(caught.value), name


def test_dimensions_that_are_given() -> None:
    values = {"g": [1, 2, 3, 4, 5], "n": 2, "m": 3}
    for way in ways("slice(g, n, m)").values():
        way(values)
    assert pb.check("slice(g, n, m)", values=values)
    assert pb.derive("slice(g, n, m)", values=values, upstream=[1, 2, 3]).numbers["g"].tolist() == [0, 0, 1, 2, 3]  # type: ignore[index]


def test_what_has_no_input_compiles() -> None:
    program = parse("ones(m, n)")
    run = Expression(program.output.node, program.output.shape, program).compile()
    np.testing.assert_array_equal(run(m=2, n=3), np.ones((2, 3)))


@pytest.mark.parametrize("text", ["norm(slice(g, n, m))^2", "norm(slice(x, 1, n - 1) - slice(x, 0, n - 1))^2"])
def test_checks_draw_dimensions_that_fit(text: str) -> None:
    assert pb.check(text)


VECTORS = {"W": np.ones((2, 3)), "x": np.ones((4, 3)), "u": np.ones(2), "g": np.ones((4, 2))}


def test_a_vector_that_a_batch_does_not_share_is_named() -> None:
    with pytest.raises(ValuesError) as caught:
        pb.backward("batch B: y = W x + u")["W"].evaluate(VECTORS)
    assert "u is one vector per sample because of batch B" in str(caught.value)
    assert "batch B over x: …, or declare x : (B, n)" in str(caught.value)


@pytest.mark.parametrize("text", ["batch B over x: y = W x + u", "batch B: x : (B, n); y = W x + u"])
def test_a_vector_that_a_batch_shares(text: str) -> None:
    np.testing.assert_array_equal(pb.backward(text)["u"].evaluate(VECTORS), [4, 4])


def test_a_sample_where_a_batch_is_wanted() -> None:
    with pytest.raises(ValuesError, match="x is one vector per sample because of batch B"):
        pb.backward("batch B: y = W x")["W"].evaluate({"W": np.ones((2, 3)), "x": np.ones(3), "g": np.ones((4, 2))})
    with pytest.raises(pb.ShapeError, match="one number per sample because of batch B"):
        pb.gradient("batch B: norm(W x)^2", "W")
