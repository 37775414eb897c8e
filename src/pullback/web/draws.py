"""The check beside the result: the closed forms against finite differences, on twenty random draws.

At each draw all inputs, the upstream gradient and a direction are random. The derivative of the forward
program in that direction, by central differences of fourth order, is compared with what the closed forms
give for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pullback.checking.draw import draw
from pullback.dimension import ONE
from pullback.expression import Expression, evaluate_all
from pullback.lowering.program import Input, Program
from pullback.syntax.names import normalise

DRAWS = 20
TOLERANCE = 1e-6
_STEP = 1e-3
_STEPS = (_STEP, 1e-4, 1e-5)
_LENGTHS = (2, 3, 4, 5)
_MOST_LENGTH = 8
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
) -> Drawn | None:
    """Check gradients; ``upstream`` is what they call the gradient of the output, None for a loss."""
    output = Expression(program.output.node, program.output.shape, program)
    extra = {} if upstream is None else {normalise(upstream): Input(upstream, program.output.shape, frozenset())}
    wanted = {normalise(name): expression for name, expression in results.items()}
    return _compare(program, [output], wanted, extra, upstream, sizes)


def check_second(
    program: Program, gradient: Expression, wrt: str, second: Expression, sizes: Mapping[str, int]
) -> Drawn | None:
    """Check the derivative of a tensor by a variable: all its entries weighted at random."""
    import numpy as np

    def slope(values: Mapping[str, Any], change: Mapping[str, Any], weight: Any) -> float:
        matrix = second.evaluate(values)
        direction = change[wrt]
        axes = direction.ndim
        return float(np.sum(weight * np.tensordot(matrix, direction, axes)))

    return _run(program, {}, [wrt], [gradient], slope, sizes)


def _compare(
    program: Program,
    outputs: list[Expression],
    wanted: Mapping[str, Expression],
    extra: Mapping[str, Input],
    upstream: str | None,
    sizes: Mapping[str, int],
) -> Drawn | None:
    import numpy as np

    roots = [(e.node, e.axes) for e in wanted.values()]
    inputs = {**program.inputs, **extra}

    def slope(values: Mapping[str, Any], change: Mapping[str, Any], weight: Any) -> float:
        more = {} if upstream is None else {normalise(upstream): weight}
        found = evaluate_all(roots, inputs, {**values, **more})
        scale = weight if upstream is None else 1.0
        return float(sum(np.sum(scale * g * change[name]) for name, g in zip(wanted, found, strict=True)))

    return _run(program, extra, list(wanted), outputs, slope, sizes)


def _run(
    program: Program, extra: Mapping[str, Input], moved: list[str], outputs: list[Expression], slope: Any,
    sizes: Mapping[str, int],
) -> Drawn | None:  # fmt: skip
    import numpy as np

    lengths = small_lengths(program, sizes)
    if lengths is None:
        return None
    rng = np.random.default_rng(0)
    (output,) = outputs
    shape = tuple(axis.evaluate(lengths) for axis in output.axes)
    worst, count = 0.0, 0
    with np.errstate(all="ignore"):
        for domain in ("normal", "positive", "definite"):
            for _ in range(DRAWS):
                values = {**draw(program.inputs, lengths, rng, domain), **_needed_sizes(output, lengths)}
                change = {name: rng.standard_normal(np.shape(values[name])) for name in moved}
                weight = rng.standard_normal(shape)
                apart = _apart(output, values, change, weight, slope)
                if apart is not None:
                    worst, count = max(worst, apart), count + 1
                if count == DRAWS:
                    return Drawn(worst, count)
            if count >= DRAWS // 2:
                return Drawn(worst, count)
            worst, count = 0.0, 0
    return None


def _needed_sizes(output: Expression, lengths: Mapping[str, int]) -> dict[str, int]:
    """The sizes of dimensions that no input tells."""
    told = {axis.name for entry in output.program.inputs.values() for axis in entry.shape if axis.name}
    return {name: length for name, length in lengths.items() if name not in told}


def _apart(
    output: Expression, values: Mapping[str, Any], change: Mapping[str, Any], weight: Any, slope: Any
) -> float | None:
    """The difference at a draw; the smallest of those that steps of several sizes give, since kinks may lie near."""
    import numpy as np

    derived = slope(values, change, weight)
    if not np.isfinite(derived):
        return None
    best: float | None = None
    for step in _STEPS:
        measured = 0.0
        for k, share in _STENCIL:
            moved = {name: values[name] + k * step * d for name, d in change.items()}
            measured += share * float(np.sum(weight * output.evaluate({**values, **moved})))
        measured /= step
        if np.isfinite(measured):
            apart = abs(derived - measured) / max(1.0, abs(derived), abs(measured))
            best = apart if best is None else min(best, apart)
            if apart < 1e-9:
                break
    return best


def small_lengths(program: Program, sizes: Mapping[str, int]) -> dict[str, int] | None:
    """Small lengths for all dimension names, those of the values where they are small."""
    names = [n for e in program.inputs.values() for axis in e.shape for n in sorted(axis.names)]
    names += [n for s in program.statements for axis in s.shape for n in sorted(axis.names)]
    lengths: dict[str, int] = {}
    for k, name in enumerate(dict.fromkeys(names)):
        lengths[name] = min(sizes.get(name, _LENGTHS[k % len(_LENGTHS)]), _MOST_LENGTH)
    for entry in program.inputs.values():
        for axis in entry.shape:
            if axis is not ONE and axis.evaluate(lengths) > 16 * _MOST_LENGTH:
                return None
    return lengths
