"""A drawn point with everything that an audit compares: values, steps on the way, right gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.auditing.stages import Stage
from pullback.checking.draw import dimension_names, draw, prime_sizes
from pullback.checking.evaluator import Evaluator, UnfitError
from pullback.checking.forward import Forward, of_source
from pullback.checking.program import find_domain, given_sizes, well_defined
from pullback.dimension import ONE
from pullback.evaluation.interpreter import interpret
from pullback.expression import Results
from pullback.lowering.program import Program
from pullback.syntax.names import normalise
from pullback.tensor.node import Node, Variable, make_variable

TOLERANCE = 1e-8
LENGTHS = (3, 5, 7, 4, 11, 13, 17, 19)
"""No axis of length two: a normalised pair has no gradient, and hides mistakes."""
_MOST_DRAWS = 40
_SMALLEST = 1e-5
"""Below this, differences are measured as if the entries were so large: what cancels to nothing is rounding."""


@dataclass(frozen=True)
class Trial:
    """One draw.

    Attributes:
        sizes: A number for each dimension name.
        values: The inputs, the named steps and the upstream gradient, by name, in full shapes.
        leaves: The same by graph variable, in the shapes of the graph.
        right: The right gradient of each variable.
    """

    sizes: Mapping[str, int]
    values: Mapping[str, Any]
    leaves: Mapping[Variable, Any]
    right: Mapping[str, Any]

    @property
    def evaluator(self) -> Evaluator:
        """Computes texts at this point, given ``values``."""
        return Evaluator(self.sizes)

    def compute(self, nodes: Sequence[Node]) -> list[Any]:
        """Compute graphs over inputs and steps."""
        return interpret(nodes, self.leaves, self.sizes)


def close(left: Any, right: Any, tolerance: float = TOLERANCE) -> bool:
    """Whether two arrays have one shape and agree, relative to their largest entry."""
    import numpy as np

    left, right = np.asarray(left), np.asarray(right)
    if left.shape != right.shape:
        return False
    if not np.all(np.isfinite(left)):
        return False
    scale = max(float(np.max(np.abs(right), initial=0.0)), float(np.max(np.abs(left), initial=0.0)), _SMALLEST)
    return bool(np.max(np.abs(left - right), initial=0.0) <= tolerance * scale)


def trials(
    program: Program,
    stages: Sequence[Stage],
    results: Results,
    upstream: str | None,
    names: Sequence[str],
    rng: Any,
    given: Mapping[str, Any] | None = None,
    count: int = 3,
) -> list[Trial]:
    """Draw points with sizes that differ; ``given`` sizes are kept.

    Args:
        program: What is audited.
        stages: The program one operation at a time.
        results: The right gradients.
        upstream: What the upstream gradient is called; None for the gradient of a scalar.
        names: The variables that are audited.
        rng: A NumPy random generator.
        given: Fixed values, by name.
        count: How many points.
    """
    import numpy as np

    forward = of_source(program, program)
    domain = find_domain(program, forward)
    dims = dimension_names(program.inputs, [n for s in stages for axis in s.shape for n in sorted(axis.names)])  # type: ignore[attr-defined]
    made = []
    for turn in range(count):
        fixed = {**getattr(program, "constants", {}), **(given or {})}
        fixed = {normalise(name): np.asarray(value, dtype=np.float64) for name, value in fixed.items()}
        sizes, values = _drawn(program, forward, dims, turn, rng, domain, fixed)
        output = tuple(axis.evaluate(sizes) for axis in program.output.shape)
        g = np.asarray(rng.standard_normal(output)) if upstream is not None else np.ones(output)
        known = {**sizes, **values, **({upstream: g} if upstream is not None else {})}
        right = {name: array for name, array in results.evaluate(known).items()}
        leaves = {entry.variable: _squeezed(values[name], entry.shape, sizes) for name, entry in program.inputs.items()}
        leaves.update({
            make_variable(name, tuple(axis for axis in entry.shape if axis is not ONE)): leaves[entry.variable]
            for name, entry in program.inputs.items()
        })  # fmt: skip
        steps = dict(zip(stages, interpret([s.node for s in stages], leaves, sizes), strict=True))
        for stage, array in steps.items():
            axes = tuple(axis for axis in stage.shape if axis is not ONE)
            leaves[make_variable(stage.name, axes)] = array  # type: ignore[arg-type]
            if stage.given:
                values[stage.name] = array.reshape(tuple(axis.evaluate(sizes) for axis in stage.shape))  # type: ignore[attr-defined]
        if upstream is not None:
            values[upstream] = g
            leaves[make_variable(upstream, tuple(a for a in program.output.shape if a is not ONE))] = _squeezed(
                g, program.output.shape, sizes
            )
        made.append(Trial(sizes, values, leaves, right))
    return made


def _drawn(
    program: Program,
    forward: Forward,
    dims: Sequence[str],
    turn: int,
    rng: Any,
    domain: str,
    fixed: Mapping[str, Any],
) -> tuple[dict[str, int], dict[str, Any]]:
    """Draw sizes and values until the forward pass is well defined: X' X has an inverse only where X is tall."""
    known = given_sizes(program, fixed)
    last: tuple[dict[str, int], dict[str, Any]] | None = None
    for order in (list(dims), list(dims)[::-1]):
        sizes = {**prime_sizes(order, turn, LENGTHS), **known}
        for _ in range(_MOST_DRAWS):
            values = {**draw(program.inputs, sizes, rng, domain), **fixed}
            last = last or (sizes, values)
            if well_defined(forward, values, sizes):
                return sizes, values
    assert last is not None
    return last


def _squeezed(array: Any, shape: Sequence[Any], sizes: Mapping[str, int]) -> Any:
    import numpy as np

    array = np.asarray(array, dtype=np.float64)
    if array.ndim != len(shape):
        raise UnfitError("a value of another rank")
    return array.reshape(tuple(axis.evaluate(sizes) for axis in shape if axis is not ONE))
