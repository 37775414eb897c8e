"""Third-party layers, unchanged: read, derived, and compared with the framework's own gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pullback.checking.frameworks import compare_jax, compare_torch
from pullback.errors import UnsupportedError

DRAW = np.random.default_rng(1).standard_normal


def layers() -> dict[str, Callable[[Any], tuple[Any, tuple[Any, ...]]]]:
    return {
        "Linear": lambda t: (t.nn.Linear(3, 2), (t.randn(4, 3),)),
        "Bilinear": lambda t: (t.nn.Bilinear(3, 2, 4), (t.randn(5, 3), t.randn(5, 2))),
        "LayerNorm": lambda t: (t.nn.LayerNorm(4), (t.randn(3, 4),)),
        "RMSNorm": lambda t: (t.nn.RMSNorm(4), (t.randn(3, 4),)),
        "GRUCell": lambda t: (t.nn.GRUCell(3, 2), (t.randn(4, 3), t.randn(4, 2))),
        "LSTMCell": lambda t: (t.nn.LSTMCell(3, 2), (t.randn(4, 3), (t.randn(4, 2), t.randn(4, 2)))),
        "MultiheadAttention": lambda t: (t.nn.MultiheadAttention(4, 2, batch_first=True), (t.randn(2, 3, 4),) * 3),
        "TransformerEncoderLayer": lambda t: (
            t.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True),
            (t.randn(2, 3, 4),),
        ),
        "BatchNorm1d": lambda t: (t.nn.BatchNorm1d(3), (t.randn(5, 3),)),
        "Conv1d": lambda t: (t.nn.Conv1d(2, 3, 3, padding=1), (t.randn(2, 2, 5),)),
        "Conv2d": lambda t: (t.nn.Conv2d(2, 3, (3, 2), stride=2, padding=1), (t.randn(2, 2, 5, 6),)),
        "GroupNorm": lambda t: (t.nn.GroupNorm(2, 4), (t.randn(3, 4, 5),)),
        "MSELoss": lambda t: (t.nn.MSELoss(), (t.randn(4, 3), t.randn(4, 3))),
        "CrossEntropyLoss": lambda t: (t.nn.CrossEntropyLoss(), (t.randn(4, 3), t.tensor([0, 2, 1, 1]))),
        "BCEWithLogitsLoss": lambda t: (t.nn.BCEWithLogitsLoss(), (t.randn(4, 3), t.rand(4, 3))),
        "SmoothL1Loss": lambda t: (t.nn.SmoothL1Loss(), (t.randn(4, 3), t.randn(4, 3))),
        "KLDivLoss": lambda t: (
            t.nn.KLDivLoss(reduction="batchmean"),
            (t.randn(4, 3).log_softmax(-1), t.rand(4, 3).softmax(-1)),
        ),
        "MLP": lambda t: (t.nn.Sequential(t.nn.Linear(3, 4), t.nn.GELU(), t.nn.Linear(4, 2)), (t.randn(4, 3),)),
    }


@pytest.mark.parametrize("name", layers())
def test_torch_layers_agree(name: str) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    agreement = compare_torch(*layers()[name](torch))
    assert agreement.worst <= 1e-9, str(agreement)


def test_looking_up_by_index_is_refused_by_name() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(UnsupportedError, match="embedding"):
        compare_torch(torch.nn.Embedding(5, 3), (torch.tensor([1, 2]),))


def jax_functions() -> dict[str, Callable[[Any], tuple[Callable[..., Any], tuple[Any, ...]]]]:
    return {
        "mlp": lambda j: (
            lambda p, x: j.nn.log_softmax(j.nn.relu(x @ p["W1"] + p["b1"]) @ p["W2"]),
            ({"W1": DRAW((3, 4)), "b1": DRAW(4), "W2": DRAW((4, 2))}, DRAW((5, 3))),
        ),
        "attention": lambda j: (
            lambda q, k, v: j.nn.softmax(j.numpy.einsum("bqhd,bkhd->bhqk", q, k) / 2.0) @ v.transpose(0, 2, 1, 3),
            (DRAW((2, 3, 2, 4)), DRAW((2, 5, 2, 4)), DRAW((2, 5, 2, 4))),
        ),
        "gelu": lambda j: (lambda x: j.nn.gelu(x), (DRAW((3, 4)),)),
        "logsumexp": lambda j: (lambda x: j.nn.logsumexp(x, axis=-1), (DRAW((3, 4)),)),
        "cumsum": lambda j: (lambda x: j.numpy.cumsum(x, axis=0) * x, (DRAW((3, 2)),)),
        "huber": lambda j: (
            lambda x, y: j.numpy.where(abs(x - y) < 1, 0.5 * (x - y) ** 2, abs(x - y) - 0.5).mean(),
            (DRAW((2, 3)), DRAW((2, 3))),
        ),
        "masked": lambda j: (lambda x: j.numpy.tril(x) @ x, (DRAW((3, 3)),)),
    }


@pytest.mark.parametrize("name", jax_functions())
def test_jax_functions_agree(name: str) -> None:
    jax = pytest.importorskip("jax")
    agreement = compare_jax(*jax_functions()[name](jax))
    assert agreement.worst <= 1e-9, str(agreement)


def test_a_primitive_that_is_not_read_is_named() -> None:
    jax = pytest.importorskip("jax")
    with pytest.raises(UnsupportedError, match="sort"):
        compare_jax(lambda x: jax.numpy.sort(x), (DRAW(3),))


def test_a_stop_that_matters_is_refused() -> None:
    jax = pytest.importorskip("jax")
    with pytest.raises(UnsupportedError, match="stop_gradient"):
        compare_jax(lambda x: x * jax.lax.stop_gradient(x.max()), (DRAW(3),))


def test_sympy_in_and_out() -> None:
    sympy = pytest.importorskip("sympy")
    import pullback as pb
    from pullback.tracing.sympy import from_sympy, to_sympy

    n, m = sympy.symbols("n m", integer=True, positive=True)
    a, x = sympy.MatrixSymbol("A", m, n), sympy.MatrixSymbol("x", n, 1)
    program = from_sympy(sympy.Trace((a * x).T * (a * x)))
    gradient = pb.gradient(program, "x")
    assert to_sympy(gradient) == 2 * a.T * a * x
