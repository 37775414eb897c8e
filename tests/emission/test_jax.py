"""Emitted custom_vjp pairs: both orders in reverse mode, jit, vmap, types."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pullback.emission.emitting import emit_program
from tests.emission.programs import PROGRAMS
from tests.emission.running import namespace

SPREAD = ["linear", "layer norm", "logistic regression", "spd gaussian", "solve", "kron", "where", "columns", "scalars"]
LAYERS = ["linear", "linear over a batch", "network", "attention", "gaussian"]


def drawn(name: str) -> tuple[Any, tuple[Any, ...]]:
    """The layer, and inputs on which it is well behaved."""
    source = emit_program(PROGRAMS[name], "jax")
    scope = namespace(source)
    body = source.partition('if __name__ == "__main__":\n')[2].partition("    check_grads(")[0]
    made: dict[str, Any] = {"jax": jax, "jnp": jnp, "math": __import__("math")}
    exec("\n".join(line[4:] for line in body.splitlines()), made)
    return scope.get("layer") or scope["loss"], made["inputs"]


@pytest.mark.parametrize("name", SPREAD)
def test_check_grads_of_both_orders(name: str) -> None:
    source = emit_program(PROGRAMS[name], "jax")
    assert 'order=2, modes=["rev"]' in source
    with jax.enable_x64(True):
        exec(compile(source, "<emitted>", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("name", LAYERS)
def test_jit_and_vmap(name: str) -> None:
    with jax.enable_x64(True):
        layer, inputs = drawn(name)
        places = tuple(range(len(inputs)))
        gradient = jax.jit(jax.grad(lambda *given: jnp.sum(layer(*given)), places))
        stacked = [jnp.stack([x, 1.1 * x]) for x in inputs]
        found = jax.vmap(gradient)(*stacked)
        for k in range(2):
            for one, right in zip(found, gradient(*(x[k] for x in stacked)), strict=True):
                np.testing.assert_allclose(one[k], right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_the_type_of_the_inputs_is_kept(name: str) -> None:
    layer, inputs = drawn(name)
    inputs = tuple(jnp.asarray(x, dtype=jnp.float32) for x in inputs)
    gradients = jax.grad(lambda *given: jnp.sum(layer(*given)), tuple(range(len(inputs))))(*inputs)
    assert layer(*inputs).dtype == jnp.float32
    assert {gradient.dtype.name for gradient in gradients} == {"float32"}
