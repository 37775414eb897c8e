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
from pullback.errors import ValuesError

COMPLEX_TOLERANCE = 1e-9
DIFFERENCE_TOLERANCE = 1e-6
_AGREE = 1e-4
_DIRECTIONS = 4
_MOST_ENTRIES = 48
_ERROR_FACTOR = 10.0
_ROUNDING = 1e-13
"""Where all entries cancel to nothing, this much of the largest value is rounding."""
_LAST_PLACES = 1e-15
_VAGUE = 1e-3
DOUBLE = 2.0**-52
_DIGITS = 1e4
"""In single precision this many roundings are allowed for."""
_STEEP = 1e8
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
    shaken: Callable[[Point], bool] | None = None
    """Whether the value at a point is more than rounding; where it is not, the point is left out."""
    by_hand: bool = False
    """Whether the gradients were written by a person, and not derived."""
    spoilt: bool = False
    """Whether the backward pass changes its arguments, so that it is not right whatever it gives."""
    rounding: float = DOUBLE
    most: int = _MOST_ENTRIES
    """Of a variable with more entries only so many are compared, and a direction of all."""
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
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
        except ValuesError:
            if point.name == "given":
                raise
            self.excluded[f"fails: {point.name}"] += 1
            return False
        if not np.all(np.isfinite(output)) or (self.shaken is not None and not self.shaken(point)):
            self.excluded[f"undefined: {point.name}"] += 1
            return False
        if upstream is None:
            upstream = np.asarray(self.rng.standard_normal(output.shape))
        self.rounding = max(self.rounding, rounding_of(output))
        function = Function(self.forward, point.values, point.sizes, upstream, self.rounding)
        try:
            given = self.gradients(point, upstream)
            shaken = self.gradients(moved(point), upstream)
        except ValuesError:
            if point.name == "given":
                raise
            self.excluded[f"{'fails' if self.by_hand else 'formless'}: {point.name}"] += 1
            return False
        for name in self.names:
            here, there = np.asarray(given[name]), np.asarray(shaken[name])
            with np.errstate(all="ignore"):
                noise = float(np.max(np.abs(here - there), initial=0.0)) if here.shape == there.shape else 0.0
            self.variable(function, point, name, here, noise if np.isfinite(noise) else 0.0)
        return True

    def variable(self, function: Function, point: Point, name: str, given: Any, noise: float) -> None:
        """Compare the gradient of one variable entry by entry; large ones by a sample and a direction.

        ``noise`` is how far rounding the inputs moves it: an ill-conditioned gradient is not a wrong one.
        """
        import numpy as np

        value = np.asarray(point.values[name], dtype=np.float64)
        if given.shape != value.shape:
            self.shapes.setdefault(name, (value.shape, given.shape))
            return
        flat = range(value.size)
        if value.size > self.most:
            flat = sorted(int(k) for k in self.rng.choice(value.size, self.most, replace=False))  # type: ignore[assignment]
        measured: list[tuple[tuple[int, ...], float, Measured]] = []
        for k in flat:
            index = tuple(int(i) for i in np.unravel_index(k, value.shape))
            direction = np.zeros(value.shape)
            direction[index] = 1.0
            found = self.measured(function, {name: direction}, abs(value[index]), float(given[index]))
            measured.append((index, float(given[index]), found))
        if value.size > self.most:
            direction = np.asarray(self.rng.standard_normal(value.shape))
            slope = float(np.sum(direction * given))
            whole = self.measured(function, {name: direction}, float(np.max(np.abs(value))), slope)
            measured.append(((), slope, whole))
        self.collect(name, point, measured, noise)

    def collect(
        self,
        name: str,
        point: Point,
        measured: Sequence[tuple[tuple[int, ...], float, Measured]],
        noise: float = 0.0,
    ) -> None:
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
            if found.torn:
                self.excluded[f"sides: {point.name}"] += 1
                continue
            if np.isnan(given) and point.name != "given" and not self.by_hand:
                self.excluded[f"formless: {point.name}"] += 1
                continue
            steep = not np.isfinite(given) and abs(found.value) > _STEEP
            vague = not self.analytic and found.error > _VAGUE * max(abs(found.value), abs(given), 1.0)
            if not np.isfinite(found.value) or steep or vague:
                self.excluded[f"unmeasured: {point.name}"] += 1
                continue
            allowed = self.tolerance * scale + _ERROR_FACTOR * (found.error + noise)
            self.all.append(Entry(name, index, given, found.value, max(allowed, floor), point.name))
            self.entries += 1
            self.points[point.name] += 1

    @property
    def tolerance(self) -> float:
        """The relative tolerance: the one asked for, else by the method."""
        if self.relative is not None:
            return self.relative
        if self.rounding > DOUBLE:
            return max(DIFFERENCE_TOLERANCE, _DIGITS * self.rounding)
        return COMPLEX_TOLERANCE if self.analytic else DIFFERENCE_TOLERANCE

    def measured(self, function: Function, direction: Mapping[str, Any], size: float, given: float) -> Measured:
        """Measure; where a complex step contradicts what is given, central differences are the second witness.

        Where the two witnesses contradict each other, the function is too ill-conditioned to tell.
        """
        import numpy as np

        found = self.measure(function, direction, size)
        scale = max(abs(given), abs(found.value))
        if self.forward.foreign and not found.kinks and abs(found.value - given) > self.tolerance * scale:
            slopes = function.sides(direction, size or 1.0)
            if slopes is not None and self.between(given, slopes):
                return Measured(found.value, found.error, torn=True)
        if not self.analytic or found.kinks or not abs(found.value - given) > self.tolerance * scale:
            return found
        other = function.extrapolated(direction, size or 1.0)
        margin = DIFFERENCE_TOLERANCE * scale + _ERROR_FACTOR * other.error
        if not np.isfinite(other.value) or other.kinks:
            return found
        if abs(other.value - given) <= margin:
            return Measured(other.value, other.error + DIFFERENCE_TOLERANCE * scale / _ERROR_FACTOR)
        return found if abs(other.value - found.value) <= margin else Measured(float("nan"))

    def between(self, given: float, slopes: tuple[float, float]) -> bool:
        """Whether a gradient at a kink lies between the slopes of its two sides."""
        low, high = sorted(slopes)
        room = _AGREE * max(abs(low), abs(high))
        return low - room <= given <= high + room

    def measure(self, function: Function, direction: Mapping[str, Any], size: float) -> Measured:
        """Differentiate by the complex step where it can be trusted, else by central differences."""
        if self.analytic is None:
            self.analytic = self.trusts_complex(function)
        if self.analytic:
            try:
                return function.complex_step(direction)
            except UnfitError:
                if not self.forward.foreign:
                    raise
                self.analytic = False
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
            self.by_hand,
            dict(self.shapes),
            self.spoilt,
            self.rounding > DOUBLE,
        )


def rounding_of(output: Any) -> float:
    """How finely the output is rounded: that of float64, or of a shorter number that it was computed in."""
    import numpy as np

    dtype = np.asarray(output).dtype
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else DOUBLE


def moved(point: Point) -> Point:
    """The point with its values moved by a few units in the last place."""
    import numpy as np

    def move(array: Any) -> Any:
        array = np.asarray(array)
        if array.dtype.kind != "f":
            return array
        return array * (1 + _LAST_PLACES * np.cos(np.arange(array.size).reshape(array.shape)))

    return Point(point.name, {name: move(array) for name, array in point.values.items()}, point.sizes)
