"""Where the slots of a plan live: which kernels write in place, and which buffers are shared over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from pullback.planning.steps import LEAVES, UPDATES, VIEWS, Plan, Result, Step, bases


@dataclass(frozen=True, slots=True)
class Memory:
    """Storage of a plan.

    ``base`` gives for each slot the one whose memory it looks at; ``group`` for each base slot the first slot of
    the chain that shares its memory in place; ``buffer`` for each group that lives in the pool, its buffer;
    ``lengths`` the entries of each buffer.
    """

    base: dict[int, int]
    group: dict[int, int]
    buffer: dict[int, int]
    lengths: tuple[int, ...]


def owned_results(plan: Plan) -> Plan:
    """Copy results that would share memory with an input, a constant or another result."""
    base = bases(plan.steps)
    kind = {step.output: step.kind for step in plan.steps}
    steps, shapes = list(plan.steps), list(plan.shapes)
    by_output = {step.output: step for step in steps}
    results: list[Result] = []
    taken: set[int] = set()
    for result in plan.results:
        root = base[result.slot]
        shares = kind[root] in LEAVES or root in taken or _repeats(result.slot, by_output, kind)
        if shares or prod(shapes[result.slot]) != prod(result.shape):
            if prod(shapes[result.slot]) != prod(result.shape):
                steps.append(Step("expand", (result.slot,), result.shape, len(shapes)))
                shapes.append(result.shape)
                slot = len(shapes) - 1
            else:
                slot = result.slot
            steps.append(Step("map", (slot,), ("copy",), len(shapes)))
            shapes.append(shapes[slot])
            result = Result(len(shapes) - 1, result.shape)
            root = result.slot
        taken.add(root)
        results.append(result)
    return Plan(plan.inputs, tuple(steps), tuple(results), tuple(shapes))


def _repeats(slot: int, steps: dict[int, Step], kind: dict[int, str]) -> bool:
    """Whether a slot looks at its base through something else than a reordering."""
    while kind[slot] in VIEWS:
        if kind[slot] not in ("permute", "shape"):
            return True
        slot = steps[slot].inputs[0]
    return False


def last_uses(plan: Plan, base: dict[int, int]) -> dict[int, int]:
    """For every base slot the position of the last step that reads it; past the end for results."""
    last: dict[int, int] = {}
    for position, step in enumerate(plan.steps):
        if step.kind not in VIEWS:
            for slot in step.inputs:
                last[base[slot]] = position
    for result in plan.results:
        last[base[result.slot]] = len(plan.steps)
    return last


def assign(plan: Plan, in_place: Callable[[Step], bool], pooled: Callable[[Step], bool]) -> Memory:
    """Decide what is written in place and share buffers between slots that are never alive together.

    ``in_place`` tells the kernels that may write over an input of theirs; ``pooled`` those whose result goes to a
    buffer of the pool, not to memory of its own.
    """
    base = bases(plan.steps)
    last = last_uses(plan, base)
    kinds = {step.output: step.kind for step in plan.steps}
    group: dict[int, int] = {}
    for position, step in enumerate(plan.steps):
        if step.kind in VIEWS or step.kind in UPDATES:
            continue
        group[step.output] = step.output
        if step.kind in LEAVES or not in_place(step):
            continue
        for slot in step.inputs:
            others = [k for k in step.inputs if base[k] == base[slot] and k != slot]
            owned = base[slot] == slot and kinds[slot] not in LEAVES and kinds[slot] not in ("embed", "pad")
            if owned and not others and last[slot] == position and plan.shapes[slot] == plan.shapes[step.output]:
                group[step.output] = group[slot]
                break
    end: dict[int, int] = {}
    for slot, first in group.items():
        end[first] = max(end.get(first, -1), last.get(slot, -1))
    kept = {group[base[result.slot]] for result in plan.results}
    buffer: dict[int, int] = {}
    lengths: list[int] = []
    free: list[int] = []
    dying: dict[int, list[int]] = {}
    for position, step in enumerate(plan.steps):
        slot = step.output
        if step.kind not in VIEWS | LEAVES | UPDATES and group[slot] == slot and slot not in kept and pooled(step):
            size = prod(plan.shapes[slot])
            fitting = [k for k in free if size <= lengths[k] <= 2 * size + 64]
            if fitting:
                chosen = min(fitting, key=lengths.__getitem__)
                free.remove(chosen)
            else:
                chosen = len(lengths)
                lengths.append(size)
            buffer[slot] = chosen
            dying.setdefault(end[slot], []).append(chosen)
        free += dying.pop(position, [])
    return Memory(base, group, buffer, tuple(lengths))
