"""Second derivatives: the gradient's derivative along a direction beside differences of measured slopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pullback.checking.compare import DOUBLE, Comparison, moved
from pullback.checking.draw import Point
from pullback.checking.measure import Function, Measured, ridders

TOLERANCE = 1e-6
_MOST_ENTRIES = 12
_SHORTER, _SHORTENED = 1e-2, 2

Products = Callable[[Point, Any, Mapping[str, Any]], Mapping[str, Any]]
"""Give, for a point, an upstream gradient and a direction for each input, the derivative of each gradient."""
Slope = Callable[[float], tuple[float, list[bytes], set[str]]]


def compare_second(
    comparison: Comparison, products: Products, names: Sequence[str], points: Sequence[Point], rng: Any
) -> None:
    """Compare second derivatives at these points."""
    import numpy as np

    for point in points:
        output = comparison.forward(point.values, point.sizes)
        given = np.asarray(rng.standard_normal(output.shape))
        along = {name: np.asarray(rng.standard_normal(np.shape(point.values[name]))) for name in names}
        found = products(point, given, along)
        beside = products(moved(point), given, along)
        rounding = _rounding(comparison, point, given, along)
        for name in names:
            value = np.asarray(point.values[name])
            measured: list[tuple[tuple[int, ...], float, Measured]] = []
            for k in range(min(value.size, _MOST_ENTRIES, comparison.most)):
                index = tuple(int(i) for i in np.unravel_index(k, value.shape))
                slope = _slope(comparison, point, given, along, name, index)
                second = _measured(slope, max(1e-3, abs(float(value[index]))), float(found[name][index]), rounding)
                spread = second.error + (0.0 if comparison.analytic else 1e-7 * abs(second.value) + 1e-7)
                measured.append((index, float(found[name][index]), Measured(second.value, spread, second.kinks)))
            before, comparison.relative = comparison.relative, max(comparison.relative or 0.0, TOLERANCE)
            noise = float(np.max(np.abs(found[name] - beside[name]), initial=0.0))
            comparison.collect(f"H·v of {name}", point, measured, noise)
            comparison.relative = before


def _measured(slope: Slope, size: float, given: float, rounding: float) -> Measured:
    """Differentiate a slope; where it contradicts what is given, with steps so short that nothing bends on the way."""
    found = ridders(slope, size, rounding)
    for _ in range(_SHORTENED):
        if found.kinks or abs(found.value - given) <= TOLERANCE * max(abs(found.value), abs(given)) + found.error:
            break
        size *= _SHORTER
        found = ridders(slope, size, rounding)
    return found


def _rounding(comparison: Comparison, point: Point, upstream: Any, along: Mapping[str, Any]) -> float:
    """How finely the slope along a direction is known: what rounding the inputs makes of it."""
    slopes = []
    for here in (point, moved(point)):
        function = Function(comparison.forward, here.values, here.sizes, upstream)
        found = function.complex_step(along) if comparison.analytic else function.extrapolated(along)
        slopes.append(found.value)
    largest = max(abs(slopes[0]), abs(slopes[1]))
    return max(DOUBLE, abs(slopes[1] - slopes[0]) / largest if largest else 0.0)


def _slope(
    comparison: Comparison,
    point: Point,
    upstream: Any,
    along: Mapping[str, Any],
    name: str,
    index: tuple[int, ...],
) -> Slope:
    """The measured slope along a direction, as a function of one entry."""
    import numpy as np

    def slope(step: float) -> tuple[float, list[bytes], set[str]]:
        shifted = np.array(point.values[name], dtype=np.float64)
        shifted[index] += step
        function = Function(comparison.forward, {**point.values, name: shifted}, point.sizes, upstream)
        here = function.complex_step(along) if comparison.analytic else function.extrapolated(along)
        return here.value, sorted(kink.encode() for kink in here.kinks), set(here.kinks)

    return slope
