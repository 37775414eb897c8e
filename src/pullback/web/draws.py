"""The check beside the result: the closed forms against finite differences, on twenty random draws.

At each draw all inputs, the upstream gradient and a direction for each variable are random. The derivative of
the forward program in that direction, by central differences of fourth order, is compared with what the
closed form gives for it: each result by itself, so that an error in one can't hide behind another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.checking.draw import draw
from pullback.expression import Expression, evaluate_all
from pullback.lowering.program import Input, Program
from pullback.pictures.of_derivation import small_lengths
from pullback.syntax.names import normalise

DRAWS = 20
TOLERANCE = 1e-6
_STEP = 1e-3
_STEPS = (_STEP, 1e-4, 1e-5)
_STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))


@dataclass(frozen=True, slots=True)
class Drawn:
    """How far they were apart at the worst draw, relative where the derivative is above one."""

    worst: float
    draws: int

    @property
    def passed(self) -> bool:
        """Whether they agree."""
        return self.worst <= TOLERANCE


def check_first(
    program: Program, results: Mapping[str, Expression], upstream: str | None, sizes: Mapping[str, int]
) -> dict[str, Drawn] | None:
    """Check each gradient by itself; ``upstream`` is what they call that of the output, None for a loss."""
    import numpy as np

    freed = _freed(program)
    output = Expression(freed.output.node, freed.output.shape, freed)
    extra = {} if upstream is None else {normalise(upstream): Input(upstream, program.output.shape, frozenset())}
    inputs = {**program.inputs, **extra}
    names = {normalise(name): name for name in results}
    roots = [(results[name].node, results[name].axes) for name in names.values()]

    def slopes(values: Mapping[str, Any], change: Mapping[str, Any], weight: Any) -> dict[str, float]:
        more = {} if upstream is None else {normalise(upstream): weight}
        found = evaluate_all(roots, inputs, {**values, **more})
        scale = weight if upstream is None else 1.0
        return {name: float(np.sum(scale * g * change[name])) for name, g in zip(names, found, strict=True)}

    drawn = _run(program, output, list(names), slopes, sizes)
    return None if drawn is None else {names[name]: one for name, one in drawn.items()}


def check_second(
    program: Program, gradient: Expression, wrt: str, second: Expression, sizes: Mapping[str, int]
) -> Drawn | None:
    """Check the derivative of a tensor by a variable: all its entries weighted at random."""
    import numpy as np

    def slopes(values: Mapping[str, Any], change: Mapping[str, Any], weight: Any) -> dict[str, float]:
        direction = change[wrt]
        return {wrt: float(np.sum(weight * np.tensordot(second.evaluate(values), direction, direction.ndim)))}

    drawn = _run(program, gradient, [wrt], slopes, sizes)
    return None if drawn is None else drawn[wrt]


_Slopes = Callable[[Mapping[str, Any], Mapping[str, Any], Any], dict[str, float]]
"""What closed forms give for a change of each variable by itself."""


def _run(
    program: Program, output: Expression, moved: Sequence[str], slopes: _Slopes, sizes: Mapping[str, int]
) -> dict[str, Drawn] | None:
    """Draw until there are enough points at which everything is finite; None where there are too few."""
    import numpy as np

    lengths = small_lengths(program, sizes)
    if lengths is None:
        return None
    rng = np.random.default_rng(0)
    shape = tuple(axis.evaluate(lengths) for axis in output.axes)
    with np.errstate(all="ignore"):
        for domain in ("normal", "positive", "definite"):
            worst, count = dict.fromkeys(moved, 0.0), 0
            for _ in range(DRAWS):
                values = {**draw(program.inputs, lengths, rng, domain), **_needed_sizes(output, lengths)}
                change = {name: rng.standard_normal(np.shape(values[name])) for name in moved}
                weight = rng.standard_normal(shape)
                apart = _apart(output, values, change, weight, slopes)
                if apart is not None:
                    count += 1
                    worst = {name: max(worst[name], apart[name]) for name in moved}
            if count >= DRAWS // 2:
                return {name: Drawn(worst[name], count) for name in moved}
    return None


def _apart(
    output: Expression, values: Mapping[str, Any], change: Mapping[str, Any], weight: Any, slopes: _Slopes
) -> dict[str, float] | None:
    """How far apart they are at a draw, by the variable that is moved; None where something is not finite."""
    import numpy as np

    found: dict[str, float] = {}
    for name, derived in slopes(values, change, weight).items():
        if not np.isfinite(derived):
            return None
        best = _closest(output, values, name, change[name], weight, derived)
        if best is None:
            return None
        found[name] = best
    return found


def _closest(
    output: Expression, values: Mapping[str, Any], name: str, change: Any, weight: Any, derived: float
) -> float | None:
    """The smallest of the differences that steps of several sizes give, since kinks may lie near."""
    import numpy as np

    best: float | None = None
    for step in _STEPS:
        measured = 0.0
        for k, share in _STENCIL:
            moved = {**values, name: values[name] + k * step * change}
            measured += share * float(np.sum(weight * output.evaluate(moved)))
        measured /= step
        if np.isfinite(measured):
            apart = abs(derived - measured) / max(1.0, abs(derived), abs(measured))
            best = apart if best is None else min(best, apart)
            if apart < 1e-9:
                break
    return best


def _freed(program: Program) -> Program:
    """The program without what was declared of its matrices, so that each entry can be moved by itself."""
    names = [name for name, entry in program.inputs.items() if entry.properties - {"positive", "constant"}]
    return program.freed(names) if names else program


def _needed_sizes(output: Expression, lengths: Mapping[str, int]) -> dict[str, int]:
    """The sizes of dimensions that no input tells."""
    told = {axis.name for entry in output.program.inputs.values() for axis in entry.shape if axis.name}
    return {name: length for name, length in lengths.items() if name not in told}
