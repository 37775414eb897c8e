"""Third-party layers, unchanged: read, derived, compared with the framework's own gradients, and explained."""

from __future__ import annotations

from typing import Any

import pytest

import pullback as pb
from pullback.checking.frameworks import compare_jax, compare_torch
from pullback.errors import UnsupportedError
from tests.tracing import jax_functions, torch_layers

TOLERANCE = 1e-9


@pytest.mark.parametrize("name", torch_layers.layers())
def test_torch_layers_agree_and_are_explained(name: str) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    agreement = compare_torch(*torch_layers.layers()[name](torch))
    assert agreement.worst <= TOLERANCE, str(agreement)
    assert len(pb.derive(agreement.program).steps) >= 4


@pytest.mark.parametrize("name", jax_functions.layers())
def test_jax_functions_agree_and_are_explained(name: str) -> None:
    jax = pytest.importorskip("jax")
    agreement = compare_jax(*jax_functions.layers()[name](jax))
    assert agreement.worst <= TOLERANCE, str(agreement)
    assert len(pb.derive(agreement.program).steps) >= 4


def test_a_convolution_is_a_sum_over_indices() -> None:
    torch = pytest.importorskip("torch")
    program = pb.from_torch(torch.nn.Conv1d(2, 3, 3, padding=1, bias=False), torch.randn(2, 2, 5))
    assert str(pb.backward(program)["weight"]) == "[i,j,k: g[l,i,q] x[l,j,p] S1[q,k,p]]"


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda t: (t.nn.Upsample(scale_factor=2), (t.randn(1, 2, 3, 3),)), "upsample_nearest2d"),
        (lambda t: (t.nn.Dropout(0.5), (t.randn(3),)), "dropout in training"),
        (lambda t: (t.nn.Linear(3, 2), (t.randn(4, 5),)), "torch.export can't read Linear"),
    ],
)
def test_what_torch_has_and_is_not_read_is_named(make: Any, what: str) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(UnsupportedError, match=what):
        compare_torch(*make(torch))


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda j: lambda x: j.numpy.sort(x), "the JAX primitive sort"),
        (lambda j: lambda x: x * j.lax.stop_gradient(x.max()), "stop_gradient"),
        (lambda j: lambda x: x if x.sum() > 0 else -x, "JAX can't trace .*: TracerBoolConversionError"),
        (lambda j: lambda x: x[j.numpy.argmax(x)], "argmax"),
        (lambda j: lambda x: j.lax.cond(x.sum() > 0, lambda y: y, lambda y: -y, x), "cond"),
    ],
)
def test_what_jax_has_and_is_not_read_is_named(make: Any, what: str) -> None:
    jax = pytest.importorskip("jax")
    with pytest.raises(UnsupportedError, match=what):
        compare_jax(make(jax), (jax_functions.DRAW(3),))
