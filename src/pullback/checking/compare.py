"""The comparison itself: given gradients beside measured ones, at many points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullback.checking.draw import Point
from pullback.checking.evaluator import UnfitError
from pullback.checking.forward import Forward
from pullback.checking.measure import Function, Measured
from pullback.checking.report import Entry, Report

COMPLEX_TOLERANCE = 1e-9
DIFFERENCE_TOLERANCE = 1e-6
_AGREE = 1e-4
_DIRECTIONS = 4
_MOST_ENTRIES = 48
_ERROR_FACTOR = 10.0
_ROUNDING = 1e-13
"""Where all entries cancel to nothing, this much of the largest value is rounding."""
_STEEP = 1e12
"""A measured slope above this beside an infinite one is a vertical tangent."""

Gradients = Callable[[Point, Any], Mapping[str, Any]]
"""Give, for a point and an upstream gradient, an array for each variable."""


@dataclass
class Comparison:
    """Collects what a check finds; ``report`` says it."""

    subject: str
    forward: Forward
    gradients: Gradients
    names: Sequence[str]
    rng: Any
    relative: float | None = None
    analytic: bool | None = None
    entries: int = 0
    points: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    all: list[Entry] = field(default_factory=list)

    def at(self, point: Point, upstream: Any = None) -> bool:
        """Compare at a point; False where the function has no value there."""
        import numpy as np

        try:
            output = self.forward(point.values, point.sizes)
        except UnfitError:
            output = np.asarray(np.nan)
        if not np.all(np.isfinite(output)):
            self.excluded[f"undefined: {point.name}"] += 1
            return False
        if upstream is None:
            upstream = np.asarray(self.rng.standard_normal(output.shape))
        function = Function(self.forward, point.values, point.sizes, upstream)
        given = self.gradients(point, upstream)
        for name in self.names:
            self.variable(function, point, name, np.asarray(given[name]))
        return True

    def variable(self, function: Function, point: Point, name: str, given: Any) -> None:
        """Compare the gradient of one variable entry by entry; large ones by a sample and a direction."""
        import numpy as np

        value = np.asarray(point.values[name], dtype=np.float64)
        if given.shape != value.shape:
            self.all.append(Entry(name, (), float("nan"), 0.0, 1.0, point.name))
            return
        flat = range(value.size)
        if value.size > _MOST_ENTRIES:
            flat = sorted(int(k) for k in self.rng.choice(value.size, _MOST_ENTRIES, replace=False))  # type: ignore[assignment]
        measured: list[tuple[tuple[int, ...], float, Measured]] = []
        for k in flat:
            index = tuple(int(i) for i in np.unravel_index(k, value.shape))
            direction = np.zeros(value.shape)
            direction[index] = 1.0
            measured.append((index, float(given[index]), self.measure(function, {name: direction}, abs(value[index]))))
        if value.size > _MOST_ENTRIES:
            direction = np.asarray(self.rng.standard_normal(value.shape))
            whole = self.measure(function, {name: direction}, float(np.max(np.abs(value))))
            measured.append(((), float(np.sum(direction * given)), whole))
        self.collect(name, point, measured)

    def collect(self, name: str, point: Point, measured: Sequence[tuple[tuple[int, ...], float, Measured]]) -> None:
        """Turn measurements into entries; kinks and what is not finite on both sides are left out."""
        import numpy as np

        finite = [abs(m.value) for _, _, m in measured if np.isfinite(m.value)]
        sizes = [float(np.max(np.abs(value), initial=0.0)) for value in point.values.values()]
        floor = _ROUNDING * max([1.0, *sizes])
        scale = max([*finite, *(abs(g) for _, g, _ in measured if np.isfinite(g))], default=0.0)
        for index, given, found in measured:
            if found.kinks:
                for kink in found.kinks:
                    self.excluded[f"kink: {kink}"] += 1
                continue
            steep = not np.isfinite(given) and abs(found.value) > _STEEP
            if not np.isfinite(found.value) or steep:
                self.excluded[f"unmeasured: {point.name}"] += 1
                continue
            allowed = self.tolerance * scale + _ERROR_FACTOR * found.error
            self.all.append(Entry(name, index, given, found.value, max(allowed, floor), point.name))
            self.entries += 1
            self.points[point.name] += 1

    @property
    def tolerance(self) -> float:
        """The relative tolerance: the one asked for, else by the method."""
        if self.relative is not None:
            return self.relative
        return COMPLEX_TOLERANCE if self.analytic else DIFFERENCE_TOLERANCE

    def measure(self, function: Function, direction: Mapping[str, Any], size: float) -> Measured:
        """Differentiate by the complex step where it can be trusted, else by central differences."""
        if self.analytic is None:
            self.analytic = self.trusts_complex(function)
        if self.analytic:
            return function.complex_step(direction)
        return function.extrapolated(direction, max(size, 1e-8) if size < 1 else size)

    def trusts_complex(self, function: Function) -> bool | None:
        """Whether the complex step agrees with central differences; None where this point does not tell."""
        import numpy as np

        if not self.forward.complex_ready:
            return False
        if not self.forward.foreign:
            return True
        told = None
        for _ in range(_DIRECTIONS):
            direction = {
                name: np.asarray(self.rng.standard_normal(np.shape(function.values[name]))) for name in self.names
            }
            try:
                stepped = function.complex_step(direction)
            except UnfitError:
                return False
            plain = function.extrapolated(direction)
            if plain.kinks or stepped.kinks or not plain.error <= _AGREE * abs(plain.value):
                continue
            if abs(plain.value - stepped.value) > _AGREE * abs(plain.value) + 10 * plain.error:
                return False
            told = True
        return told

    def report(self, language: str, order: int = 1, notes: Sequence[str] = ()) -> Report:
        """Say what was found."""
        ranked = sorted(self.all, key=lambda entry: -entry.excess)
        failures = tuple(entry for entry in ranked if not entry.excess <= 1)
        return Report(
            self.subject,
            ranked[0] if ranked else None,
            self.entries,
            dict(self.points),
            dict(self.excluded),
            "complex step" if self.analytic else "central differences",
            self.tolerance,
            order,
            failures,
            tuple(notes),
            language,
        )
