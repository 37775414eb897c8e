"""What an audit says, claim by claim, for formulas and for Python functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pullback.auditing.audit import audit
from pullback.errors import NotationError
from pullback.languages import audit_en, audit_ko

DRAW = np.random.default_rng(0).standard_normal
VALUES = [DRAW((4, 3)), DRAW((3, 2)), DRAW(2)]


def forward(x: Any, w: Any, b: Any) -> Any:
    return x @ w + b


def test_a_shape_is_explained_first() -> None:
    text = audit("y = W x", {"W": "x g'"}).show()
    assert text.index("the shape of dL/dW") < text.index("transpose")


def test_one_mistake_may_explain_several_claims() -> None:
    report = audit("y = relu(W x + b)", {"W": "g x'", "x": "W' g", "b": "g"})
    assert report.shared is not None and report.shared.key == "derivative_missing"
    assert report.shared.step == "y = relu(W x + b)"


def test_what_nothing_explains_is_said_honestly() -> None:
    (finding,) = audit("y = exp(x)", {"x": "g .* sin(x) .* cos(3 x)"}).findings
    assert not finding.right and finding.explanation is None and finding.difference is not None


def test_a_scalar_needs_no_upstream() -> None:
    assert audit("norm(A x - b)^2", {"x": "2 A' (A x - b)"})
    assert audit("norm(A x - b)^2", {"x": "2 g A' (A x - b)"})


def test_steps_of_the_program_may_be_used() -> None:
    assert audit("z = W x; h = sigmoid(z)", {"W": "(g .* h .* (1 - h)) x'", "x": "W' (g .* sigmoid(z) .* (1 - h))"})


def test_dimensions_may_be_used_as_numbers() -> None:
    assert audit("mse(y, t)", {"y": "2 (y - t) / n"}, shapes={"y": ("n",), "t": ("n",)})


def test_a_matrix_must_not_look_symmetric_by_chance() -> None:
    assert not audit("logdet(A)", {"A": "inv(A)"})
    assert audit("logdet(A)", {"A": "inv(A)"}, assume={"A": "symmetric"})


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(NotationError, match="zz is not in the program"):
        audit("y = W x", {"W": "zz x'"})


def test_a_right_python_function() -> None:
    assert audit(forward, lambda g, x, w, b: (g @ w.T, x.T @ g, g.sum(0)), values=VALUES)


@pytest.mark.parametrize(
    ("backward", "key"),
    [
        (lambda g, x, w, b: (g @ w.T, x.T @ g, g.mean(0)), "mean_surplus"),
        (lambda g, x, w, b: (g @ w.T, x.T @ g, g), "not_summed"),
        (lambda g, x, w, b: (g @ w.T, g.T @ x, g.sum(0)), "transposed"),
        (lambda g, x, w, b: (-g @ w.T, x.T @ g, g.sum(0)), "sign"),
        (lambda g, x, w, b: (g @ w.T, x.T @ g, 2 * g.sum(0)), "factor_surplus_number"),
    ],
)
def test_a_wrong_python_function(backward: Any, key: str) -> None:
    report = audit(forward, backward, values=VALUES)
    assert not report
    (wrong,) = [f for f in report.findings if not f.right]
    assert wrong.explanation is not None and wrong.explanation.key == key


def test_changes_in_place_are_named() -> None:
    def backward(g: Any, x: Any, w: Any, b: Any) -> Any:
        x -= 1
        return g @ w.T, x.T @ g, g.sum(0)

    report = audit(forward, backward, values=VALUES)
    assert not report and "changes x in place" in str(report)
    assert [f.variable for f in report.findings if not f.right] == ["w"]


def test_a_cache_is_passed_on() -> None:
    def with_cache(x: Any, w: Any) -> Any:
        return np.maximum(x @ w, 0), (x, w, x @ w)

    def backward(g: Any, cache: Any) -> Any:
        x, w, z = cache
        return g @ w.T, x.T @ (g * (z > 0))

    report = audit(with_cache, backward, values=VALUES[:2])
    assert report["w"].right and not report["x"].right
    assert report["x"].explanation is not None and report["x"].explanation.key == "derivative_missing"


def test_both_languages_say_the_same_things() -> None:
    import string

    assert set(audit_en.MESSAGES) == set(audit_ko.MESSAGES)
    for key, english in audit_en.MESSAGES.items():
        fields = {f for _, f, _, _ in string.Formatter().parse(english) if f}
        korean = {f for _, f, _, _ in string.Formatter().parse(audit_ko.MESSAGES[key]) if f}
        assert korean <= fields, key
