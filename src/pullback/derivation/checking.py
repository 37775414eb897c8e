"""Is it right? The closed forms beside the measured slopes of the forward program, at values and at random draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pullback.checking.compare import Comparison
from pullback.checking.draw import Point
from pullback.checking.evaluator import UnfitError
from pullback.checking.forward import Forward, of_source
from pullback.checking.measure import Function
from pullback.checking.program import points_of, well_defined
from pullback.checking.report import Report
from pullback.derivation.request import Request
from pullback.errors import PullbackError
from pullback.expression import evaluate_all
from pullback.lowering.program import Program
from pullback.syntax.names import normalise

SEED = 0
_GIVEN = "given"
_MOST_WORK = 4000
"""Entries times statements; where there is more to do, random directions are compared instead of entries."""
_DIRECTIONS = 4


@dataclass(frozen=True, slots=True)
class Check:
    """What a comparison with measured slopes found, in float64.

    ``worst`` is the difference at the entry that agrees least.
    """

    passed: bool
    worst: float
    variable: str
    index: tuple[int, ...]
    derived: float
    measured: float
    entries: int
    method: str
    """``complex step`` or ``central differences``."""
    draws: int
    seed: int
    at_values: bool
    """Whether the given values were among the points."""
    kinks: int
    """Entries left out since there is no derivative at a kink."""
    undefined: bool
    """Whether the function has no finite value at the given values."""

    def __bool__(self) -> bool:
        return self.passed


class Evaluated(Protocol):
    """Derivatives that can be evaluated, by the names of the inputs."""

    def evaluate(self, values: Mapping[str, Any], /) -> Mapping[str, Any]:
        """Evaluate them."""


def compare(request: Request, results: Evaluated) -> Check | None:
    """Compare the closed forms with measured slopes; None where that can't be done."""
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            return _check(_compared(request, results, np.random.default_rng(SEED)))
    except (PullbackError, UnfitError, ArithmeticError, KeyError, TypeError, ValueError, RuntimeError):
        return None  # the last ones are of foreign code, at values that it does not take


def _compared(request: Request, results: Evaluated, rng: Any) -> Report:
    import numpy as np

    program = request.program
    upstream = None if request.is_loss else request.upstream_name
    functions = {name: value for name, value in (request.values or {}).items() if callable(value)}
    forward = _with_functions(program, functions) if functions else of_source(program, program)
    constants = getattr(program, "constants", {})

    def gradients(point: Point, given: Any) -> Mapping[str, Any]:
        extra = {} if upstream is None else {upstream: given}
        found = results.evaluate({**point.sizes, **point.values, **constants, **functions, **extra})
        scale = float(np.reshape(given, ())) if upstream is None else 1.0
        return {normalise(name): scale * array for name, array in found.items()}

    comparison = Comparison(program.source, forward, gradients, request.wrt, rng)
    comparison.shaken = lambda point: well_defined(forward, point.values, point.sizes)
    values = {name: value for name, value in (request.values or {}).items() if not callable(value)}
    for point in points_of(program, values, rng, forward, ("random",)):
        if _work(request, point) <= _MOST_WORK:
            comparison.at(point)
        else:
            _along_directions(comparison, point)
    return comparison.report("en")


def _with_functions(program: Program, functions: Mapping[str, Any]) -> Forward:
    """The forward pass of a program with functions that only the values define."""
    output = [(program.output.node, program.output.shape)]

    def run(values: Mapping[str, Any], sizes: Mapping[str, int], _kinks: Any) -> Any:
        return evaluate_all(output, program.inputs, {**sizes, **values, **functions})[0]

    return Forward(run, complex_ready=False, foreign=True)


def _work(request: Request, point: Point) -> int:
    entries = sum(int(point.values[name].size) for name in request.wrt)
    return entries * len(request.program.statements)


def _along_directions(comparison: Comparison, point: Point) -> None:
    """Compare the slopes in some directions in which all variables change at once."""
    import numpy as np

    output = comparison.forward(point.values, point.sizes)
    if not np.all(np.isfinite(output)):
        comparison.excluded[f"undefined: {point.name}"] += 1
        return
    upstream = np.asarray(comparison.rng.standard_normal(output.shape))
    function = Function(comparison.forward, point.values, point.sizes, upstream)
    given = comparison.gradients(point, upstream)
    measured = []
    for _ in range(_DIRECTIONS):
        direction = {n: np.asarray(comparison.rng.standard_normal(point.values[n].shape)) for n in comparison.names}
        slope = sum(float(np.sum(direction[name] * given[name])) for name in comparison.names)
        measured.append(((), slope, comparison.measured(function, direction, 1.0, slope)))
    comparison.collect("", point, measured)


def _check(report: Report) -> Check | None:
    undefined = f"undefined: {_GIVEN}" in report.excluded
    kinks = sum(count for reason, count in report.excluded.items() if reason.startswith("kink"))
    worst = report.worst
    if worst is None:
        return None
    return Check(
        passed=report.right,
        worst=worst.difference,
        variable=worst.variable,
        index=worst.index,
        derived=worst.derived,
        measured=worst.measured,
        entries=report.entries,
        method=report.method,
        draws=sum(1 for point in report.points if point.startswith("random")),
        seed=SEED,
        at_values=_GIVEN in report.points,
        kinks=kinks,
        undefined=undefined,
    )
