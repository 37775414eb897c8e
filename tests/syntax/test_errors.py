"""What can't be read is refused with a sentence, a place, and what would mend it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullback.errors import NotationError
from pullback.syntax.parser import parse_program

from .trees import FUNCTIONS


def refusal(text: str) -> NotationError:
    with pytest.raises(NotationError) as caught:
        parse_program(text, FUNCTIONS)
    return caught.value


@pytest.mark.parametrize(
    ("text", "message", "at", "hint"),
    [
        ("", "the program is empty", (None, None), "y = W x + b"),
        ("  # only this\n", "the program is empty", (None, None), "y = W x + b"),
        ("W : (m, n)", "the program only declares names", (1, 1), "y = W x + b"),
        ("y = (a + b", "'(' is never closed", (1, 5), "add ')'"),
        ("y = a + b)", "')' closes nothing", (1, 10), "remove it"),
        ("y = (a]", "'(' is closed by ']'", (1, 5), "close it with ')'"),
        ("y = ‖x", "'‖' is never closed", (1, 5), "norm(x)"),
        ("()", "the parentheses are empty", (1, 1), "write an expression"),
        ("x\n+ ", "an expression without a name can only be the last statement", (1, 1), "bind it"),
        ("x +", "'+' is followed by the end of the text, not by an operand", (1, 4), ""),
        ("x + * y", "'+' is followed by '*', not by an operand", (1, 5), ""),
        ("a ** b", "'**' can't stand here", (1, 3), "write ^ for a power"),
        ("a = b = c", "'=' can't stand here", (1, 7), "at the start of a statement"),
        ("a == b", "'==' can't stand here", (1, 3), "write = to bind"),
        ("a := b", "':=' can't stand here", (1, 3), "write = to bind"),
        ("a < b < c", "two comparisons stand in one", (1, 3), "for both"),
        ("n!", "'!' can't stand here", (1, 2), "factorial"),
        ("a, b", "',' can't stand here", (1, 2), "between the arguments"),
        ("loss x^Tx", "'^Tx' could be a transpose or a power", (1, 8), "^T x"),
        ("x^2^3", "a power of a power needs parentheses", (1, 4), "(x^a)^b"),
        ("2 3", "two numbers stand side by side", (1, 1), "2 * 3"),
        ("sofmax(x)", "unknown function 'sofmax'", (1, 1), "did you mean softmax?"),
        ("log₂(x)", "unknown function 'log₂'", (1, 1), "log(x) / log(2)"),
        ("Tr(A)", "unknown function 'Tr'", (1, 1), "did you mean tr?"),
        ("‖x‖₃", "the norm with subscript 3 is not part of the notation", (1, 4), "norm1"),
        ("[1 2; 3 4]", "square brackets hold index notation, not a matrix of numbers or expressions", (1, 2), "value"),
        ("[i: A[i,1]]", "square brackets hold index notation, not a matrix of numbers or expressions", (1, 9), "value"),
        ("A[1]", "an index is a name here, not a number", (1, 3), "A[i,j]"),
        ("A[i]", "entries are written only inside index notation", (1, 2), "[i: x[i] y[i]]"),
        ("[i,i: A[i,i]]", "an index is named twice", (1, 1), "its own index"),
        ("exp = 3", "'exp' is the name of a function and can't be bound", (1, 1), "another name"),
        ("x = 1; x = 2", "the name 'x' is bound twice", (1, 1), "another name"),
        ("h = x; x = W y", "the name 'x' is used before it is bound", (1, 5), "move the statement up"),
        ("x = x + 1", "the name 'x' is used before it is bound", (1, 5), "another name"),
        ("x' y; z", "an expression without a name can only be the last statement", (1, 1), "bind it"),
        ("W x = y", "left of '=' there must be one name", (1, 1), "y = W x"),
        ("A : (n n); A", "a dimension is a whole number or a name", (1, 8), "name the dimension"),
        ("A : (n, n+1); A", "a dimension is a whole number or a name", (1, 10), "name the dimension"),
        ("A : 2.5; A", "a dimension is a whole number from 1, or a name", (1, 5), "x : 3"),
        ("A : symetric; A", "'symetric' is not a property", (1, 5), "did you mean symmetric?"),
        ("A : n; A : m; A", "the name 'A' is declared twice", (1, 1), "keep one"),
        ("\x00abc", "the character U+0000 is not part of the notation", (1, 1), "plain text"),
        ("x\n√y", "the character '√' (U+221A) is not part of the notation", (2, 1), "sqrt"),
        ("1e400", "the number is too long or too large", (1, 1), "exponent"),
        ("1" * 500, "the number is too long or too large", (1, 1), "digits"),
        ("(" * 9999 + "x" + ")" * 9999, "the expression is nested more than 200 levels deep", (1, 201), "inner parts"),
        ("x" + "'" * 300, "the expression is nested more than 200 levels deep", (1, 202), "name the inner"),
        ("-" * 100_000 + "x", "the expression is nested more than 200 levels deep", None, "name the inner"),
        ("|" * 10_000 + "x", "the expression is nested more than 200 levels deep", None, "name the inner"),
        ("x " * 250_000, "the program has more than 200,000 symbols", None, "several programs"),
        ("x" * 10_000_000, "the text has 10,000,000 characters; the limit is 1,000,000", (None, None), "values"),
    ],
)  # fmt: skip
def test_refused(text: str, message: str, at: tuple[int | None, int | None] | None, hint: str) -> None:
    start = time.perf_counter()
    error = refusal(text)
    assert error.message == message
    if at is not None:
        assert (error.line, error.column) == at
    assert hint in error.hint
    assert len(str(error)) < 2000
    assert time.perf_counter() - start < 5


def test_both_places_are_shown_for_a_name_bound_twice() -> None:
    assert str(refusal("x = 1\nx = 2")) == (
        "the name 'x' is bound twice\n"
        "  line 1, column 1: x = 1\n"
        "                    ^ bound here\n"
        "  line 2, column 1: x = 2\n"
        "                    ^ and again here\n"
        "hint: give the second one another name"
    )


PIECES = [*"xAWTEei_12.0 ()[]{}|,:;=+-*/^'\n#~@&$%\\‖αᵀ²₁⊙\x00\ud800", "||", ".*", ".^", "exp(", "sum(", "E[x ~ N(",
          "[i: ", "\\frac", "\\left(", "\\right)", "\\|", "\\sum_i ", "\\log", "\\top", "^{", "_{", "\\mathrm{",
          "\\left[", "\\right]_{", "\\begin{aligned}", "\\\\", "\\mathbf{1}", "\\sqrt", "\\mathbb{E}_{", "\\hat",
          "|A|", "batch B: "]  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_program(text, FUNCTIONS)
    except NotationError as error:
        assert error.message
        assert str(error)
