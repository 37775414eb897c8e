"""What is said of programs that can't be: the messages to the letter, carets and hints included."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import Any

import pytest

import pullback as pb

Shapes = dict[str, tuple[int | str, ...]]

SHAPE_ERRORS: list[tuple[str, Shapes, str]] = [
    (
        "x y",
        {"x": ("n",), "y": ("n",)},
        """
        can't multiply a vector of n by a vector of n
          line 1, column 1: x y
                            ^ a vector of n
          line 1, column 3: x y
                              ^ a vector of n
        hint: write x' y for the inner product, x y' for the outer product, x .* y entry by entry
        """,
    ),
    (
        "A x",
        {"A": (2, 3), "x": (2,)},
        """
        can't multiply a 2 x 3 matrix by a vector of 2
          line 1, column 1: A x
                            ^ a 2 x 3 matrix
          line 1, column 3: A x
                              ^ a vector of 2
        hint: one transpose would mend it: transpose the left one
        """,
    ),
    (
        "y = A B",
        {"A": (2, 3), "B": (4, 3)},
        """
        can't multiply a 2 x 3 matrix by a 4 x 3 matrix
          line 1, column 5: y = A B
                                ^ a 2 x 3 matrix
          line 1, column 7: y = A B
                                  ^ a 4 x 3 matrix
        hint: one transpose would mend it: transpose the right one
        """,
    ),
    (
        "h = W x\nh + x",
        {"W": (2, 3), "x": (3,)},
        """
        can't add a vector of 2 and a vector of 3
          line 2, column 1: h + x
                            ^ a vector of 2
          line 2, column 5: h + x
                                ^ a vector of 3
        """,
    ),
    (
        "A + x",
        {"A": (2, 3), "x": (2,)},
        """
        can't add a 2 x 3 matrix and a vector of 2
          line 1, column 1: A + x
                            ^ a 2 x 3 matrix
          line 1, column 5: A + x
                                ^ a vector of 2
        hint: to add a vector to every row of a matrix, write ones(B) b'; or declare a batch axis
        """,
    ),
    (
        "A .* B",
        {"A": (2, 3), "B": (3, 2)},
        """
        can't multiply a 2 x 3 matrix and a 3 x 2 matrix
          line 1, column 1: A .* B
                            ^ a 2 x 3 matrix
          line 1, column 6: A .* B
                                 ^ a 3 x 2 matrix
        hint: one transpose would mend it: put ' after one of the two
        """,
    ),
    (
        "tr(A B)",
        {"A": (2, 3), "B": (3, 4)},
        """
        tr needs a square matrix
          line 1, column 4: tr(A B)
                               ^^^ a 2 x 4 matrix
        """,
    ),
    (
        "A^2",
        {"A": (2, 3)},
        """
        only a square matrix has powers
          line 1, column 1: A^2
                            ^ a 2 x 3 matrix
        hint: write .^ for each entry
        """,
    ),
    (
        "A / B",
        {"A": (2, 2), "B": (2, 2)},
        """
        can't divide by a 2 x 2 matrix
          line 1, column 1: A / B
                            ^ a 2 x 2 matrix
          line 1, column 5: A / B
                                ^ a 2 x 2 matrix
        hint: write ./ to divide entry by entry, or inv(A) for the inverse
        """,
    ),
    (
        "inv(x)",
        {"x": (2,)},
        """
        inv does not take a vector of 2
          line 1, column 5: inv(x)
                                ^ a vector of 2
        """,
    ),
    (
        "softmax(A)",
        {"A": (2, 3)},
        """
        softmax does not take a 2 x 3 matrix
          line 1, column 9: softmax(A)
                                    ^ a 2 x 3 matrix
        hint: say softmax(A, rows) or softmax(A, columns)
        """,
    ),
    (
        "reshape(x, 2, 2)",
        {"x": (3,)},
        """
        can't reshape a vector of 3 to 2 x 2
          line 1, column 9: reshape(x, 2, 2)
                                    ^ a vector of 3
        """,
    ),
    (
        "[i: A[i,i]]",
        {"A": (2, 3)},
        """
        the index i runs over two lengths
          line 1, column 5: [i: A[i,i]]
                                ^ a 2 x 3 matrix
        """,
    ),
    (
        "[i: x[i,j]]",
        {"x": (2,)},
        """
        2 indices are on a vector of 2
          line 1, column 5: [i: x[i,j]]
                                ^ a vector of 2
        """,
    ),
]

NOTATION_ERRORS: list[tuple[str, str]] = [
    (
        "exp(x, y)",
        """
        exp takes 1 argument(s), not 2
          line 1, column 1: exp(x, y)
                            ^^^^^^^^^
        """,
    ),
    (
        "y = sofmax(x)",
        """
        unknown function 'sofmax'
          line 1, column 5: y = sofmax(x)
                                ^^^^^^
        hint: did you mean softmax? (a product is written sofmax * (x))
        """,
    ),
    (
        "h = relu(W x)\nh = W h",
        """
        the name 'h' is bound twice
          line 1, column 1: h = relu(W x)
                            ^ bound here
          line 2, column 1: h = W h
                            ^ and again here
        hint: give the second one another name
        """,
    ),
    (
        "y = W h\nh = W x",
        """
        the name 'h' is used before it is bound
          line 1, column 7: y = W h
                                  ^ used here
          line 2, column 1: h = W x
                            ^ bound here
        hint: give what is bound another name, or move the statement up
        """,
    ),
    (
        "",
        """
        the program is empty
        hint: write a statement such as y = W x + b
        """,
    ),
    (
        "y = (W x",
        """
        '(' is never closed
          line 1, column 5: y = (W x
                                ^ opened here
        hint: add ')'
        """,
    ),
    (
        "x[i]",
        """
        entries are written only inside index notation
          line 1, column 2: x[i]
                             ^^^
        hint: write [i: x[i] y[i]] for the vector of these entries, or [: x[i] y[i]] for their sum
        """,
    ),
]


def said(message: str) -> str:
    return dedent(message).strip("\n")


@pytest.mark.parametrize(("text", "shapes", "message"), SHAPE_ERRORS, ids=[case[0] for case in SHAPE_ERRORS])
def test_shape_error(text: str, shapes: Shapes, message: str) -> None:
    with pytest.raises(pb.ShapeError) as error:
        pb.parse(text, shapes=shapes)
    assert str(error.value) == said(message)


@pytest.mark.parametrize(("text", "message"), NOTATION_ERRORS, ids=[case[0] for case in NOTATION_ERRORS])
def test_notation_error(text: str, message: str) -> None:
    with pytest.raises(pb.NotationError) as error:
        pb.parse(text)
    assert str(error.value) == said(message)


ASKED: list[tuple[Callable[[], Any], type[pb.PullbackError], str]] = [
    (
        lambda: pb.gradient("y = W x", "x"),
        pb.ShapeError,
        """
        the gradient is of a scalar, but the output has shape m
          line 1, column 1: y = W x
                            ^^^^^^^ this is m
        hint: use backward for a layer with an upstream gradient, or jacobian for all derivatives
        """,
    ),
    (lambda: pb.gradient("x' x", "z"), pb.NotationError, "z is not an input\nhint: the inputs are: x"),
    (lambda: pb.gradient("theta' x", "thta"), pb.NotationError, "thta is not an input\nhint: did you mean theta?"),
    (
        lambda: pb.gradient("h = 2 x; h' h", "h"),
        pb.NotationError,
        "h is bound by the program, not an input\nhint: the inputs are: x",
    ),
    (
        lambda: pb.backward("y = W g"),
        pb.NotationError,
        """
        the upstream gradient can't be called g: the program has that name
        hint: choose another, such as upstream="dy"
        """,
    ),
    (
        lambda: pb.jacobian("y = W x"),
        pb.NotationError,
        """
        say by which input to differentiate: W, x
        hint: for example wrt="W"
        """,
    ),
    (lambda: pb.gradient("2 + 3"), pb.NotationError, "the program has no inputs to differentiate by"),
    (
        lambda: pb.parse("W x", assume={"W": "symetric"}),
        pb.NotationError,
        """
        symetric is not a property
        hint: the properties are: symmetric, spd, diagonal, lower, upper, orthogonal, invertible, positive, constant
        """,
    ),
    (
        lambda: pb.parse("y = W x", shapes={"W": (2, 3)}, assume={"W": "symmetric"}),
        pb.ShapeError,
        """
        W is symmetric, so it is square; it is given as 2 x 3
          line 1, column 5: y = W x
                                ^
        """,
    ),
    (
        lambda: pb.parse("A^0.5", shapes={"A": (2, 2)}),
        pb.UnsupportedError,
        """
        a matrix is raised to whole numbers up to 64 only
          line 1, column 3: A^0.5
                              ^^^
        hint: write .^ for each entry
        """,
    ),
]


@pytest.mark.parametrize(("ask", "kind", "message"), ASKED, ids=[said(case[2]).split("\n")[0] for case in ASKED])
def test_what_is_asked_for_can_not_be(ask: Callable[[], Any], kind: type[pb.PullbackError], message: str) -> None:
    with pytest.raises(kind) as error:
        ask()
    assert type(error.value) is kind
    assert str(error.value) == said(message)


VALUES: list[tuple[dict[str, Any], str]] = [
    ({"A": [[1, 2], [3, 4]], "x": [1, 2]}, "b has no value; it is a vector of m"),
    (
        {"A": [[1, 2], [3, 4]], "x": [1, 2, 3], "b": [1]},
        "the values do not fit:\n  n is 3 in x, but 2 in A\n  m is 1 in b, but 2 in A",
    ),
    ({"A": [[1, 2], [3, 4]], "x": [[1, 2]], "b": [1, 2]}, "x is a vector of n, but its value is a matrix of 1 x 2"),
    ({"A": [[1, 2], [3, 4]], "x": ["a", "b"], "b": [1, 2]}, "x is not an array of numbers: its type is <U1"),
    ({"A": [[1, 2], [3, 4]], "x": [1j, 2], "b": [1, 2]}, "x is complex; pullback derives over the real numbers"),
    ({"A": [[1, 2], [3, 4]], "x": [1, 2], "b": [1, 2], "c": [1]}, "c is not an input"),
]


@pytest.mark.parametrize(("values", "message"), VALUES, ids=[case[1].split("\n")[0] for case in VALUES])
def test_values_that_do_not_fit(values: dict[str, Any], message: str) -> None:
    expression = pb.gradient("norm(A x - b)^2", "x")
    with pytest.raises(pb.ValuesError) as error:
        expression.evaluate(values)
    assert error.value.message == message
    assert error.value.hint in ("", "the inputs are: A m x n, x n, b m")


def test_a_singular_matrix_is_named() -> None:
    with pytest.raises(pb.ValuesError, match=r"^inv can't be computed here: singular matrix$"):
        pb.gradient("tr(inv(A))", "A").evaluate({"A": [[1, 1], [1, 1]]})


def test_places_are_positions_in_the_text() -> None:
    with pytest.raises(pb.ShapeError) as error:
        pb.parse("h = W x\ny = h h", shapes={"W": (2, 3), "x": (3,)})
    assert (error.value.line, error.value.column) == (2, 5)
    assert [place.label for place in error.value.places] == ["a vector of 2", "a vector of 2"]


def test_a_column_is_a_vector_and_one_number_in_brackets_a_scalar() -> None:
    y = pb.parse("c A x").output
    expression = pb.gradient("c b' (A x)", "x")
    values = {"A": [[1, 2], [3, 4]], "x": [1, 1], "b": [1, 0], "c": 2}
    again = {"A": [[1, 2], [3, 4]], "x": [[1], [1]], "b": [[1], [0]], "c": [2.0]}
    assert len(y.shape) == 1
    assert expression.evaluate(values).tolist() == expression.evaluate(again).tolist() == [2, 4]


@pytest.mark.parametrize(
    ("text", "shapes", "wrt", "shape"),
    [
        ("W x + b", {"W": (3, 1), "x": (1,), "b": (3,)}, "W", (3, 3, 1)),
        ("W x + b", {"W": (3, 1), "x": (1,), "b": (3,)}, "x", (3, 1)),
        ("X W' + ones(B) b'", {"X": ("B", 2), "W": (1, 2), "b": (1,)}, "W", ("B", 1, 1, 2)),
        ("sum(A, rows)", {"A": (3, 1)}, "A", (3, 3, 1)),
        ("softmax(X W, rows)", {"X": (4, 2), "W": (2, 1)}, "W", (4, 1, 2, 1)),
        ("chol(A)", {"A": (1, 1)}, "A", (1, 1, 1, 1)),
        ("tr(A)", {"A": (1, 1)}, "A", (1, 1)),
        ("softmax(x)", {"x": (1,)}, "x", (1, 1)),
        ("concat(A, B)", {"A": (1, 3), "B": (2, 3)}, "A", (3, 3, 1, 3)),
    ],
)
def test_axes_of_length_one_that_are_declared_stay(text: str, shapes: Any, wrt: str, shape: tuple[Any, ...]) -> None:
    assert pb.jacobian(text, wrt, shapes=shapes).shape == shape
