"""Printed text: the form that mathematicians write, and the same tree when it is read again."""

from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from pullback.syntax.forms import canonical
from pullback.syntax.parser import parse_expression, parse_program
from pullback.syntax.printer import STYLES, StyleName, show, show_program
from pullback.syntax.tree import Chain, Name, Negate, Number, Power, Syntax, Transpose

from .trees import FUNCTIONS, trees

FORMS = [
    # plain, Unicode, LaTeX
    ("W' g", "Wᵀ g", r"W^\top g"),
    ("(A + A') x", "(A + Aᵀ) x", r"\left(A + A^\top\right) x"),
    ("2 X' (X w - y)", "2 Xᵀ (X w - y)", r"2 X^\top \left(X w - y\right)"),
    ("g x'", "g xᵀ", r"g x^\top"),
    ("-A", "-A", "-A"),
    ("a - b", "a - b", "a - b"),
    ("a - (b - c)", "a - (b - c)", r"a - \left(b - c\right)"),
    ("a + (-b)", "a + (-b)", r"a + \left(-b\right)"),
    ("x .* y", "x ⊙ y", r"x \odot y"),
    ("x ./ y", "x ⊘ y", r"x \oslash y"),
    ("A ⊗ B", "A ⊗ B", r"A \otimes B"),
    ("1/2 x' A x", "1/2 xᵀ A x", r"\frac{1}{2} x^\top A x"),
    ("A x / c", "A x / c", r"\frac{A x}{c}"),
    ("A^-1", "A⁻¹", "A^{-1}"),
    ("A^-1'", "A⁻¹ᵀ", r"A^{-\top}"),
    ("A^2 x", "A² x", "A^2 x"),
    ("A'^2", "Aᵀ²", r"\left(A^\top\right)^2"),
    ("x.^2", "x.^2", r"x^{\circ 2}"),
    ("x^n", "x^n", "x^{n}"),
    ("x^(n + 1)", "x^(n + 1)", "x^{n + 1}"),
    ("norm(x)^2", "‖x‖²", r"\|x\|^2"),
    ("norm1(x)", "‖x‖₁", r"\|x\|_1"),
    ("abs(x)", "|x|", "|x|"),
    ("norm(norm(x) y)", "norm(‖x‖ y)", r"\operatorname{norm}\left(\|x\| y\right)"),
    ("A (-B)", "A (-B)", r"A \left(-B\right)"),
    ("A * 2", "A * 2", r"A \cdot 2"),
    ("alpha * (a + b)", "α (a + b)", r"\alpha \left(a + b\right)"),
    ("W1 (a + b)", "W₁ (a + b)", r"W_{1} \left(a + b\right)"),
    ("sigma * (a)", "σ a", r"\sigma a"),
    ("exp * (a + b)", "exp * (a + b)", r"\mathit{exp} \left(a + b\right)"),
    ("max(a, b)", "max(a, b)", r"\max\left(a, b\right)"),
    ("sigmoid(W1 x + b1)", "sigmoid(W₁ x + b₁)", r"\sigma\left(W_{1} x + b_{1}\right)"),
    ("tr(A)", "tr(A)", r"\operatorname{tr}\left(A\right)"),
    ("logdet(A)", "logdet(A)", r"\log\det\left(A\right)"),
    ("sqrt(x' x)", "sqrt(xᵀ x)", r"\sqrt{x^\top x}"),
    ("ones(m, n)", "ones(m, n)", r"\mathbf{1}_{m \times n}"),
    ("eye(n)", "eye(n)", r"\mathbf{I}_{n}"),
    ("pi()", "pi()", r"\mathrm{\pi}"),
    ("[i,j: A[i,l] B[l,j]]", "[i,j: A[i,l] B[l,j]]", r"\left[A_{i,l} B_{l,j}\right]_{i,j}"),
    ("0.5 x", "0.5 x", "0.5 x"),
    ("E[x ~ N(mu, S)] x' x", "E[x ~ N(μ, S)] xᵀ x", r"\mathbb{E}_{x \sim \mathcal{N}\left(\mu, S\right)} x^\top x"),
]


@pytest.mark.parametrize(("plain", "unicode", "latex"), FORMS)
def test_the_printed_form(plain: str, unicode: str, latex: str) -> None:
    tree = parse_expression(plain, FUNCTIONS)
    assert (show(tree, "unicode"), show(tree, "latex")) == (unicode, latex)
    if "(a)" not in plain:
        assert show(tree) == plain


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Number(Fraction(1, 3)), "1/3"),
        (Number(Fraction(-5, 2)), "-2.5"),
        (Number(Fraction(1, 10**7)), "1e-7"),
        (Chain((Name("x"), Number(Fraction(1, 3))), ("*",)), "x (1/3)"),
        (Chain((Number(Fraction(-1, 3)), Name("x")), ("*",)), "-1/3 x"),
        (Chain((Name("x"), Number(Fraction(-2))), ("+",)), "x + (-2)"),
        (Power(Number(Fraction(-2)), Number(Fraction(2))), "(-2)^2"),
        (Power(Name("x"), Number(Fraction(1, 3))), "x^(1/3)"),
        (Power(Name("x"), Name("T")), "x^(T)"),
        (Transpose(Negate(Name("x"))), "(-x)'"),
        (Chain((Chain((Name("a"), Name("b")), ("*",)), Name("c")), ("/",)), "a b / c"),
        (Chain((Name("a"), Chain((Name("b"), Name("c")), ("*",))), ("/",)), "a / (b c)"),
        (Chain((Name("exp"), Chain((Name("b"), Name("c")), ("+",))), ("*",)), "exp * (b + c)"),
    ],
)
def test_trees_that_no_text_gives_directly(tree: Syntax, text: str) -> None:
    assert show(tree) == text
    assert parse_expression(text, FUNCTIONS) == canonical(tree)


@pytest.mark.parametrize("style", ["plain", "unicode", "latex"])
@settings(max_examples=600, deadline=None)
@given(tree=trees)
def test_what_is_printed_reads_back_to_the_same_tree(style: StyleName, tree: Syntax) -> None:
    text = show(tree, style)
    reader = text + r"\," if style == "latex" else text
    assert parse_expression(reader, FUNCTIONS) == canonical(tree), text


@settings(max_examples=200, deadline=None)
@given(tree=trees)
def test_mathml_is_well_formed(tree: Syntax) -> None:
    root = ElementTree.fromstring(show(tree, "mathml"))
    assert root.tag == "math"
    assert all(len(e) == 2 for e in root.iter() if e.tag in ("msup", "msub", "mfrac"))


def test_mathml_of_a_layer() -> None:
    assert show(parse_expression("W' g", FUNCTIONS), "mathml") == (
        '<math display="block"><mrow><msup><mi>W</mi><mo>⊤</mo></msup><mo>&#x2062;</mo><mi>g</mi></mrow></math>'
    )


@pytest.mark.parametrize("style", ["plain", "unicode", "latex"])
def test_programs_read_back(style: StyleName) -> None:
    bindings = parse_program("h = relu(W_1 x + b_1)\nλ ‖h‖²", FUNCTIONS).bindings
    text = show_program(bindings, style)
    assert [(b.name, b.value) for b in parse_program(text, FUNCTIONS).bindings] == [(b.name, b.value) for b in bindings]


def test_statements_in_latex_are_aligned() -> None:
    bindings = parse_program("h = W x; h' h", FUNCTIONS).bindings
    assert show_program(bindings, "latex") == "\\begin{aligned}\nh &= W x \\\\\n& h^\\top h\n\\end{aligned}"
    ElementTree.fromstring(show_program(bindings, "mathml"))


def test_deep_and_long_trees_print_without_recursion() -> None:
    tree: Syntax = Name("x")
    for _ in range(3000):
        tree = Negate(tree)
    for style in STYLES:
        assert show(tree, style)
    long = Chain((Name("x"),) * 5000, ("*",) * 4999)
    assert show(long).count("x") == 5000
