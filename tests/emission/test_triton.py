"""Emitted Triton: run on the CPU by Triton's interpreter, compiled for a GPU, refused outside of its family."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pullback as pb
from pullback.emission.emitting import emit_program
from tests.emission.running import run_file

FAMILY = {
    "batch B: y = W x": 2,
    "batch B: y = W x + b": 3,
    "batch B: y = relu(W x + b)": 3,
    "batch B: y = gelu(W x + b)": 3,
    "batch B: y = tanh(W x)": 2,
    "Y = X W' + ones(n) b'": 3,
    "Y = silu(X W)": 2,
    "Y = softplus(X W + ones(n) b')": 3,
}
OUTSIDE = ["y = W x + b", "batch B: y = softmax(W x)", "batch B: y = W x + x", "Y = X W X", "norm(W x)^2", "Y = X + W"]
COMPILE = """
import sys, emitted
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
kernel = emitted.product
pointers = {"a", "b", "c", "z", "out"}
types = {n: "*fp32" if n in pointers else "constexpr" if n.isupper() else "i32" for n in kernel.arg_names}
flags = {n: 32 if n in ("ROWS", "COLUMNS", "INNER") else True for n in kernel.arg_names if n.isupper()}
made = triton.compile(ASTSource(kernel, signature=types, constexprs=flags), target=GPUTarget("cuda", 80, 32))
print(".visible .entry product" in made.asm["ptx"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Triton is for Linux")
@pytest.mark.parametrize("program", FAMILY)
def test_kernels_agree_with_pytorch(program: str, tmp_path: Path) -> None:
    source = emit_program(program, "triton").replace("\nimport torch\n", "\nimport warnings\n\nimport torch\n", 1)
    done = run_file(source, tmp_path, TRITON_INTERPRET="1", PYTHONWARNINGS="ignore")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("agrees with PyTorch") == 1 + FAMILY[program]


@pytest.mark.skipif(sys.platform != "linux", reason="Triton is for Linux")
def test_kernels_compile_for_a_gpu_that_is_not_here(tmp_path: Path) -> None:
    (tmp_path / "emitted.py").write_text(emit_program("batch B: y = gelu(W x + b)", "triton"), encoding="utf-8")
    (tmp_path / "compile.py").write_text(COMPILE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "compile.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stdout.strip() == "True", done.stderr


def test_without_a_gpu_the_file_says_so(tmp_path: Path) -> None:
    done = run_file(emit_program("batch B: y = W x", "triton"), tmp_path, CUDA_VISIBLE_DEVICES="", TRITON_INTERPRET="0")
    assert done.returncode == 1 and done.stderr.startswith("no GPU here; TRITON_INTERPRET=1")


@pytest.mark.parametrize("program", OUTSIDE)
def test_other_programs_are_refused_by_name(program: str) -> None:
    with pytest.raises(pb.UnsupportedError, match="linear layer family"):
        emit_program(program, "triton")
