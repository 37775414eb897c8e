"""Checks of backward passes written in Python: NumPy pairs, ``torch.autograd.Function``, ``jax.custom_vjp``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullback.checking.compare import Comparison
from pullback.checking.draw import Point
from pullback.checking.forward import Forward, of_function, of_source
from pullback.checking.gradients import as_numbers, gradients_of
from pullback.checking.program import RANDOM_POINTS, check_program, points_of
from pullback.checking.report import Report
from pullback.checking.second import compare_second
from pullback.checking.words import say
from pullback.deriving import Source, as_program
from pullback.errors import NotationError, UnsupportedError, ValuesError
from pullback.lowering.asked import Names, chosen
from pullback.tracing.calling import called_safely
from pullback.tracing.layer import Layer
from pullback.tracing.read import read_layer

_STRUCTURED = {"zeros": 0.0, "ones": 1.0}
_SAME = 1e-12


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
    points: Sequence[str] | None = None,
) -> Report:
    """Check a backward pass beside its forward pass; without one, derive it from what is read."""
    import numpy as np

    layer = read_layer(source, backward, values, shapes)
    if layer.backward is None:
        program = layer.program()
        own = dict(zip(program.inputs, layer.examples, strict=False)) if layer.kind == "numpy" else None
        points = ["random"] if layer.kind == "module" and points is None else points
        return check_program(
            program, wrt, own, order=order, seed=seed, tolerance=tolerance, language=language, points=points
        )
    if not layer.examples:
        raise ValuesError(
            "example values are needed", hint="give values=[…], one array for each input, or their shapes"
        )
    if order == 2 and layer.second is None:
        raise UnsupportedError(
            "a backward pass written with NumPy has no second derivative of its own",
            hint="order=2 is for programs, torch.autograd.Function and jax.custom_vjp",
        )
    rng = np.random.default_rng(seed)
    watch = _Watch(layer)
    comparison = Comparison(layer.title, watch.pass_forward, watch.gradients, _asked(layer, wrt), rng, tolerance)
    comparison.by_hand = True
    usable = [point for point in _points(layer, rng, points) if comparison.at(point)]
    if order == 2 and layer.second is not None:
        random = [point for point in usable if point.name.startswith("random")]
        compare_second(comparison, watch.second, comparison.names, random[:2], rng)
    comparison.spoilt = bool(watch.altered_by_backward)
    notes = []
    if watch.altered_by_backward:
        notes.append(say(language, "audit.altered", altered=", ".join(watch.altered_by_backward)))
    if watch.altered:
        notes.append(say(language, "check.altered", altered=", ".join(watch.altered)))
    return comparison.report(language, order, notes)


def _asked(layer: Layer, wrt: Names) -> list[str]:
    asked = [wrt] if isinstance(wrt, str) else list(wrt or layer.names)
    unknown = [name for name in asked if name not in layer.names]
    if unknown:
        raise NotationError(f"{unknown[0]} is not an input", hint=f"the inputs are: {', '.join(layer.names)}")
    return asked


@dataclass
class _Watch:
    """Runs both passes on copies, and notes what they change in place."""

    layer: Layer
    altered: list[str] = field(default_factory=list)
    altered_by_backward: list[str] = field(default_factory=list)
    seen: bool = False

    @property
    def pass_forward(self) -> Forward:
        """The forward pass as checks take it."""
        return of_function(self.forward, self.layer.kind in ("numpy", "object"))

    def forward(self, named: Mapping[str, Any]) -> Any:
        import numpy as np

        given = [np.array(named[name]) for name in self.layer.names]
        before = [array.copy() for array in given]
        output = np.asarray(called_safely("forward", self.layer.forward, *given))
        if output.dtype.kind not in "biufc":
            as_numbers(output, "the output of the forward pass")
        self._note(self.layer.names, before, given, self.altered)
        if not self.seen:
            self.seen = True
            again = np.asarray(called_safely("forward", self.layer.forward, *before))
            _demand_same("forward", output, again)
        return output

    def gradients(self, point: Point, g: Any) -> dict[str, Any]:
        import numpy as np

        backward = self.layer.backward
        assert backward is not None
        given = [np.array(g), *(np.array(point.values[name]) for name in self.layer.names)]
        before = [array.copy() for array in given]
        result = called_safely("backward", backward, *given)
        self._note(("g", *self.layer.names), before, given, self.altered_by_backward)
        found = gradients_of(result, self.layer.names)
        if point.name == "given":
            again = gradients_of(called_safely("backward", backward, *before), self.layer.names)
            for name, array in found.items():
                _demand_same("backward", array, again[name])
        return {n: found.get(n, np.zeros(np.shape(v))) for n, v in zip(self.layer.names, given[1:], strict=True)}

    def second(self, point: Point, g: Any, along: Mapping[str, Any]) -> dict[str, Any]:
        """The derivative of the gradients along a direction, by the layer's own rules."""
        assert self.layer.second is not None
        arrays = [point.values[name] for name in self.layer.names]
        directions = [along[name] for name in self.layer.names]
        found = called_safely("second backward", self.layer.second, g, arrays, directions)
        return dict(zip(self.layer.names, found, strict=True))

    @staticmethod
    def _note(names: Sequence[str], before: Sequence[Any], after: Sequence[Any], into: list[str]) -> None:
        import numpy as np

        for name, old, new in zip(names, before, after, strict=True):
            if name not in into and not np.array_equal(old, new, equal_nan=True):
                into.append(name)


def _demand_same(role: str, first: Any, again: Any) -> None:
    import numpy as np

    same = first.shape == again.shape
    if same:
        scale = max(1.0, float(np.max(np.abs(first), initial=0.0, where=np.isfinite(first))))
        with np.errstate(all="ignore"):
            same = bool(np.all((np.abs(first - again) <= _SAME * scale) | (first == again) | np.isnan(first)))
    if not same:
        raise ValuesError(
            f"the {role} pass gives other numbers when it is called again with the same values",
            hint="switch dropout off, seed its random numbers inside, and keep no state between calls",
        )


def _points(layer: Layer, rng: Any, wanted: Sequence[str] | None) -> list[Point]:
    import numpy as np

    examples = layer.examples
    if not all(np.all(np.isfinite(e)) for e in examples):
        raise ValuesError("the example values are not all finite numbers")

    def point(name: str, make: Callable[[Any], Any]) -> Point:
        return Point(name, {n: make(e) for n, e in zip(layer.names, examples, strict=True)}, {})

    def draw(example: Any) -> Any:
        normal = rng.standard_normal(np.shape(example))
        return np.exp(normal / 2) if positive else normal

    positive = all(np.all(e > 0) for e in examples)
    wanted = ("random", *_STRUCTURED, "tiny", "huge") if wanted is None else wanted
    points = [point("given", lambda e: e)]
    if "random" in wanted:
        points += [point(f"random {k + 1}", draw) for k in range(RANDOM_POINTS)]
    for name, number in _STRUCTURED.items():
        if name in wanted:
            points.append(point(name, lambda e, number=number: np.full(np.shape(e), number)))  # type: ignore[misc]
    if "tiny" in wanted:
        points.append(point("tiny", lambda e: 1e-8 * e))
    if "huge" in wanted:
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

    def gradients(point: Point, g: Any) -> dict[str, Any]:
        given = [np.array(point.values[n]) for n in program.inputs]
        found = gradients_of(called_safely("backward", backward, np.array(g), *given), list(program.inputs), names)
        return {n: found.get(n, np.zeros(np.shape(point.values[n]))) for n in names}

    comparison = Comparison(program.source, forward, gradients, names, rng, tolerance)
    comparison.by_hand = True
    for point in points_of(program, values, rng, forward):
        comparison.at(point)
    return comparison.report(language)
