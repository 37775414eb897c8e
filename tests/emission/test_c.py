"""Emitted C compiles as C99 without a warning and checks itself, with CBLAS and without."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import pullback as pb
from pullback.emission.emitting import emit_expression, emit_program
from tests.emission.programs import PROGRAMS
from tests.emission.running import cblas, compile_c

WITH_BLAS = ["linear", "linear over a batch", "network", "attention", "gaussian", "least squares", "names of C"]


def checked(source: str, folder: Path, options: list[str]) -> str:
    done = compile_c(source, folder, ["-O1", "-DCHECK", *options])
    assert done.returncode == 0, done.stderr
    ran = subprocess.run([folder / "emitted"], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_check_themselves_in_plain_loops(name: str, tmp_path: Path) -> None:
    assert "by central differences" in checked(emit_program(PROGRAMS[name], "c"), tmp_path, ["-DPLAIN_LOOPS"])


@pytest.mark.parametrize("name", WITH_BLAS)
def test_programs_check_themselves_with_cblas(name: str, tmp_path: Path) -> None:
    assert "by central differences" in checked(emit_program(PROGRAMS[name], "c"), tmp_path, cblas())


@pytest.mark.parametrize("name", ["linear", "network", "attention", "spd gaussian"])
def test_single_precision(name: str, tmp_path: Path) -> None:
    assert "by central differences" in checked(emit_program(PROGRAMS[name], "c"), tmp_path, ["-DSINGLE", *cblas()])


@pytest.mark.parametrize("options", [["-DPLAIN_LOOPS"], []])
def test_the_function_alone_is_a_library(options: list[str], tmp_path: Path) -> None:
    source = emit_program(PROGRAMS["network"], "c")
    done = compile_c(source, tmp_path, ["-O2", "-shared", "-fPIC", *(options or cblas())])
    assert done.returncode == 0, done.stderr


def test_closed_forms_are_compared_with_their_values(tmp_path: Path) -> None:
    source = emit_expression(pb.hessian("sum(log(1 + exp(-y .* (X w))))", "w"), "c")
    assert "the entries, weighted with cos(k), sum to" in checked(source, tmp_path, ["-DPLAIN_LOOPS"])


def test_a_mistake_is_found(tmp_path: Path) -> None:
    source = emit_program("y = W x", "c")
    line = "dW[i * n + j] = x[j] * g[i];"
    assert line in source
    done = compile_c(source.replace(line, line.replace("x[j]", "1.01 * x[j]")), tmp_path, ["-DCHECK", "-DPLAIN_LOOPS"])
    assert done.returncode == 0, done.stderr
    assert subprocess.run([tmp_path / "emitted"], capture_output=True, timeout=60, check=False).returncode == 1


def test_a_singular_matrix_is_said_by_the_return_value() -> None:
    import numpy as np

    from pullback.emission.drafting import draw_up
    from pullback.emission.emitting import target_of
    from pullback.emission.subject import subject_of_expressions
    from tests.emission.running import CFunction

    target = target_of("c")
    expression = pb.gradient("logdet(A)", "A")
    drawn = draw_up(subject_of_expressions([expression]), target.kept, target.reserved)
    function = CFunction(target.write(drawn), drawn.name, drawn, "float64")
    assert np.allclose(function({"A": 2 * np.eye(3)}, {"n": 3})[0], np.eye(3) / 2)
    with pytest.raises(AssertionError):
        function({"A": np.zeros((3, 3))}, {"n": 3})
