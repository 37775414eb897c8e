"""What the tabs of the page hold is right: the NumPy code computes it, the notation is read again."""

from __future__ import annotations

import inspect
import re
import string
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.web.answer import answer
from pullback.web.gallery import GALLERY
from pullback.web.page import words
from pullback.web.question import LANGUAGES

PROGRAMS = [
    *(one.program for one in GALLERY),
    "y = W x + b",
    "h = relu(W x + b); y = x + V h",
    "z = W x; h = sigmoid(z); y = softplus(h) .* x",
    "L = norm(A x - b)^2 / 2 + alpha norm(x)^2",
    "L = logsumexp(A x) - t' (A x)",
    "y = x / norm(x)",
    "L = tr(A X B) + sum(X .* X)",
    "A : (n, n) invertible\ny = inv(A) b",
    "A : (n, n) spd\nL = logdet(A) + x' solve(A, x)",
    "Y = softmax(X W, rows)",
    "p = mean(X, rows)\ny = exp(p) - p",
    "y = leaky_relu(A x) + silu(x) + abs(x) + sqrt(exp(x))",
    "L = max(x .* y)",
    "y = diag(x) A x",
    "y = kron(A, B) x",
    "lambda_1 : scalar\ny = lambda_1 x",
]


def drawn(program: pb.Program) -> dict[str, Any]:
    from pullback.checking.draw import draw
    from pullback.pictures.of_derivation import small_lengths

    lengths = small_lengths(program, {})
    assert lengths is not None
    return draw(program.inputs, lengths, np.random.default_rng(3), "definite")


@pytest.mark.parametrize("text", PROGRAMS)
def test_numpy_code_computes_what_the_closed_form_says(text: str) -> None:
    made = answer({"program": text})
    assert made["ok"], made["error"]
    source = made["layouts"]["denominator"]["numpy"]
    program = pb.parse(text)
    values = {program.inputs[name].name: array for name, array in drawn(program).items()}
    is_loss = program.output.shape == ()
    derived: Any = pb.gradient(program, None) if is_loss else pb.backward(program)
    output = pb.Expression(program.output.node, program.output.shape, program).evaluate(values)
    if not is_loss:
        values["g"] = np.random.default_rng(4).standard_normal(output.shape)
    scope: dict[str, Any] = {}
    exec(source, scope)
    plain = "backward" in scope
    function = scope["backward" if plain else "loss" if is_loss else "layer"]
    names = inspect.signature(function).parameters
    found = function(*(values[name] for name in names))
    found = found if plain else found[1:]
    wanted = derived.evaluate(values)
    for name, array in zip(derived, found if isinstance(found, tuple) else (found,), strict=True):
        np.testing.assert_allclose(array, wanted[name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("text", PROGRAMS)
def test_both_layouts_are_read_again(text: str) -> None:
    made = answer({"program": text})
    for form in made["layouts"].values():
        lines = [re.sub(r"^d\w+/d\w+ =", "q =", line) for line in form["plain"].splitlines()]
        named = [line for line in lines if not line.startswith("q =")]
        for line in lines[len(named) :]:
            assert pb.parse("\n".join([*named, line])).statements


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_word_is_there_in_every_language(lang: str) -> None:
    english, other = words("en"), words(lang)
    assert set(english) == set(other)
    for key, text in english.items():
        fields = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        assert {name for _, name, _, _ in string.Formatter().parse(other[key]) if name} == fields, key


def test_the_check_is_of_each_result_by_itself() -> None:
    made = answer({"program": "D : (n, n) diagonal\nA : (n, n) symmetric\ny = D A x", "ask": "check"})
    assert {name: check["passed"] for name, check in made["checks"].items()} == {"D": True, "A": True, "x": True}
    assert all(check["draws"] == 20 and float(check["worst"]) < 1e-9 for check in made["checks"].values())


def test_a_wrong_closed_form_would_be_seen() -> None:
    from pullback.web.draws import check_first

    program = pb.parse("y = W x")
    right = pb.backward(program)
    wrong = {"W": right["W"], "x": pb.backward("y = 1.001 W x")["x"]}
    found = check_first(program, wrong, "g", {})
    assert found is not None
    assert (found["W"].passed, found["x"].passed) == (True, False)


@pytest.mark.parametrize("want", ["jacobian", "hessian"])
@pytest.mark.parametrize("layout", ["denominator", "numerator"])
def test_second_derivatives_are_checked_in_either_layout(want: str, layout: str) -> None:
    text = "y = tanh(W x)" if want == "jacobian" else "L = logsumexp(A x)"
    made = answer({"program": text, "want": want, "wrt": "x", "layout": layout, "ask": "check"})
    assert made["second"]["passed"]
