"""Emitted source reads as a person would have written it."""

from __future__ import annotations

import re

import pytest

from pullback.deriving import gradient, hessian, jacobian
from pullback.emission.emitting import emit_expression, emit_program
from tests.emission.programs import PROGRAMS


def part(source: str, first: str, last: str) -> list[str]:
    """The lines from one that starts so to the next that starts so, without assertions and empty lines."""
    lines = source.splitlines()
    start = next(k for k, line in enumerate(lines) if line.strip().startswith(first))
    stop = next(k for k, line in enumerate(lines) if k > start and line.strip().startswith(last))
    return [line for line in lines[start : stop + 1] if line.strip() and "assert" not in line]


def result(expression: object) -> list[str]:
    """What a closed form is in NumPy."""
    return part(emit_expression(expression), "def closed_form", "return")[2:-1]  # type: ignore[arg-type]


def test_a_linear_layer_in_numpy() -> None:
    assert part(emit_program("y = W x + b"), "def layer", "return") == [
        "def layer(W, x, b, g):",
        '    """Return y, and dL/dW, dL/dx and dL/db, given g = dL/dy."""',
        "    m, n = W.shape",
        "    y = W @ x + b  # y = W x + b",
        "    dW = np.outer(g, x)  # dL/dW = g x'",
        "    dx = W.T @ g  # dL/dx = W' g",
        "    db = g  # dL/db = g",
        "    return y, dW, dx, db",
    ]


def test_a_network_uses_the_names_of_the_program_and_of_the_closed_form() -> None:
    lines = part(emit_program(PROGRAMS["network"]), "R = X @", "db1 =")
    assert [line.partition("  # ")[0].strip() for line in lines if not line.strip().startswith("#")] == [
        "R = X @ W1.T + b1",
        "H = np.maximum(R, 0)",
        "R1 = H @ W2.T + b2",
        "lse = logsumexp(R1, axis=-1)",
        "t1 = np.sum(T, axis=1)",
        "value = (t1 @ lse - np.vdot(T, R1)) / B",
        "dT = (lse[:, None] - R1) / B",
        "dR1 = (t1[:, None] * softmax(R1, axis=-1) - T) / B",
        "dW2 = dR1.T @ H",
        "db2 = np.sum(dR1, axis=0)",
        "dH = dR1 @ W2",
        "dR = dH * (R > 0)",
        "dX = dR @ W1",
        "dW1 = dR.T @ X",
        "db1 = np.sum(dR, axis=0)",
    ]


def test_comments_say_the_steps_in_the_names_of_the_file() -> None:
    source = emit_program(PROGRAMS["network"])
    for comment in (
        "# H = relu(X W1' + ones(B) b1')",
        "# R1 = H W2' + ones(B) b2'",
        "# dL/dH = dR1 W2",
        "# dL/dR = dH .* step(R)",
        "# dL/dW1 = dR' X",
    ):
        assert comment in source


def test_a_linear_layer_in_pytorch() -> None:
    assert part(emit_program("y = W x + b", "torch"), "class Layer", "return Layer.apply") == [
        "class Layer(torch.autograd.Function):",
        '    """y = W x + b, with its derived backward pass."""',
        "    generate_vmap_rule = True",
        "    @staticmethod",
        "    def forward(W, x, b):",
        "        m, n = W.shape",
        "        y = W @ x + b  # y = W x + b",
        "        return y",
        "    @staticmethod",
        "    def setup_context(ctx, inputs, output):",
        "        W, x, _ = inputs",
        "        ctx.save_for_backward(W, x)",
        "    @staticmethod",
        "    def backward(ctx, g):",
        "        W, x = ctx.saved_tensors",
        "        dW = dx = db = None",
        "        if ctx.needs_input_grad[0]:",
        "            dW = torch.outer(g, x)  # dL/dW = g x'",
        "        if ctx.needs_input_grad[1]:",
        "            dx = W.T @ g  # dL/dx = W' g",
        "        if ctx.needs_input_grad[2]:",
        "            db = g  # dL/db = g",
        "        return dW, dx, db",
        "def layer(W, x, b):",
        '    """y = W x + b, with its derived backward pass."""',
        "    return Layer.apply(W, x, b)",
    ]


def test_the_output_is_saved_where_the_backward_pass_needs_it() -> None:
    source = emit_program("h = tanh(W x)", "torch")
    assert "ctx.save_for_backward(*inputs, output)" in source and "W, x, h = ctx.saved_tensors" in source


def test_values_that_are_not_outputs_are_computed_again() -> None:
    source = emit_program("h = tanh(W x); y = V h", "torch")
    assert "# h is computed again, so that second derivatives go through it." in source


def test_a_layer_in_jax_keeps_what_the_backward_pass_needs() -> None:
    assert part(emit_program("h = tanh(W x + b); y = V h", "jax"), "@jax.custom_vjp", "layer.defvjp") == [
        "@jax.custom_vjp",
        "def layer(W, x, b, V):",
        '    """h = tanh(W x + b); y = V h, with its derived backward pass."""',
        "    return layer_forward(W, x, b, V)[0]",
        "def layer_forward(W, x, b, V):",
        '    """The output, and what the backward pass needs."""',
        "    m, n = W.shape",
        "    k = V.shape[0]",
        "    h = jnp.tanh(W @ x + b)  # h = tanh(W x + b)",
        "    y = V @ h  # y = V h",
        "    return y, (W, x, V, h)",
        "def layer_backward(kept, g):",
        '    """The gradient by every input, given g = dL/dy."""',
        "    W, x, V, h = kept",
        "    dV = jnp.outer(g, h)  # dL/dV = g h'",
        "    dh = V.T @ g  # dL/dh = V' g",
        "    db = dh * (1 - h**2)  # dL/db = dh .* (1 - h.^2)",
        "    dW = jnp.outer(db, x)  # dL/dW = db x'",
        "    dx = W.T @ db  # dL/dx = W' db",
        "    return dW, dx, db, dV",
        "layer.defvjp(layer_forward, layer_backward)",
    ]


def test_jax_files_say_that_forward_mode_is_lost() -> None:
    assert "jax.jvp and jax.jacfwd are lost" in emit_program("y = W x", "jax")


def test_a_linear_layer_into_buffers() -> None:
    assert part(emit_program("y = W x + b", "numpy-out"), "def make_layer", "return layer") == [
        "def make_layer(m, n, dtype=np.float64):",
        '    """Make layer for these sizes. Its results are buffers, which the next call writes over."""',
        "    y = np.empty(m, dtype)",
        "    dW = np.empty((m, n), dtype)",
        "    dx = np.empty(n, dtype)",
        "    db = np.empty(m, dtype)",
        "    def layer(W, x, b, g):",
        '        """Return y, and dL/dW, dL/dx and dL/db, given g = dL/dy."""',
        "        np.dot(W, x, out=y)",
        "        np.add(b, y, out=y)  # y = W x + b",
        "        np.multiply(x[None, :], g[:, None], out=dW)  # dL/dW = g x'",
        "        np.dot(W.T, g, out=dx)  # dL/dx = W' g",
        "        np.copyto(db, g)  # dL/db = g",
        "        return y, dW, dx, db",
        "    return layer",
    ]


def test_a_linear_layer_in_c() -> None:
    source = emit_program("y = W x + b", "c")
    assert part(source, "int layer(", "return 0;") == [
        "int layer(size_t m, size_t n, const real *restrict W, const real *restrict x, const real *restrict b,",
        "          const real *restrict g, real *restrict y, real *restrict dW, real *restrict dx, real *restrict db)",
        "{",
        "    real *work = calloc(m, sizeof(real));",
        "    if (work == NULL)",
        "        return 1;",
        "    real *t1 = work;",
        "    gemv('N', m, n, W, n, x, 1, t1);",
        "    /* y = W x + b */",
        "    for (size_t i = 0; i < m; i++)",
        "        y[i] = b[i] + t1[i];",
        "    /* dL/dW = g x' */",
        "    for (size_t i = 0; i < m; i++)",
        "        for (size_t j = 0; j < n; j++)",
        "            dW[i * n + j] = x[j] * g[i];",
        "    gemv('T', m, n, W, n, g, 1, dx);  /* dL/dx = W' g */",
        "    /* dL/db = g */",
        "    for (size_t i = 0; i < m; i++)",
        "        db[i] = g[i];",
        "    free(work);",
        "    return 0;",
    ]


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("y = mean(A, columns)", "y = np.mean(A, axis=0)"),
        ("y = sum(A, rows)", "y = np.sum(A, axis=1)"),
        ("Y = softmax(A, columns)", "Y = softmax(A, axis=0)"),
        ("y = relu(x)", "dx = g * (x > 0)"),
        ("Y = X W", "dX = g @ W.T"),
        ("Y = gelu(X W)", "t1 = X @ W"),
        ("Y = outer(x, z)", "Y = np.outer(x, z)"),
        ("mean(x)", "value = np.mean(x)"),
        ("norm(A)^2", "value = np.sum(A**2)"),
        ("y = solve(A, b)", "y = np.linalg.solve(A, b)"),
        ("y = x / 3", "y = x / 3"),
        ("Y = A + 2 eye(n)", "Y = A + 2 * np.eye(n, dtype=A.dtype)"),
        ("y = concat(a, b)", "y = np.concatenate([a, b])"),
        ("y = concat(a, b)", "da = g[:n]"),
        ("y = mean(A, columns) + logsumexp(A, columns)", "dA = softmax(A, axis=0) * g + g / m"),
        ("y = where(x, a, b)", "y = np.where(x != 0, a, b)"),
        ("y = max(x, a)", "y = np.maximum(x, a)"),
        ("y = g .* x", "dx = g * dy"),
    ],
)
def test_idioms(program: str, line: str) -> None:
    source = emit_program(program)
    assert re.search(rf"^ +{re.escape(line)}(  #.*)?$", source, re.MULTILINE), source


def test_closed_forms() -> None:
    assert result(gradient("norm(A x - b)^2", "x")) == ["    m, n = A.shape", "    result = A.T @ (2 * (A @ x - b))"]
    assert result(hessian("x' A x", "x"))[-1] == "    result = A + A.T"
    assert result(jacobian("y = tanh(W x)", "x"))[-1] == "    result = W * (1 - np.tanh(W @ x) ** 2)[:, None]"


def test_the_file_says_how_it_is_run_and_what_it_needs() -> None:
    assert emit_program("y = λ x").splitlines()[:12] == [
        '"""layer: a program and its backward pass, derived by pullback.',
        "",
        "    y = lambda x",
        "",
        "    dL/dlambda = g' x",
        "    dL/dx = lambda g",
        "",
        "g is dL/dy, the gradient that comes from above.",
        "Shapes: lambda_ scalar, x (n,), g (n,).",
        "Names: lambda_ is lambda.",
        "Needs NumPy. Run as a script, it compares the gradients with central differences.",
        '"""',
    ]


@pytest.mark.parametrize("target", ["numpy", "torch", "jax", "numpy-out"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_lines_are_neither_doubled_nor_too_long(target: str, name: str) -> None:
    lines = emit_program(PROGRAMS[name], target).partition("import math")[2].splitlines()
    assert [line for line in lines if len(line) > 130] == []
    assert [line for line in lines if line.endswith(" ")] == []
    checked = [line for line in lines if line.strip().startswith("assert")]
    assert len(checked) == len(set(checked))
