"""The suite ``hessian``: logistic regression, matrix factorisation, the first layer of a deep network; float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pullback.benchmarks.layers import ready
from pullback.benchmarks.measuring import Call, Row, compare
from pullback.benchmarks.peers import installed, pytensor_logistic, tensorgrad_logistic
from pullback.compiling import compile_expression
from pullback.compressed.operator import Operator
from pullback.deriving import hessian as derive

DEPTH = 10


def hessian(quick: bool) -> Iterator[Row]:
    """All three kinds."""
    rounds = 3 if quick else 7
    for n in (10, 50, 200, 500)[: 3 if quick else None]:
        yield _logistic(n, rounds)
    for k in (5, 10)[: 1 if quick else None]:
        yield _factorisation(k, rounds)
    for n, batch in ((5, 1), (10, 32), (20, 32), (40, 32))[: 2 if quick else None]:
        yield _network(n, batch, rounds)


def _wide() -> None:
    import jax

    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]


def _logistic(n: int, rounds: int) -> Row:
    import numpy as np

    rng = np.random.default_rng(0)
    m = 2000
    x, y = rng.standard_normal((m, n)), np.sign(rng.standard_normal(m))
    w = rng.standard_normal(n) / np.sqrt(n)
    expression = derive("sum(log(1 + exp(-y .* (X w))))", "w")
    calls: dict[str, Call] = {}
    for name, backend in (("pullback", "numpy"), ("pullback auto", "auto")):
        function = compile_expression(expression, backend=backend, reuse=True).function
        calls[name] = lambda function=function: function(X=x, y=y, w=w)  # type: ignore[misc]
    if installed("jax"):
        _wide()
        import jax
        import jax.numpy as jnp

        there = [jnp.asarray(a) for a in (w, x, y)]
        whole = jax.jit(jax.hessian(lambda w, x, y: jnp.sum(jnp.logaddexp(0.0, -y * (x @ w)))))
        calls["jax.jit hessian"] = lambda: whole(*there).block_until_ready()
    if installed("torch"):
        import torch

        tx, ty, tw = (torch.from_numpy(a) for a in (x, y, w))
        func = torch.func.hessian(lambda w: torch.nn.functional.softplus(-ty * (tx @ w)).sum())
        calls["torch.func.hessian"] = lambda: func(tw)
    scaled, out = np.empty_like(x), np.empty((n, n))

    def by_hand() -> Any:
        e = np.exp(-np.abs(x @ w))
        np.multiply(x, (e / (1 + e) ** 2)[:, None], out=scaled)
        return np.matmul(x.T, scaled, out=out)

    calls["NumPy by hand"] = by_hand
    made: dict[str, Callable[[], Call]] = {}
    if installed("torch", "tensorgrad"):
        made["tensorgrad"] = lambda: tensorgrad_logistic(x, y, w)
    if installed("pytensor"):
        made["PyTensor"] = lambda: pytensor_logistic(x, y, w)
    case = f"logistic regression, n = {n}"
    calls |= ready(made)
    return compare(
        "hessian", case, calls, _reference(calls),
        tolerance=1e-8, rounds=rounds, work=2.0 * m * n * n, traffic=16.0 * m * n,
    )  # fmt: skip


def _factorisation(k: int, rounds: int) -> Row:
    import numpy as np

    rng = np.random.default_rng(0)
    p = 200
    values = {"T": rng.standard_normal((p, p)), "U": rng.standard_normal((p, k)), "V": rng.standard_normal((p, k))}
    expression = derive("norm(T - U V')^2", "U")
    dense = compile_expression(expression, reuse=True).function
    operator = Operator(expression, 2, reuse=True)
    factors = operator.factors
    calls: dict[str, Call] = {"pullback": lambda: dense(**values), "pullback compressed": lambda: factors(**values)}
    if installed("jax"):
        _wide()
        import jax
        import jax.numpy as jnp

        whole = jax.jit(jax.hessian(lambda u, v, t: jnp.sum((t - u @ v.T) ** 2)))
        there = [jnp.asarray(values[name]) for name in "UVT"]
        calls["jax.jit hessian"] = lambda: whole(*there).block_until_ready()
    if installed("torch"):
        import torch

        t, u, v = (torch.from_numpy(values[name]) for name in "TUV")
        func = torch.func.hessian(lambda u: ((t - u @ v.T) ** 2).sum())
        calls["torch.func.hessian"] = lambda: func(u)
    probes: dict[str, Call] = {"pullback compressed": lambda: whole_of(operator, values)}
    case = f"||T - U V'||^2 by U, k = {k}"
    return compare("hessian", case, calls, _reference(calls), tolerance=1e-8, rounds=rounds, probes=probes)


def network_text(depth: int) -> str:
    """Layers without bias, as in the peers' script."""
    lines = [f"H{k} = relu({'X' if k == 1 else f'H{k - 1}'} W{k}')" for k in range(1, depth)]
    return "; ".join([*lines, f"m cross_entropy(H{depth - 1} W{depth}', T)"])


def _network(n: int, batch: int, rounds: int) -> Row:
    import numpy as np

    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((n, n)) * np.sqrt(2 / n) for _ in range(DEPTH)]
    x = rng.standard_normal((batch, n))
    onehot = np.eye(n)[rng.integers(0, n, batch)]
    shapes: dict[str, tuple[int | str, ...]] = {f"W{k + 1}": ("n", "n") for k in range(DEPTH)}
    text = network_text(DEPTH).replace("m cross", "cross")
    expression = derive(text, "W1", shapes=shapes | {"X": ("m", "n"), "T": ("m", "n")})
    values = {f"W{k + 1}": weights[k] for k in range(DEPTH)} | {"X": x, "T": onehot}
    dense = compile_expression(expression, reuse=True).function
    operator = Operator(expression, 2, reuse=True)
    factors = operator.factors
    calls: dict[str, Call] = {"pullback": lambda: dense(**values), "pullback compressed": lambda: factors(**values)}
    quick = compile_expression(expression, backend="auto", reuse=True).function
    parts = Operator(expression, 2, backend="auto", reuse=True).factors
    calls |= {"pullback auto": lambda: quick(**values), "pullback auto compressed": lambda: parts(**values)}
    if installed("jax"):
        _wide()
        import jax
        import jax.numpy as jnp

        def loss(first: Any, rest: Any, x: Any, t: Any) -> Any:
            h = x
            for w in [first, *rest[:-1]]:
                h = jax.nn.relu(h @ w.T)
            return -jnp.sum(t * jax.nn.log_softmax(h @ rest[-1].T)) / batch

        whole = jax.jit(jax.hessian(loss))
        there = jnp.asarray(weights[0]), [jnp.asarray(w) for w in weights[1:]], jnp.asarray(x), jnp.asarray(onehot)
        calls["jax.jit hessian"] = lambda: whole(*there).block_until_ready()
    if installed("torch"):
        import torch

        rest, inputs, wanted = [torch.from_numpy(w) for w in weights], torch.from_numpy(x), torch.from_numpy(onehot)

        def loss_of(first: Any) -> Any:
            h = inputs
            for w in [first, *rest[1:-1]]:
                h = torch.relu(h @ w.T)
            return -(wanted * torch.log_softmax(h @ rest[-1].T, 1)).sum() / batch

        func = torch.func.hessian(loss_of)
        calls["torch.func.hessian"] = lambda: func(rest[0])
    probes: dict[str, Call] = {
        name: lambda: whole_of(operator, values) for name in ("pullback compressed", "pullback auto compressed")
    }
    case = f"{DEPTH}-layer network, width {n}, batch {batch}"
    return compare("hessian", case, calls, _reference(calls), tolerance=1e-8, rounds=rounds, probes=probes)


def whole_of(operator: Operator, values: dict[str, Any]) -> Any:
    """The dense array, put together from the parts that the compressed form is made of."""
    import numpy as np

    at = operator.at(**values)
    rank, total, core = len(at.shape), np.zeros(at.shape), iter(at.core)
    for piece in operator.pieces:
        arguments = [x for _, labels in piece.parts for x in (next(core), list(labels))]
        distinct = list(dict.fromkeys(piece.output))
        inner = np.einsum(*arguments, [x for x in distinct if any(x in labels for _, labels in piece.parts)])
        lengths = dict(zip(piece.output, at.shape, strict=True))
        used = {x for _, labels in piece.parts for x in labels}
        inner = inner.reshape([lengths[x] if x in used else 1 for x in distinct])
        place = [np.arange(lengths[x]).reshape([-1 if y == x else 1 for y in distinct]) for x in piece.output]
        assert len(place) == rank
        total[tuple(place)] += float(piece.coefficient) * inner
    return total


def _reference(calls: dict[str, Call]) -> str:
    return "jax.jit hessian" if "jax.jit hessian" in calls else "pullback"
