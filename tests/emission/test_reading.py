"""Emitted source reads as a person would have written it."""

from __future__ import annotations

from pullback.emission.emitting import emit_program
from tests.emission.programs import PROGRAMS


def part(source: str, first: str, last: str) -> list[str]:
    """The lines from one that starts so to the next that starts so."""
    lines = source.splitlines()
    start = next(k for k, line in enumerate(lines) if line.strip().startswith(first))
    stop = next(k for k, line in enumerate(lines) if k > start and line.strip().startswith(last))
    return [line for line in lines[start : stop + 1] if line and "assert" not in line]


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
    assert part(emit_program(PROGRAMS["network"]), "R = ", "db1") == [
        "    R = X @ W1.T + b1  # R = ones(B) b1' + X W1'",
        "    H = np.maximum(R, 0)  # H = relu(X W1' + ones(B) b1')",
        "    R1 = H @ W2.T + b2  # R1 = ones(B) b2' + H W2'",
        "    lse = logsumexp(R1, axis=-1)",
        "    t1 = np.sum(T, axis=1)",
        "    value = (t1 @ lse - np.vdot(T, R1)) / B  # cross_entropy(H W2' + ones(B) b2', T)",
        "    dT = (lse[:, None] - R1) / B  # dL/dT = (logsumexp(R1, rows) ones(k)' - R1) / size(X, rows)",
        "    # dL/dR1 = (diag(sum(T, rows)) softmax(R1, rows) - T) / size(X, rows)",
        "    dR1 = (softmax(R1, axis=-1) * t1[:, None] - T) / B",
        "    dW2 = dR1.T @ H  # dL/dW2 = dR1' H",
        "    db2 = np.sum(dR1, axis=0)  # dL/db2 = sum(dR1, columns)",
        "    dH = dR1 @ W2  # dL/dH = dR1 W2",
        "    dR = dH * (R > 0)  # dL/dR = dH .* step(R)",
        "    dX = dR @ W1  # dL/dX = dR W1",
        "    dW1 = dR.T @ X  # dL/dW1 = dR' X",
        "    db1 = np.sum(dR, axis=0)  # dL/db1 = sum(dR, columns)",
    ]
