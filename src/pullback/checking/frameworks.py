"""Derived gradients beside those of PyTorch and JAX, in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.deriving import backward
from pullback.expression import evaluate_all
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
    """Compare the output and all gradients with PyTorch's, at the module's own parameters."""
    import copy

    import numpy as np
    import torch

    from pullback.tracing.torch import from_torch

    program = from_torch(module, *examples)
    wrapped = copy.deepcopy(module).double()
    tree = torch.utils._pytree
    flat, structure = tree.tree_flatten(tuple(examples))

    def run(count: int) -> tuple[list[Any], Any]:
        """Run with so many inputs asking for their gradient."""
        leaves = [e.detach().double().clone() if e.is_floating_point() else e for e in flat]
        for leaf in [e for e in leaves if e.is_floating_point()][:count]:
            leaf.requires_grad_()
        return leaves, tree.tree_leaves(wrapped(*tree.tree_unflatten(leaves, structure)))[0]

    try:
        leaves, result = run(len(flat))
    except RuntimeError as error:
        # some losses have no gradient by their targets
        if "not differentiable" not in str(error):
            raise
        leaves, result = run(1)
    g = torch.from_numpy(np.random.default_rng(seed).standard_normal(tuple(result.shape)))
    parameters = dict(wrapped.named_parameters())
    inputs = iter(leaves)
    sources = {name: parameters[path] if path else next(inputs) for name, path in program.leaves}
    free = [name for name in program.inputs if name in sources and sources[name].requires_grad]
    found: Sequence[Any] = torch.autograd.grad(result, [sources[n] for n in free], g, allow_unused=True)
    right = {
        name: np.zeros(tuple(sources[name].shape)) if slope is None else slope.numpy()
        for name, slope in zip(free, found, strict=True)
    }
    values = {**program.constants, **{name: source.detach().numpy() for name, source in sources.items()}}
    return _agreement(program, free, values, g.numpy(), result.detach().numpy(), right, "PyTorch")


def _agreement(
    program: TracedProgram,
    free: Sequence[str],
    values: dict[str, Any],
    upstream: Any,
    output: Any,
    right: dict[str, Any],
    framework: str,
) -> Agreement:
    """The largest difference, of the output or of a gradient, relative to the largest entry (at least one)."""
    import numpy as np

    last = program.output
    (computed,) = evaluate_all([(last.node, last.shape)], program.inputs, values)
    derived = backward(program, free, "upstream").evaluate({**values, "upstream": upstream})
    pairs = [("output", computed, output), *((n, derived[program.inputs[n].name], right[n]) for n in free)]
    worst = ("", 0.0)
    for name, mine, theirs in pairs:
        scale = max(1.0, float(np.max(np.abs(theirs), initial=0.0)))
        difference = float(np.max(np.abs(mine - theirs), initial=0.0)) / scale if mine.size else 0.0
        worst = max(worst, (name, difference), key=lambda w: w[1])
    return Agreement(program.source, worst[0] or "output", worst[1], len(free), framework, program)


def compare_jax(function: Callable[..., Any], examples: Sequence[Any], seed: int = 0) -> Agreement:
    """Compare the output and all gradients with those of ``jax.vjp``."""
    import jax
    import numpy as np

    from pullback.tracing.jax import enable_x64, from_jax

    program = from_jax(function, *examples)
    flat, structure = jax.tree_util.tree_flatten(tuple(examples))
    leaves = [np.asarray(leaf) for leaf in flat]
    free = [name for name, _ in program.leaves]
    arrays = [np.asarray(leaf, dtype=np.float64) for leaf in leaves if leaf.dtype.kind == "f"]

    def first(*given: Any) -> Any:
        parts = iter(given)
        every = [next(parts) if leaf.dtype.kind == "f" else leaf for leaf in leaves]
        return jax.tree_util.tree_leaves(function(*jax.tree_util.tree_unflatten(structure, every)))[0]

    with enable_x64():
        result, pull = jax.vjp(first, *arrays)
        g = np.random.default_rng(seed).standard_normal(np.shape(result))
        found = [np.asarray(slope) for slope in pull(jax.numpy.asarray(g))]
    values = {**program.constants, **dict(zip(free, arrays, strict=True))}
    return _agreement(program, free, values, g, np.asarray(result), dict(zip(free, found, strict=True)), "JAX")
