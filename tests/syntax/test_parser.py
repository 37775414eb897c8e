"""The language, construct by construct: trees are compared by their fully bracketed form."""

import time

import pytest

from pullback.syntax.forms import fold
from pullback.syntax.parser import parse_expression, parse_program
from pullback.syntax.tree import (
    Batch,
    Call,
    Chain,
    Comprehension,
    Declaration,
    Expectation,
    Indexed,
    Name,
    Negate,
    Number,
    Power,
    Syntax,
    Transpose,
)

from .trees import FUNCTIONS


def bracketed(tree: Syntax) -> str:
    """Write a tree with brackets around every construct."""
    return fold(tree, _bracketed)


def _bracketed(node: Syntax, parts: list[str]) -> str:
    match node:
        case Number():
            return str(node.value)
        case Name():
            return node.identifier
        case Negate():
            return f"(-{parts[0]})"
        case Transpose():
            return f"{parts[0]}'"
        case Power():
            return f"({parts[0]}{'.^' if node.entrywise else '^'}{parts[1]})"
        case Chain():
            rest = (f" {o} {p}" for o, p in zip(node.operators, parts[1:], strict=True))
            return f"({parts[0]}{''.join(rest)})"
        case Call():
            return f"{node.function}({', '.join(parts)})"
        case Indexed():
            return f"{parts[0]}[{','.join(node.indices)}]"
        case Comprehension():
            return f"[{','.join(node.indices)}: {parts[0]}]"
        case Expectation():
            return f"E[{node.variable} ~ N({parts[0]}, {parts[1]})] {parts[2]}"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        # Sums, products, juxtaposition: one level from left to right.
        ("a + b - c", "(a + b - c)"),
        ("A .* B C", "(A .* B * C)"),
        ("A x / c", "(A * x / c)"),
        ("A @ B · C × D ⋅ E * F", "(A * B * C * D * E * F)"),
        ("A ⊙ B ∘ C ⊘ D ⊗ E ./ F", "(A .* B .* C ./ D kron E ./ F)"),
        ("a + b c", "(a + (b * c))"),
        ("(a + b) c", "((a + b) * c)"),
        ("(a b) c", "(a * b * c)"),
        ("a (b c)", "(a * (b * c))"),
        ("1/2 x' A x", "(1 / 2 * x' * A * x)"),
        ("2x", "(2 * x)"),
        ("2 e", "(2 * e)"),
        ("x 2", "(x * 2)"),
        ("W₁x", "(W1 * x)"),
        # Unary minus: tighter than products, looser than powers.
        ("-A B", "((-A) * B)"),
        ("-x'", "(-x')"),
        ("-x^2", "(-(x^2))"),
        ("a - -b", "(a - (-b))"),
        ("A * -B", "(A * (-B))"),
        ("--a", "(-(-a))"),
        ("+a", "a"),
        ("a − b", "(a - b)"),
        # Powers and the transpose follow their operand.
        ("x^T", "x'"), ("xᵀ", "x'"), ("x⊤", "x'"), ("x^⊤", "x'"), ("x^{T}", "x'"), ("x.'", "x'"),
        ("x^(T)", "(x^T)"),
        ("A^-1", "(A^-1)"), ("A⁻¹", "(A^-1)"), ("A^{-1}", "(A^-1)"), ("A^(-1)", "(A^-1)"),
        ("A^-T", "(A^-1)'"),
        ("A^-1'", "(A^-1)'"), ("A'^2", "(A'^2)"), ("x^2'", "(x^2)'"), ("A²", "(A^2)"), ("A⁻¹ᵀ", "(A^-1)'"),
        ("2^x'", "(2^x)'"),
        ("c^p", "(c^p)"), ("x .^ p", "(x.^p)"), ("x.^-2", "(x.^-2)"), ("x^{n+1}", "(x^(n + 1))"),
        ("(x^2)^3", "((x^2)^3)"),
        ("2.^x", "(2.^x)"),
        # Numbers are exact.
        ("0.1", "1/10"), (".5", "1/2"), ("1e-3", "1/1000"), ("2.*x", "(2 .* x)"), ("1./x", "(1 ./ x)"), ("2.'", "2'"),
        # Calls: reserved names before a parenthesis only.
        ("exp(x)", "exp(x)"), ("exp (x)", "exp(x)"), ("f(x)", "(f * x)"), ("exp x", "(exp * x)"),
        ("sum(A, rows)", "sum(A, rows)"), ("pi()", "pi()"), ("π (x)", "(pi * x)"), ("max(a, b)", "max(a, b)"),
        # Norms and absolute values.
        ("‖x‖", "norm(x)"), ("||x||", "norm(x)"), ("‖x‖²", "(norm(x)^2)"), ("‖x‖₁", "norm1(x)"),
        ("||x||_1", "norm1(x)"),
        ("‖A‖_F^2", "(norm(A)^2)"), ("‖x‖₂", "norm(x)"), ("|x|", "abs(x)"), ("|x||y|", "(abs(x) * abs(y))"),
        ("2 ‖a‖ ‖b‖", "(2 * norm(a) * norm(b))"),
        # Index notation and expectations.
        ("[i,j,k: A[i,l] B[l,j] x[k]]", "[i,j,k: (A[i,l] * B[l,j] * x[k])]"),
        ("[i: (A x)[i] [j: x[j]][i]]", "[i: ((A * x)[i] * [j: x[j]][i])]"),
        ("[: x[i] y[i]]", "[: (x[i] * y[i])]"),
        ("A [i: x[i]]", "(A * [i: x[i]])"),
        ("[: log(1 + x[i])]", "[: log((1 + x[i]))]"),
        ("[: A[i,j]^2]", "[: (A[i,j]^2)]"),
        ("[i: softmax(A[i,:])[j]]", "[i: softmax(A[i,:])[j]]"),
        ("E[x ~ N(mu, S)] x' A x + 1", "(E[x ~ N(mu, S)] (x' * A * x) + 1)"),
        ("E x", "(E * x)"),
        # Lines go on inside brackets and after an operator.
        ("(a\n+ b)", "(a + b)"), ("a +\n b", "(a + b)"), ("a # said aside", "a"),
    ],
)  # fmt: skip
def test_expressions(text: str, meaning: str) -> None:
    assert bracketed(parse_expression(text, FUNCTIONS)) == meaning


def test_a_program_is_statements_by_line_or_semicolon() -> None:
    program = parse_program("# two layers\nh = relu(W_1 x + b₁); y = W2 h\n\ny' y # the output\n", FUNCTIONS)
    assert [b.name for b in program.bindings] == ["h", "y", None]
    assert [bracketed(b.value) for b in program.bindings] == ["relu(((W1 * x) + b1))", "(W2 * h)", "(y' * y)"]


def test_places_are_kept() -> None:
    text = "h = W x\ny = exp(h) + b"
    binding = parse_program(text, FUNCTIONS).bindings[1]
    assert text[binding.span.start : binding.span.end] == "y = exp(h) + b"
    assert text[binding.name_span.start : binding.name_span.end] == "y"
    assert isinstance(binding.value, Chain)
    call = binding.value.operands[0]
    assert text[call.span.start : call.span.end] == "exp(h)"


@pytest.mark.parametrize(
    ("line", "declared"),
    [
        ("W : (m, n)", [Declaration("W", ("m", "n"), ())]),
        ("x : n", [Declaration("x", ("n",), ())]),
        ("x_1 : 3", [Declaration("x1", (3,), ())]),
        ("x : (n,)", [Declaration("x", ("n",), ())]),
        ("c : scalar", [Declaration("c", (), ())]),
        ("c : ()", [Declaration("c", (), ())]),
        ("c : scalar positive", [Declaration("c", (), ("positive",))]),
        ("A : (n, n) symmetric", [Declaration("A", ("n", "n"), ("symmetric",))]),
        ("A : symmetric, constant", [Declaration("A", None, ("symmetric", "constant"))]),
        ("A : matrix", [Declaration("A", None, ("matrix",))]),
        ("f : entrywise", [Declaration("f", None, ("entrywise",))]),
        ("A, B : (n, n)", [Declaration("A", ("n", "n"), ()), Declaration("B", ("n", "n"), ())]),
    ],
)
def test_declarations(line: str, declared: list[Declaration]) -> None:
    assert list(parse_program(f"{line}\nx", FUNCTIONS).declarations) == declared


def test_a_function_declared_by_name_can_be_called_with_its_derivatives() -> None:
    program = parse_program("f : entrywise; sum(f(W x)) + f''(x)", FUNCTIONS)
    assert bracketed(program.bindings[0].value) == "(sum(f((W * x))) + f''(x))"


@pytest.mark.parametrize(
    ("header", "batch"),
    [
        ("batch B: y = W x", Batch("B")),
        ("batch 32:\n y = W x", Batch(32)),
        ("batch B over x, t: y = W x", Batch("B", ("x", "t"))),
    ],
)
def test_the_batch_header(header: str, batch: Batch) -> None:
    program = parse_program(header, FUNCTIONS)
    assert program.batch == batch
    assert [b.name for b in program.bindings] == ["y"]


def test_batch_is_an_ordinary_name_elsewhere() -> None:
    assert parse_program("batch : n\nbatch' batch", FUNCTIONS).batch is None


def test_cost_is_linear_in_the_text() -> None:
    text = "\n".join(f"h{i} = relu(W{i} h{i - 1} + b{i}) .* (A{i} x)^2" for i in range(1, 7000))
    start = time.perf_counter()
    assert len(parse_program(text, FUNCTIONS).bindings) == 6999
    assert time.perf_counter() - start < 10


def test_the_deepest_expression_that_is_allowed_is_read() -> None:
    assert bracketed(parse_expression("(" * 199 + "x" + ")" * 199, FUNCTIONS)) == "x"
    assert bracketed(parse_expression("exp(" * 190 + "x" + ")" * 190, FUNCTIONS)).count("exp") == 190
