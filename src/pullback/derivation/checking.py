"""Is it right? The gradients beside central differences of the forward program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.evaluation.interpreter import interpret
from pullback.expression import Expression
from pullback.tensor.node import Variable, topological

MOST_ENTRIES = 120
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Check:
    """What a comparison with central differences found, in float64.

    ``worst`` is the largest difference, relative where the derivative is above one.
    """

    worst: float
    variable: str
    index: tuple[int, ...]
    derived: float
    measured: float
    entries: int
    drawn_upstream: bool
    """Whether the upstream gradient was drawn at random, since none was given."""

    @property
    def passed(self) -> bool:
        """Whether they agree."""
        return self.worst <= TOLERANCE

    def __bool__(self) -> bool:
        return self.passed


def compare(
    output: Expression, results: Mapping[str, Any], values: Mapping[str, Any], upstream: Any, drawn: bool
) -> Check | None:
    """Compare gradients with central differences of sum(upstream .* output); None where nothing can be compared."""
    import numpy as np

    function = _Function(output, values, upstream)
    places = _places(results, values)
    worst: Check | None = None
    for name, index in places:
        here = float(values[name][index])
        step = np.cbrt(np.finfo(np.float64).eps) * max(1.0, abs(here))
        above, below = function.at(name, index, here + step), function.at(name, index, here - step)
        measured = (above - below) / ((here + step) - (here - step))
        derived = float(results[name][index])
        difference = abs(derived - measured) / max(1.0, abs(derived), abs(measured))
        if not np.isfinite(difference):
            difference = 0.0 if not np.isfinite(derived) and not np.isfinite(measured) else float("inf")
        if worst is None or difference > worst.worst:
            worst = Check(float(difference), name, index, derived, float(measured), len(places), drawn)
    return worst


def _places(results: Mapping[str, Any], values: Mapping[str, Any]) -> list[tuple[str, tuple[int, ...]]]:
    """The entries to compare: all of them, or some drawn from each variable."""
    import numpy as np

    share = max(1, MOST_ENTRIES // max(1, len(results)))
    draw = np.random.default_rng(0)
    places: list[tuple[str, tuple[int, ...]]] = []
    for name in results:
        array = values[name]
        flat: Sequence[int] = range(array.size)
        if array.size > share:
            flat = sorted(int(k) for k in draw.choice(array.size, share, replace=False))
        places += [(name, tuple(int(k) for k in np.unravel_index(position, array.shape))) for position in flat]
    return places


class _Function:
    """The forward program as a function of one entry."""

    def __init__(self, output: Expression, values: Mapping[str, Any], upstream: Any) -> None:
        from pullback.evaluation.binding import bind

        order = list(topological([output.node]))
        needed = [node for node in order if isinstance(node, Variable)]
        names = {n for node in order for axis in node.axes for n in axis.names}
        self.functions = {name: value for name, value in values.items() if callable(value)}
        given = {name: values[name] for name in output.inputs if name in values}
        sizes = {n: v for n, v in values.items() if n not in output.inputs and n not in self.functions}
        self.bound = bind(output.inputs, {**given, **sizes}, needed, sorted(names))
        self.arrays = {variable.name: (variable, array) for variable, array in self.bound.arrays.items()}
        self.shapes = {name: values[name].shape for name in given}
        self.node = output.node
        self.upstream = upstream.reshape(tuple(axis.evaluate(self.bound.sizes) for axis in output.node.axes))

    def at(self, name: str, index: tuple[int, ...], value: float) -> float:
        """The function with one entry of one input replaced."""
        import numpy as np

        if name not in self.arrays:
            return 0.0
        variable, array = self.arrays[name]
        changed = np.array(array, dtype=np.float64).reshape(self.shapes[name])
        changed[index] = value
        arrays = {**self.bound.arrays, variable: changed.reshape(array.shape)}
        (result,) = interpret([self.node], arrays, self.bound.sizes, self.functions)
        return float(np.sum(self.upstream * result))
