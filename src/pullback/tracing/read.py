"""Telling apart what people hand over: NumPy functions, PyTorch modules and Functions, JAX functions, files."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullback.errors import NotationError, ShapeError, UnsupportedError, ValuesError
from pullback.tracing.tape import TracedProgram
from pullback.tracing.trace import trace

Backward = Callable[..., Any]


@dataclass(frozen=True)
class Layer:
    """A forward pass over arrays in order, and the backward pass that came with it.

    ``backward(g, *inputs)`` gives a gradient for each input; None where there is none of its own.
    """

    kind: str
    names: tuple[str, ...]
    forward: Callable[..., Any]
    backward: Backward | None
    program: Callable[[], TracedProgram]


def kind_of(source: Any) -> str:
    """What a thing is, without importing a library that is not loaded: module, function, jax or numpy."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch is not None and isinstance(source, torch.nn.Module):
        return "module"
    if torch is not None and inspect.isclass(source) and issubclass(source, torch.autograd.Function):
        return "function"
    if jax is not None and (isinstance(source, jax.custom_vjp | jax.custom_jvp) or hasattr(source, "lower")):
        return "jax"
    if callable(source):
        return "numpy"
    raise UnsupportedError(f"a {type(source).__name__} is not read", hint="give a function, a module or a program")


def read_layer(source: Any, backward: Backward | None, values: Any, shapes: Mapping[str, Any] | None = None) -> Layer:
    """Read a forward pass, with the backward pass that it brings along or that is given.

    Raises:
        ValuesError: Example values are needed for the shapes, and there are none.
    """
    kind = kind_of(source)
    given = list(values.values()) if isinstance(values, Mapping) else list(values or [])
    if kind == "numpy" and any("jax" in type(v).__module__ for v in given):
        kind = "jax"
    if kind == "numpy":
        return _numpy(source, backward, values, shapes)
    if not given:
        raise ValuesError("example values are needed", hint="give values=[…], one array for each input")
    return {"module": _module, "function": _function, "jax": _jax}[kind](source, backward, given)


def read_pair(
    source: Any, backward: Backward | None, values: Any, shapes: Mapping[str, Any] | None
) -> tuple[TracedProgram, Backward | None]:
    """Read a forward pass as a program, and its backward pass as a function of arrays."""
    layer = read_layer(source, backward, values, shapes)
    return layer.program(), layer.backward


def _numpy(source: Any, backward: Backward | None, values: Any, shapes: Mapping[str, Any] | None) -> Layer:
    import numpy as np

    names = tuple(inspect.signature(source).parameters)
    known = (
        dict(zip(names, values, strict=False))
        if values is not None and not isinstance(values, Mapping)
        else dict(values or {})
    )
    sizes: dict[str, Any] = {**{name: np.shape(value) for name, value in known.items()}, **(shapes or {})}
    names = tuple(name for name in names if name in sizes)

    def forward(*arrays: Any) -> Any:
        result = source(*arrays)
        return result[0] if isinstance(result, tuple | list) else result

    called = _called(source, backward)

    def program() -> TracedProgram:
        if called is not None and not shapes:
            named = _with_names(sizes)
            if _runs_at_other_sizes(source, called, named):
                try:
                    return trace(source, shapes=named)
                except (UnsupportedError, ShapeError):
                    pass
        return trace(source, shapes=sizes)

    return Layer("numpy", names, forward, called, program)


def _with_names(sizes: Mapping[str, Any]) -> dict[str, tuple[int | str, ...]]:
    """Names for lengths, the same for the same length, so that a backward pass can be tried at others."""
    letters = iter(("B", "n", "m", "k", "p", "q", "r", "s", *(f"n{k}" for k in range(1, 50))))
    names: dict[int, str] = {}
    result: dict[str, tuple[int | str, ...]] = {}
    for name, shape in sizes.items():
        for length in shape:
            if length > 1 and length not in names:
                names[length] = next(letters)
        result[name] = tuple(names[length] if length > 1 else length for length in shape)
    return result


def _runs_at_other_sizes(source: Any, backward: Backward, named: Mapping[str, Any]) -> bool:
    """Whether both passes run where the lengths are others."""
    import numpy as np

    order = dict.fromkeys(n for shape in named.values() for n in shape if isinstance(n, str))
    lengths = dict(zip(order, (3, 5, 7, 4, 11, 13), strict=False))
    rng = np.random.default_rng(0)
    try:
        arrays = [rng.standard_normal([lengths.get(n, n) for n in shape]) for shape in named.values()]
        result = source(*arrays)
        output = result[0] if isinstance(result, tuple | list) else result
        backward(np.ones(np.shape(output)), *arrays)
    except Exception:
        return False
    return True


def _called(forward: Any, backward: Backward | None) -> Backward | None:
    """A backward pass as ``backward(g, *inputs)``; one that takes a cache is given the forward pass's."""
    if backward is None:
        return None
    try:
        count = len(inspect.signature(backward).parameters)
    except (TypeError, ValueError):
        return backward

    def with_cache(g: Any, *inputs: Any) -> Any:
        result = forward(*inputs)
        if isinstance(result, tuple) and len(result) == 2 and count == 2:
            return backward(g, result[1])
        return backward(g, *inputs)

    return with_cache


def _module(source: Any, backward: Backward | None, examples: Sequence[Any]) -> Layer:
    import torch

    from pullback.tracing.torch import from_torch

    tensors = [_tensor(e) for e in examples]

    def run(*arrays: Any) -> Any:
        with torch.no_grad():
            result = source(*(_tensor(a) for a in arrays))
        return (result[0] if isinstance(result, tuple) else result).numpy()

    names = tuple(f"x{k + 1}" for k in range(len(tensors)))
    return Layer("module", names, run, backward, lambda: from_torch(source, *tensors))


def _tensor(array: Any) -> Any:
    import numpy as np
    import torch

    if torch.is_tensor(array):
        return array.detach()
    array = np.array(array)
    return torch.from_numpy(array)


def _function(source: Any, backward: Backward | None, examples: Sequence[Any]) -> Layer:
    """A ``torch.autograd.Function``: its forward is read, its backward is run by PyTorch."""
    import torch

    from pullback.tracing.torch import from_torch

    with_context = source.setup_context is torch.autograd.Function.setup_context
    parameters = list(inspect.signature(source.forward).parameters)
    names = tuple(parameters[1:] if with_context else parameters)[: len(examples)]

    def forward(*tensors: Any) -> Any:
        result = source.forward(_Context(), *tensors) if with_context else source.forward(*tensors)
        return result[0] if isinstance(result, tuple) else result

    def run(*arrays: Any) -> Any:
        return forward(*(_tensor(a) for a in arrays)).detach().numpy()

    def pull(g: Any, *arrays: Any) -> Any:
        tensors = [_tensor(a).clone() for a in arrays]
        tensors = [t.requires_grad_() if t.is_floating_point() else t for t in tensors]
        result = source.apply(*tensors)
        result = result[0] if isinstance(result, tuple) else result
        wanted = [t for t in tensors if t.requires_grad]
        found = iter(torch.autograd.grad(result, wanted, _tensor(g), allow_unused=True))
        parts = [next(found) if t.requires_grad else None for t in tensors]
        return tuple(None if p is None else p.detach().numpy() for p in parts)

    tensors = [_tensor(e) for e in examples]
    forward.__name__ = source.__name__
    return Layer("function", names, run, backward or pull, lambda: from_torch(forward, *tensors, names=names))


class _Context:
    """What ``forward(ctx, …)`` may write to while it is only read."""

    needs_input_grad = (True,) * 32

    def save_for_backward(self, *_: Any) -> None:
        """Keep nothing."""

    def mark_non_differentiable(self, *_: Any) -> None:
        """Note nothing."""

    def set_materialize_grads(self, _: bool) -> None:
        """Change nothing."""

    def mark_dirty(self, *_: Any) -> None:
        """Note nothing."""


def _jax(source: Any, backward: Backward | None, examples: Sequence[Any]) -> Layer:
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
            _, back = jax.vjp(source, *(jax.numpy.asarray(a) for a in arrays))
            return tuple(np.asarray(part) for part in back(jax.numpy.asarray(g)))

    arrays = [np.asarray(e) for e in examples]
    return Layer("jax", names, run, backward or pull, lambda: from_jax(source, *arrays, names=names))


def load(place: str) -> Any:
    """Load an object from a file: ``my_layer.py:forward``. The file is run; the caller says so first.

    Raises:
        NotationError: There is no such file, or no such name in it.
    """
    from importlib.util import module_from_spec, spec_from_file_location

    path, _, name = place.rpartition(":")
    file = Path(path)
    if not file.is_file():
        raise NotationError(f"there is no file {path}", hint="write it as my_layer.py:forward")
    spec = spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise NotationError(f"{path} is not a Python file")
    module = module_from_spec(spec)
    sys.modules.setdefault(file.stem, module)
    spec.loader.exec_module(module)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            known = ", ".join(n for n in vars(module) if not n.startswith("_"))
            raise NotationError(f"there is no {name} in {path}", hint=f"it has: {known}")
        found = getattr(found, part)
    return found
