"""The suites ``derive``, ``cold``, ``memory`` and ``depth``: what is measured in processes of its own."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from pullback.benchmarks.measuring import Row

_NETWORK = "H = relu(X W1' + ones(B) b1'); cross_entropy(H W2' + ones(B) b2', T)"
_DATA = """
import numpy as np
rng = np.random.default_rng(0)
X = rng.standard_normal((32, 64)).astype("f4"); W1 = rng.standard_normal((64, 64)).astype("f4") / 8
b1 = np.zeros(64, "f4"); W2 = rng.standard_normal((10, 64)).astype("f4") / 8; b2 = np.zeros(10, "f4")
T = np.eye(10, dtype="f4")[rng.integers(0, 10, 32)]
"""
_COLD = {
    "pullback": _DATA
    + "from pullback.compiling import compile_program\n"
    + f'f = compile_program("{_NETWORK}", ["W1", "b1", "W2", "b2"])\nf(X=X, W1=W1, b1=b1, W2=W2, b2=b2, T=T)\n',
    "jax.jit": _DATA
    + """
import jax, jax.numpy as jnp
def loss(p, X, T):
    W1, b1, W2, b2 = p
    return -(T * jax.nn.log_softmax(jax.nn.relu(X @ W1.T + b1) @ W2.T + b2)).sum() / 32
jax.block_until_ready(jax.jit(jax.value_and_grad(loss))((W1, b1, W2, b2), X, T))
""",
    "PyTorch eager": _DATA
    + """
import torch
X, T = torch.from_numpy(X), torch.from_numpy(T)
p = [torch.from_numpy(a).requires_grad_() for a in (W1, b1, W2, b2)]
(-(T * torch.log_softmax(torch.relu(X @ p[0].T + p[1]) @ p[2].T + p[3], 1)).sum() / 32).backward()
""",
    "torch.compile": _DATA
    + """
import torch
X, T = torch.from_numpy(X), torch.from_numpy(T)
p = [torch.from_numpy(a).requires_grad_() for a in (W1, b1, W2, b2)]
f = torch.compile(lambda a, b, c, d: -(T * torch.log_softmax(torch.relu(X @ a.T + b) @ c.T + d, 1)).sum() / 32)
f(*p).backward()
""",
}
_NEEDS = {
    "jax.jit": "jax",
    "PyTorch eager": "torch",
    "torch.compile": "torch",
    "SymPy": "sympy",
    "tensorgrad": "tensorgrad",
}

DERIVATIONS = {
    "x'Ax": ("x' A x", "x", "A, x = M('A', n, n), M('x', n, 1); g = (x.T*A*x).diff(x)"),
    "norm(Ax-b)^2": (
        "norm(A x - b)^2",
        "x",
        "A, x, b = M('A', m, n), M('x', n, 1), M('b', m, 1); r = A*x - b; g = (r.T*r).diff(x)",
    ),
    "tr(AXBX')": (
        "tr(A X B X')",
        "X",
        "A, X, B = M('A', n, n), M('X', n, m), M('B', m, m); g = (A*X*B*X.T).trace().diff(X)",
    ),
    "2-layer MLP": (
        "norm(W2 tanh(W1 x) - y)^2",
        "W1",
        "W1, W2, x, y = M('W1', h, n), M('W2', o, h), M('x', n, 1), M('y', o, 1); "
        "r = W2*(W1*x).applyfunc(S.tanh) - y; g = (r.T*r).diff(W1)",
    ),
}


def _child(code: str) -> dict[str, float]:
    """Run code in a fresh process; its last line is numbers by name."""
    source = str(Path(__file__).parents[2])
    environment = os.environ | {
        "PYTHONPATH": source + os.pathsep + os.environ.get("PYTHONPATH", ""),
        "JAX_PLATFORMS": "cpu",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=environment, timeout=120
    )
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["failed"])[-1])
    lines = done.stdout.strip().splitlines()
    return {k: float(v) for k, v in (pair.split("=") for pair in (lines[-1].split() if lines else []) if "=" in pair)}


def _gather(suite: str, case: str, codes: dict[str, str], key: str, rounds: int) -> Row:
    row = Row(suite, case, "pullback")
    for turn in range(rounds + 1):
        for name, code in codes.items():
            if name in row.refused or (name in _NEEDS and find_spec(_NEEDS[name]) is None):
                continue
            try:
                found = _child(code)[key]
            except Exception as error:
                row.refused[name] = str(error)[:120]
                row.seconds.pop(name, None)
                continue
            if turn:
                row.seconds.setdefault(name, []).append(found)
    return row


def cold(quick: bool) -> Iterator[Row]:
    """From the start of the interpreter to the first result of an MLP step."""
    timed = "import time; _start = time.perf_counter()\n"
    codes = {name: timed + code + "\nprint(f't={time.perf_counter() - _start}')" for name, code in _COLD.items()}
    yield _gather("cold", "MLP 64-64-10, import to first gradients", codes, "t", 1 if quick else 5)


def memory(quick: bool) -> Iterator[Row]:
    """Growth of the peak resident memory over fifty steps, in bytes (shown where others show seconds)."""
    meter = "import resource\ndef _peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
    sizes = "\nX = np.ones((1024, 784), 'f4'); W1 = np.ones((512, 784), 'f4') / 784; b1 = np.zeros(512, 'f4')\n"
    sizes += "W2 = np.ones((10, 512), 'f4') / 512; b2 = np.zeros(10, 'f4'); T = np.eye(10, dtype='f4')[rng.integers(0, 10, 1024)]\n"  # noqa: E501
    ours = meter + _DATA + sizes + (
        "from pullback.compiling import compile_program\n"
        f'f = compile_program("{_NETWORK}", ["W1", "b1", "W2", "b2"], reuse=True)\n'
        "f(X=X[:2], W1=W1, b1=b1, W2=W2, b2=b2, T=T[:2]); _a = _peak()\n"
        "for _ in range(50): f(X=X, W1=W1, b1=b1, W2=W2, b2=b2, T=T)\n"
    )  # fmt: skip
    theirs = (
        meter
        + _DATA
        + sizes
        + (
            "import torch\nX, T = torch.from_numpy(X), torch.from_numpy(T)\n"
            "p = [torch.from_numpy(a).requires_grad_() for a in (W1, b1, W2, b2)]\n"
            "def step(X, T):\n    for q in p: q.grad = None\n"
            "    torch.nn.functional.cross_entropy(torch.relu(X @ p[0].T + p[1]) @ p[2].T + p[3], T).backward()\n"
            "step(X[:2], T[:2]); _a = _peak()\nfor _ in range(50): step(X, T)\n"
        )
    )
    codes = {"pullback": ours, "PyTorch eager": theirs}
    end = "\nprint(f't={max(_peak() - _a, 4096)}')"
    yield _gather(
        "memory", "MLP 784-512-10, batch 1024, bytes", {k: v + end for k, v in codes.items()}, "t", 1 if quick else 3
    )


def derive(quick: bool) -> Iterator[Row]:
    """The first derivation after import, each in a fresh process."""
    for case, (text, wrt, sympy) in DERIVATIONS.items():
        ours = "import time, pullback as pb, pullback.deriving\n_s = time.perf_counter()\n"
        ours += f"str(pb.gradient({text!r}, {wrt!r}))\nprint(f't={{time.perf_counter() - _s}}')"
        theirs = "import time, sympy as S\nn, m, h, o = S.symbols('n m h o', positive=True, integer=True)\nM = S.MatrixSymbol\n"  # noqa: E501
        theirs += f"_s = time.perf_counter()\n{sympy}\nstr(g)\nprint(f't={{time.perf_counter() - _s}}')"
        yield _gather("derive", case, {"pullback": ours, "SymPy": theirs}, "t", 1 if quick else 5)


def depth(quick: bool) -> Iterator[Row]:
    """Derive all weight gradients of a deep tanh network and plan them."""
    for layers in (4, 16, 64) if quick else (4, 16, 64, 256, 1000):
        lines = [f"h{k} = tanh(W{k} {'x' if k == 1 else f'h{k - 1}'})" for k in range(1, layers + 1)]
        text = "; ".join([*lines, f"norm(h{layers} - y)^2"])
        code = (
            "import time, numpy as np\nfrom pullback.compiling import compile_program\n"
            f"shapes = {{f'W{{k}}': ('n', 'n') for k in range(1, {layers + 1})}}\n"
            "import pullback as pb\n_s = time.perf_counter()\n"
            f"f = compile_program(pb.parse({text!r}, shapes=shapes), list(shapes))\n"
            "f(x=np.ones(4), y=np.ones(4), **{k: np.eye(4) for k in shapes})\nprint(f't={time.perf_counter() - _s}')"
        )
        yield _gather("depth", f"{layers} layers: derive, plan, run", {"pullback": code}, "t", 1)


def middle(row: Row, name: str) -> float:
    """The median of a candidate."""
    return statistics.median(row.seconds[name])
