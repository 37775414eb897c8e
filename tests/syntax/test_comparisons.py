"""Comparisons are read as steps, which are one where they hold and zero elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.operations.table import FUNCTIONS
from pullback.syntax.parser import parse_expression
from pullback.syntax.printer import show

READ = [
    ("x > y", "step(x - y)"),
    ("x < y", "step(y - x)"),
    ("x >= y", "1 - step(y - x)"),
    ("x <= y", "1 - step(x - y)"),
    ("x ≥ y", "1 - step(y - x)"),
    ("x ≤ y", "1 - step(x - y)"),
    ("x > 0", "step(x)"),
    ("x < 0", "step(-x)"),
    ("0 < x", "step(x)"),
    ("A x - b > c + 1", "step(A x - b - (c + 1))"),
    ("where(x > 0, x, y)", "where(step(x), x, y)"),
    ("(x > y) .* x", "step(x - y) .* x"),
    ("|x| < 1", "step(1 - abs(x))"),
    ("x >\n0", "step(x)"),
]


@pytest.mark.parametrize(("text", "read"), READ)
def test_a_comparison_is_a_step(text: str, read: str) -> None:
    assert show(parse_expression(text, FUNCTIONS)) == read


@pytest.mark.parametrize("sign", ["<", ">", "<=", ">="])
def test_it_is_one_where_it_holds(sign: str) -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
    program = pb.parse(f"(x {sign} y) .* z")
    found = pb.jacobian(program, "z").evaluate(x=x, y=y)
    holds = {"<": x < y, ">": x > y, "<=": x <= y, ">=": x >= y}[sign]
    np.testing.assert_array_equal(found, np.diag(holds.astype(float)))


def test_the_gradient_of_a_choice() -> None:
    assert str(pb.gradient("sum(where(x > 0, x, 0.1 x))", "x")) == "where(step(x), 1, 0.1)"


def test_two_comparisons_in_one_are_refused() -> None:
    with pytest.raises(pb.NotationError, match="two comparisons stand in one") as error:
        pb.parse("a < b < c")
    assert (error.value.line, error.value.column) == (1, 3)
    assert "(a < b) .* (b < c)" in error.value.hint


@pytest.mark.parametrize("text", ["x == y", "x != y"])
def test_equality_is_refused_with_the_comparisons_that_there_are(text: str) -> None:
    with pytest.raises(pb.NotationError, match="the comparisons are <, >, <= and >="):
        pb.parse(text)
