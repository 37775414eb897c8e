"""LaTeX as papers write it, given by the plain notation that it means."""

import pytest

from pullback.errors import NotationError
from pullback.syntax.latex import latex_to_program
from pullback.syntax.parser import parse_program
from pullback.syntax.printer import show_program

from .trees import FUNCTIONS


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        (r"\frac12\|Ax-b\|_2^2 + \lambda\|x\|_1", "1/2 norm(A x - b)^2 + lambda norm1(x)"),
        (r"\frac{1}{2} \left\| A x - b \right\|^2", "1/2 norm(A x - b)^2"),
        (r"\tfrac{1}{2} \lVert Ax \rVert_F", "1/2 norm(A x)"),
        (r"\frac{a}{b} \dfrac{c}{d}", "a / b (c / d)"),
        (r"W^\top x", "W' x"), (r"W^T x + \alpha", "W' x + alpha"), (r"W^{\mathrm T}x", "W' x"),
        (r"W^\mathsf{T}x", "W' x"),
        (r"W^\intercal x", "W' x"), (r"\alpha W' x", "alpha W' x"),
        (r"A^{-1}\,b + A^{-\top} c", "A^-1 b + A^-1' c"),
        (r"x \odot y + x \circ y", "x .* y + x .* y"), (r"x \oslash y", "x ./ y"), (r"A \otimes B", "A ⊗ B"),
        (r"a \cdot b \times c", "a b c"), (r"x^{\circ 2}", "x.^2"),
        (r"\sigma(Wx)", "sigmoid(W x)"), (r"\sigma\left(x\right)", "sigmoid(x)"), (r"\sigma x", "sigma x"),
        (r"\operatorname{tr}(A^\top B)", "tr(A' B)"),
        (r"\mathrm{tr}(A) + \text{tr}(B) + \tr C", "tr(A) + tr(B) + tr(C)"),
        (r"\log\det(A) + \log\det X + \log|S|", "logdet(A) + logdet(X) + logdet(S)"),
        (r"\log|x| + |y|", "log(abs(x)) + abs(y)"),
        (r"\ln x + \exp(-x)", "log(x) + exp(-x)"),
        (r"\operatorname{softmax}(Wx)", "softmax(W x)"), (r"\operatorname{diag}\left(x\right)", "diag(x)"),
        (r"\sqrt{x' x} + \sqrt[3]{c}", "sqrt(x' x) + c^(1/3)"),
        (r"\max(0, x)", "max(0, x)"),
        (r"\langle a, b\rangle", "dot(a, b)"), (r"\left\langle a, b\right\rangle", "dot(a, b)"),
        (r"\mathbf{x}^{\top}\bm{A}\mathbf x + \boldsymbol{\mu}", "x' A x + mu"),
        (r"\mathbf{1}_n^\top x + \mathbf 1_{m \times n} + \mathbf{I}_{n} + \mathbf{0}_{n}",
         "ones(n)' x + ones(m, n) + eye(n) + zeros(n)"),
        (r"\mathbb{1}_n", "ones(n)"),
        (r"\hat{y} - \bar x + \tilde{W}_1", "y_hat - x_bar + W_tilde_1"),
        (r"W_1 x + W_{2} y + x_{ij} + W^{(3)}", "W1 x + W2 y + x_ij + W3"),
        (r"\mathrm{loss} + x_{\mathrm{max}}", "loss + x_max"),
        (r"\sum_i x_i y_i", "[: x[i] y[i]]"),
        (r"\sum_{i=1}^n (y_i - x_i)^2 + c", "[: ((y - x).^2)[i]] + c"),
        (r"\sum_{i,j} A_{ij}^2", "[: (A.^2)[i,j]]"),
        (r"\sum_{ij} A_{i,j} x_i y_j", "[: A[i,j] x[i] y[j]]"),
        (r"\sum_i \log(1+\exp(-y_i z_i))", "[: log(1 + exp(-y .* z))[i]]"),
        (r"\sum_i (x_i + 1)", "[: (x + 1)[i]]"),
        (r"\sum_i x_i \sum_j A_{ij} y_j", "[: x[i] [i: A[i,j] y[j]][i]]"),
        (r"\sum_i \log\left(\sum_j \exp(A_{ij})\right)", "[: log([i: exp(A)[i,j]])[i]]"),
        (r"\left[A_{ik} B_{kj}\right]_{i,j}", "[i,j: A[i,k] B[k,j]]"),
        (r"\mathbb{E}_{x \sim \mathcal{N}(\mu, S)} x^\top x", "E[x ~ N(mu, S)] x' x"),
        (r"$$\bigl( a + b \bigr) \quad c$$", "(a + b) c"), (r"\[ a~b \]", "a b"),
        (r"f(x) = \frac{1}{2} x^\top A x", "f = 1/2 x' A x"),
        (r"\hat{y} = Wx \\ L = \|y - \hat y\|^2", "y_hat = W x\nL = norm(y - y_hat)^2"),
        ("h = W x\nL = \\frac{1}{2} h^\\top h  # half the square", "h = W x\nL = 1/2 h' h"),
        ("\\begin{align*}\n h &= \\tanh(W_1 x\n + b_1) \\\\\n y &= W_2 h\n\\end{align*}",
         "h = tanh(W1 x + b1)\ny = W2 h"),
    ],
)  # fmt: skip
def test_latex_means(latex: str, plain: str) -> None:
    assert show_program(latex_to_program(latex, FUNCTIONS).bindings) == plain


def test_declarations_beside_latex_are_plain() -> None:
    program = parse_program(
        "A : (n, n) symmetric\nf : entrywise\n\\frac12 x^\\top A x + \\operatorname{sum}(f(x))", FUNCTIONS
    )
    assert [(d.name, d.shape, d.properties) for d in program.declarations] == [
        ("A", ("n", "n"), ("symmetric",)),
        ("f", None, ("entrywise",)),
    ]
    assert show_program(program.bindings) == "1/2 x' A x + sum(f(x))"


@pytest.mark.parametrize(
    ("latex", "message", "column"),
    [
        (r"\foo x", r"the LaTeX command \foo is not known", 1),
        (r"\nabla f", r"the LaTeX command \nabla is not known", 1),
        (r"\log x y", r"it is not clear how far \log reaches", 8),
        (r"e^2 + \alpha", "e^ could be the exponential or a power of a variable e", 2),
        (r"\alpha |A|", "bars around a matrix could be a determinant or absolute values", 8),
        (r"\|A\|_*", "the norm with subscript * is not part of the notation", 6),
        (r"\sum_i A_{ik}", "the index k is not summed over", 12),
        (r"\sum x", "the sum names no index", 1),
        (r"\begin{pmatrix}1\end{pmatrix}", "the environment pmatrix is not read", 1),
        (r"\left( a + \alpha", "'(' is never closed", 6),
        (r"\alpha )", "')' closes nothing", 8),
        (r"\frac{a}", "something is missing here", 9),
        (r"\operatorname{sofmax}(x)", "the function sofmax is not part of the notation", 1),
        (r"\frac{1}{" * 150 + "x" + "}" * 150, "the expression is nested more than 100 levels deep", None),
        (r"\left(" * 10_000, "the expression is nested more than 200 levels deep", None),
        (r"\log" * 10_000 + "x", "the expression is nested more than 100 levels deep", None),
    ],
)
def test_latex_refused(latex: str, message: str, column: int | None) -> None:
    with pytest.raises(NotationError) as caught:
        parse_program(latex, FUNCTIONS)
    assert caught.value.message == message
    if column is not None:
        assert caught.value.column == column
