"""Emitted files run where pullback is not, and check themselves."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import pullback as pb
from pullback.emission.emitting import TARGETS, emit_expression, emit_program
from tests.emission.programs import PROGRAMS
from tests.emission.running import run_file

SAYS = {
    "numpy": "by central differences",
    "numpy-out": "by central differences",
    "torch": "gradcheck and gradgradcheck pass",
    "jax": "check_grads passes in reverse mode, to second order",
}
CHECKED = ["linear", "linear over a batch", "network", "attention", "spd gaussian", "outer", "names of the file"]
everything = pytest.mark.parametrize("name", PROGRAMS)


@pytest.mark.parametrize(
    ("target", "name"), [(target, name) for target in SAYS for name in CHECKED[:: 3 if target == "jax" else 1]]
)
def test_files_check_themselves(target: str, name: str, tmp_path: Path) -> None:
    source = emit_program(PROGRAMS[name], target)
    assert "import pullback" not in source
    done = run_file(source, tmp_path)
    assert done.returncode == 0, done.stderr
    assert SAYS[target] in done.stdout


@pytest.mark.parametrize("target", ["numpy", "numpy-out", "torch", "jax"])
def test_results_by_themselves_are_compared_with_their_values(target: str, tmp_path: Path) -> None:
    source = emit_expression(pb.hessian("sum(log(1 + exp(-y .* (X w))))", "w"), target)
    done = run_file(source, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "as they should" in done.stdout


@pytest.mark.parametrize(("target", "line"), [("numpy", "dW = np.outer(g, x)"), ("torch", "dW = torch.outer(g, x)")])
def test_a_file_with_a_mistake_fails(target: str, line: str, tmp_path: Path) -> None:
    source = emit_program(PROGRAMS["linear"], target)
    assert line in source
    done = run_file(source.replace(line, f"{line} * 1.01"), tmp_path)
    assert done.returncode != 0


def test_a_closed_form_with_a_mistake_fails(tmp_path: Path) -> None:
    source = emit_expression(pb.gradient("norm(A x - b)^2", "x"), "numpy")
    assert "2 *" in source
    done = run_file(source.replace("2 *", "3 *", 1), tmp_path)
    assert done.returncode == 1 and done.stderr.startswith("wrong: the entries")


@everything
@pytest.mark.parametrize("target", [target for target in TARGETS if target not in ("triton", "latex")])
def test_no_length_of_the_planning_is_in_the_source(target: str, name: str) -> None:
    source = emit_program(PROGRAMS[name], target)
    assert not re.search(r"\b2[1-9][0-9]\b", re.sub(r"[\d.]*\.\d+(e-?\d+)?", "", source))


def test_wrong_shapes_are_refused_with_a_message(tmp_path: Path) -> None:
    scope: dict[str, object] = {}
    exec(emit_program("y = W x + b").partition("if __name__")[0], scope)
    import numpy as np

    with pytest.raises(AssertionError, match=re.escape("x is (2,), not (3,)")):
        scope["layer"](np.ones((4, 3)), np.ones(2), np.ones(4), np.ones(4))  # type: ignore[operator]


def test_a_scalar_may_be_a_plain_number() -> None:
    scope: dict[str, object] = {}
    exec(emit_program("alpha beta^2").partition("if __name__")[0], scope)
    value, by_alpha, by_beta = scope["loss"](3.0, 2.0)  # type: ignore[operator]
    assert (value, by_alpha, by_beta) == (12.0, 4.0, 12.0)


def test_an_unknown_target_names_those_that_are() -> None:
    with pytest.raises(pb.PullbackError, match="not a target") as caught:
        emit_program("y = W x", "fortran")
    assert caught.value.hint == "the targets are: " + ", ".join(TARGETS)


@pytest.mark.parametrize("name", ["1a", "def", "a b", "", "np", "größe", "x;import os"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(pb.PullbackError, match="a function can't be called"):
        emit_program("y = W x", name=name)


def test_a_function_without_a_definition_is_refused_by_name() -> None:
    with pytest.raises(pb.UnsupportedError, match="phi has no definition"):
        emit_program("phi : entrywise; y = phi(W x)")


def test_the_upstream_gradient_gets_a_name_that_is_free() -> None:
    source = emit_program("y = g .* x")
    assert "def layer(g, x, dy):" in source and "given dy = dL/dy" in source


def test_only_what_is_asked_for_is_differentiated() -> None:
    source = emit_program("y = W x + b", "torch", wrt=["b"])
    assert "return None, None, db" in source and "outer" not in source


def test_latex_is_an_aligned_display() -> None:
    assert emit_program("y = W x", "latex").splitlines() == [
        "% Derived by pullback; needs \\usepackage{amsmath}.",
        "\\begin{align*}",
        "    y &= W x \\\\",
        "    \\frac{\\partial L}{\\partial W} &= g x^\\top \\\\",
        "    \\frac{\\partial L}{\\partial x} &= W^\\top g",
        "\\end{align*}",
    ]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="tools/tex.sh installs pdflatex")
def test_latex_compiles(tmp_path: Path) -> None:
    displays = "\n".join(emit_program(program, "latex") for program in PROGRAMS.values())
    document = "\\documentclass{article}\\usepackage{amsmath,amssymb}\\begin{document}\n%s\n\\end{document}\n"
    (tmp_path / "all.tex").write_text(document % displays, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_given_numbers_are_what_a_file_checks_itself_on(tmp_path: Path) -> None:
    values = {"W": [[1, 2, 3], [4, 5, 6]], "x": [9, 10, 11]}
    done = run_file(emit_program("y = W x", values=values, seed=[7, 8]), tmp_path)
    derived = 39 + 54 * math.cos(1) + 69 * math.cos(2)
    assert f"dL/dx: {derived:.8g} derived" in done.stdout


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(pb.ValuesError, match="n is 2 in x, but 3 in W"):
        emit_program("y = W x", values={"W": [[1, 2, 3]], "x": [1, 2]})
