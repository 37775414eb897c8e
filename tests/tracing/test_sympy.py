"""SymPy's matrix expressions in and out, and out and in again over the corpus."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.errors import PullbackError, UnsupportedError
from pullback.expression import Expression
from pullback.lowering.program import Program
from pullback.syntax.names import normalise
from tests.corpus import loading
from tests.corpus.loading import Case
from tests.corpus.run import _with_derivatives, derive

sp = pytest.importorskip("sympy")
N, M = sp.symbols("n m", integer=True, positive=True)
C, K = sp.symbols("c k")
A, B = sp.MatrixSymbol("A", M, N), sp.MatrixSymbol("B", M, N)
S = sp.MatrixSymbol("S", N, N)
X, Y = sp.MatrixSymbol("x", N, 1), sp.MatrixSymbol("y", N, 1)
R = sp.MatrixSymbol("r", 1, N)

TENSOR = "[i,j: T[i,j,k] x[k]]"

READ: dict[str, Any] = {
    "A x": A * X,
    "r' S x": R * S * X,
    "(r' x)^2": (R * X)[0, 0] ** 2,
    "x' S x": sp.Trace(X.T * S * X),
    "log(det(S))": sp.log(sp.Determinant(S)),
    "inv(S) x": S.I * X,
    "S^-2": S**-2,
    "A .* B": sp.HadamardProduct(A, B),
    "A.^3": sp.HadamardPower(A, 3),
    "A ⊗ B": sp.KroneckerProduct(A, B),
    "tanh(A)": A.applyfunc(sp.tanh),
    "relu(A)": A.applyfunc(sp.Lambda(C, sp.Max(C, 0))),
    "1 ./ (1 + exp(-x))": X.applyfunc(sp.Lambda(C, 1 / (1 + sp.exp(-C)))),
    "3 + x.^2 .* sin(x)": X.applyfunc(sp.Lambda(C, C**2 * sp.sin(C) + 3)),
    "ones(n)' x": sp.OneMatrix(1, N) * X,
    "A + ones(m, n)": sp.OneMatrix(M, N) + A,
    "x x' + eye(n)": sp.Identity(N) + X * X.T,
    "diag(x) y": sp.DiagMatrix(X) * Y,
    "c A x / size(n)": C * A * X / N,
    "3 B - 2 A - A S": -2 * A + 3 * B - A * S,
    "tr(A' B) / (2 c)": sp.Trace(A.T * B) / (2 * C),
    "c - tr(S) / 2": C - sp.Trace(S) / 2,
    "1 / (1 + c^2)": 1 / (C * C + 1),
    "exp(1) + pi() c": sp.pi * C + sp.E,
    "2 A / 3": sp.Rational(2, 3) * A,
    "theta1' x": sp.MatrixSymbol("\\theta_{1}", N, 1).T * X,
    "x' y": sp.Sum(X[K, 0] * Y[K, 0], (K, 0, N - 1)),
    "f : entrywise\ntr(f(S))": sp.Trace(S.applyfunc(sp.Function("f"))),
    "3": 3,
}


@pytest.mark.parametrize("text", READ)
def test_what_sympy_writes_is_read(text: str) -> None:
    program = pb.from_sympy(READ[text])
    assert program.source == text
    again = pb.from_sympy(pb.to_sympy(program))
    assert {n: e.shape for n, e in again.inputs.items()} == {n: e.shape for n, e in program.inputs.items()}


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        (A[0, 1], "the entry A.0, 1. is not read"),
        (sp.BlockMatrix([[S, S]]), "BlockMatrix"),
        (sp.Integral(C, C), "Integral"),
        (sp.I * C, "ImaginaryUnit"),
        (sp.MatrixSymbol("exp", N, 1) + X, "'exp' is no name"),
        (sp.MatrixSymbol("q", N + 1, 1), "the length n . 1"),
        (sp.besselj(0, C), "besselj"),
        (sp.Matrix([[1, 2]]), "DenseMatrix"),
        (sp.Adjoint(A), "Adjoint"),
    ],
)
def test_what_is_not_read_is_named(expression: Any, what: str) -> None:
    with pytest.raises(UnsupportedError, match=what):
        pb.from_sympy(expression)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("vec(X)", "vec"),
        ("max(x)", "max"),
        (TENSOR, "3 axes"),
        ("batch B: y = W x", "batch"),
        ("[i: A[i,i] x[i]]", "entries"),
    ],
)
def test_what_sympy_has_not_is_named(text: str, what: str) -> None:
    shapes: Mapping[str, tuple[int | str, ...]] = {"T": ("m", "n", "k"), "x": ("k",)} if text == TENSOR else {}
    with pytest.raises(PullbackError, match=what):
        pb.to_sympy(pb.parse(text, shapes=shapes or None))


def test_with_ones_own_symbols() -> None:
    gradient = pb.gradient(pb.from_sympy(sp.Trace((A * X).T * (A * X))), "x")
    assert pb.to_sympy(gradient, [A, X]) == 2 * A.T * A * X
    c = sp.Symbol("c", positive=True)
    assert pb.to_sympy(pb.gradient("c x' x", "c"), [c, X]) == sp.Trace(X.T * X)
    assert set(pb.to_sympy(pb.backward("y = W x"))) == {"W", "x"}


def value(program: Program, values: Mapping[str, Any], sizes: Mapping[str, int]) -> Any:
    """The output of a program at some of the values."""
    known = {*program.inputs, *(name for e in program.inputs.values() for axis in e.shape for name in axis.names)}
    spoken = {name: size for name, size in sizes.items() if name in re.findall(r"\w+", program.source)}
    given = {name: v for name, v in values.items() if normalise(name) in known or callable(v)}
    return Expression(program.output.node, program.output.shape, program, {}).evaluate({**spoken, **given})


def drawn(case: Case) -> dict[str, Any]:
    """Values for a case, with its functions."""
    values: dict[str, Any] = dict(loading.draw(case))
    if case.upstream:
        values[case.upstream] = loading.draw_upstream(case, values)
    for name, function in case.functions.items():
        values |= _with_derivatives(name, function)
    return values


def round_trips(cases: list[Case], of: Callable[[Case], list[Any]]) -> tuple[int, int]:
    """How many come back with the same value, of how many."""
    fine = every = 0
    for case in cases:
        if "large" in case.domain.values():
            continue  # a softmax that is written out overflows
        values = drawn(case)
        for source in of(case):
            every += 1
            try:
                written = pb.to_sympy(source)
            except UnsupportedError:
                continue
            again = pb.from_sympy(written)
            is_program = isinstance(source, Program)
            wanted = value(source, values, case.sizes) if is_program else source.evaluate({**case.sizes, **values})
            found = value(again, values, case.sizes)
            assert loading.error(np.squeeze(found), np.squeeze(wanted)) < 1e-9, (case.id, again.source)
            fine += 1
    return fine, every


FILES = sorted({case.file for case in loading.cases()})


@pytest.mark.parametrize("file", FILES)
def test_programs_of_the_corpus_out_and_in_again(file: str) -> None:
    cases = [case for case in loading.cases() if case.file == file]
    fine, every = round_trips(cases, lambda c: [pb.parse(c.program, shapes=dict(c.shapes), assume=dict(c.assume))])
    assert fine >= 0.85 * every


@pytest.mark.parametrize("file", FILES)
def test_derivatives_of_the_corpus_out_and_in_again(file: str) -> None:
    cases = [case for case in loading.cases() if case.file == file and not case.structured][::3]
    fine, every = round_trips(cases, lambda c: [*derive(c).values()])
    assert fine >= 0.75 * every
