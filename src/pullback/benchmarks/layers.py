"""The suites ``linear`` and ``mlp``: what a framework user runs all day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from pullback.benchmarks.measuring import Call, Row, compare
from pullback.benchmarks.peers import (
    autograd_linear,
    autograd_step,
    installed,
    pytensor_linear,
    tensorgrad_linear,
    tensorgrad_step,
)
from pullback.compiling import compile_program

SIZES = ((1, 3, 2), (1, 64, 64), (32, 128, 128), (128, 512, 512), (512, 1024, 1024), (2048, 2048, 2048))
NETWORKS = (((64, 64, 10), 32), ((784, 512, 512, 10), 128), ((784, 512, 512, 10), 1024))
RATE = 1e-3


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
        work = 6.0 * batch * inner * outer
        traffic = 4.0 * (3 * outer * inner + 3 * batch * inner + 3 * batch * outer)
        alone = frozenset(("three GEMMs alone",))
        yield compare(
            "linear", f"{batch}, {inner}, {outer}", calls, reference,
            rounds=5 if quick else 11, block=0.05 if work < 1e9 else 0.3, work=work, traffic=traffic, unchecked=alone,
        )  # fmt: skip


def _linear_calls(arrays: dict[str, Any]) -> dict[str, Call]:
    import numpy as np

    weight, x, bias, g = (arrays[name] for name in "Wxbg")
    calls: dict[str, Call] = {}
    for name, backend, reuse in (
        ("pullback", "numpy", False),
        ("pullback reuse", "numpy", True),
        ("pullback auto", "auto", True),
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
    if len(x) >= 1024:
        calls["three GEMMs alone"] = lambda: (
            np.matmul(x, weight.T, out=y), np.matmul(g.T, x, out=dw), np.matmul(g, weight, out=dx)
        )  # fmt: skip
    if installed("torch"):
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
    if installed("jax"):
        import jax
        import jax.numpy as jnp

        @jax.jit
        def pulled(x: Any, weight: Any, bias: Any, g: Any) -> Any:
            out, pull = jax.vjp(lambda x, w, b: x @ w.T + b, x, weight, bias)
            dx, dw, db = pull(g)
            return out, dw, dx, db

        there = [jnp.asarray(a) for a in (x, weight, bias, g)]
        calls["jax.jit"] = lambda: jax.block_until_ready(pulled(*there))  # type: ignore[no-untyped-call]
    made: dict[str, Callable[[], Call]] = {}
    if installed("torch", "tensorgrad"):
        made["tensorgrad"] = lambda: tensorgrad_linear(weight, x, bias, g)
    if installed("autograd"):
        made["autograd"] = lambda: autograd_linear(weight, x, bias, g)
    if installed("pytensor"):
        made["PyTensor"] = lambda: pytensor_linear(weight, x, bias, g)
    return calls | ready(made)


def ready(made: dict[str, Callable[[], Call]]) -> dict[str, Call]:
    """Calls of libraries that have to compile first; one that can't fails when it is called, and is named then."""

    def failing(error: Exception) -> Call:
        def call() -> Any:
            raise error

        return call

    calls: dict[str, Call] = {}
    for name, make in made.items():
        try:
            calls[name] = make()
        except Exception as error:
            calls[name] = failing(error)
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
        steps = _mlp_steps(sizes, batch, quick)
        calls = {name: step for name, (step, _) in steps.items()}
        first = {name: [w.copy() for w in _arrays(weights())] for name, (_, weights) in steps.items()}
        probes = {
            name: lambda step=step, weights=weights, start=first[name]: _three_steps(step, weights, start)
            for name, (step, weights) in steps.items()
        }
        reference = "PyTorch eager" if "PyTorch eager" in calls else "pullback"
        work = 6.0 * batch * sum(i * o for i, o in pairwise(sizes)) - 2.0 * batch * sizes[0] * sizes[1]
        yield compare(
            "mlp", f"{'-'.join(map(str, sizes))}, {batch}", calls, reference,
            rounds=5 if quick else 9, block=0.1, tolerance=2e-2, probes=probes, work=work,
        )  # fmt: skip


def _arrays(weights: Any) -> list[Any]:
    import numpy as np

    return [np.asarray(w.detach() if hasattr(w, "detach") else w) for w in weights]


def _three_steps(step: Call, weights: Call, start: list[Any]) -> Any:
    """Three losses, and how far the weights have gone by then."""
    losses = [step() for _ in range(3)]
    return [*losses, *(w - s for w, s in zip(_arrays(weights()), start, strict=True))]


def _mlp_steps(sizes: tuple[int, ...], batch: int, quick: bool) -> dict[str, tuple[Call, Call]]:
    import numpy as np

    rng = np.random.default_rng(0)
    count = len(sizes) - 1
    weights = [(rng.standard_normal((o, i)) * np.sqrt(2 / i)).astype("f4") for i, o in pairwise(sizes)]
    biases = [(0.01 * rng.standard_normal(o)).astype("f4") for o in sizes[1:]]
    x = rng.standard_normal((batch, sizes[0])).astype("f4")
    labels = rng.integers(0, sizes[-1], batch)
    onehot = np.eye(sizes[-1], dtype="f4")[labels]
    wrt = [name for k in range(1, count + 1) for name in (f"W{k}", f"b{k}")]
    steps: dict[str, tuple[Call, Call]] = {}
    for name, backend in (("pullback", "numpy"), ("pullback torch", "torch"), ("pullback auto", "auto")):
        if backend == "torch" and not installed("torch"):
            continue
        function = compile_program(network_text(count), wrt, backend=backend, rate=RATE).function
        own = {"X": x, "T": onehot}
        for k in range(count):
            own |= {f"W{k + 1}": weights[k].copy(), f"b{k + 1}": biases[k].copy()}
        changed = [own[f"{letter}{k + 1}"] for letter in "Wb" for k in range(count)]
        steps[name] = (
            lambda function=function, own=own: float(function(**own)),  # type: ignore[misc]
            lambda changed=changed: changed,  # type: ignore[misc]
        )
    made: dict[str, Callable[[], tuple[Call, Call]]] = {}
    if installed("torch"):
        made["PyTorch eager"] = lambda: _torch_step(sizes, weights, biases, x, labels)
        if not quick:
            made["torch.compile"] = lambda: _torch_step(sizes, weights, biases, x, labels, compiled=True)
    if installed("jax"):
        made["jax.jit"] = lambda: _jax_step(weights, biases, x, labels)
    if installed("torch", "tensorgrad"):
        made["tensorgrad"] = lambda: tensorgrad_step(weights, biases, x, onehot, RATE, compiled=False)
        if not quick:
            made["tensorgrad compiled"] = lambda: tensorgrad_step(weights, biases, x, onehot, RATE, compiled=True)
    if installed("autograd"):
        made["autograd"] = lambda: autograd_step(weights, biases, x, onehot, RATE)
    for name, make in made.items():
        try:
            steps[name] = make()
        except Exception as error:
            step = ready({name: lambda error=error: _raise(error)})[name]  # type: ignore[misc]
            steps[name] = (step, lambda: [])
    return steps


def _raise(error: Exception) -> Any:
    raise error


def _torch_step(
    sizes: tuple[int, ...], weights: list[Any], biases: list[Any], x: Any, labels: Any, compiled: bool = False
) -> tuple[Call, Call]:
    import torch

    modules: list[Any] = []
    for k, (i, o) in enumerate(pairwise(sizes)):
        layer = torch.nn.Linear(i, o)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights[k]))
            layer.bias.copy_(torch.from_numpy(biases[k]))
        modules += [layer, torch.nn.ReLU()]
    network = torch.nn.Sequential(*modules[:-1])
    optimiser = torch.optim.SGD(network.parameters(), lr=RATE, **({"fused": True} if compiled else {}))

    def forward(x: Any, wanted: Any) -> Any:
        return torch.nn.functional.cross_entropy(network(x), wanted)

    lossy = torch.compile(forward, fullgraph=True, dynamic=False) if compiled else forward
    given, wanted = torch.from_numpy(x), torch.from_numpy(labels)

    def step() -> float:
        optimiser.zero_grad(set_to_none=True)
        loss = lossy(given, wanted)
        loss.backward()
        optimiser.step()
        return float(loss.item())

    layers = [m for m in modules if isinstance(m, torch.nn.Linear)]
    return step, lambda: [*(m.weight for m in layers), *(m.bias for m in layers)]


def _jax_step(weights: list[Any], biases: list[Any], x: Any, labels: Any) -> tuple[Call, Call]:
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

    return step, lambda: [*(w for w, _ in state[0]), *(b for _, b in state[0])]
