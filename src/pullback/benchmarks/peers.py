"""Other libraries on the same work: each function gives a call, or raises where a library can't do it.

tensorgrad's own way to run what it compiled needs named tensors, which PyTorch no longer has; the function that it
generates is called directly, which is the best case for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

Call = Callable[[], Any]


def installed(*names: str) -> bool:
    """Whether libraries are there."""
    return all(find_spec(name) is not None for name in names)


def tensorgrad_call(
    results: Sequence[Any], values: Mapping[Any, Any], sizes: Mapping[Any, int], compiled: bool = False
) -> Call:
    """What tensorgrad generates for expressions, on tensors; each result as its axes are declared."""
    import torch
    from tensorgrad.compiler import compile_to_callable  # type: ignore[import-not-found]

    program = compile_to_callable(*results)
    arguments = [values[variable] for variable in program.vars]
    run = program.codegen.specialize(dict(sizes), dtype=arguments[0].dtype, for_inductor=compiled)
    if compiled:
        run = program._torch_compile(run)
    orders = [order for order, _ in program._wrap_plans]

    def call() -> Any:
        with torch.no_grad():
            found = run(*arguments)
        return [array if order is None else array.permute(order) for array, order in zip(found, orders, strict=True)]

    call.axes = [names for _, names in program._wrap_plans]  # type: ignore[attr-defined]
    return call


def tensorgrad_linear(weight: Any, x: Any, bias: Any, g: Any) -> Call:
    """Forward and backward of a linear layer."""
    import sympy  # type: ignore[import-untyped]
    import tensorgrad  # type: ignore[import-not-found]
    import tensorgrad.functions as functions  # type: ignore[import-not-found]
    import torch

    batch, inner, outer = sympy.symbols("batch inner outer")
    vx, vw = tensorgrad.Variable("X", batch, inner), tensorgrad.Variable("W", outer, inner)
    vb, vg = tensorgrad.Variable("bias", outer), tensorgrad.Variable("G", batch, outer)
    y = vx @ vw + vb
    loss = functions.sum(y * vg)
    values = {v: torch.from_numpy(a) for v, a in ((vx, x), (vw, weight), (vb, bias), (vg, g))}
    sizes = {batch: x.shape[0], inner: x.shape[1], outer: weight.shape[0]}
    return tensorgrad_call([y, *(loss.grad(v) for v in (vw, vx, vb))], values, sizes)


def tensorgrad_step(
    weights: Sequence[Any], biases: Sequence[Any], x: Any, onehot: Any, rate: float, compiled: bool
) -> tuple[Call, Call]:
    """A training step, and the weights that it has led to."""
    import sympy
    import tensorgrad
    import tensorgrad.functions as functions
    import torch

    count, sizes = len(weights), [x.shape[1], *(w.shape[0] for w in weights)]
    names = [sympy.Symbol(f"d{k}") for k in range(count + 1)]
    batch = sympy.Symbol("batch")
    vx, vt = tensorgrad.Variable("X", batch, names[0]), tensorgrad.Variable("T", batch, names[count])
    parameters = [tensorgrad.Variable(f"W{k}", names[k + 1], names[k]) for k in range(count)]
    parameters += [tensorgrad.Variable(f"b{k}", names[k + 1]) for k in range(count)]
    h = vx
    for k in range(count):
        h = h @ parameters[k] + parameters[count + k]
        h = functions.relu(h) if k < count - 1 else h
    loss = functions.sum(functions.cross_entropy(h, vt, dim=f"d{count}")) / x.shape[0]
    state = [torch.from_numpy(a.copy()) for a in (*weights, *biases)]
    values = {vx: torch.from_numpy(x), vt: torch.from_numpy(onehot), **dict(zip(parameters, state, strict=True))}
    lengths = {batch: x.shape[0], **dict(zip(names, sizes, strict=True))}
    changed = [p - rate * loss.grad(p) for p in parameters]
    run = tensorgrad_call([loss, *changed], values, lengths, compiled)
    straight = [axes == tuple(p.edges) for axes, p in zip(run.axes[1:], parameters, strict=True)]  # type: ignore[attr-defined]

    def step() -> float:
        found = run()
        for held, new, plain in zip(state, found[1:], straight, strict=True):
            held.copy_(new if plain else new.t())
        return float(found[0])

    return step, lambda: state


def tensorgrad_logistic(x: Any, y: Any, w: Any) -> Call:
    """The Hessian of logistic regression."""
    import sympy
    import tensorgrad
    import tensorgrad.functions as functions
    import torch

    m, n = sympy.symbols("m n")
    vx, vy, vw = tensorgrad.Variable("X", m, n), tensorgrad.Variable("y", m), tensorgrad.Variable("w", n)
    loss = functions.sum(functions.log(1 + functions.exp(-vy * (vx @ vw))))
    values = {vx: torch.from_numpy(x), vy: torch.from_numpy(y), vw: torch.from_numpy(w)}
    run = tensorgrad_call([loss.grad(vw).grad(vw)], values, {m: x.shape[0], n: x.shape[1]})
    return lambda: run()[0]


def autograd_linear(weight: Any, x: Any, bias: Any, g: Any) -> Call:
    """Forward and backward of a linear layer by HIPS autograd."""
    import autograd  # type: ignore[import-not-found]
    import autograd.numpy as anp  # type: ignore[import-not-found]

    def call() -> Any:
        pull, y = autograd.make_vjp(lambda p: anp.dot(p[1], p[0].T) + p[2])((weight, x, bias))
        return (y, *pull(g))

    return call


def autograd_step(weights: Sequence[Any], biases: Sequence[Any], x: Any, onehot: Any, rate: float) -> tuple[Call, Call]:
    """A training step by HIPS autograd, and the weights that it has led to."""
    import autograd
    import autograd.numpy as anp

    count = len(weights)

    def loss(parameters: Any) -> Any:
        h = x
        for k in range(count):
            h = anp.dot(h, parameters[k].T) + parameters[count + k]
            h = anp.maximum(h, 0) if k < count - 1 else h
        top = anp.max(h, axis=1, keepdims=True)
        norm = anp.log(anp.sum(anp.exp(h - top), axis=1)) + top[:, 0]
        return (anp.sum(norm) - anp.sum(h * onehot)) / len(x)

    pulled = autograd.value_and_grad(loss)
    state = [a.copy() for a in (*weights, *biases)]

    def step() -> float:
        value, slopes = pulled(state)
        for held, slope in zip(state, slopes, strict=True):
            held -= rate * slope.astype(held.dtype, copy=False)
        return float(value)

    return step, lambda: state


def pytensor_linear(weight: Any, x: Any, bias: Any, g: Any) -> Call:
    """Forward and backward of a linear layer by PyTensor."""
    import pytensor  # type: ignore[import-not-found]
    import pytensor.tensor as pt  # type: ignore[import-not-found]

    w, v, b, u = pt.fmatrix("W"), pt.fmatrix("X"), pt.fvector("b"), pt.fmatrix("G")
    y = v @ w.T + b
    slopes = pt.grad((y * u).sum(), [w, v, b])
    run = pytensor.function([w, v, b, u], [y, *slopes])
    return lambda: run(weight, x, bias, g)


def pytensor_logistic(x: Any, y: Any, w: Any) -> Call:
    """The Hessian of logistic regression by PyTensor."""
    import pytensor
    import pytensor.tensor as pt

    vx, vy, vw = pt.dmatrix("X"), pt.dvector("y"), pt.dvector("w")
    loss = pt.sum(pt.softplus(-vy * (vx @ vw)))
    run = pytensor.function([vx, vy, vw], pytensor.gradient.hessian(loss, vw))
    return lambda: run(x, y, w)
