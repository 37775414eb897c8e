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


@dataclass(frozen=True)
class Setting:
    """What a point is computed from: the program, its stages and the right gradients.

    Attributes:
        program: What is audited.
        stages: The program one operation at a time.
        results: The right gradients.
        upstream: What the upstream gradient is called; None for the gradient of a scalar.
    """

    program: Program
    stages: Sequence[Stage]
    results: Results
    upstream: str | None

    def at(self, sizes: Mapping[str, int], inputs: Mapping[str, Any], g: Any) -> Trial:
        """Compute everything at a point; ``g`` is the upstream gradient in the shape of the output."""
        values = dict(inputs)
        known = {**sizes, **values, **({self.upstream: g} if self.upstream is not None else {})}
        right = {normalise(name): array for name, array in self.results.evaluate(known).items()}
        leaves: dict[Variable, Any] = {}
        for name, entry in self.program.inputs.items():
            leaves[entry.variable] = _squeezed(values[name], entry.shape, sizes)
            leaves[make_variable(name, _inner(entry.shape))] = leaves[entry.variable]
        steps = dict(zip(self.stages, interpret([s.node for s in self.stages], leaves, sizes), strict=True))
        for stage, array in steps.items():
            leaves[make_variable(stage.name, _inner(stage.shape))] = array
            if stage.given:
                values[stage.name] = array.reshape(tuple(a.evaluate(sizes) for a in stage.shape))  # type: ignore[attr-defined]
        if self.upstream is not None:
            shape = self.program.output.shape
            values[self.upstream] = g
            leaves[make_variable(self.upstream, _inner(shape))] = _squeezed(g, shape, sizes)
        return Trial(sizes, values, leaves, right)

    def changed(self, trial: Trial, changes: Mapping[str, Any]) -> Trial:
        """The trial with other values of some inputs."""
        import numpy as np

        inputs = {name: changes.get(name, trial.values[name]) for name in self.program.inputs}
        g = trial.values[self.upstream] if self.upstream is not None else np.ones(())
        return self.at(trial.sizes, inputs, g)

    def draw(self, rng: Any, given: Mapping[str, Any] | None = None, count: int = 3) -> list[Trial]:
        """Draw points with sizes that differ; ``given`` values, and the sizes that they settle, are kept."""
        import numpy as np

        program = self.program
        forward = of_source(program, program)
        domain = find_domain(program, forward)
        spoken = [n for s in self.stages for axis in s.shape for n in sorted(axis.names)]  # type: ignore[attr-defined]
        dims = dimension_names(program.inputs, spoken)
        fixed = {**getattr(program, "constants", {}), **(given or {})}
        fixed = {normalise(name): np.asarray(value, dtype=np.float64) for name, value in fixed.items()}
        made = []
        for turn in range(count):
            sizes, values = _drawn(program, forward, dims, turn, rng, domain, fixed)
            output = tuple(axis.evaluate(sizes) for axis in program.output.shape)
            g = np.asarray(rng.standard_normal(output)) if self.upstream is not None else np.ones(output)
            made.append(self.at(sizes, values, g))
        return made


def _inner(shape: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(axis for axis in shape if axis is not ONE)


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
