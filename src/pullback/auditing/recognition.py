"""Functions that were written out, recognised: ``e / e.sum()`` is softmax, ``1 / (1 + exp(-x))`` is sigmoid.

People know these as one function with one derivative, and go wrong in that derivative. So a step whose
value is such a function of an earlier value becomes that function in the reverse pass; what lies between
is passed by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pullback.auditing.building import along, called, minus
from pullback.auditing.stages import Stage
from pullback.auditing.trial import Trial, close
from pullback.tensor.axes import broadcast
from pullback.tensor.node import Apply, Node, Variable, make_variable, topological
from pullback.tensor.product import permuted

_ENTRYWISE = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "silu", "gelu")


def recognised(stages: Sequence[Stage], inputs: Sequence[Variable], trials: Sequence[Trial]) -> list[Stage]:
    """The stages, those that are a known function of an earlier value as that function."""
    known: list[Variable] = list(inputs)
    sources: dict[str, set[str]] = {variable.name: {variable.name} for variable in inputs}
    result = []
    for stage in stages:
        used = [v for v in topological([stage.local]) if isinstance(v, Variable)]
        reached = set().union(*(sources.get(v.name, {v.name}) for v in used))
        own = make_variable(stage.name, stage.local.axes)
        sources[stage.name] = reached | {stage.name}
        found = None
        if not _is_one_function(stage.local):
            found = next((f for v, f in _candidates(own, known, reached) if _agrees(v, f, own, trials)), None)
        result.append(stage if found is None else replace(stage, local=found))
        known.append(own)
    return result


def _is_one_function(node: Node) -> bool:
    return isinstance(node, Apply) and all(isinstance(a, Variable) for a in node.arguments)


def _candidates(own: Variable, known: Sequence[Variable], reached: set[str]) -> Iterator[tuple[Node, Node]]:
    """The values that a step depends on, the earliest first, each with known functions of it."""
    for variable in known:
        if variable.name not in reached:
            continue
        for turn in _turns(variable, own):
            for name in _ENTRYWISE:
                yield turn, called(name, turn)
        for axis in range(len(variable.axes)):
            rest = (*variable.axes[:axis], *variable.axes[axis + 1 :])
            if variable.axes == own.axes:
                yield variable, along("softmax", variable, axis)
                yield variable, _log_softmax(variable, axis)
            if rest == own.axes:
                yield variable, along("logsumexp", variable, axis)


def _log_softmax(variable: Variable, axis: int) -> Node:
    others = [k for k in range(len(variable.axes)) if k != axis]
    return minus(variable, broadcast(along("logsumexp", variable, axis), variable.axes, others))


def _turns(variable: Variable, own: Variable) -> Iterator[Node]:
    if variable.axes == own.axes:
        yield variable
    if len(own.axes) == 2 and variable.axes == own.axes[::-1] and own.axes[0] is not own.axes[1]:
        yield permuted(variable, (1, 0))


def _agrees(base: Node, node: Node, own: Variable, trials: Sequence[Trial]) -> bool:
    """Whether a step has the value of a function at every trial; one that changes nothing is no function."""
    import numpy as np

    for trial in trials:
        wanted = trial.leaves[own]
        with np.errstate(all="ignore"):
            before, value = trial.compute([base, node])
        if np.size(wanted) < 2 or not np.all(np.isfinite(wanted)) or not close(value, wanted) or close(before, value):
            return False
    return True
