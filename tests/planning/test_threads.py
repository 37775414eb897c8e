"""One compiled plan may be called by many threads at once, each with its own arrays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from pullback.compiling import compile_program

THREADS, CALLS = 8, 40
NETWORK = "H = relu(X W1' + ones(B) b1'); cross_entropy(H W2' + ones(B) b2', T)"
SHAPES = {"X": (6, 5), "W1": (4, 5), "b1": (4,), "W2": (3, 4), "b2": (3,), "T": (6, 3)}


def arrays(seed: int, kind: str, rows: int = 6) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    shapes = {name: (rows, *shape[1:]) if name in ("X", "T") else shape for name, shape in SHAPES.items()}
    return {name: rng.normal(size=shape).astype(kind) for name, shape in shapes.items()}


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "auto"])
@pytest.mark.parametrize(("kind", "bound"), [("float64", 1e-9), ("float32", 1e-4)])
def test_eight_threads_on_one_plan(backend: str, reuse: bool, kind: str, bound: float) -> None:
    function = compile_program(NETWORK, backend=backend, reuse=reuse)
    plain = compile_program(NETWORK)
    start = Barrier(THREADS)

    def work(thread: int) -> float:
        worst = 0.0
        cases = [arrays(100 * thread + k, kind, rows=5 + k % 3) for k in range(4)]
        right = [plain(**{name: array.astype(float) for name, array in case.items()}) for case in cases]
        start.wait()
        for call in range(CALLS):
            output, gradients = function(**cases[call % 4])
            known, slopes = right[call % 4]
            assert output.dtype == kind
            worst = max(worst, abs(float(output) - float(known)) / max(1.0, abs(float(known))))
            for name, slope in slopes.items():
                difference = np.max(np.abs(gradients[name] - slope)) / max(1.0, float(np.max(np.abs(slope))))
                worst = max(worst, float(difference))
        return worst

    with ThreadPoolExecutor(THREADS) as pool:
        assert max(pool.map(work, range(THREADS))) < bound
