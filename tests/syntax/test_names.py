"""A name has one identity however it is spelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullback.syntax.names import GREEK, is_greek, kind_of, latex_name, normalise, unicode_name
from pullback.syntax.parser import parse_expression
from pullback.syntax.tree import Name

from .trees import FUNCTIONS, IDENTIFIERS


@pytest.mark.parametrize(
    ("spelling", "identity"),
    [
        ("x₁", "x1"), ("W_1", "W1"), ("W_{12}", "W12"), ("x1", "x1"), ("x_i", "x_i"), ("xᵢ", "x_i"), ("x_ij", "x_ij"),
        ("α", "alpha"), ("alpha", "alpha"), ("λ₁", "lambda1"), ("lambda_1", "lambda1"), ("λ_1", "lambda1"),
        ("λ_max", "lambda_max"), ("Σ", "Sigma"), ("ϵ", "varepsilon"), ("ε", "epsilon"), ("µ", "mu"), ("λx", "λx"),
        ("x1_2", "x1_2"), ("x_1_2", "x_1_2"), ("ŷ", "ŷ"), ("x_α", "x_alpha"),
    ],
)  # fmt: skip
def test_spellings_of_one_name(spelling: str, identity: str) -> None:
    assert normalise(spelling) == identity
    assert parse_expression(spelling, FUNCTIONS) == Name(identity)


@given(st.text("xWα_12₁ᵢabλ", min_size=1, max_size=8))
def test_an_identity_stays_as_it_is(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize("identifier", [*IDENTIFIERS, *GREEK])
def test_every_printed_name_reads_back(identifier: str) -> None:
    assert normalise(unicode_name(identifier)) == identifier
    assert parse_expression(latex_name(identifier) + r"\,", FUNCTIONS) == Name(identifier)


def test_what_an_undeclared_name_is() -> None:
    assert [kind_of(normalise(n)) for n in ("W", "x", "λ", "Σ", "β₁", "alphabet")] == [
        "matrix", "vector", "scalar", "scalar", "scalar", "vector",
    ]  # fmt: skip
    assert is_greek("lambda_max")
    assert not is_greek("etax")
