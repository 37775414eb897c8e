"""Derivatives by numbers alone: the complex step, and central differences extrapolated to step zero."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pullback.checking.evaluator import Kinks, UnfitError
from pullback.checking.forward import Forward
from pullback.errors import PullbackError

COMPLEX_STEP = 1e-20
_FIRST_STEP = 1.0 / 16
_SHRINK = 2.0
_LEVELS = 7
_NEAR = 1e-12
_SMALL = 0.1
_ROUNDING = 2.0**-52
_STAYS = 0.1
"""A gap between one-sided slopes that shrinks no more than this with a hundredth of the step is a kink."""

Index = tuple[int, ...]


@dataclass(frozen=True)
class Measured:
    """A derivative as a number, an estimate of its error, and the kinks that stand in its way."""

    value: float
    error: float = 0.0
    kinks: frozenset[str] = frozenset()
    torn: bool = False
    """Whether the slopes from the left and from the right differ, in a function that says nothing of kinks."""


@dataclass
class Function:
    """``sum(upstream .* output)`` around a point; a direction is an array for each input that moves."""

    forward: Forward
    values: Mapping[str, Any]
    sizes: Mapping[str, int]
    upstream: Any
    rounding: float = _ROUNDING

    def at(self, moved: Mapping[str, Any], kinks: Kinks | None = None) -> Any:
        """Compute it with some inputs replaced."""
        import numpy as np

        result = self.forward({**self.values, **moved}, self.sizes, kinks)
        return np.sum(self.upstream * result)

    def complex_step(self, direction: Mapping[str, Any]) -> Measured:
        """Differentiate along a direction, to rounding.

        Raises:
            UnfitError: The forward pass does not carry complex numbers.
        """
        import numpy as np

        kinks = Kinks(_NEAR)
        moved = {name: self.values[name] + 1j * COMPLEX_STEP * d for name, d in direction.items()}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                result = np.asarray(self.at(moved, kinks))
        except (TypeError, ValueError, NotImplementedError, PullbackError, Warning) as error:
            raise UnfitError(f"no complex numbers: {error}") from None
        if not np.iscomplexobj(result):
            return Measured(0.0, 0.0, frozenset(kinks.met))
        return Measured(float(result.imag / COMPLEX_STEP), 0.0, frozenset(kinks.met))

    def extrapolated(self, direction: Mapping[str, Any], size: float = 1.0) -> Measured:
        """Differentiate along a direction by central differences, extrapolated (Ridders 1982)."""
        found = ridders(lambda step: self._shifted(direction, step), min(size, 1.0), self.rounding)
        if size < _SMALL and not found.kinks:
            wider = ridders(lambda step: self._shifted(direction, step), 1.0, self.rounding)
            if not wider.kinks and wider.error < found.error:
                return wider
        return found

    def _shifted(self, direction: Mapping[str, Any], step: float) -> tuple[float, list[bytes], set[str]]:
        import numpy as np

        kinks = Kinks(0.0)
        kinks_named = _Named(kinks)
        moved = {name: self.values[name] + step * d for name, d in direction.items()}
        try:
            value = float(np.real(self.at(moved, kinks_named)))
        except PullbackError:
            value = np.nan
        return value, kinks.sides, kinks_named.names

    def sides(self, direction: Mapping[str, Any], size: float) -> tuple[float, float] | None:
        """The slopes from the left and from the right where these differ; None where they are one."""
        import numpy as np

        near = max(1e-6, self.rounding**0.5) * min(max(size, 1e-3), 1.0)
        here = self._shifted(direction, 0.0)[0]
        gaps, slopes = [], []
        for step in (100 * near, near):
            left = (here - self._shifted(direction, -step)[0]) / step
            right = (self._shifted(direction, step)[0] - here) / step
            gaps.append(abs(right - left))
            slopes.append((left, right))
        if not np.all(np.isfinite(gaps)):
            return None
        noise = 50 * self.rounding * abs(here) / near + 1e-6 * max(abs(s) for s in slopes[1])
        return slopes[1] if gaps[1] > noise and gaps[1] > _STAYS * gaps[0] else None


class _Named(Kinks):
    """Notes the names of all kinks on the way, for when two evaluations turn out on different sides."""

    def __init__(self, inner: Kinks) -> None:
        super().__init__(inner.nearness, inner.met, inner.sides)
        self.names: set[str] = set()

    def see(self, name: str, distance: Any) -> None:
        super().see(name, distance)
        self.names.add(name)


def ridders(
    function: Callable[[float], tuple[float, list[bytes], set[str]]], size: float = 1.0, rounding: float = _ROUNDING
) -> Measured:
    """Extrapolate central differences to step zero; the kinks are named where the sides differ.

    Steps shrink until both sides lie on the same side of every kink.
    """
    import numpy as np

    step = _FIRST_STEP * size
    table: list[list[float]] = []
    best, error = np.nan, np.inf
    crossed: set[str] = set()
    for _ in range(_LEVELS + 14):
        (above, one, names), (below, other, _) = function(step), function(-step)
        step, used = step / _SHRINK, step
        if one != other:
            crossed = names
            table = []
            continue
        crossed = set()
        row = [(above - below) / (2 * used)]
        factor = _SHRINK**2
        for previous in table[-1] if table else []:
            row.append((factor * row[-1] - previous) / (factor - 1))
            factor *= _SHRINK**2
        if table:
            noise = rounding * max(abs(above), abs(below)) / used
            for k in range(1, len(row)):
                estimate = max(abs(row[k] - row[k - 1]), abs(row[k] - table[-1][k - 1]), noise)
                if estimate <= error:
                    best, error = row[k], estimate
        else:
            best = row[0] if not np.isfinite(best) else best
        table.append(row)
        if len(table) >= _LEVELS:
            break
        if (
            len(table) > 2
            and np.isfinite(error)
            and abs(row[-1] - table[-2][-1]) > 4 * error + 1e-300
            and error < 1e-9 * abs(best)
        ):
            break
    return Measured(float(best), float(error), frozenset(crossed))
