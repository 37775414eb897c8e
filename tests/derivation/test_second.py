"""Derivations of Jacobians and Hessians, and numerator layout."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.derivation import second as module
from pullback.errors import PullbackError
from pullback.rendering.derivation import Derivation, derive
from pullback.rendering.symbols import write

RNG = np.random.default_rng(3)
HESSIANS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "least squares": ("norm(A x - b)^2", "x", {"A": (3, 2), "x": (2,), "b": (3,)}),
    "logistic": ("sum(log(1 + exp(X w)))", "w", {"X": (3, 2), "w": (2,)}),
    "mixed": ("x' A y + sum(exp(x)) c' y", ("x", "y"), {"A": (2, 3), "x": (2,), "y": (3,), "c": (3,)}),
    "a number": ("c^3", "c", {"c": ()}),
    "a matrix": ("norm(A X)^2", "X", {"A": (2, 2), "X": (2, 3)}),
    "singular at some points": ("det(X' A X)", "X", {"A": (2, 2), "X": (2, 2)}),
    "linear": ("a' x", "x", {"a": (2,), "x": (2,)}),
    "constant slope by another": ("a' x + b' b", ("x", "b"), {"a": (2,), "x": (2,), "b": (3,)}),
}
JACOBIANS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "layer": ("y = tanh(W x)", "x", {"W": (3, 2), "x": (2,)}),
    "by a matrix": ("y = W x", "W", {"W": (3, 2), "x": (2,)}),
    "of a matrix": ("Y = A X B", "X", {"A": (2, 2), "X": (2, 3), "B": (3, 2)}),
    "of a number": ("s = x' A x", "x", {"A": (2, 2), "x": (2,)}),
}


def drawn(shapes: dict[str, Any]) -> dict[str, Any]:
    return {name: RNG.standard_normal(shape) for name, shape in shapes.items()}


def kinds(derivation: Derivation) -> list[str]:
    return [step.kind for step in derivation.steps]


def every_format(derivation: Derivation) -> list[str]:
    return [
        derivation.terminal(colour=False), derivation.terminal(colour=False, lang="ko"),
        derivation.latex(document=True), derivation.markdown(), derivation.html(),
        derivation.html(lang="ko"), derivation.to_json(),
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["elementwise", "differential"])
@pytest.mark.parametrize(("program", "wrt", "shapes"), HESSIANS.values(), ids=HESSIANS)
def test_hessians(program: str, wrt: Any, shapes: dict[str, Any], method: str) -> None:
    values = drawn(shapes)
    derivation = derive(program, wrt, values=values, want="hessian", method=method)
    second = derivation.second
    assert second is not None and second.kind == "hessian"
    expected = pb.hessian(program, wrt)
    assert str(second.expression) == str(expected)
    assert second.numbers is not None
    np.testing.assert_allclose(second.numbers, expected.evaluate(values))
    assert second.check is None or second.check.passed
    assert second.check is not None or "second.constant" in kinds(derivation) or program.startswith("det")
    assert "result.hessian" in kinds(derivation)
    assert all(every_format(derivation))


@pytest.mark.parametrize(("program", "wrt", "shapes"), JACOBIANS.values(), ids=JACOBIANS)
def test_jacobians(program: str, wrt: str, shapes: dict[str, Any]) -> None:
    values = drawn(shapes)
    derivation = derive(program, wrt, values=values, want="jacobian")
    second = derivation.second
    assert second is not None and second.numbers is not None
    np.testing.assert_allclose(second.numbers, pb.jacobian(program, wrt).evaluate(values))
    assert second.check is not None and second.check.passed
    assert all(every_format(derivation))


def test_a_wrong_hessian_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    derivation = derive("norm(A x)^2", "x", want="hessian")
    second = derivation.second
    assert second is not None
    monkeypatch.setattr(module, "hessian", lambda *_: pb.hessian("norm(A x)^2 / 2", "x"))
    check = second.check
    assert check is not None and not check.passed


def test_the_steps_lead_from_the_gradient_to_its_jacobian() -> None:
    derivation = derive("norm(A x - b)^2", "x", want="hessian", check=False)
    assert kinds(derivation) == [
        "given", "forward", "backward", "result.one", "second", "forward", "backward", "result.one", "result.hessian",
    ]  # fmt: skip
    (line,) = derivation.steps[-1].steps[0].lines
    assert write(line.parts[-1], "plain") == "2 A' A"


def test_a_structured_matrix_is_derived_as_a_free_one() -> None:
    derivation = derive("logdet(A)", "A", assume={"A": "spd"}, want="hessian")
    assert derivation.second is not None and derivation.second.check is None
    assert str(derivation.second.expression) == str(pb.hessian("logdet(A)", "A", assume={"A": "spd"}))


def test_the_document_has_it() -> None:
    document = json.loads(derive("x' A x", "x", want="hessian").to_json())
    assert document["second"]["plain"] == str(pb.hessian("x' A x", "x"))
    assert document["second"]["check"]["passed"]


def test_batches() -> None:
    derivation = derive("batch B: y = tanh(W x)", "W", want="jacobian", check=False)
    assert derivation.second is not None and len(derivation.second.expression.shape) == 4


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"want": "inverse"}, "backward, jacobian, hessian"),
        ({"want": "hessian", "structured": True}, "structured"),
        ({"want": "hessian", "upstream": 1.0}, "nothing comes from above"),
        ({"want": "hessian", "layout": "numerator"}, "both layouts"),
        ({"layout": "sideways"}, "denominator, numerator"),
        ({"want": "jacobian", "wrt": ["x", "A"]}, "by one input"),
    ],
)
def test_choices_that_do_not_fit(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(PullbackError, match=message):
        derive("x' A x", **{"wrt": "x", **choices})


def test_numerator_layout_shows_the_results_transposed() -> None:
    values = {"W": [[1, 2], [3, 4]], "x": [1, 1], "b": [1, 2]}
    derivation = derive("y = W x + b", values=values, upstream=[1, 2], layout="numerator")
    (step,) = [step for step in derivation.steps if step.kind == "result.numerator"]
    shown = [write(line.parts[-1], "plain") for line in step.lines]
    assert shown == ["x dL/dy", "(dL/dy) W", "dL/dy"]
    assert "[7  10]" in derivation.terminal(colour=False)
    np.testing.assert_array_equal(derivation.numbers["x"], [7, 10])  # type: ignore[index]
    assert all(every_format(derivation))


def test_numerator_layout_of_a_jacobian() -> None:
    second = derive("y = tanh(W x)", "x", want="jacobian", layout="numerator").second
    assert second is not None and second.check is not None and second.check.passed
    assert str(second.expression) == str(pb.jacobian("y = tanh(W x)", "x", layout="numerator"))


def test_what_has_no_transpose_is_refused() -> None:
    derivation = derive("y = sum(T)", shapes={"T": (2, 3, 4)}, layout="numerator")
    with pytest.raises(PullbackError, match="no transpose"):
        _ = derivation.steps
