"""A forward pass over arrays, with the backward pass that came with it, whatever both were written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.errors import ValuesError
from pullback.tracing.tape import TracedProgram

Backward = Callable[..., Any]


@dataclass(frozen=True)
class Layer:
    """A forward pass over arrays in order.

    Attributes:
        kind: ``numpy``, ``object``, ``module``, ``function`` or ``jax``.
        title: What it is called.
        names: The arguments, without those that are no arrays of real numbers (labels, options).
        forward: Computes the output of arrays in order.
        backward: ``backward(g, *inputs)`` gives a gradient for each; None where there is none of its own.
        program: Reads the forward pass.
        examples: An array for each name; empty where only shapes are known.
        second: Differentiates the gradients along a direction by the layer's own rules: of g, the inputs, and
            a direction for each.
    """

    kind: str
    title: str
    names: tuple[str, ...]
    forward: Callable[..., Any]
    backward: Backward | None
    program: Callable[[], TracedProgram]
    examples: tuple[Any, ...] = ()
    second: Callable[[Any, Sequence[Any], Sequence[Any]], Sequence[Any]] | None = None


def first_of(result: Any) -> Any:
    """The output of a forward pass that may give ``(output, cache)``."""
    return result[0] if isinstance(result, tuple | list) and result else result


def numbers_of(thing: Any) -> Any:
    """A tensor or an array-like as a NumPy array; floats in float64."""
    import numpy as np

    if hasattr(thing, "detach"):
        thing = thing.detach().cpu().numpy()
    array = np.asarray(thing)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def is_fixed(thing: Any) -> bool:
    """Whether an argument is no array of real numbers: labels, a switch, a text, nothing."""
    import numpy as np

    if thing is None or isinstance(thing, str | bool | int):
        return True
    if callable(thing):
        return True
    kind = numbers_of(thing).dtype.kind
    return kind in "biuOUS" and not (isinstance(thing, list | tuple) and kind in "iu" and np.ndim(thing) > 0)


def drawn(shapes: Mapping[str, Any], named: bool = False) -> dict[str, Any]:
    """Examples of these shapes; ``named`` lengths get numbers of their own.

    Raises:
        ValuesError: A length is no number.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    lengths = iter(_LENGTHS)
    sizes: dict[str, int] = {}
    found = {}
    for name, shape in shapes.items():
        axes = (shape,) if isinstance(shape, int | str) else tuple(shape)
        for axis in axes:
            if isinstance(axis, int):
                continue
            if not named:
                raise ValuesError(
                    f"the length {axis} of {name} has to be a number here",
                    hint="PyTorch and JAX functions are read at sizes that are numbers",
                )
            if axis not in sizes:
                sizes[axis] = next(lengths)
        found[name] = rng.standard_normal([axis if isinstance(axis, int) else sizes[axis] for axis in axes])
    return found


_LENGTHS = (4, 3, 2, 5, 6, 7, 8, 9, 10, 11, 12)
