"""The suites ``linear`` and ``mlp``: what a framework user runs all day."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

from pullback.benchmarks.measuring import Call, Row, compare
from pullback.compiling import compile_program

SIZES = ((1, 3, 2), (1, 64, 64), (32, 128, 128), (128, 512, 512), (512, 1024, 1024))
NETWORKS = (((64, 64, 10), 32), ((784, 512, 512, 10), 128), ((784, 512, 512, 10), 1024))
RATE = 1e-4


def linear(quick: bool) -> Iterator[Row]:
    """A linear layer over a batch, forward and backward, float32."""
    import numpy as np

    for batch, inner, outer in SIZES[: 4 if quick else None]:
        rng = np.random.default_rng(0)
        arrays = {
            "W": rng.standard_normal((outer, inner)).astype("f4"),
            "x": rng.standard_normal((batch, inner)).astype("f4"),
            "b": rng.standard_normal(outer).astype("f4"),
            "g": rng.standard_normal((batch, outer)).astype("f4"),
        }
        calls = _linear_calls(arrays)
        reference = "PyTorch eager" if "PyTorch eager" in calls else "NumPy by hand"
        yield compare("linear", f"{batch}, {inner}, {outer}", calls, reference, rounds=5 if quick else 11)


def _linear_calls(arrays: dict[str, Any]) -> dict[str, Call]:
    import numpy as np

    weight, x, bias, g = (arrays[name] for name in "Wxbg")
    calls: dict[str, Call] = {}
    for name, backend, reuse in (
        ("pullback", "numpy", False),
        ("pullback reuse", "numpy", True),
        ("pullback auto", "auto", False),
    ):
        function = compile_program("batch B: y = W x + b", backend=backend, reuse=reuse).function
        calls[name] = lambda function=function: function(W=weight, x=x, b=bias, g=g)  # type: ignore[misc]
    y, dw, dx, db = np.empty_like(g), np.empty_like(weight), np.empty_like(x), np.empty_like(bias)

    def by_hand() -> Any:
        np.matmul(x, weight.T, out=y)
        np.add(y, bias, out=y)
        np.matmul(g.T, x, out=dw)
        np.matmul(g, weight, out=dx)
        np.add.reduce(g, axis=0, out=db)
        return y, dw, dx, db

    calls["NumPy by hand"] = by_hand
    if find_spec("torch"):
        import torch

        layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
        given, seed = torch.from_numpy(x.copy()).requires_grad_(), torch.from_numpy(g)

        def eager() -> Any:
            layer.weight.grad = layer.bias.grad = given.grad = None
            out = layer(given)
            out.backward(seed)
            return out.detach(), layer.weight.grad, given.grad, layer.bias.grad

        calls["PyTorch eager"] = eager
    if find_spec("jax"):
        import jax
        import jax.numpy as jnp

        @jax.jit
        def pulled(x: Any, weight: Any, bias: Any, g: Any) -> Any:
            out, pull = jax.vjp(lambda x, w, b: x @ w.T + b, x, weight, bias)
            dx, dw, db = pull(g)
            return out, dw, dx, db

        there = [jnp.asarray(a) for a in (x, weight, bias, g)]
        calls["jax.jit"] = lambda: jax.block_until_ready(pulled(*there))  # type: ignore[no-untyped-call]
    return calls


def network_text(layers: int) -> str:
    """The program of a relu network with softmax cross-entropy, as a user writes it."""
    lines = []
    for k in range(1, layers):
        before = "X" if k == 1 else f"H{k - 1}"
        lines.append(f"H{k} = relu({before} W{k}' + ones(B) b{k}')")
    lines.append(f"cross_entropy(H{layers - 1} W{layers}' + ones(B) b{layers}', T)")
    return "; ".join(lines)


def mlp(quick: bool) -> Iterator[Row]:
    """A training step: forward, backward, gradient step, float32."""
    for sizes, batch in NETWORKS[: 2 if quick else None]:
        calls = _mlp_calls(sizes, batch)
        reference = "PyTorch eager" if "PyTorch eager" in calls else "pullback"
        case = f"{'-'.join(map(str, sizes))}, {batch}"
        yield compare("mlp", case, calls, reference, rounds=5 if quick else 9, block=0.1, tolerance=5e-3)


def _mlp_calls(sizes: tuple[int, ...], batch: int) -> dict[str, Call]:
    import numpy as np

    rng = np.random.default_rng(0)
    count = len(sizes) - 1
    weights = [(rng.standard_normal((o, i)) * np.sqrt(2 / i)).astype("f4") for i, o in pairwise(sizes)]
    biases = [(0.01 * rng.standard_normal(o)).astype("f4") for o in sizes[1:]]
    x = rng.standard_normal((batch, sizes[0])).astype("f4")
    labels = rng.integers(0, sizes[-1], batch)
    onehot = np.eye(sizes[-1], dtype="f4")[labels]
    wrt = [name for k in range(1, count + 1) for name in (f"W{k}", f"b{k}")]
    calls: dict[str, Call] = {}
    for name, backend in (("pullback", "numpy"), ("pullback torch", "torch"), ("pullback auto", "auto")):
        if backend != "numpy" and not find_spec("torch"):
            continue
        function = compile_program(network_text(count), wrt, backend=backend, rate=RATE).function
        own = {"X": x, "T": onehot}
        for k in range(count):
            own |= {f"W{k + 1}": weights[k].copy(), f"b{k + 1}": biases[k].copy()}
        calls[name] = lambda function=function, own=own: float(function(**own))  # type: ignore[misc]
    if find_spec("torch"):
        calls["PyTorch eager"] = _torch_step(sizes, weights, biases, x, labels)
    if find_spec("jax"):
        calls["jax.jit"] = _jax_step(weights, biases, x, labels)
    return calls


def _torch_step(sizes: tuple[int, ...], weights: list[Any], biases: list[Any], x: Any, labels: Any) -> Call:
    import torch

    modules: list[Any] = []
    for k, (i, o) in enumerate(pairwise(sizes)):
        layer = torch.nn.Linear(i, o)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights[k]))
            layer.bias.copy_(torch.from_numpy(biases[k]))
        modules += [layer, torch.nn.ReLU()]
    network = torch.nn.Sequential(*modules[:-1])
    optimiser = torch.optim.SGD(network.parameters(), lr=RATE)
    given, wanted = torch.from_numpy(x), torch.from_numpy(labels)

    def step() -> float:
        optimiser.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(network(given), wanted)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        return float(loss.item())

    return step


def _jax_step(weights: list[Any], biases: list[Any], x: Any, labels: Any) -> Call:
    import jax
    import jax.numpy as jnp

    def loss(parameters: Any, x: Any, labels: Any) -> Any:
        h = x
        for k, (w, b) in enumerate(parameters):
            h = h @ w.T + b
            if k < len(parameters) - 1:
                h = jax.nn.relu(h)
        return -jnp.take_along_axis(jax.nn.log_softmax(h), labels[:, None], 1).mean()

    @jax.jit
    def update(parameters: Any, x: Any, labels: Any) -> Any:
        value, slopes = jax.value_and_grad(loss)(parameters, x, labels)
        return value, jax.tree.map(lambda p, s: p - RATE * s, parameters, slopes)

    state = [[(jnp.asarray(w), jnp.asarray(b)) for w, b in zip(weights, biases, strict=True)]]
    there = jnp.asarray(x), jnp.asarray(labels)

    def step() -> float:
        value, state[0] = update(state[0], *there)
        jax.block_until_ready(state[0])  # type: ignore[no-untyped-call]
        return float(value)

    return step
