"""What gradient, jacobian, hessian and backward print, where, and in which format."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pullback as pb

from .running import Run


def test_the_closed_form_alone_on_standard_output(run: Run) -> None:
    outcome = run("gradient", "norm(A x - b)^2", "--wrt", "x")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"{pb.gradient('norm(A x - b)^2', wrt='x')}\n"


def test_backward_says_one_line_an_input(run: Run) -> None:
    outcome = run("backward", "y = W x")
    assert sorted(outcome.out.splitlines()) == ["dL/dW = g x'", "dL/dx = W' g"]


def test_backward_by_one_input_is_the_expression_alone(run: Run) -> None:
    assert run("backward", "y = W x", "--wrt", "W").out == "g x'\n"


@pytest.mark.parametrize("given", [["--wrt", "W,x"], ["--wrt", "W", "--wrt", "x"], ["--wrt=W", "--wrt", "x,W"]])
def test_wrt_repeats_and_takes_lists(run: Run, given: list[str]) -> None:
    assert run("backward", "y = W x", *given).out == "dL/dW = g x'\ndL/dx = W' g\n"


def test_jacobian(run: Run) -> None:
    assert run("jacobian", "W x", "--wrt", "x").out == "W\n"


def test_hessian(run: Run) -> None:
    assert run("hessian", "x' A x", "--wrt", "x").out in ("A + A'\n", "A' + A\n")


def test_hessian_of_several_inputs_asks_which(run: Run) -> None:
    outcome = run("hessian", "x' A x")
    assert (outcome.code, outcome.out) == (2, "") and "--wrt" in outcome.err


def test_program_that_starts_with_a_minus_sign(run: Run) -> None:
    assert run("gradient", "-x'x", "--wrt", "x").out == "-2 x\n"
    assert run("gradient", "-x' x", "--wrt", "x").out == "-2 x\n"


def test_assume_and_shape(run: Run) -> None:
    assert run("gradient", "x' A x", "--wrt", "x", "--assume", "A=symmetric").out == "2 A x\n"
    assert run("backward", "y = w x", "--shape", "w=m,n", "--wrt", "w").out == "g x'\n"


def test_values_give_numbers_beside_the_result(run: Run) -> None:
    outcome = run(
        "backward", "y = W x", "--wrt", "W", "--value", "W=1 2 3; 4 5 6", "--value", "x=9; 10; 11", "--upstream", "7 8"
    )
    assert outcome.out == "g x'\n"
    assert outcome.err == "dL/dW = [63 70 77; 72 80 88]\n"


def test_json(run: Run) -> None:
    outcome = run(
        "backward",
        "y = W x",
        "--format",
        "json",
        "--value",
        "W=1 2 3; 4 5 6",
        "--value",
        "x=9 10 11",
        "--upstream",
        "7 8",
    )
    document = json.loads(outcome.out)
    assert (document["schema"], document["command"], document["program"]) == (1, "backward", "y = W x")
    found = {result["name"]: result for result in document["results"]}
    assert found["dL/dx"]["text"] == "W' g"
    assert found["dL/dx"]["value"] == [39, 54, 69]
    assert found["dL/dW"]["value"] == [[63, 70, 77], [72, 80, 88]]
    assert found["dL/dW"]["is_matrix_form"] is True
    assert set(found["dL/dW"]) == {"name", "wrt", "text", "unicode", "latex", "shape", "is_matrix_form", "value"}


def test_json_says_nan_as_text(run: Run) -> None:
    outcome = run("gradient", "x' x", "--wrt", "x", "--format", "json", "--value", "x=nan inf -inf 1")
    assert json.loads(outcome.out)["results"][0]["value"] == ["NaN", "Infinity", "-Infinity", 2.0]
    assert "note: value x has 1 NaN entry" in outcome.err
    assert "note: value x has 2 infinite entries" in outcome.err


def test_formats(run: Run) -> None:
    expression = pb.gradient("x' A x", wrt="x")
    for style, text in (
        ("unicode", expression.unicode()),
        ("latex", expression.latex()),
        ("html", expression.mathml()),
    ):
        assert run("gradient", "x' A x", "--wrt", "x", "--format", style).out == f"{text}\n"
    written = run("gradient", "x' A x", "--wrt", "x", "--format", "markdown").out
    assert written == f"```math\n{expression.latex()}\n```\n"


def test_latex_of_several(run: Run) -> None:
    out = run("backward", "y = W_1 x", "--wrt", "W1,x", "--format", "latex").out
    assert out.startswith(r"\frac{\partial L}{\partial W_{1}} = ")


def test_output_goes_to_a_file_and_nowhere_else(run: Run, tmp_path: Path) -> None:
    outcome = run("backward", "y = W x", "--wrt", "x", "--output", "out.txt")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "wrote out.txt\n")
    assert (tmp_path / "out.txt").read_text() == "W' g\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


def test_program_from_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "layer.pb").write_text("# a layer\r\nh = W x\r\ny = relu(h)\r\n")
    assert run("backward", "@layer.pb", "--wrt", "x").out == run("backward", "h = W x\ny = relu(h)", "--wrt", "x").out


def test_values_from_files(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([9, 10, 11], dtype=np.int32))
    (tmp_path / "W.csv").write_text("1,2,3\n4,5,6\n")
    (tmp_path / "g.json").write_text("[7, 8]")
    outcome = run(
        "backward", "y = W x", "--wrt", "x", "--value", "W=W.csv", "--value", "x=x.npy", "--upstream", "g.json"
    )
    assert outcome.err == "dL/dx = [39 54 69]\n"


def test_batch(run: Run) -> None:
    lifted = run("backward", "y = W x + b", "--batch", "B", "--wrt", "W")
    assert lifted.out == run("backward", "batch B: y = W x + b", "--wrt", "W").out


@pytest.mark.parametrize(
    ("name", "style"),
    [("d.html", "html"), ("d.tex", "latex"), ("D.MD", "markdown"), ("d.json", "json"), ("d.txt", "terminal")],
)
def test_the_ending_of_the_output_says_the_format(run: Run, tmp_path: Path, name: str, style: str) -> None:
    for command in ("gradient", "derive"):
        assert run(command, "x' A x", "--wrt", "x", "--output", name).code == 0
        shown = run(command, "x' A x", "--wrt", "x", "--format", style).out
        assert (tmp_path / name).read_text(encoding="utf-8") == shown


def test_pictures_by_their_ending(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("ziamath")
    assert run("gradient", "x' A x", "--wrt", "x", "--output", "d.svg").code == 0
    assert "<svg" in (tmp_path / "d.svg").read_text(encoding="utf-8")
    outcome = run("derive", "x' A x", "--wrt", "x", "--output", "e.svg")
    assert outcome.code == 2 and "not of a derivation" in outcome.err


def test_a_format_that_is_given_wins_over_the_ending(run: Run, tmp_path: Path) -> None:
    assert run("gradient", "x' A x", "--wrt", "x", "--format", "latex", "--output", "d.html").code == 0
    assert (tmp_path / "d.html").read_text() == run("gradient", "x' A x", "--wrt", "x", "--format", "latex").out


def test_a_document_by_its_ending(run: Run, tmp_path: Path) -> None:
    assert run("derive", "x' A x", "--wrt", "x", "--document", "--output", "d.tex").code == 0
    assert r"\documentclass" in (tmp_path / "d.tex").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["jacobian", "hessian"])
def test_the_kronecker_form(run: Run, command: str) -> None:
    program = {"jacobian": "A X B", "hessian": "norm(A X)^2"}[command]
    expected = getattr(pb, command)(program, wrt="X", form="kronecker")
    assert run(command, program, "--wrt", "X", "--form", "kronecker").out == f"{expected}\n"
    assert run(command, program, "--wrt", "X", "--form", "entries").out == f"{getattr(pb, command)(program, wrt='X')}\n"


def test_a_form_that_there_is_not(run: Run) -> None:
    outcome = run("jacobian", "A X B", "--wrt", "X", "--form", "vec")
    assert outcome.code == 2 and "kronecker" in outcome.err
    outcome = run("gradient", "x' A x", "--form", "kronecker")
    assert outcome.code == 2 and "--form" in outcome.err


def test_derive_tells_a_hessian(run: Run) -> None:
    outcome = run("derive", "x' A x", "--wrt", "x", "--want", "hessian", "--detail", "brief")
    assert outcome.code == 0 and "= A + Aᵀ\n" in outcome.out.partition("Hessian\n")[2]
    outcome = run("derive", "x' A y", "--wrt", "x,y", "--want", "hessian", "--lang", "ko")
    assert outcome.code == 0 and "헤세 행렬" in outcome.out
    assert run("derive", "W x", "--wrt", "x", "--want", "hessian").code == 2


def test_derive_in_numerator_layout(run: Run) -> None:
    outcome = run("derive", "y = W x", "--layout", "numerator")
    assert outcome.code == 0 and "∂L/∂x = (∂L/∂y) W" in outcome.out
