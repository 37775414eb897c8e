"""Functions written with JAX, with example arguments: layers, transformations, indexing, linear algebra."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

DRAW = np.random.default_rng(1).standard_normal
Make = Callable[[Any], tuple[Callable[..., Any], tuple[Any, ...]]]


def attention(j: Any) -> Callable[..., Any]:
    """Causal attention with two heads."""
    jnp = j.numpy

    def function(x: Any, w: Any) -> Any:
        b, t, d = x.shape
        heads = (x @ w).reshape(b, t, 2, d // 2).transpose(0, 2, 1, 3)
        scores = jnp.einsum("bhqd,bhkd->bhqk", heads, heads) / jnp.sqrt(d // 2)
        scores = jnp.where(jnp.tril(jnp.ones((t, t), bool)), scores, -jnp.inf)
        return (j.nn.softmax(scores) @ heads).transpose(0, 2, 1, 3).reshape(b, t, d)

    return function


def recurrent(j: Any) -> Callable[..., Any]:
    """A recurrent network as a scan."""

    def function(w: Any, u: Any, xs: Any) -> Any:
        def step(h: Any, x: Any) -> Any:
            h = j.numpy.tanh(w @ h + u @ x)
            return h, h

        return j.lax.scan(step, j.numpy.zeros(w.shape[0]), xs)[1]

    return function


def layers() -> Mapping[str, Make]:
    """Each by its name, made when jax is given."""
    return {**LAYERS, **TRANSFORMED, **INDEXED, **ALGEBRA, **CONVOLUTIONS}


LAYERS: Mapping[str, Make] = {
    "mlp": lambda j: (
        lambda p, x: j.nn.log_softmax(j.nn.relu(x @ p["W1"] + p["b1"]) @ p["W2"]),
        ({"W1": DRAW((3, 4)), "b1": DRAW(4), "W2": DRAW((4, 2))}, DRAW((5, 3))),
    ),
    "attention": lambda j: (attention(j), (DRAW((2, 3, 4)), DRAW((4, 4)))),
    "scan": lambda j: (recurrent(j), (DRAW((3, 3)), DRAW((3, 2)), DRAW((4, 2)))),
    "layer norm": lambda j: (
        lambda x, g, b: g * (x - x.mean(-1, keepdims=True)) / j.numpy.sqrt(x.var(-1, keepdims=True) + 1e-5) + b,
        (DRAW((3, 4)), DRAW(4), DRAW(4)),
    ),
    "activations": lambda j: (
        lambda x: j.nn.silu(x) + j.nn.elu(x) + j.nn.softplus(x) + j.nn.leaky_relu(x) + j.nn.gelu(x) + j.nn.celu(x),
        (DRAW((3, 4)),),
    ),
    "cross entropy of labels": lambda j: (
        lambda z: -(j.nn.one_hot(np.array([0, 2, 1]), 4) * j.nn.log_softmax(z)).sum(-1).mean(),
        (DRAW((3, 4)),),
    ),
    "huber": lambda j: (
        lambda x, y: j.numpy.where(abs(x - y) < 1, 0.5 * (x - y) ** 2, abs(x - y) - 0.5).mean(),
        (DRAW((2, 3)), DRAW((2, 3))),
    ),
    "logsumexp": lambda j: (lambda x: j.nn.logsumexp(x, axis=-1), (DRAW((3, 4)),)),
}

TRANSFORMED: Mapping[str, Make] = {
    "vmap": lambda j: (j.vmap(lambda x, w: j.numpy.tanh(w @ x), in_axes=(0, None)), (DRAW((4, 3)), DRAW((2, 3)))),
    "jit": lambda j: (j.jit(lambda x: j.jit(j.numpy.sin)(x) * 2), (DRAW(3),)),
    "grad": lambda j: (lambda x: j.grad(lambda y: (y**3).sum())(x), (DRAW(3),)),
    "checkpoint": lambda j: (j.checkpoint(lambda x: j.numpy.sin(j.numpy.cos(x))), (DRAW(3),)),
    "dropout with a key": lambda j: (
        lambda x: j.numpy.where(j.random.bernoulli(j.random.key(0), 0.5, (3,)), x / 0.5, 0.0),
        (DRAW(3),),
    ),
}

INDEXED: Mapping[str, Make] = {
    "entries": lambda j: (lambda x: x[1] * x[-1] + x[:2].sum() + x[::2].sum(), (DRAW(5),)),
    "labels": lambda j: (lambda x: x[np.arange(3), np.array([0, 1, 2])], (DRAW((3, 4)),)),
    "rows": lambda j: (lambda w: w[np.array([[0, 1], [2, 2]])], (DRAW((4, 3)),)),
    "at set and add": lambda j: (lambda x: x.at[0].set(2.0).at[1].add(x[3]) * x, (DRAW(4),)),
    "flip and roll": lambda j: (lambda x: j.numpy.roll(x, 1) * j.numpy.flip(x), (DRAW(4),)),
    "cumsum": lambda j: (lambda x: j.numpy.cumsum(x[::-1])[::-1] * x, (DRAW(4),)),
    "masked": lambda j: (lambda x: j.numpy.tril(x) @ x, (DRAW((3, 3)),)),
}

ALGEBRA: Mapping[str, Make] = {
    "inv": lambda j: (lambda a: j.numpy.linalg.inv(a + 3 * j.numpy.eye(3)), (DRAW((3, 3)),)),
    "solve": lambda j: (lambda a, b: j.numpy.linalg.solve(a + 3 * j.numpy.eye(3), b), (DRAW((3, 3)), DRAW(3))),
    "slogdet": lambda j: (lambda a: j.numpy.linalg.slogdet(a @ a.T + j.numpy.eye(3))[1], (DRAW((3, 3)),)),
    "cholesky": lambda j: (lambda a: j.numpy.linalg.cholesky(a @ a.T + j.numpy.eye(3)), (DRAW((3, 3)),)),
    "expm": lambda j: (lambda a: j.scipy.linalg.expm(a), (DRAW((3, 3)),)),
    "einsum": lambda j: (
        lambda a, b, c: j.numpy.einsum("ij,jk,kl->il", a, b, c),
        (DRAW((2, 3)), DRAW((3, 4)), DRAW((4, 2))),
    ),
}

CONVOLUTIONS: Mapping[str, Make] = {
    "convolve": lambda j: (lambda x, w: j.numpy.convolve(x, w, mode="valid"), (DRAW(6), DRAW(3))),
    "conv": lambda j: (lambda x, w: j.lax.conv(x, w, (1, 1), "SAME"), (DRAW((1, 2, 4, 4)), DRAW((3, 2, 3, 3)))),
    "conv, channels last": lambda j: (
        lambda x, w: j.lax.conv_general_dilated(x, w, (2,), ((1, 1),), dimension_numbers=("NWC", "WIO", "NWC")),
        (DRAW((2, 6, 3)), DRAW((3, 3, 4))),
    ),
    "conv_transpose": lambda j: (
        lambda x, w: j.lax.conv_transpose(x, w, (2,), "SAME"),
        (DRAW((2, 4, 3)), DRAW((3, 3, 5))),
    ),
    "max pooling": lambda j: (
        lambda x: j.lax.reduce_window(x, -np.inf, j.lax.max, (1, 2), (1, 2), "VALID"),
        (DRAW((3, 4)),),
    ),
}
