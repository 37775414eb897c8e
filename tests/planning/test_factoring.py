"""A matrix is factored once for its solves, inverse and determinant, and nothing comes out otherwise for that."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.backends.factors import lapack
from pullback.compiling import Compiled, Task, compile_program
from pullback.errors import ValuesError
from pullback.planning.factoring import factored

pytestmark = pytest.mark.skipif(lapack("d") is None, reason="NumPy brings no LAPACK that can be called")

PROGRAMS = [
    "logdet(A) + x' inv(A) x",
    "det(A) + y' inv(A) x",
    "y' solve(A, X) z + tr(inv(A'))",
    "norm(solve(A, x))^2 + norm(solve(A', x))^2",
]
programs = pytest.mark.parametrize("program", PROGRAMS)


def kinds(compiled: Compiled) -> Counter[str]:
    (plan,) = compiled.plans()
    return Counter(step.kind for step in plan.steps)


def matrix(kind: str, n: int) -> Any:
    rng = np.random.default_rng(n)
    plain = np.eye(n) + rng.normal(size=(n, n)) / (3 * n**0.5)
    if kind == "definite":
        return plain @ plain.T
    if kind == "symmetric":
        return plain + plain.T - 4 * np.diag(np.arange(n) % 2)
    return plain[rng.permutation(n)] if kind == "permuted" else plain


def given(program: str, kind: str, n: int) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    values = {"A": matrix(kind, n), "x": rng.normal(size=n), "y": rng.normal(size=n)}
    values |= {"X": rng.normal(size=(n, 3)), "z": rng.normal(size=3)}
    return {name: values[name] for name in pb.parse(program).inputs}


def pairs(found: Any, right: Any) -> list[tuple[Any, Any]]:
    return [(found[0], right[0]), *((found[1][name], right[1][name]) for name in right[1])]


@programs
@pytest.mark.parametrize("kind", ["definite", "symmetric", "general", "permuted"])
@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_as_without(program: str, kind: str, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = given(program, kind, 40)
    compiled = compile_program(program, backend=backend)
    found = compiled(**values)
    assert kinds(compiled)["factor"] == 1
    assert not kinds(compiled) & Counter(["solve", "apply"])
    monkeypatch.setattr("pullback.backends.factors.factored", lambda plan: plan)
    right = compile_program(program)(**values)
    for one, other in pairs(found, right):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10 * np.abs(other).max())


@programs
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_other_backends_agree(program: str, backend: str) -> None:
    pytest.importorskip(backend)
    values = given(program, "definite", 50)
    for one, other in pairs(compile_program(program, backend=backend)(**values), compile_program(program)(**values)):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10 * np.abs(other).max())


@programs
def test_single_precision(program: str) -> None:
    values = given(program, "general", 40)
    narrow = {name: array.astype(np.float32) for name, array in values.items()}
    for one, other in pairs(compile_program(program)(**narrow), compile_program(program)(**values)):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * np.abs(other).max())


def test_value_gradient_and_hessian_share_it() -> None:
    program = pb.parse(PROGRAMS[0], assume={"A": "spd"})
    gradient = pb.gradient(program)
    results = [gradient["A"], gradient["x"], pb.hessian(program, "x")]
    roots = [(program.output.node, program.output.shape), *((result.node, result.axes) for result in results)]
    compiled = Compiled(Task(program.inputs, tuple(roots), "({0}, {1}, {2}, {3})"), "numpy", False)
    values = given(PROGRAMS[0], "definite", 64)
    found = compiled(**values)
    assert kinds(compiled)["factor"] == 1
    np.testing.assert_allclose(found[0], value_of(values))
    for one, result in zip(found[1:], results, strict=True):
        np.testing.assert_allclose(one, result.evaluate(**values), rtol=1e-9, atol=1e-10)


def value_of(values: dict[str, Any]) -> float:
    a, x = values["A"], values["x"]
    return float(np.linalg.slogdet(a)[1] + x @ np.linalg.solve(a, x))


def test_small_matrices_and_single_uses_stay() -> None:
    for program, n in ((PROGRAMS[0], 8), ("y' inv(A) x", 64)):
        compiled = compile_program(program, "x")
        compiled(**given(program, "general", n))
        (plan,) = compiled.plans()
        assert factored(plan) is plan


def test_determinants_alone_have_a_value_where_there_is_no_inverse() -> None:
    program = pb.parse("det(A) + det(A') logdet(A + eye(n))")
    compiled = Compiled(Task(program.inputs, ((program.output.node, ()),), "{0}"), "numpy", False)
    assert compiled(A=np.zeros((64, 64))) == 0
    assert not kinds(compiled)["factor"]


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_singular(backend: str) -> None:
    compiled = compile_program(PROGRAMS[0], backend=backend)
    with pytest.raises(ValuesError, match="singular matrix"):
        compiled(A=np.zeros((40, 40)), x=np.ones(40))
    bad = compiled(A=np.full((40, 40), np.nan), x=np.ones(40))
    assert np.isnan(bad[0])


def test_negative_determinant() -> None:
    values = given(PROGRAMS[0], "general", 40)
    values["A"][0] *= -1
    assert np.isnan(compile_program(PROGRAMS[0])(**values)[0])


def test_descent_in_place() -> None:
    values = given(PROGRAMS[1], "general", 40)
    _, gradients = compile_program(PROGRAMS[1])(**values)
    expected = {name: array - 0.25 * gradients[name] for name, array in values.items()}
    compile_program(PROGRAMS[1], rate=0.25)(**values)
    for name, array in values.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-12)


def test_threads() -> None:
    compiled = compile_program(PROGRAMS[0], reuse=True)
    many = [given(PROGRAMS[0], kind, 40) for kind in ("definite", "general", "permuted", "symmetric")] * 8
    right = [float(compiled(**values)[0]) for values in many]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda values: float(compiled(**values)[0]), many))
    np.testing.assert_array_equal(found, right)
