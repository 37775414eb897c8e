"""The suites ``derive``, ``cold``, ``memory`` and ``depth``: what is measured in processes of its own."""

from __future__ import annotations

import atexit
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from pullback.benchmarks.measuring import SETTINGS, Row

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
    "PyTensor": "pytensor",
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
        "A, X, B = M('A', n, n), M('X', n, m), M('B', m, m); g = S.Trace(A*X*B*X.T).diff(X)",
    ),
    "2-layer MLP": (
        "norm(W2 tanh(W1 x) - y)^2",
        "W1",
        "W1, W2, x, y = M('W1', h, n), M('W2', o, h), M('x', n, 1), M('y', o, 1); "
        "r = W2*(W1*x).applyfunc(S.tanh) - y; g = (r.T*r).diff(W1)",
    ),
}


TENSORGRAD = {
    "x'Ax": "A, x = V('A', i=n, j=n), V('x', i=n); f = (x @ A) @ x.rename(i='j')",
    "norm(Ax-b)^2": "A, x, b = V('A', m, n), V('x', n), V('b', m); r = A @ x - b; f = r @ r",
    "2-layer MLP": (
        "x, W2, y, z = V('W1', h, n), V('W2', o, h), V('y', o), V('z', n); r = W2 @ F.tanh(x @ z) - y; f = r @ r"
    ),
}
"""The same, differentiated by what is called x there."""

PYTENSOR = {
    "x'Ax": "A, x = M('A'), v('x'); f = x @ A @ x",
    "norm(Ax-b)^2": "A, x, b = M('A'), v('x'), v('b'); r = A @ x - b; f = r @ r",
    "tr(AXBX')": "A, x, B = M('A'), M('X'), M('B'); f = pt.trace(A @ x @ B @ x.T)",
    "2-layer MLP": "x, W2, z, y = M('W1'), M('W2'), v('x'), v('y'); r = W2 @ pt.tanh(x @ z) - y; f = r @ r",
}


@lru_cache(maxsize=1)
def _bytecode() -> str:
    """A place for the bytecode of all children, which is not there for longer than this process."""
    place = tempfile.TemporaryDirectory(prefix="pullback-")
    atexit.register(place.cleanup)
    return place.name


def _child(code: str) -> dict[str, float]:
    """Run code in a fresh process; its last line is numbers by name."""
    source = str(Path(__file__).parents[2])
    environment = os.environ | {
        "PYTHONPATH": source + os.pathsep + os.environ.get("PYTHONPATH", ""),
        "JAX_PLATFORMS": "cpu",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else modules that are first used in a call are compiled in it
    environment.setdefault("PYTHONPYCACHEPREFIX", _bytecode())
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=environment, timeout=120
    )
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["failed"])[-1])
    lines = done.stdout.strip().splitlines()
    return {k: float(v) for k, v in (pair.split("=") for pair in (lines[-1].split() if lines else []) if "=" in pair)}


def _gather(suite: str, case: str, codes: dict[str, str], key: str, rounds: int, unit: str = "s") -> Row:
    row = Row(suite, case, "pullback", unit=unit)
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
    """Growth of the peak resident memory over fifty steps, what a call allocates, and what it costs to be called."""
    rounds = 1 if quick else 3
    yield _gather("memory", "linear layer 1024, 784, 512", _peaks(_LINEAR_STEPS), "t", rounds, "B")
    yield _gather("memory", "MLP 784-512-10, batch 1024", _peaks(_MLP_STEPS), "t", rounds, "B")
    allocated = _DATA + (
        "import tracemalloc\nfrom pullback.compiling import compile_program\n"
        f'f = compile_program("{_NETWORK}", ["W1", "b1", "W2", "b2"], reuse=True)\n'
        "for _ in range(3): f(X=X, W1=W1, b1=b1, W2=W2, b2=b2, T=T)\n"
        "tracemalloc.start(); f(X=X, W1=W1, b1=b1, W2=W2, b2=b2, T=T)\n"
        "before = tracemalloc.get_traced_memory()[0]; tracemalloc.reset_peak()\n"
        "f(X=X, W1=W1, b1=b1, W2=W2, b2=b2, T=T)\nprint(f't={tracemalloc.get_traced_memory()[1] - before}')"
    )
    yield _gather("memory", "allocated by a call, reuse=True", {"pullback": allocated}, "t", 1, "B")
    lines = ["import time", "import numpy as np", "from pullback.compiling import compile_program"]
    lines += [
        'f = compile_program("; ".join(f"y{k + 1} = sin(y{k})" for k in range(30)) + "; sum(y30)", "y0", reuse=True)',
        "x = np.ones(1); f(y0=x); kernels, run = len(f.plans()[0].kernels), f.function",
        "def timed():\n    start = time.process_time()\n    for _ in range(2000): run(y0=x)",
        "    return (time.process_time() - start) / 2000",
        "print(f't={max(min(timed() for _ in range(9)) - 1e-6 * kernels, 1e-9)}')",
    ]
    case = "seconds of a call beyond 1 µs a kernel"
    yield _gather("memory", case, {"pullback": "\n".join(lines)}, "t", rounds)


_BIG = _DATA + (
    "\nX = np.ones((1024, 784), 'f4'); W1 = np.ones((512, 784), 'f4') / 784; b1 = np.zeros(512, 'f4')\n"
    "W2 = np.ones((10, 512), 'f4') / 512; b2 = np.zeros(10, 'f4'); T = np.eye(10, dtype='f4')[rng.integers(0, 10, 1024)]\n"  # noqa: E501
    "G = np.ones((1024, 512), 'f4')\n"
)
_OURS = "from pullback.compiling import compile_program\n"
_THEIRS = (
    "import torch\nX, T, G = torch.from_numpy(X), torch.from_numpy(T), torch.from_numpy(G)\n"
    "p = [torch.from_numpy(a).requires_grad_() for a in (W1, b1, W2, b2)]\n"
)
_LINEAR_STEPS = {
    "pullback": _OURS + 'f = compile_program("batch B: y = W x + b", reuse=True)\n'
    "def step(X, T, G): f(W=W1, x=X, b=b1, g=G)\n",
    "PyTorch eager": _THEIRS + "def step(X, T, G):\n    x = X.clone().requires_grad_()\n"
    "    for q in p: q.grad = None\n    torch.nn.functional.linear(x, p[0], p[1]).backward(G)\n",
}
_MLP_STEPS = {
    "pullback": _OURS + f'f = compile_program("{_NETWORK}", ["W1", "b1", "W2", "b2"], reuse=True)\n'
    "def step(X, T, G): f(X=X, W1=W1, b1=b1, W2=W2, b2=b2, T=T)\n",
    "PyTorch eager": _THEIRS + "def step(X, T, G):\n    for q in p: q.grad = None\n"
    "    torch.nn.functional.cross_entropy(torch.relu(X @ p[0].T + p[1]) @ p[2].T + p[3], T).backward()\n",
}


def _peaks(steps: dict[str, str]) -> dict[str, str]:
    """Programs that print how far the peak of the resident memory rises from the first small step on."""
    meter = "import resource\ndef _peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
    loop = "step(X[:2], T[:2], G[:2]); _a = _peak()\nfor _ in range(50): step(X, T, G)\n"
    end = "print(f't={max(_peak() - _a, 4096)}')"
    return {name: meter + _BIG + step + loop + end for name, step in steps.items()}


def derive(quick: bool) -> Iterator[Row]:
    """The first derivation after import, each in a fresh process."""
    for case, (text, wrt, sympy) in DERIVATIONS.items():
        ours = "import time, pullback as pb, pullback.deriving\n_s = time.perf_counter()\n"
        ours += f"str(pb.gradient({text!r}, {wrt!r}))\nprint(f't={{time.perf_counter() - _s}}')"
        theirs = "import time, sympy as S\nn, m, h, o = S.symbols('n m h o', positive=True, integer=True)\nM = S.MatrixSymbol\n"  # noqa: E501
        theirs += f"_s = time.perf_counter()\n{sympy}\nstr(g)\nprint(f't={{time.perf_counter() - _s}}')"
        codes = {"pullback": ours, "SymPy": theirs}
        if case in TENSORGRAD:
            codes["tensorgrad"] = (
                "import time, sympy as sp, tensorgrad as tg, tensorgrad.functions as F\n"
                "n, m, h, o = sp.symbols('n m h o'); V = tg.Variable\n"
                f"_s = time.perf_counter()\n{TENSORGRAD[case]}\n"
                "g = tg.Derivative(f, x).full_simplify(); str(g)\nprint(f't={time.perf_counter() - _s}')"
            )
        if case in PYTENSOR:
            codes["PyTensor"] = (
                "import time, pytensor.tensor as pt\nv, M = pt.vector, pt.matrix\n"
                f"_s = time.perf_counter()\n{PYTENSOR[case]}\npt.grad(f, x)\nprint(f't={{time.perf_counter() - _s}}')"
            )
        if SETTINGS.clock is time.process_time:
            codes = {name: code.replace("time.perf_counter", "time.process_time") for name, code in codes.items()}
        yield _gather("derive", case, codes, "t", 1 if quick else 5)


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
