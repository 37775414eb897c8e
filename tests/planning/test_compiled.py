"""What a compiled function promises: own results, threads, shapes, updates in place, no allocation."""

from __future__ import annotations

import threading
import tracemalloc
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.compiling import compile_expression, compile_program

NETWORK = "H = relu(X W1' + ones(B) b1'); cross_entropy(H W2' + ones(B) b2', T)"
WEIGHTS = ("W1", "b1", "W2", "b2")
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")


def network(batch: int = 8, kind: str = "float64", seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    shapes = {"X": (batch, 6), "W1": (5, 6), "b1": (5,), "W2": (4, 5), "b2": (4,)}
    arrays = {name: rng.normal(size=shape).astype(kind) for name, shape in shapes.items()}
    return arrays | {"T": np.eye(4, dtype=kind)[rng.integers(0, 4, batch)]}


def test_results_are_the_callers_own() -> None:
    function = compile_program("batch B: y = W x + b")
    rng = np.random.default_rng(0)
    given = {
        "W": rng.normal(size=(3, 4)),
        "x": rng.normal(size=(5, 4)),
        "b": rng.normal(size=3),
        "g": rng.normal(size=(5, 3)),
    }
    first, slopes = function(**given)
    kept = first.copy(), {name: slope.copy() for name, slope in slopes.items()}
    function(**{name: 2 * array for name, array in given.items()})
    assert np.array_equal(first, kept[0])
    assert all(np.array_equal(slopes[name], kept[1][name]) for name in slopes)
    arrays = [first, *slopes.values(), *given.values()]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(arrays) for b in arrays[:k])


def test_reuse_writes_over_the_last_results_and_allocates_nothing() -> None:
    function = compile_program(NETWORK, WEIGHTS, reuse=True)
    given = network(batch=64, kind="float32")
    first = function(**given)[1]["W1"]
    assert function(**given)[1]["W1"] is first
    tracemalloc.start()
    function(**given)
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    function(**given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - before < 4096


def test_other_shapes_and_types_are_planned_anew() -> None:
    function = compile_program(NETWORK, WEIGHTS)
    right = pb.gradient(NETWORK, "W1")
    for batch, kind in ((8, "float64"), (3, "float64"), (3, "float32"), (8, "float64"), (1, "float64")):
        given = network(batch, kind)
        found = function(**given)[1]["W1"]
        assert found.dtype == kind
        np.testing.assert_allclose(found, right.evaluate(given), rtol=2e-4 if kind == "float32" else 1e-10, atol=1e-5)
    assert len(function.plans()) == 4


def test_a_step_changes_the_weights_in_place() -> None:
    given = network()
    _, slopes = compile_program(NETWORK, WEIGHTS)(**given)
    moved = {name: array.copy() for name, array in given.items()}
    loss = compile_program(NETWORK, WEIGHTS, rate=0.1)(**moved)
    assert loss == pytest.approx(float(compile_program(NETWORK, WEIGHTS)(**given)[0]))
    for name in WEIGHTS:
        np.testing.assert_allclose(moved[name], given[name] - 0.1 * slopes[name], rtol=1e-12)


@needs_torch
def test_a_step_by_torch_is_the_same_step() -> None:
    given = network()
    ours, theirs = ({name: array.copy() for name, array in given.items()} for _ in range(2))
    compile_program(NETWORK, WEIGHTS, rate=0.1)(**ours)
    compile_program(NETWORK, WEIGHTS, rate=0.1, backend="torch")(**theirs)
    for name in WEIGHTS:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12)


@needs_torch
def test_tensors_in_tensors_out() -> None:
    import torch

    tensor = torch.arange(3.0)
    for backend in ("numpy", "torch"):
        function = compile_expression(pb.gradient("sum(x.^3)", "x"), backend=backend)
        for _ in range(2):
            found = function(x=tensor)
        assert isinstance(found, torch.Tensor) and found.tolist() == [0.0, 3.0, 12.0]


@pytest.mark.parametrize("backend", ["numpy", *(["torch"] if find_spec("torch") else [])])
def test_eight_threads_share_one_function(backend: str) -> None:
    function = compile_program(NETWORK, WEIGHTS, backend=backend, reuse=True)
    inputs = [network(batch=6 + k % 2, seed=k) for k in range(8)]
    right = [pb.gradient(NETWORK, "W1").evaluate(given) for given in inputs]
    failures: list[str] = []

    def work(k: int) -> None:
        for _ in range(60):
            found = function(**inputs[k])[1]["W1"]
            if not np.allclose(found, right[k]):
                failures.append(f"thread {k}")

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_values_that_do_not_fit_are_named() -> None:
    function = compile_program("y = W x")
    with pytest.raises(pb.ValuesError, match=r"n is \d in"):
        function(W=np.ones((2, 3)), x=np.ones(4), g=np.ones(2))
    with pytest.raises(pb.ValuesError, match="x has no value"):
        function(W=np.ones((2, 3)), g=np.ones(2))
    with pytest.raises(pb.PullbackError, match="not a backend"):
        compile_program("y = W x", backend="abacus")


def test_lists_numbers_and_dimensions_are_values_too() -> None:
    assert compile_expression(pb.gradient("c x' x", "x"))(c=2, x=[1, 2]).tolist() == [4.0, 8.0]
    found = compile_expression(pb.hessian("x' x", "x"))(n=2)
    assert found.tolist() == [[2.0, 0.0], [0.0, 2.0]]


def test_a_singular_matrix_is_said() -> None:
    with pytest.raises(pb.ValuesError, match="singular"):
        compile_expression(pb.gradient("x' inv(A) x", "x"))(A=np.zeros((2, 2)), x=np.ones(2))


def test_cost_is_linear_in_depth() -> None:
    def kernels(depth: int) -> int:
        lines = ["H0 = X", *(f"H{k} = tanh(H{k - 1} W{k}')" for k in range(1, depth + 1)), f"sum(H{depth}.^2)"]
        names = [f"W{k}" for k in range(1, depth + 1)]
        function = compile_program("; ".join(lines), names)
        function(X=np.ones((2, 2)), **{name: np.eye(2) for name in names})
        return len(function.plans()[0].kernels)

    assert kernels(40) - kernels(30) == kernels(30) - kernels(20)
