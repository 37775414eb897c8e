"""A forward pass as a function of named arrays, whatever it was written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.checking.evaluator import Evaluator, Kinks, UnfitError
from pullback.expression import Expression
from pullback.lowering.program import Program
from pullback.syntax.names import normalise
from pullback.syntax.tree import Binding

Run = Callable[[Mapping[str, Any], Mapping[str, int], Kinks], Any]


@dataclass(frozen=True)
class Forward:
    """What is computed, and in what way; ``complex_ready`` where complex numbers may be tried."""

    run: Run
    complex_ready: bool = True
    foreign: bool = False
    """Whether it is someone's own function, which may not be analytic although it takes complex numbers."""

    def __call__(self, values: Mapping[str, Any], sizes: Mapping[str, int], kinks: Kinks | None = None) -> Any:
        """Compute the output; raises UnfitError where there is none."""
        import numpy as np

        with np.errstate(all="ignore"):
            return np.asarray(self.run(values, sizes, kinks if kinks is not None else Kinks()))


def of_source(source: Program | Expression, program: Program) -> Forward:
    """The forward pass of a program by its text, or by its own function where it was traced from one."""
    own = getattr(program, "function", None)
    if own is not None:
        return of_function(own)
    if isinstance(source, Expression):
        bindings: Sequence[Binding] = (*source.spelled.where, Binding(None, source.tree))
    else:
        bindings = program.syntax.bindings
    if not bindings:
        return of_graph(program)
    return Forward(_by_text(program, bindings))


def of_function(function: Callable[[Mapping[str, Any]], Any], complex_ready: bool = True) -> Forward:
    """A function of a mapping of arrays."""
    return Forward(lambda values, _sizes, _kinks: function(values), complex_ready, foreign=True)


def of_graph(program: Program) -> Forward:
    """The forward graph computed node by node, for programs that have no text."""
    from pullback.evaluation.binding import bind
    from pullback.evaluation.interpreter import interpret
    from pullback.tensor.node import Variable, topological

    node = program.output.node
    needed = [n for n in topological([node]) if isinstance(n, Variable)]

    def run(values: Mapping[str, Any], sizes: Mapping[str, int], _kinks: Kinks) -> Any:
        bound = bind(program.inputs, {**values, **sizes}, needed, sorted(sizes), keep_type=True)
        (result,) = interpret([node], bound.arrays, {**sizes, **bound.sizes})
        return result.reshape(tuple(axis.evaluate(sizes) for axis in program.output.shape))

    return Forward(run)


def _by_text(program: Program, bindings: Sequence[Binding]) -> Run:
    batched = [name for name, entry in program.inputs.items() if entry.batched]
    output = program.output.shape

    def run(values: Mapping[str, Any], sizes: Mapping[str, int], kinks: Kinks) -> Any:
        import numpy as np

        values = {normalise(name): np.asarray(value) for name, value in values.items()}
        evaluator = Evaluator(sizes, kinks)
        lengths = tuple(axis.evaluate(sizes) for axis in output)
        if program.batch is None or not batched:
            result = evaluator.program(bindings, values)[""]
        elif output[:1] != (program.batch,):
            raise UnfitError("the output has no batch axis")
        else:
            samples = []
            for k in range(program.batch.evaluate(sizes)):
                sample = {name: value[k] if name in batched else value for name, value in values.items()}
                samples.append(evaluator.program(bindings, sample)[""].reshape(lengths[1:]))
            result = np.stack(samples)
        if result.size != np.prod(lengths, dtype=int):
            raise UnfitError(f"the value has shape {result.shape}, not {lengths}")
        return result.reshape(lengths)

    return run
