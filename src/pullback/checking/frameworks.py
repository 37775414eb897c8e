"""Derived gradients beside those of PyTorch and JAX, in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.deriving import backward
from pullback.tracing.tape import TracedProgram


@dataclass(frozen=True)
class Agreement:
    """How far the derived gradients are from a framework's: the worst variable and its relative difference."""

    title: str
    variable: str
    worst: float
    variables: int
    framework: str
    program: TracedProgram

    def __bool__(self) -> bool:
        return self.worst <= 1e-9

    def __str__(self) -> str:
        word = "agrees with" if self else "differs from"
        return f"{self.title} {word} {self.framework}: worst {self.worst:.1e}, in {self.variable}, of {self.variables}"


def compare_torch(module: Any, examples: Sequence[Any], seed: int = 0) -> Agreement:
    """Compare with ``torch.autograd`` at the module's own parameters."""
    import copy

    import numpy as np
    import torch

    from pullback.tracing.torch import from_torch

    program = from_torch(module, *examples)
    wrapped = copy.deepcopy(module).double()
    tree = torch.utils._pytree
    leaves, structure = tree.tree_flatten(tuple(examples))
    leaves = [e.detach().double().clone().requires_grad_() if e.is_floating_point() else e for e in leaves]
    result = wrapped(*tree.tree_unflatten(leaves, structure))
    result = tree.tree_leaves(result)[0]
    g = torch.from_numpy(np.random.default_rng(seed).standard_normal(tuple(result.shape)))
    parameters = list(wrapped.parameters())
    wanted = [*(e for e in leaves if e.is_floating_point()), *parameters]
    found = torch.autograd.grad(result, wanted, g, allow_unused=True)
    names = [*(n for n, t in program.leaves if not t), *(n for n, t in program.leaves if t)]
    by_name = dict(program.leaves)
    targets = {t: p for t, p in wrapped.named_parameters()}
    inputs = [n for n, t in program.leaves if not t]
    values: dict[str, Any] = {n: e.detach().numpy() for n, e in zip(inputs, leaves, strict=True)}
    values.update({n: targets[by_name[n]].detach().numpy() for n in names if by_name[n]})
    right: dict[int, Any] = dict(zip([id(w) for w in wanted], found, strict=True))
    sources = {n: e for n, e in zip(inputs, leaves, strict=True)} | {
        n: targets[by_name[n]] for n in names if by_name[n]
    }
    free = [n for n in program.inputs if n in sources and sources[n].is_floating_point()]
    derived = backward(program, free, "upstream").evaluate({**program.constants, **values, "upstream": g.numpy()})
    worst = ("", 0.0)
    for name in free:
        target = right[id(sources[name])]
        wanted_array = np.zeros(derived[name].shape) if target is None else target.numpy()
        scale = max(1.0, float(np.max(np.abs(wanted_array), initial=0.0)))
        worst = max(
            worst, (name, float(np.max(np.abs(derived[name] - wanted_array), initial=0.0)) / scale), key=lambda w: w[1]
        )
    return Agreement(program.source, worst[0] or free[0], worst[1], len(free), "PyTorch", program)


def compare_jax(function: Callable[..., Any], examples: Sequence[Any], seed: int = 0) -> Agreement:
    """Compare with ``jax.vjp``."""
    import jax
    import numpy as np

    from pullback.tracing.jax import enable_x64, from_jax

    program = from_jax(function, *examples)
    leaves = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(tuple(examples))]
    names = list(program.inputs)[: len(leaves)]
    with enable_x64():
        exact = jax.tree_util.tree_map(
            lambda a: np.asarray(a, dtype=np.float64) if np.asarray(a).dtype.kind == "f" else a, tuple(examples)
        )
        first = lambda *a: jax.tree_util.tree_leaves(function(*a))[0]  # noqa: E731
        result, pull = jax.vjp(first, *exact)
        g = np.random.default_rng(seed).standard_normal(np.shape(result))
        found = [np.asarray(leaf) for leaf in jax.tree_util.tree_leaves(pull(jax.numpy.asarray(g)))]
    free = [n for n, leaf in zip(names, leaves, strict=True) if leaf.dtype.kind == "f"]
    values = dict(zip(names, leaves, strict=True))
    derived = backward(program, free, "upstream").evaluate({**program.constants, **values, "upstream": g})
    worst = ("", 0.0)
    for name, target in zip(names, found, strict=True):
        if name in free:
            scale = max(1.0, float(np.max(np.abs(target), initial=0.0)))
            worst = max(
                worst, (name, float(np.max(np.abs(derived[name] - target), initial=0.0)) / scale), key=lambda w: w[1]
            )
    return Agreement(program.source, worst[0] or free[0], worst[1], len(free), "JAX", program)
