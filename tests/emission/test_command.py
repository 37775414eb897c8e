"""``pullback emit`` on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pullback.cli import main


def test_the_source_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emit", "y = W x + b", "--target", "torch"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith('"""layer: ') and "class Layer(torch.autograd.Function):" in printed.out
    assert printed.err == ""


def test_a_file_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "linear.py"
    arguments = ["emit", "y = W x + b", "--name", "linear", "--wrt", "W,b", "--batch", "B", "--output", str(path)]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert printed.out == "" and f"it checks itself: python {path}" in printed.err
    assert "def linear(W, x, b, g):" in path.read_text()
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["dL/dW", "dL/db"]


def test_an_unknown_target_lists_the_known_ones_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "layer.f90"
    assert main(["emit", "y = W x", "--target", "fortran", "--output", str(path)]) == 2
    printed = capsys.readouterr()
    assert "'fortran' is not a target" in printed.err
    assert "numpy, numpy-out, torch, jax, c, triton, latex" in printed.err
    assert printed.out == "" and not path.exists()


def test_what_can_t_be_written_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "layer.py"
    path.write_text("kept")
    assert main(["emit", "y = softmax(W x)", "--target", "triton", "--output", str(path)]) == 2
    assert path.read_text() == "kept"


def test_shapes_and_properties_are_respected(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emit", "x' A x", "--shape", "A=3,3", "--assume", "A=symmetric", "--wrt", "x"]) == 0
    printed = capsys.readouterr().out
    assert "Shapes: x (3,), A (3, 3)." in printed and "assert A.shape == (3, 3)" in printed
    assert "dx = 2 * " in printed


def test_values_are_what_the_file_checks_itself_on(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--value", "W=1 2 3; 4 5 6", "--value", "x=9 10 11", "--upstream", "7 8"]
    assert main(["emit", "y = W x", *given]) == 0
    printed = capsys.readouterr().out
    assert '"W": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=float),' in printed
    assert '"g": np.array([7.0, 8.0], dtype=float),' in printed


def test_a_gradient_from_above_has_no_place_beside_a_scalar(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emit", "x' x", "--upstream", "2"]) == 2
    assert "no gradient comes from above: the output is a scalar" in capsys.readouterr().err


def test_the_length_of_a_dimension_may_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emit", "y = W x", "--value", "n=7"]) == 0
    assert '"x": sample(22, 7),' in capsys.readouterr().out


def test_a_name_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emit", "y = W x", "--name", "1a"]) == 2
    assert "a function can't be called '1a'" in capsys.readouterr().err
