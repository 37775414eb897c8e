"""Layers of PyTorch and JAX: modules, autograd Functions, functions with rules of their own."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from pullback.tracing.layer import Backward, Layer, first_of, is_fixed, numbers_of


def module(source: Any, backward: Backward | None, examples: Sequence[Any]) -> Layer:
    """A ``torch.nn.Module``, or a function of tensors."""
    import torch

    from pullback.tracing.torch import from_torch

    tensors = [_tensor(e) for e in examples]

    def run(*arrays: Any) -> Any:
        with torch.no_grad():
            result = first_of(source(*(_tensor(a) for a in arrays)))
        return numbers_of(result)

    names = tuple(f"x{k + 1}" for k in range(len(tensors)))
    title = f"{getattr(source, '__name__', type(source).__name__)}({', '.join(names)})"
    own = tuple(numbers_of(t) for t in tensors)
    called = None if backward is None else _with_tensors(backward)
    return Layer("module", title, names, run, called, lambda: from_torch(source, *tensors), own)


def _with_tensors(backward: Backward) -> Backward:
    """A backward pass of tensors as one of arrays."""

    def run(g: Any, *arrays: Any) -> Any:
        result = backward(_tensor(g), *(_tensor(a) for a in arrays))
        if isinstance(result, dict):
            return {name: numbers_of(part) for name, part in result.items() if part is not None}
        parts = result if isinstance(result, tuple | list) else [result]
        return tuple(None if part is None else numbers_of(part) for part in parts)

    return run


def _tensor(thing: Any) -> Any:
    import numpy as np
    import torch

    if torch.is_tensor(thing):
        thing = thing.detach()
        return thing.double() if thing.is_floating_point() else thing
    array = np.array(thing)
    return torch.from_numpy(array.astype(np.float64) if array.dtype.kind == "f" else array)


def function(source: Any, backward: Backward | None, examples: Sequence[Any]) -> Layer:
    """A ``torch.autograd.Function``: its forward is read, its backward is run by PyTorch."""
    import torch

    from pullback.tracing.torch import from_torch

    with_context = source.setup_context is torch.autograd.Function.setup_context
    parameters = list(inspect.signature(source.forward).parameters)
    every = (parameters[1:] if with_context else parameters)[: len(examples)]
    fixed = {name: example for name, example in zip(every, examples, strict=False) if is_fixed(example)}
    names = tuple(name for name in every if name not in fixed)
    tensors = [_tensor(e) for name, e in zip(every, examples, strict=False) if name not in fixed]

    def arranged(arrays: Sequence[Any]) -> list[Any]:
        given = iter(arrays)
        return [_fixed(fixed[name]) if name in fixed else next(given) for name in every]

    def forward(*given: Any) -> Any:
        arguments = arranged(given)
        return first_of(source.forward(_Context(), *arguments) if with_context else source.forward(*arguments))

    def run(*arrays: Any) -> Any:
        return numbers_of(forward(*(_tensor(a) for a in arrays)))

    def pull(g: Any, *arrays: Any) -> Any:
        leaves = [_tensor(a).clone().requires_grad_() for a in arrays]
        result = first_of(source.apply(*arranged(leaves)))
        if not result.requires_grad:
            return tuple(None for _ in leaves)
        found: Sequence[Any] = torch.autograd.grad(result, leaves, _tensor(g), allow_unused=True)
        return tuple(part if part is None else numbers_of(part) for part in found)

    forward.__name__ = source.__name__
    title = f"{source.__name__}({', '.join(names)})"
    own = tuple(numbers_of(t) for t in tensors)
    called = pull if backward is None else _with_tensors(backward)
    return Layer("function", title, names, run, called, lambda: from_torch(forward, *tensors, names=names), own)


def _fixed(thing: Any) -> Any:
    return _tensor(thing) if hasattr(thing, "shape") else thing


class _Context:
    """What ``forward(ctx, …)`` may write to while it is only read."""

    needs_input_grad = (True,) * 32

    def save_for_backward(self, *_: Any) -> None:
        """Keep nothing."""

    def save_for_forward(self, *_: Any) -> None:
        """Keep nothing."""

    def mark_non_differentiable(self, *_: Any) -> None:
        """Note nothing."""

    def set_materialize_grads(self, _: bool) -> None:
        """Change nothing."""

    def mark_dirty(self, *_: Any) -> None:
        """Note nothing."""


def jax_layer(source: Any, backward: Backward | None, examples: Sequence[Any]) -> Layer:
    """A JAX function; one with ``custom_vjp`` brings its rule along."""
    import jax
    import numpy as np

    from pullback.tracing.jax import enable_x64, from_jax

    inner = getattr(source, "fun", source)
    names = tuple(inspect.signature(inner).parameters)[: len(examples)]

    def run(*arrays: Any) -> Any:
        with enable_x64():
            return np.asarray(jax.tree_util.tree_leaves(source(*(jax.numpy.asarray(a) for a in arrays)))[0])

    def pull(g: Any, *arrays: Any) -> Any:
        with enable_x64():
            result, back = jax.vjp(source, *(jax.numpy.asarray(a) for a in arrays))
            leaves, tree = jax.tree_util.tree_flatten(result)
            seeds = [jax.numpy.asarray(g, leaves[0].dtype), *(jax.numpy.zeros_like(leaf) for leaf in leaves[1:])]
            return tuple(_gradient(part) for part in back(jax.tree_util.tree_unflatten(tree, seeds)))

    arrays = [np.asarray(e) for e in examples]
    title = f"{getattr(source, '__name__', type(source).__name__)}({', '.join(names)})"
    own = tuple(numbers_of(a) for a in arrays)
    return Layer("jax", title, names, run, backward or pull, lambda: from_jax(source, *arrays, names=names), own)


def _gradient(part: Any) -> Any:
    """A gradient as an array; that of whole numbers (JAX's float0) is none."""
    import numpy as np

    array = np.asarray(part)
    return None if array.dtype.kind == "V" else np.asarray(array, dtype=np.float64)
