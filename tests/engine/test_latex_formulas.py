"""Formulas as papers write them, undeclared: each is the tensor that its plain text says, or refused by name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

import pullback as pb
from pullback.simplification.simplify import simplify

FILE = Path(__file__).with_name("latex_formulas.toml")
DATA: dict[str, list[dict[str, Any]]] = tomllib.loads(FILE.read_text())


@pytest.mark.parametrize("case", DATA["means"], ids=[case["latex"] for case in DATA["means"]])
def test_a_formula_means_the_plain_text(case: dict[str, Any]) -> None:
    read = pb.parse(case["latex"])
    inputs: dict[str, Any] = {entry.name: entry.shape for entry in read.inputs.values()}
    meant = pb.parse(case["plain"], shapes=inputs)
    assert set(meant.inputs) == set(inputs)
    assert simplify([read.output.node])[0] is simplify([meant.output.node])[0]


@pytest.mark.parametrize("case", DATA["means"], ids=[case["latex"] for case in DATA["means"]])
def test_the_kinds_are_those_of_the_plain_text(case: dict[str, Any]) -> None:
    plain = case["plain"].replace("; ", "\n")
    ranks = [{n: len(i.shape) for n, i in pb.parse(text).inputs.items()} for text in (case["latex"], plain)]
    assert ranks[0] == ranks[1]


LOSS = r"\frac1n\sum_{i=1}^n (y_i - x_i^\top w)^2"


@pytest.mark.parametrize(
    ("shapes", "gradient"),
    [
        ({}, "2 X' (X w - y) / size(y)"),
        ({"X": ("n", "d")}, "2 X' (X w - y) / size(y)"),
        ({"x": ("n", "d")}, "2 x' (x w - y) / size(y)"),
        ({"X": (5, 3)}, "2/5 X' (X w - y)"),
        ({"n": ()}, "2 X' (X w - y) / n"),
    ],
)
def test_rows_are_of_the_matrix_that_is_declared(shapes: dict[str, Any], gradient: str) -> None:
    assert str(pb.gradient(LOSS, "w", shapes=shapes)) == gradient


def test_rows_are_of_the_matrix_that_occurs_unless_it_has_other_columns() -> None:
    assert str(pb.gradient(LOSS + r" + \lambda\|X\|^2", "X")) == "2 ((X w - y) w' / size(y) + lambda X)"
    columns = LOSS + r" + \|X u\|^2"
    assert set(pb.parse(columns).inputs) == {"y", "w", "X", "u"}
    assert set(pb.parse(columns, shapes={"w": (3,), "u": (5,)}).inputs) == {"y", "x", "w", "X", "u"}


@pytest.mark.parametrize("case", DATA["refused"], ids=[case["latex"] for case in DATA["refused"]])
def test_what_is_unclear_is_refused_by_name(case: dict[str, Any]) -> None:
    with pytest.raises(pb.PullbackError) as error:
        pb.parse(case["latex"])
    assert (error.value.message, error.value.column) == (case["message"], case["column"])
    assert error.value.hint or case["message"].startswith(("the function", "something"))
