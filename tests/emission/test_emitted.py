"""Emitted files run where pullback is not, and check themselves."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import pullback as pb
from pullback.emission.emitting import TARGETS, emit_expression, emit_program

PROGRAMS = {
    "linear": "y = W x + b",
    "batch": "batch B: y = W x + b",
    "network": "H = relu(X W1' + ones(B) b1'); cross_entropy(H W2' + ones(B) b2', T)",
    "least squares": "norm(A x - b)^2",
    "softmax": "y = softmax(W x)",
    "gaussian": "logdet(A) + x' inv(A) x",
    "chain": "Y = X W1 diag(s) tanh(W2)",
    "gelu": "y = gelu(W x)",
}
SAYS = {"numpy": "agree", "torch": "pass", "jax": "pass", "numpy-out": "runs"}


def run(source: str, folder: Path) -> str:
    """Run a file in a process that cannot import pullback."""
    path = folder / "emitted.py"
    path.write_text(source, encoding="utf-8")
    blocked = (
        "import sys; sys.modules['pullback'] = None; import runpy; runpy.run_path('emitted.py', run_name='__main__')"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-W", "ignore", "-c", blocked]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("target", SAYS)
def test_files_check_themselves(target: str, name: str, tmp_path: Path) -> None:
    if target in ("torch", "jax") and find_spec(target) is None:
        pytest.skip(f"{target} is not installed")
    source = emit_program(PROGRAMS[name], target)
    assert "import pullback" not in source
    assert SAYS[target] in run(source, tmp_path)


@pytest.mark.parametrize("target", ["numpy", "torch", "jax", "latex"])
def test_results_are_emitted_by_themselves(target: str, tmp_path: Path) -> None:
    source = emit_expression(pb.hessian("sum(log(1 + exp(-y .* (X w))))", "w"), target)
    if target == "latex":
        assert source.startswith("\\begin{aligned}")
    elif target == "numpy" or find_spec(target):
        assert "runs" in run(source, tmp_path)


def test_sizes_stay_symbols() -> None:
    source = emit_program(PROGRAMS["network"], "numpy")
    assert "1.0 / B" in source and "211" not in source


def test_triton_is_python_and_only_for_linear_layers() -> None:
    tree = ast.parse(emit_program(PROGRAMS["batch"], "triton"))
    assert any(isinstance(node, ast.FunctionDef) and node.name == "layer" for node in tree.body)
    with pytest.raises(pb.UnsupportedError, match="linear layer"):
        emit_program(PROGRAMS["softmax"], "triton")


CBLAS = """
#include <stddef.h>
enum { CblasRowMajor = 101, CblasNoTrans = 111, CblasTrans = 112 };
static double cblas_ddot(int n, const double *x, int i, const double *y, int j)
{ double s = 0; for (int k = 0; k < n; k++) s += x[k * i] * y[k * j]; return s; }
static void cblas_dgemm(int o, int ta, int tb, int m, int n, int k, double a, const double *A, int la,
                        const double *B, int lb, double b, double *C, int lc)
{ for (int p = 0; p < m; p++) for (int q = 0; q < n; q++) { double s = 0; for (int r = 0; r < k; r++)
  s += (ta == 111 ? A[p * la + r] : A[r * la + p]) * (tb == 111 ? B[r * lb + q] : B[q * lb + r]); C[p * lc + q] = a * s;
  } }
static void cblas_dgemv(int o, int t, int m, int n, double a, const double *A, int l, const double *x, int i,
                        double b, double *y, int j)
{ int r = t == 111 ? m : n, c = t == 111 ? n : m; for (int p = 0; p < r; p++) { double s = 0;
  for (int q = 0; q < c; q++) s += (t == 111 ? A[p * l + q] : A[q * l + p]) * x[q * i]; y[p * j] = a * s; } }
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.parametrize("name", ["linear", "batch", "network", "least squares", "softmax", "chain", "gelu"])
def test_c_compiles_and_checks_itself(name: str, tmp_path: Path) -> None:
    (tmp_path / "cblas.h").write_text(CBLAS)
    (tmp_path / "layer.c").write_text(emit_program(PROGRAMS[name], "c"))
    command = ["cc", "-std=c99", "-O1", "-DCHECK", "-I.", "-w", "layer.c", "-o", "layer", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "layer"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "agree" in done.stdout, done.stdout


def test_an_unknown_target_names_those_that_are() -> None:
    with pytest.raises(pb.PullbackError, match="not a target") as caught:
        emit_program("y = W x", "fortran")
    assert all(target in caught.value.hint for target in TARGETS)
