"""The table of operations, entry by entry: values, first and second derivatives, and numbers at the limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

import pullback as pb
from pullback.expression import Expression
from pullback.operations.entry import Definition, Einsum, Entry
from pullback.operations.table import CONSTRUCTORS, FUNCTIONS, TABLE
from pullback.syntax.parser import parse_program
from pullback.syntax.tree import Call
from tests.engine import checking
from tests.engine.arrays import UnfitError
from tests.engine.checking import Case
from tests.engine.generation import Dim
from tests.strategies import Made, names_of

POINTS = 3
SIZES = {"m": 2, "n": 3}

# Texts for what the ranks of an entry do not say: `name` -> programs.
TEXTS: dict[str, tuple[str, ...]] = {
    "where": ("where(step(c), a, b)", "where(sign(c), a, 0)"),
    "power": ("x .^ t", "alpha^beta", "x .^ 3", "x .^ -2", "x .^ (1/2)", "alpha^x1"),
    "max": ("max(x)", "max(A)", "max(x, y)", "max(A, rows)", "max(A, columns)", "max(x, alpha)"),
    "min": ("min(x)", "min(A)", "min(x, y)", "min(A, rows)", "min(A, columns)", "min(A, B)"),
    "sum": ("sum(x)", "sum(A)", "sum(A, rows)", "sum(A, columns)"),
    "mean": ("mean(x)", "mean(A)", "mean(A, rows)", "mean(A, columns)"),
    "norm": ("norm(x)", "norm(A)", "norm(A, rows)", "norm(A, columns)", "norm(x)^2", "norm(x)^3"),
    "norm1": ("norm1(x)", "norm1(A)", "norm1(A, rows)"),
    "logsumexp": ("logsumexp(x)", "logsumexp(A)", "logsumexp(A, rows)", "logsumexp(A, columns)"),
    "softmax": ("softmax(x)", "softmax(A, rows)", "softmax(A, columns)", "softmax(x')"),
    "hardmax": ("hardmax(x)", "hardmax(A, rows)"),
    "mse": ("mse(x, y)", "mse(A, B)"),
    "cross_entropy": ("cross_entropy(x, y)", "cross_entropy(A, B)"),
    "tr": ("tr(S)", "tr(A B')"),
    "diag": ("diag(x)", "diag(S)", "diag(A B')"),
    "outer": ("outer(x, z)",),
    "dot": ("dot(x, y)", "dot(A, B)"),
    "inv": ("inv(S)", "S^-1", "S^-2", "inv(A A' + eye(m))"),
    "solve": ("solve(S, x)", "solve(S, A')", "inv(S) x"),
    "det": ("det(S)", "det(2 S)", "det(S')"),
    "logdet": ("logdet(P)", "log(det(P))", "logdet(3 P)", "logdet(A A' + eye(m))"),
    "chol": ("chol(P)", "chol(A A' + eye(m))"),
    "tril": ("tril(S)",),
    "expm": ("expm(S)", "expm(-S)"),
    "frechet": ("frechet(S, P)",),
}
SHAPES: dict[str, tuple[Dim, ...]] = {
    "A": ("m", "n"), "B": ("m", "n"), "S": ("n", "n"), "P": ("n", "n"), "x": ("n",), "y": ("n",), "z": ("m",),
    "a": ("n",), "b": ("n",), "c": ("n",), "t": ("n",), "alpha": (), "beta": (), "x1": (),
}  # fmt: skip
DRAWN = {"positive": "positive", "spd": "spd", "invertible": "invertible"}
CONSTANT = {"step", "sign", "hardmax"}
REFUSED = {"frechet": "S"}
"""Second arguments of derivatives that are refused by name."""


def texts(entry: Entry) -> Sequence[str]:
    """Programs that use an entry in each of its meanings."""
    if entry.name in TEXTS:
        return TEXTS[entry.name]
    assert len(entry.parameters) == 1, f"{entry.name} needs an entry in TEXTS"
    return (f"{entry.name}(x)", f"{entry.name}(A)", f"{entry.name}(alpha)", f"{entry.name}(x')")


def draws(entry: Entry, text: str) -> dict[str, str]:
    words = {DRAWN[word] for word in entry.domain.values() if word in DRAWN}
    found = {"S": "invertible", "P": "spd"}
    if entry.name in ("power", "sqrt", "log") or "positive" in words:
        found |= {name: "positive" for name in SHAPES if name not in found}
    if entry.name == "chol":
        found["P"] = "spd"
    if entry.name in ("expm", "frechet"):
        found.pop("S")
    return found


def case(text: str, drawn: dict[str, str], seed: int) -> Case:
    parsed = parse_program(text, FUNCTIONS)
    names = {name for binding in parsed.bindings for name in names_of(binding.value)}
    shapes = {name: shape for name, shape in SHAPES.items() if name in names}
    assume = {name: word for name, word in drawn.items() if name in shapes}
    found = Case(Made(parsed.bindings, shapes, assume, SIZES, frozenset(), text, seed))
    found.__dict__["program"] = pb.parse(text, shapes=found.made.declared)
    return found


def at_points(text: str, drawn: dict[str, str], check: Callable[[Case], None], count: int = POINTS) -> None:
    """Run a check at points of the domain where the program can be compared."""
    done = 0
    for seed in range(60):
        try:
            check(case(text, drawn, seed))
        except UnfitError:
            continue
        done += 1
        if done == count:
            return
    raise AssertionError(f"no points fit {text}")


ALL = [(name, text) for name, entry in TABLE.items() for text in texts(entry)]


@pytest.mark.parametrize(("name", "text"), ALL, ids=lambda value: value)
def test_operation(name: str, text: str) -> None:
    """Value, derivative, Jacobian and second derivative, at several points."""
    drawn = draws(TABLE[name], text)
    at_points(text, drawn, checking.check_value)
    program = case(text, drawn, 0).program
    if name in REFUSED:
        with pytest.raises(pb.UnsupportedError, match=name):
            pb.jacobian(program, REFUSED[name])
        return
    at_points(text, drawn, checking.check_first)
    at_points(text, drawn, checking.check_jacobian)
    at_points(text, drawn, checking.check_printing, 1)
    shape = program.output.shape
    whole = f"({text})'" if len(shape) == 2 and str(shape[0]) == "1" else text
    scalar = text if shape == () else f"q = {whole}; dot(q, q) + sum(q)"
    try:
        at_points(scalar, drawn, lambda here: checking.check_hessian(here, pairs=4), 2)
    except pb.UnsupportedError:
        assert name == "expm", f"{name} has no second derivative"


def test_every_meaning_has_a_text() -> None:
    """Each way of calling an entry is among the programs: as many ranks as it has meanings."""
    for name, entry in TABLE.items():
        wanted = {m.ranks for m in entry.meanings if isinstance(m, Einsum | Definition) and m.ranks is not None}
        calls = set()
        for text in texts(entry):
            for binding in parse_program(text, FUNCTIONS).bindings:
                if isinstance(binding.value, Call):
                    calls.add(len(binding.value.arguments))
        for ranks in wanted:
            assert len(ranks) in calls, f"no text calls {name} with {len(ranks)} argument(s)"


def test_no_name_is_left_out() -> None:
    assert set(TEXTS) <= set(TABLE)
    assert FUNCTIONS - set(CONSTRUCTORS) <= set(TABLE)


# the limits: what overflows in the plain formula

FAR = [-1e4, -745.0, -50.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 50.0, 745.0, 1e4]


def sigmoid(t: float) -> float:
    return 1 / (1 + math.exp(-t)) if t >= 0 else math.exp(t) / (1 + math.exp(t))


def softplus(t: float) -> float:
    return max(t, 0.0) + math.log1p(math.exp(-abs(t)))


def slope(t: float) -> float:
    """sigmoid'."""
    return math.exp(-abs(t)) / (1 + math.exp(-abs(t))) ** 2


STABLE = {
    "log(1 + exp(x))": (softplus, sigmoid, slope),
    "log(exp(x) + 1)": (softplus, sigmoid, slope),
    "softplus(x)": (softplus, sigmoid, slope),
    "log(sigmoid(x))": (lambda t: -softplus(-t), lambda t: sigmoid(-t), lambda t: -slope(t)),
    "-log(sigmoid(-x))": (softplus, sigmoid, slope),
    "log(1 / (1 + exp(-x)))": (lambda t: -softplus(-t), lambda t: sigmoid(-t), lambda t: -slope(t)),
    "sigmoid(x)": (sigmoid, slope, lambda t: slope(t) * (1 - 2 * sigmoid(t))),
    "1 / (1 + exp(-x))": (sigmoid, slope, lambda t: slope(t) * (1 - 2 * sigmoid(t))),
    "tanh(x)": (math.tanh, lambda t: 4 * slope(2 * t), lambda t: -8 * slope(2 * t) * math.tanh(t)),
    "silu(x)": (
        lambda t: t * sigmoid(t),
        lambda t: sigmoid(t) + t * slope(t),
        lambda t: 2 * slope(t) + t * slope(t) * (1 - 2 * sigmoid(t)),
    ),
}


@pytest.mark.parametrize("text", STABLE)
@pytest.mark.parametrize("point", FAR)
def test_far_out(text: str, point: float) -> None:
    """Value and two derivatives of a function of one number, where the plain formula overflows or cancels."""
    value, first, second = STABLE[text]
    program = pb.parse(text, shapes={"x": ()})
    once = pb.gradient(program, "x")
    twice = pb.gradient(once, "x")
    here = {"x": point}
    for expression, wanted in ((output(program), value(point)), (once, first(point)), (twice, second(point))):
        found = float(expression.evaluate(here))
        assert found == pytest.approx(wanted, rel=1e-8, abs=1e-15), f"{expression} at {point}"


def output(program: pb.Program) -> Expression:
    return Expression(program.output.node, program.output.shape, program)


WIDE = np.array([1e4, -1e4, 0.0, 9999.0])


def wide_softmax() -> tuple[float, np.ndarray]:
    powers = np.exp(WIDE - WIDE.max())
    return float(WIDE.max() + np.log(powers.sum())), powers / powers.sum()


@pytest.mark.parametrize("text", ["logsumexp(x)", "log(sum(exp(x)))", "log(exp(x)' ones(4))"])
def test_logsumexp_far_out(text: str) -> None:
    top, share = wide_softmax()
    program = pb.parse(text, shapes={"x": (4,)})
    assert float(output(program).evaluate({"x": WIDE})) == pytest.approx(top, rel=1e-15)
    np.testing.assert_allclose(pb.gradient(program, "x").evaluate({"x": WIDE}), share, atol=1e-15)
    wanted = np.diag(share) - np.outer(share, share)
    np.testing.assert_allclose(pb.hessian(program, "x").evaluate({"x": WIDE}), wanted, atol=1e-15)


@pytest.mark.parametrize("text", ["log(softmax(x))", "x - logsumexp(x)", "log(exp(x) / sum(exp(x)))"])
def test_log_softmax_far_out(text: str) -> None:
    top, share = wide_softmax()
    program = pb.parse(text, shapes={"x": (4,)})
    np.testing.assert_allclose(output(program).evaluate({"x": WIDE}), WIDE - top, rtol=1e-15)
    found = pb.jacobian(program, "x").evaluate({"x": WIDE})
    np.testing.assert_allclose(found, np.eye(4) - share, atol=1e-15)


@pytest.mark.parametrize("text", ["cross_entropy(x, t)", "-t' log(softmax(x))"])
def test_cross_entropy_far_out(text: str) -> None:
    top, share = wide_softmax()
    target = np.array([0.1, 0.2, 0.3, 0.4])
    program = pb.parse(text, shapes={"x": (4,), "t": (4,)})
    values = {"x": WIDE, "t": target}
    assert float(output(program).evaluate(values)) == pytest.approx(float(-target @ (WIDE - top)), rel=1e-14)
    np.testing.assert_allclose(pb.gradient(program, "x").evaluate(values), share - target, atol=1e-14)


@pytest.mark.parametrize("text", ["log(det(A))", "logdet(A)"])
def test_log_of_a_determinant_that_overflows(text: str) -> None:
    program = pb.parse(text, shapes={"A": (3, 3)})
    values = {"A": 1e200 * np.eye(3)}
    assert float(output(program).evaluate(values)) == pytest.approx(600 * math.log(10), rel=1e-14)
    np.testing.assert_allclose(pb.gradient(program, "A").evaluate(values), 1e-200 * np.eye(3), rtol=1e-14)


def test_kinks_as_the_conventions_say() -> None:
    """notation.md: relu'(0) = 0, abs'(0) = 0, sign' = 0, max at a tie splits evenly."""
    zero = {"x": 0.0, "y": 0.0}
    for text, wanted in {"relu(x)": 0, "abs(x)": 0, "sign(x)": 0, "max(x, y)": 0.5, "min(x, y)": 0.5}.items():
        shapes: dict[str, tuple[int | str, ...]] = {"x": (), "y": ()}
        found = pb.gradient(text, "x", shapes=shapes).evaluate({k: v for k, v in zero.items() if k in text})
        assert float(found) == wanted, text
    tie = pb.gradient("max(x)", "x", shapes={"x": (3,)}).evaluate({"x": [2.0, 2.0, 1.0]})
    np.testing.assert_array_equal(tie, [0.5, 0.5, 0])


def test_logdet_of_a_negative_determinant_is_no_number() -> None:
    program = pb.parse("logdet(A)", shapes={"A": (2, 2)})
    assert np.isnan(output(program).evaluate({"A": [[0.0, 1.0], [1.0, 0.0]]}))
