"""``pb.from_jax``: a JAX function read through its jaxpr."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pullback.dimension import Dimension
from pullback.errors import UnsupportedError
from pullback.syntax.names import normalise
from pullback.tracing.tape import Recording, TracedProgram, Value, refuse


def from_jax(function: Callable[..., Any], *examples: Any, names: Sequence[str] | None = None) -> TracedProgram:
    """Read a JAX function as a program.

    Args:
        function: The function; of several results the first counts.
        examples: Example arguments, arrays or trees of arrays; their shapes matter, their values do not.
        names: Names for the flattened arguments; by default those of the parameters.

    Raises:
        UnsupportedError: A primitive is not read; it is named with its place.
    """
    import jax
    import numpy as np

    from pullback.tracing.jax_reader import Reader

    title = getattr(function, "__name__", "function")
    try:
        with enable_x64():
            examples = jax.tree_util.tree_map(_doubled, examples)
            closed = jax.make_jaxpr(function)(*examples)
    except Exception as error:
        said = (str(error).splitlines() or [""])[0][:200]
        raise UnsupportedError(f"JAX can't trace {title}: {type(error).__name__}: {said}") from None
    leaves, structure = jax.tree_util.tree_flatten(examples)
    every = list(names) if names is not None else _names(function, examples, jax)
    free = [np.asarray(leaf).dtype.kind == "f" for leaf in leaves]
    given = [name for name, is_free in zip(every, free, strict=True) if is_free]
    recording = Recording()
    reader = Reader(recording)
    inputs = [
        recording.input(name, tuple(Dimension.of(int(n)) for n in np.shape(leaf))) if is_free else leaf
        for name, leaf, is_free in zip(every, leaves, free, strict=True)
    ]
    results = reader.closed(closed, inputs)

    def run(values: Mapping[str, Any]) -> Any:
        flat = [
            np.asarray(values[normalise(name)]) if is_free else leaf
            for name, leaf, is_free in zip(every, leaves, free, strict=True)
        ]
        if any(np.iscomplexobj(a) for a in flat):
            raise NotImplementedError("JAX functions are not given complex numbers")
        with enable_x64():
            arrays = [jax.numpy.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf for leaf in flat]
            result = function(*jax.tree_util.tree_unflatten(structure, arrays))
        return np.asarray(jax.tree_util.tree_leaves(result)[0])

    if not isinstance(results[0], Value):
        raise UnsupportedError(f"{title} gives no array that depends on its arguments")
    program = recording.program(results[0], f"{title}({', '.join(given)})", {}, run)
    program.leaves.extend((normalise(name), "") for name in given)
    if reader.shifted and not _same(program, run, given):
        raise refuse("stop_gradient", reader.shifted[0], "its derivative is not that of the values it gives")
    return program


def _same(program: TracedProgram, run: Callable[..., Any], names: Sequence[str]) -> bool:
    """Whether the program computes what the function does."""
    import numpy as np

    from pullback.expression import evaluate_all

    rng = np.random.default_rng(5)
    values = {}
    for name in map(normalise, names):
        shape = tuple(axis.number or 0 for axis in program.inputs[name].shape)
        values[name] = rng.standard_normal(shape)
    output = program.output
    (found,) = evaluate_all([(output.node, output.shape)], program.inputs, {**program.constants, **values})
    return bool(np.allclose(found, run(values), rtol=1e-5, atol=1e-7))


def _doubled(array: Any) -> Any:
    import numpy as np

    array = np.asarray(array)
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def enable_x64() -> Any:
    """A context in which JAX computes in float64; its name has moved between versions."""
    import jax

    here = getattr(jax, "enable_x64", None)
    if here is not None:
        return here(True)
    from importlib import import_module

    return import_module("jax.experimental").enable_x64()


def _names(function: Callable[..., Any], examples: Sequence[Any], jax: Any) -> list[str]:
    import inspect

    try:
        parameters = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        parameters = [f"x{k + 1}" for k in range(len(examples))]
    names = []
    for name, example in zip(parameters, examples, strict=False):
        for path, _ in jax.tree_util.tree_flatten_with_path(example)[0]:
            parts = [str(getattr(p, "key", getattr(p, "name", getattr(p, "idx", "")))) for p in path]
            names.append("_".join([name, *parts]))
    return [name if name not in names[:k] else f"{name}_{k}" for k, name in enumerate(names)]
