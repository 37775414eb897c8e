"""Layers written with NumPy: a pair of functions, or an object with ``forward`` and ``backward``."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pullback.errors import NotationError, ShapeError, UnsupportedError, ValuesError
from pullback.tracing.calling import called_safely
from pullback.tracing.layer import Backward, Layer, drawn, first_of, is_fixed, numbers_of
from pullback.tracing.tape import TracedProgram
from pullback.tracing.trace import trace_at

_CACHES = ("cache", "ctx", "saved", "residuals", "residual", "res", "state")
_LETTERS = ("B", "n", "m", "k", "p", "q", "r", "s", *(f"n{k}" for k in range(1, 50)))


def read(
    source: Any, backward: Backward | None, values: Any, shapes: Mapping[str, Any] | None, is_object: bool
) -> Layer:
    """Read a function, or an object that has both passes."""
    if is_object:
        return _object(source, backward, values)
    return _function(source, backward, values, shapes)


def _function(source: Any, backward: Backward | None, values: Any, shapes: Mapping[str, Any] | None) -> Layer:
    import numpy as np

    source = _with_names_of_its_own(source, values)
    names = _parameters(source)
    known = _by_name(names, values)
    _demand(source, known if known else dict(shapes or {}))
    fixed = {name: value for name, value in known.items() if is_fixed(value)}
    fixed = {name: numbers_of(value) if hasattr(value, "shape") else value for name, value in fixed.items()}
    examples = {name: numbers_of(value) for name, value in known.items() if name not in fixed}
    sizes: dict[str, Any] = {**{name: np.shape(value) for name, value in examples.items()}, **(shapes or {})}
    free = tuple(name for name in names if name in sizes)
    asked = [name for name in names if name in sizes or name in fixed]

    def arranged(arrays: Sequence[Any]) -> dict[str, Any]:
        given = iter(arrays)
        return {name: fixed[name] if name in fixed else next(given) for name in asked}

    def forward(*arrays: Any) -> Any:
        return first_of(source(**arranged(arrays)))

    called = None if backward is None else _called(source, backward, arranged, [n in fixed for n in asked])

    def program() -> TracedProgram:
        if called is not None and not shapes and not fixed:
            named = _with_names(sizes)
            if _runs_at_other_sizes(forward, called, named):
                try:
                    return trace_at(source, named, {})
                except (UnsupportedError, ShapeError):
                    pass
        return trace_at(source, sizes, fixed)

    title = f"{getattr(source, '__name__', type(source).__name__)}({', '.join(free)})"
    known_arrays = {**drawn(sizes, named=True), **examples}
    arrays = tuple(known_arrays[name] for name in free)
    return Layer("numpy", title, free, forward, called, program, arrays)


def _with_names_of_its_own(source: Any, values: Any) -> Any:
    """A function whose arguments have no names (``*arrays``, or NumPy's own) with names for them."""
    parameters = list(_signature(source).parameters.values())
    kinds = {p.kind for p in parameters}
    if not kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY} or isinstance(values, Mapping):
        return source
    count = len(list(values)) if values is not None else 0
    known = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return _taking(source, [*known, *(f"x{k + 1}" for k in range(len(known), count))])


def _demand(source: Any, known: Mapping[str, Any]) -> None:
    """Demand a value for every argument that has no default."""
    for name, parameter in _signature(source).parameters.items():
        plain = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if known and plain and parameter.default is parameter.empty and name not in known:
            raise ValuesError(f"{name} has no value", hint="give one for each argument, in order or by name")


def _signature(source: Any) -> inspect.Signature:
    try:
        return inspect.signature(source)
    except (TypeError, ValueError):
        name = getattr(source, "__name__", type(source).__name__)
        raise UnsupportedError(
            f"the arguments of {name} are not known", hint=f"wrap it: def layer(x): return {name}(x)"
        ) from None


def _parameters(source: Any) -> list[str]:
    parameters = _signature(source).parameters.values()
    return [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _by_name(names: Sequence[str], values: Any) -> dict[str, Any]:
    if values is None:
        return {}
    if isinstance(values, Mapping):
        unknown = [name for name in values if name not in names]
        if unknown:
            raise NotationError(f"{unknown[0]} is not an argument", hint=f"the arguments are: {', '.join(names)}")
        return dict(values)
    values = list(values)
    if len(values) > len(names):
        raise ValuesError(f"there are {len(values)} values for {len(names)} arguments: {', '.join(names)}")
    return dict(zip(names, values, strict=False))


def _with_names(sizes: Mapping[str, Any]) -> dict[str, tuple[int | str, ...]]:
    """Names for lengths, the same for the same length, so that a backward pass can be tried at others."""
    letters = iter(_LETTERS)
    names: dict[int, str] = {}
    result: dict[str, tuple[int | str, ...]] = {}
    for name, shape in sizes.items():
        for length in shape:
            if length > 1 and length not in names:
                names[length] = next(letters)
        result[name] = tuple(names[length] if length > 1 else length for length in shape)
    return result


def _runs_at_other_sizes(forward: Any, backward: Backward, named: Mapping[str, Any]) -> bool:
    """Whether both passes run where the lengths are others."""
    import numpy as np

    order = dict.fromkeys(n for shape in named.values() for n in shape if isinstance(n, str))
    rng = np.random.default_rng(0)
    for lengths in ((3, 5, 7, 4, 11, 13), (5, 3, 4, 7, 6, 8)):
        sizes = dict(zip(order, lengths, strict=False))
        try:
            arrays = [rng.standard_normal([sizes.get(n, n) for n in shape]) for shape in named.values()]
            output = forward(*arrays)
            backward(np.ones(np.shape(output)), *arrays)
        except Exception:
            return False
    return True


def _called(
    forward: Any, backward: Backward, arranged: Callable[[Sequence[Any]], dict[str, Any]], fixed: Sequence[bool]
) -> Backward:
    """A backward pass as ``backward(g, *inputs)``; one that takes a cache is given the forward pass's."""
    try:
        parameters = list(inspect.signature(backward).parameters)
    except (TypeError, ValueError):
        parameters = []

    def run(g: Any, *arrays: Any) -> Any:
        given = arranged(arrays)
        if len(parameters) == 2 and (len(given) != 1 or parameters[0] in _CACHES or parameters[1] in _CACHES):
            result = forward(**given)
            if isinstance(result, tuple | list) and len(result) == 2:
                first = parameters[0].lower() in _CACHES
                return _without(backward(*((result[1], g) if first else (g, result[1]))), given, fixed)
        return _without(backward(g, *given.values()), given, fixed)

    return run


def _without(result: Any, given: Mapping[str, Any], fixed: Sequence[bool]) -> Any:
    """The gradients without those of what is no array of real numbers."""
    if isinstance(result, Mapping):
        gone = {name for name, is_gone in zip(given, fixed, strict=True) if is_gone}
        return {name: part for name, part in result.items() if name not in gone and str(name)[1:] not in gone}
    if isinstance(result, tuple | list) and len(result) == len(fixed) and any(fixed):
        return tuple(part for part, is_gone in zip(result, fixed, strict=True) if not is_gone)
    return result


def _object(source: Any, backward: Backward | None, values: Any) -> Layer:
    """An object with ``forward`` and ``backward``; its arrays W with a gradient dW are inputs too."""
    names = _parameters(source.forward)
    examples = {name: numbers_of(value) for name, value in _by_name(names, values).items()}
    if len(examples) < 1:
        raise ValuesError("example values are needed", hint="give values=[…], one array for each argument of forward")
    run = copy.deepcopy(source)
    output = first_of(called_safely("forward", run.forward, *examples.values()))
    called_safely("backward", run.backward, _ones(output))
    gradients = _gradients_of(run)
    weights = {name: numbers_of(getattr(source, name)) for name in gradients}
    count = len(examples)

    def loaded(arrays: Sequence[Any]) -> Any:
        here = copy.copy(source)
        for name, array in zip(weights, arrays[count:], strict=True):
            setattr(here, name, array)
        return here

    def forward(*arrays: Any) -> Any:
        return first_of(loaded(arrays).forward(*arrays[:count]))

    def pull(g: Any, *arrays: Any) -> Any:
        here = loaded(arrays)
        here.forward(*arrays[:count])
        result = here.backward(g)
        parts = list(result) if isinstance(result, tuple | list) else [result]
        parts = (parts + [None] * count)[:count]
        return (*parts, *(getattr(here, attribute) for attribute in gradients.values()))

    every = {**examples, **weights}

    def program() -> TracedProgram:
        named = _with_names({name: array.shape for name, array in every.items()})
        if _runs_at_other_sizes(forward, pull, named):
            try:
                return trace_at(_taking(forward, list(every)), named, {})
            except (UnsupportedError, ShapeError):
                pass
        return trace_at(_taking(forward, list(every)), {name: array.shape for name, array in every.items()}, {})

    title = f"{type(source).__name__}({', '.join(every)})"
    return Layer("object", title, tuple(every), forward, backward or pull, program, tuple(every.values()))


def _gradients_of(layer: Any) -> dict[str, str]:
    """The arrays of a layer that have a gradient beside them after a backward pass: W with dW, grad_W or W_grad."""
    import numpy as np

    found = {}
    for name, value in vars(layer).items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            for attribute in (f"d{name}", f"grad_{name}", f"{name}_grad", f"d_{name}"):
                if isinstance(getattr(layer, attribute, None), np.ndarray):
                    found[name] = attribute
                    break
    return found


def _ones(output: Any) -> Any:
    import numpy as np

    return np.ones(np.shape(output))


def _taking(function: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    """The function with parameters of these names."""

    def taking(**named: Any) -> Any:
        return function(*(named[name] for name in names))

    taking.__name__ = getattr(function, "__name__", type(function).__name__)
    taking.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    )
    return taking
