"""Checks of backward passes written in Python: NumPy pairs, ``torch.autograd.Function``, ``jax.custom_vjp``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pullback.checking.compare import Comparison
from pullback.checking.draw import Point
from pullback.checking.forward import of_function, of_source
from pullback.checking.program import RANDOM_POINTS, check_program, points_of
from pullback.checking.report import Report
from pullback.deriving import Source, as_program
from pullback.errors import ValuesError
from pullback.lowering.asked import Names, chosen
from pullback.tracing.read import Layer, read_layer

_STRUCTURED = {"zeros": 0.0, "ones": 1.0}


def check_python(
    source: Any,
    backward: Callable[..., Any] | None,
    values: Any,
    *,
    wrt: Names,
    shapes: Mapping[str, Any] | None,
    order: int,
    seed: int,
    tolerance: float | None,
    language: str,
) -> Report:
    """Check a backward pass beside its forward pass; without one, derive it from what is read."""
    import numpy as np

    layer = read_layer(source, backward, values, shapes)
    if layer.backward is None:
        program = layer.program()
        named = layer.kind == "numpy"
        own = dict(zip(program.inputs, _arrays(values), strict=False)) if values is not None and named else None
        points = ["random"] if layer.kind == "module" else None
        return check_program(
            program, wrt, own, order=order, seed=seed, tolerance=tolerance, language=language, points=points
        )
    if values is None:
        raise ValuesError("example values are needed", hint="give values, one array for each input")
    examples = [
        np.asarray(a, dtype=np.float64) if np.asarray(a).dtype.kind == "f" else np.asarray(a) for a in _arrays(values)
    ]
    forward = of_function(lambda named: layer.forward(*_ordered(named, layer, examples)), layer.kind == "numpy")
    free = [n for n, e in zip(layer.names, examples, strict=False) if e.dtype.kind == "f"]
    asked = [wrt] if isinstance(wrt, str) else list(wrt or free)
    backward = layer.backward

    def gradients(point: Point, g: Any) -> Mapping[str, Any]:
        result = backward(np.array(g), *(np.array(a) for a in _ordered(point.values, layer, examples)))
        if isinstance(result, Mapping):
            return {name: np.asarray(result[name]) for name in asked}
        parts = list(result) if isinstance(result, tuple | list) else [result]
        if len(parts) != len(layer.names):
            raise ValuesError(f"the backward pass gives {len(parts)} gradient(s) for {len(layer.names)} inputs")
        zeros = [np.zeros(e.shape) for e in examples]
        return {n: z if p is None else np.asarray(p) for n, p, z in zip(layer.names, parts, zeros, strict=True)}

    rng = np.random.default_rng(seed)
    title = f"{getattr(source, '__name__', type(source).__name__)}({', '.join(layer.names)})"
    comparison = Comparison(title, forward, gradients, asked, rng, tolerance)
    for point in _points(layer, examples, rng):
        comparison.at(point)
    return comparison.report(language)


def _arrays(values: Any) -> list[Any]:
    import numpy as np

    given = values.values() if isinstance(values, Mapping) else values
    return [v.detach().numpy() if hasattr(v, "detach") else np.asarray(v) for v in given]


def _ordered(named: Mapping[str, Any], layer: Layer, examples: Sequence[Any]) -> list[Any]:
    """The arrays in order; integers (labels, masks) stay as they were given."""
    return [named[n] if e.dtype.kind == "f" else e for n, e in zip(layer.names, examples, strict=False)]


def _points(layer: Layer, examples: Sequence[Any], rng: Any) -> list[Point]:
    import numpy as np

    def point(name: str, make: Callable[[Any], Any]) -> Point:
        made = {n: make(e) if e.dtype.kind == "f" else e for n, e in zip(layer.names, examples, strict=False)}
        return Point(name, made, {})

    points = [point("given", lambda e: e)]
    positive = all(np.all(e > 0) for e in examples if e.dtype.kind == "f")
    for k in range(RANDOM_POINTS):
        points.append(
            point(
                f"random {k + 1}",
                lambda e: np.exp(rng.standard_normal(e.shape) / 2) if positive else rng.standard_normal(e.shape),
            )
        )
    for name, number in _STRUCTURED.items():
        points.append(point(name, lambda e, number=number: np.full(e.shape, number)))  # type: ignore[misc]
    points.append(point("tiny", lambda e: 1e-8 * e))
    points.append(point("huge", lambda e: 1e3 * e))
    return points


def check_claimed(
    source: Source,
    backward: Callable[..., Any],
    values: Any,
    *,
    seed: int,
    tolerance: float | None,
    language: str,
    **reading: Any,
) -> Report:
    """Check a Python backward pass of a program in the notation."""
    import numpy as np

    program = as_program(source, **reading)
    names = chosen(program, None)
    forward = of_source(program if isinstance(source, str) else source, program)
    rng = np.random.default_rng(seed)

    def gradients(point: Point, g: Any) -> Mapping[str, Any]:
        result = backward(np.array(g), *(np.array(point.values[n]) for n in program.inputs))
        if isinstance(result, Mapping):
            return {n: np.asarray(result[n]) for n in names}
        parts = list(result) if isinstance(result, tuple | list) else [result]
        return {n: np.asarray(p) for n, p in zip(program.inputs, parts, strict=True) if n in names}

    comparison = Comparison(program.source, forward, gradients, names, rng, tolerance)
    for point in points_of(program, values, rng, forward):
        comparison.at(point)
    return comparison.report(language)
