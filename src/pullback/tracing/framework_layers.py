"""Layers of PyTorch and JAX: modules, autograd Functions, functions with rules of their own."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from pullback.errors import UnsupportedError
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
    plain = [is_fixed(e) or isinstance(e, float) for e in examples]  # a float by itself has no gradient in PyTorch
    plain = [is_fixed(e) for e in examples] if all(plain) else plain
    fixed = {name: e for name, e, given in zip(every, examples, plain, strict=False) if given}
    names = tuple(name for name in every if name not in fixed)
    tensors = [_tensor(e) for name, e in zip(every, examples, strict=False) if name not in fixed]

    def arranged(arrays: Sequence[Any]) -> list[Any]:
        given = iter(arrays)
        return [_fixed(fixed[name]) if name in fixed else next(given) for name in every]

    def forward(*given: Any) -> Any:
        arguments = arranged(given)
        return first_of(source.forward(_Context(), *arguments) if with_context else source.forward(*arguments))

    single = _wants_single(forward, tensors)

    def tensor(array: Any) -> Any:
        return _tensor(array).float() if single else _tensor(array)

    def run(*arrays: Any) -> Any:
        return forward(*(tensor(a) for a in arrays)).detach().numpy()

    def pull(g: Any, *arrays: Any) -> Any:
        leaves = [tensor(a).clone().requires_grad_() for a in arrays]
        result = first_of(source.apply(*arranged(leaves)))
        if not result.requires_grad:
            return tuple(None for _ in leaves)
        found: Sequence[Any] = torch.autograd.grad(result, leaves, _tensor(g).to(result.dtype), allow_unused=True)
        return tuple(part if part is None else numbers_of(part) for part in found)

    def second(g: Any, arrays: Sequence[Any], along: Sequence[Any]) -> list[Any]:
        leaves = [_tensor(a).clone().requires_grad_() for a in arrays]
        result = first_of(source.apply(*arranged(leaves)))
        slopes: Sequence[Any] = torch.autograd.grad(result, leaves, _tensor(g), create_graph=True, allow_unused=True)
        total: Any = sum((s * _tensor(v)).sum() for s, v in zip(slopes, along, strict=True) if s is not None)
        if not torch.is_tensor(total) or not total.requires_grad:
            return [numbers_of(torch.zeros_like(leaf)) for leaf in leaves]
        found = torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True)
        return [numbers_of(part) for part in found]

    forward.__name__ = source.__name__
    title = f"{source.__name__}({', '.join(names)})"
    own = tuple(numbers_of(t) for t in tensors)
    called = pull if backward is None else _with_tensors(backward)
    twice = second if backward is None else None
    return Layer("function", title, names, run, called, lambda: from_torch(forward, *tensors, names=names), own, twice)


def _wants_single(forward: Any, tensors: Sequence[Any]) -> bool:
    """Whether a function takes float32 and refuses float64."""
    import torch

    with torch.no_grad():
        try:
            forward(*(t.clone() for t in tensors))
        except Exception:
            try:
                forward(*(t.clone().float() for t in tensors))
            except Exception:
                return False
            return True
    return False


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
    every = tuple(inspect.signature(inner).parameters)[: len(examples)]
    if any(isinstance(e, dict | list | tuple) for e in examples):
        raise UnsupportedError("a tree of arrays is not read here", hint="wrap it in a function of arrays")
    fixed = {name: example for name, example in zip(every, examples, strict=False) if is_fixed(example)}
    names = tuple(name for name in every if name not in fixed)
    arrays = [np.asarray(e) for name, e in zip(every, examples, strict=False) if name not in fixed]

    def called(*given: Any) -> Any:
        parts = iter(given)
        result = source(*(fixed[name] if name in fixed else next(parts) for name in every))
        return jax.tree_util.tree_leaves(result)[0]

    called.__name__ = getattr(source, "__name__", type(source).__name__)

    def run(*given: Any) -> Any:
        with enable_x64():
            return np.asarray(called(*(jax.numpy.asarray(a) for a in given)))

    def pull(g: Any, *given: Any) -> Any:
        with enable_x64():
            result, back = jax.vjp(called, *(jax.numpy.asarray(a) for a in given))
            return tuple(np.asarray(part, dtype=np.float64) for part in back(jax.numpy.asarray(g, result.dtype)))

    def second(g: Any, given: Sequence[Any], along: Sequence[Any]) -> list[Any]:
        def slope(*inputs: Any) -> Any:
            result, back = jax.vjp(called, *inputs)
            slopes = back(jax.numpy.asarray(g, result.dtype))
            return sum((s * v).sum() for s, v in zip(slopes, along, strict=True))

        with enable_x64():
            found = jax.grad(slope, tuple(range(len(given))))(*(jax.numpy.asarray(a) for a in given))
            return [np.asarray(part, dtype=np.float64) for part in found]

    def by_hand(g: Any, *given: Any) -> Any:
        assert backward is not None
        parts = iter(given)
        with enable_x64():
            every_one = [fixed[name] if name in fixed else jax.numpy.asarray(next(parts)) for name in every]
            result = backward(jax.numpy.asarray(g), *every_one)
        if isinstance(result, tuple | list) and len(result) == len(every) and fixed:
            return tuple(part for part, name in zip(result, every, strict=True) if name not in fixed)
        return result

    title = f"{called.__name__}({', '.join(names)})"
    own = tuple(numbers_of(a) for a in arrays)
    hand = pull if backward is None else by_hand
    twice = second if backward is None else None
    return Layer("jax", title, names, run, hand, lambda: from_jax(called, *arrays, names=names), own, twice)
