"""Any program is derived from the same machinery: what is characteristic of each is on its board."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pullback.rendering.derivation import Derivation, derive
from tests.derivation.examples import LAYERS, draw

LINES: dict[str, tuple[str, ...]] = {
    "bias": ("b_i appears in y_i only", "dy_1/db_2 = 0", "Recognise dL/dy itself", "dL/db = dL/dy"),
    "quadratic form": (
        "The output y is a single number.",
        "y = a_11 x_1^2 + a_12 x_1 x_2 + a_21 x_2 x_1 + a_22 x_2^2",
        "dL/dx_i = dy/dx_i",
        "dy/da_ij = x_i x_j",
        "dL/dx = (A + A') x",
        "dL/dA = x x'",
    ),
    "bilinear form": ("ds/da_ij = x_i y_j", "dL/dx = A y", "dL/dy = A' x", "dL/dA = x y'"),
    "batch": (
        "x_ij appears in y_i1, y_i2, y_i3, y_i4 only",
        "dy_ik/dx_ij = w_kj",
        "dL/db_1 = dL/dy_11 + dL/dy_21",
        "dL/dX = (dL/dY) W",
        "dL/dW = (dL/dY)' X",
        "b serves every row of Y, so what comes back from the rows is added up.",
        "this is the sum over the batch axis.",
        "dL/db = sum(dL/dY, columns)",
    ),
    "two layers": (
        "By convention, relu'(0) = 0.",
        "Through y = W2 h + b2",
        "the transpose of W2",
        "dL/dW2 = (dL/dy) h'",
        "rule: relu, from the table of operations",
    ),
    "softmax with cross-entropy": ("The output L is the loss itself.", "dL/dW = (dL/dz) x'", "dL/dx = W' dL/dz"),
    "softmax": ("dp_1/dz_2 = -p_1 p_2", "dp_1/dz_1 = p_1 - p_1^2", "= diag(p) - p p'"),
    "hadamard": ("a_i appears in y_i only", "dy_i/da_i = sigmoid(x_i)", "Recognise a product entry by entry."),
    "inverse": ("dy_kl/da_ij = -y_ki y_jl", "a_ij appears in every entry of Y", "dL/dA = -Y' (dL/dY) Y'"),
    "norm": (
        "What stands inside gets a name of its own: r.",
        "dL/dr = 2 r",
        "Recognise -dL/dr: only the sign turns.",
        "dL/dx = A' dL/dr",
        "dL/dx = 2 A' r",
    ),
    "used twice": ("x is used in 2 statements", "dL/dx = (dL/dx)_y + (dL/dx)_h"),
    "sum": ("ds/da_ij = 1", "dL/dA = ones(m, n)"),
    "diagonal": ("dL/da_11 = (dL/dd_1)(dd_1/da_11)", "dL/da_12 = 0", "dL/dA = diag(dL/dd)"),
    "scaled": ("dL/dalpha = (dL/dy_1)(dy_1/dalpha)", "Recognise a row times a column", "dL/dx = alpha dL/dy"),
    "trace": ("dL/dA = B'", "dL/dB = A'"),
    "logdet": ("logdet is the logarithm of a positive determinant", "dL/dA = inv(A)'"),
}


def derived(name: str, **choices: Any) -> Derivation:
    text, shapes = LAYERS[name]
    return derive(text, values=draw(shapes), **choices)


def squeezed(text: str) -> str:
    """The text in one line, so that wrapped sentences are found."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", LINES)
def test_what_is_characteristic_is_said(name: str) -> None:
    text = squeezed(derived(name, lang="en").terminal(width=160, colour=False, unicode=False))
    assert [line for line in LINES[name] if line not in text] == []


@pytest.mark.parametrize("method", ["elementwise", "differential"])
@pytest.mark.parametrize("name", LAYERS)
def test_every_derivation_is_checked_and_agrees(name: str, method: str) -> None:
    d = derived(name, method=method)
    assert d.check is not None and d.check.passed, d.check


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("code", ["en", "ko"])
@pytest.mark.parametrize("detail", ["brief", "normal", "full"])
def test_every_renderer_tells_it(name: str, code: str, detail: str) -> None:
    d = derived(name, lang=code)
    for text in (d.terminal(width=60, colour=False, detail=detail), d.markdown(detail), d.html(detail)):
        assert text.strip()
        assert not any(f"{{{name}" in text for name in ("entry", "gradient", "statement", "shape"))
    assert d.latex(document=True, detail=detail).startswith("\\documentclass")


@pytest.mark.parametrize("name", LAYERS)
def test_the_entries_on_the_board_are_the_closed_form(name: str) -> None:
    """The numbers of the gradient that a statement's operands show agree with the results."""
    text, shapes = LAYERS[name]
    d = derive(text, values=draw(shapes), upstream=None)
    if d.numbers is None:
        output = d.request.program.output
        sizes = d.request.arrays[1]
        shape = tuple(axis.evaluate(sizes) for axis in output.shape)
        d = derive(text, values=draw(shapes), upstream=np.ones(shape))
    assert d.numbers is not None
    gradients = d.request.readings
    d.steps  # noqa: B018
    assert gradients is not None
    for given in d.request.wrt:
        np.testing.assert_allclose(gradients.gradients[given], d.numbers[given], rtol=1e-10, atol=1e-12)


def test_inner_parts_get_names_and_the_results_stay_those_of_the_program() -> None:
    text, shapes = LAYERS["two layers"]
    d = derive(text, values=draw(shapes))
    assert [statement.name for statement in d.request.board.statements] == ["z", "h", "y"]
    assert "z" not in d.request.program.source
    d = derive("Y = softmax(A A', rows) B", values={"A": np.eye(2), "B": np.ones((2, 3))})
    assert [statement.name for statement in d.request.board.statements] == ["Z", "Z1", "Y"]
    assert d.check is not None and d.check.passed


def test_large_sizes_are_explained_on_a_stand_in() -> None:
    values = {"W": np.ones((20, 784)), "x": np.ones(784)}
    text = squeezed(derive("y = W x", values=values, upstream=np.ones(20)).terminal(width=200, colour=False))
    assert "explained on a small stand-in: m = 20 → 2, n = 784 → 3." in text
    assert "y₁ = w₁₁ x₁ + w₁₂ x₂ + w₁₃ x₃" in text
    assert "∂L/∂W = [20 × 784, norm" in text


def test_numbers_in_the_program_shrink_with_the_stand_in() -> None:
    d = derive("Y = X W' + ones(32) b'", shapes={"X": (32, 7), "W": (9, 7), "b": (9,)})
    assert "ŷ" not in d.terminal()
    assert any(step.kind == "given.standin" for step in d.steps[0].steps)


def test_a_lower_case_name_that_is_taken_stays_apart_from_the_entries() -> None:
    text = derive("y = A x + a").terminal(width=100, colour=False, unicode=False)
    assert "y_1 = A_11 x_1 + A_12 x_2 + A_13 x_3 + a_1" in text


def test_a_scalar_output_with_something_above_it_keeps_its_upstream() -> None:
    d = derive("y = x' x", values={"x": [1.0, 2.0]}, upstream=3.0)
    text = d.terminal(width=100, colour=False, unicode=False)
    assert "dL/dx_i = (dL/dy)(dy/dx_i)" in text
    assert d.numbers is not None
    np.testing.assert_allclose(d.numbers["x"], [6.0, 12.0])


def test_a_loss_that_is_called_like_an_input_gets_another_letter() -> None:
    text = derive("y = L x").terminal(width=100, colour=False, unicode=False)
    assert "dJ/dx = L' dJ/dy" in text


def test_a_long_program_is_bounded() -> None:
    text = "h0 = x\n" + "\n".join(f"h{k + 1} = tanh(h{k})" for k in range(120))
    d = derive(text)
    backward = next(step for step in d.steps if step.kind == "backward")
    assert backward.steps[-1].kind == "backward.more"
    assert backward.steps[-1].parameters["count"] == 61
    assert sum(1 for step in d.steps for _ in step.walk()) < 1000


def test_entries_that_are_too_long_are_left_to_the_rules() -> None:
    d = derive("Y = softmax(X A B C X', rows) X")
    kinds = {inner.kind for step in d.steps for inner in step.walk()}
    assert "operand.long" in kinds
    assert "recognise.matrix" not in kinds


def test_a_statement_that_does_not_matter_is_left_out() -> None:
    d = derive("h = tanh(x); k = exp(x); y = h .* x")
    backward = next(step for step in d.steps if step.kind == "backward")
    assert len(backward.steps) == 2


def test_only_what_is_asked_for_is_derived() -> None:
    text = derive("h = W1 x; y = W2 h", wrt="W1").terminal(width=100, colour=False, unicode=False)
    assert "dL/dh = W2' dL/dy" in text
    assert "dL/dW2" not in text


@pytest.mark.parametrize("structure", ["symmetric", "spd", "diagonal", "lower"])
def test_the_check_treats_every_entry_of_a_structured_matrix_as_free(structure: str) -> None:
    d = derive("y = x' A A' x", assume={"A": structure}, values={"A": 2 * np.eye(2), "x": [1.0, 2.0]})
    assert d.check is not None and d.check.passed, d.check


def test_a_wrong_gradient_is_found_by_the_check() -> None:
    values = {"x": [1.0, -2.0], "f": np.sin, "f'": np.sin}
    d = derive("f : entrywise; sum(f(x))", values=values)
    assert d.check is not None and not d.check
    assert "Differs from the central differences" in d.terminal(colour=False)
