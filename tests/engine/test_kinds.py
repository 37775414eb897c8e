"""What names are where nothing is declared: by their letters, and where that can't be, by the whole program."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

import pullback as pb
from pullback.deriving import as_program

CASES: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("kinds.toml").read_text())["kinds"]
LETTERS = "svM"


def kinds(program: pb.Program) -> str:
    return " ".join(f"{name}:{LETTERS[len(entry.shape)]}" for name, entry in program.inputs.items())


@pytest.mark.parametrize("case", CASES, ids=[f"{case['text']} {case.get('scalar', '')}" for case in CASES])
def test_kinds_of_undeclared_names(case: dict[str, Any]) -> None:
    assert kinds(as_program(case["text"].replace("; ", "\n"), scalar_output=case.get("scalar", False))) == case["read"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("beta : scalar; norm(Y - X beta)^2", "Y:M X:M beta:s"),
        ("x : vector; y : matrix; alpha x + y x", "alpha:s x:v y:M"),
        ("mu : matrix; x' mu x", "x:v mu:M"),
        ("Sigma : (n, n); Sigma x", "Sigma:M x:v"),
        ("theta : symmetric; x' theta x", "x:v theta:M"),
    ],
)
def test_what_is_declared_is_never_changed(text: str, read: str) -> None:
    assert kinds(pb.parse(text)) == read


@pytest.mark.parametrize("text", ["x y", "c x", "x : vector; y : vector; x y"])
def test_where_several_readings_are_as_good_the_error_is_of_the_first(text: str) -> None:
    with pytest.raises(pb.ShapeError):
        pb.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(["h0 = theta' x", *(f"h{i} = tanh(W h{i - 1} + b) + alpha h0" for i in range(1, 1000))]),
        "\n".join(["h0 = x", *(f"h{i} = tanh(W h{i - 1} + b{i})" for i in range(1, 200)), "L = h199 y"]),
        " + ".join(f"x{i} y{i}" for i in range(40)),
        " ".join(f"alpha{i}" for i in range(60)) + " A x + B y z",
    ],
    ids=["greek in a long program", "a slip in a long program", "many vectors", "many scalars"],
)
def test_the_search_is_bounded(text: str) -> None:
    start = time.perf_counter()
    try:
        pb.parse(text)
    except pb.ShapeError:
        pass
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize(
    ("text", "gradient"), [("logdet(A) + sum(A x')", "1 / A + sum(x)"), ("log(det(A)^2) + sum(A x')", "2 / A + sum(x)")]
)
def test_what_turns_out_to_be_one_number_is_one(text: str, gradient: str) -> None:
    assert str(pb.gradient(text, "A")) == gradient
