"""Second derivatives: the gradient's derivative along a direction beside differences of measured slopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pullback.checking.compare import Comparison, moved
from pullback.checking.draw import Point
from pullback.checking.measure import Function, Measured, ridders

TOLERANCE = 1e-6
_MOST_ENTRIES = 12

Products = Callable[[Point, Any, Mapping[str, Any]], Mapping[str, Any]]
"""Give, for a point, an upstream gradient and a direction for each input, the derivative of each gradient."""


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
        for name in names:
            value = np.asarray(point.values[name])
            measured: list[tuple[tuple[int, ...], float, Measured]] = []
            for k in range(min(value.size, _MOST_ENTRIES)):
                index = tuple(int(i) for i in np.unravel_index(k, value.shape))
                slope = _slope(comparison, point, given, along, name, index)
                second = ridders(slope, max(1e-3, abs(float(value[index]))) if value.size else 1.0)
                spread = second.error + (0.0 if comparison.analytic else 1e-7 * abs(second.value) + 1e-7)
                measured.append((index, float(found[name][index]), Measured(second.value, spread, second.kinks)))
            before, comparison.relative = comparison.relative, max(comparison.relative or 0.0, TOLERANCE)
            noise = float(np.max(np.abs(found[name] - beside[name]), initial=0.0))
            comparison.collect(f"H·v of {name}", point, measured, noise)
            comparison.relative = before


def _slope(
    comparison: Comparison,
    point: Point,
    upstream: Any,
    along: Mapping[str, Any],
    name: str,
    index: tuple[int, ...],
) -> Callable[[float], tuple[float, list[bytes], set[str]]]:
    """The measured slope along a direction, as a function of one entry."""
    import numpy as np

    def slope(step: float) -> tuple[float, list[bytes], set[str]]:
        shifted = np.array(point.values[name], dtype=np.float64)
        shifted[index] += step
        function = Function(comparison.forward, {**point.values, name: shifted}, point.sizes, upstream)
        here = function.complex_step(along) if comparison.analytic else function.extrapolated(along)
        return here.value, sorted(kink.encode() for kink in here.kinks), set(here.kinks)

    return slope
