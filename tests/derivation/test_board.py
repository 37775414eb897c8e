"""How things stand on the board: names, sizes, rules, and what is done where there is no room."""

from __future__ import annotations

import pytest

from pullback.derivation.steps import Step
from pullback.rendering.derivation import Derivation, derive


def text(program: str, **choices: object) -> str:
    return derive(program, check=False, **choices).terminal(width=160, colour=False, unicode=False)  # type: ignore[arg-type]


def steps(derivation: Derivation) -> list[Step]:
    return [inner for step in derivation.steps for inner in step.walk()]


def rule(program: str, name: str) -> str:
    """The rule by which the gradient of a name is found."""
    found = [s for s in steps(derive(program, check=False)) if s.kind == "operand" and s.rule is not None]
    (wanted,) = {s.rule.name for s in found if getattr(s.parameters["x"], "identifier", "") == name if s.rule}
    return wanted


@pytest.mark.parametrize(
    ("program", "name", "expected"),
    [
        ("y = W x + b", "W", "product"),
        ("y = W x + b", "b", "sum"),
        ("y = a / s", "s", "quotient"),
        ("c : scalar; y = c^3", "c", "power"),
        ("Y = A^3", "A", "product"),
        ("h = tanh(x)", "x", "tanh"),
        ("K = kron(A, B)", "B", "kron"),
        ("f = tr(A B)", "A", "product"),
        ("f = norm(x)^2", "x", "norm"),
        ("Y = A'", "A", "transposition"),
        ("Y = X W' + ones(B) b'", "b", "broadcast"),
    ],
)
def test_a_step_is_named_by_the_rule_of_what_was_written(program: str, name: str, expected: str) -> None:
    assert rule(program, name) == expected


def test_terms_come_in_the_order_of_the_text() -> None:
    (backward,) = [step for step in derive("y = W x + b", check=False).steps if step.kind == "backward"]
    found = [getattr(step.parameters["x"], "identifier", "") for step in backward.steps[0].steps]
    assert found == ["x", "W", "b"]


def test_an_index_is_not_called_like_a_variable() -> None:
    assert "Its entry j is dL/di_j." in text("c = i .* u")


def test_operations_on_vectors_are_written_out_where_the_table_says_how() -> None:
    assert "p_1 = exp(z_1) / (exp(z_1) + exp(z_2))" in text("p = softmax(z)")
    assert "L = log(exp(z_1) + exp(z_2))(t_1 + t_2) - (z_1 t_1 + z_2 t_2)" in text("L = cross_entropy(z, t)")


def test_entries_that_say_nothing_more_are_not_written() -> None:
    assert "with its entries" not in text("Y = inv(A)")
    assert "with its entries" not in text("f = logdet(A)")


def test_a_kronecker_product_is_small_enough_to_be_written() -> None:
    board = text("K = kron(A, B)")
    assert "k_34 = a_22 b_12" in board
    assert "Each entry of A appears in some entries of K" in board


def test_what_is_asked_for_in_its_own_size_keeps_it() -> None:
    assert "y_23 = x_6" in text("Y = reshape(x, 2, 3)")


def test_where_entries_are_too_long_differentials_give_the_reason() -> None:
    board = text("f = tr(A X B X')", wrt="X")
    assert "The entries are too long for a board" in board
    assert "df = tr(A dX B X') + tr(A X B dX')" in board
    assert "dL/dX = A X B + A' X B'" in board


def test_where_matrix_notation_has_no_differential_the_table_gives_the_reason() -> None:
    board = text("Y = expm(A)")
    assert "The table of operations says what expm makes of a gradient g that comes back:\n" in board
    assert "g -> frechet(A', g)" in board


def test_a_part_of_a_gradient_is_explained_where_it_is_first_met() -> None:
    assert "x is used in several statements; (dL/dx)_y is the part of its gradient that comes through y." in text(
        "h = tanh(x); y = h .* x"
    )


def test_what_does_not_act_on_the_output_is_named() -> None:
    assert "a does not act on y: its gradient is zero." in text("a : 3\ny = W x")


def test_sizes_are_said_by_their_dimensions() -> None:
    assert "size(" not in text("y = x - mean(x) ones(n)")


def test_the_far_end_of_a_deep_program_is_one_line_a_gradient() -> None:
    layers = "\n".join(f"h{k + 1} = tanh(h{k})" for k in range(30))
    assert "  Through h2 = tanh(h1)\n    dL/dh1 = (dL/dh2) .* (1 - h2.^2)\n" in text(layers)


def test_results_use_the_names_of_the_board() -> None:
    results = text("y = norm(A x - b)^2").partition("Results\n")[2]
    assert results == "  r = A x - b\n  dL/dA = 2 r x'\n  dL/dx = 2 A' r\n  dL/db = -2 r"
