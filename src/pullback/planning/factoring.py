"""One factorisation of a matrix for all that is computed with its inverse: solves, the inverse, the determinant.

| kind | inputs | detail |
|---|---|---|
| ``factor`` | A | the result has a row more than A, with the pivots |
| ``factored solve`` | F, b | whether A is meant transposed; b and the result are vectors, or have them as rows |
| ``factored inv``, ``factored logdet``, ``factored det`` | F | |

Backends that can do this pass their plans through ``factored``; to others a plan without these kinds is as good.
"""

from __future__ import annotations

from pullback.planning.drafting import Draft
from pullback.planning.steps import UPDATES, Plan, Result, Step
from pullback.planning.turning import origins

KINDS = frozenset({"factor", "factored solve", "factored inv", "factored logdet", "factored det"})
_LEAST = 32
"""Of matrices with fewer rows, NumPy's own functions take less time than getting at LAPACK from outside."""

_FUNCTIONS = frozenset({"inv", "logdet", "det"})


def factored(plan: Plan) -> Plan:
    """Factor each matrix once that would be factored more than once."""
    chosen = _chosen(plan)
    if not chosen:
        return plan
    origin = origins(plan)
    draft = Draft()
    new: dict[int, int] = {}
    updates = []
    for name, (slot, shape) in plan.inputs.items():
        given = draft.input(name, shape)
        if slot >= 0:
            new[slot] = given
    for step in plan.steps:
        inputs = [new[slot] for slot in step.inputs]
        if step.kind in UPDATES:
            updates.append((inputs[0], inputs[1]))
        elif _factors(step, plan) and origin[step.inputs[0]][0] in chosen:
            slot, turned = origin[step.inputs[0]]
            order = plan.shapes[slot][0]
            factor = draft.emit("factor", (new[slot],), (), (order + 1, order))
            new[step.output] = _with_factor(draft, step, factor, turned, inputs[1:], order)
        elif step.kind != "input":
            new[step.output] = draft.emit(step.kind, inputs, step.detail, plan.shapes[step.output])
    return draft.plan([Result(new[result.slot], result.shape) for result in plan.results], updates)


def _chosen(plan: Plan) -> set[int]:
    """The matrices of several uses of which one fails anyway where there is no inverse."""
    origin = origins(plan)
    uses: dict[int, list[Step]] = {}
    for step in plan.steps:
        if _factors(step, plan):
            uses.setdefault(origin[step.inputs[0]][0], []).append(step)
    return {
        slot
        for slot, steps in uses.items()
        if len(steps) > 1 and any(step.detail not in (("logdet",), ("det",)) for step in steps)
    }


def _factors(step: Step, plan: Plan) -> bool:
    """Whether a step factors a matrix."""
    if step.kind != "solve" and not (step.kind == "apply" and step.detail[0] in _FUNCTIONS):
        return False
    shape = plan.shapes[step.inputs[0]]
    return len(shape) == 2 and shape[0] >= _LEAST


def _with_factor(draft: Draft, step: Step, factor: int, turned: bool, given: list[int], order: int) -> int:
    """What a step computes, from the factors."""
    if step.kind == "solve":
        (right,) = given
        rows = draft.permute(right, (1, 0)) if len(draft.shapes[right]) == 2 else right
        solved = draft.emit("factored solve", (factor, rows), (turned,), draft.shapes[rows])
        return draft.permute(solved, (1, 0)) if len(draft.shapes[right]) == 2 else solved
    (function,) = step.detail
    found = draft.emit(f"factored {function}", (factor,), (), (order, order) if function == "inv" else ())
    return draft.permute(found, (1, 0)) if function == "inv" and turned else found
