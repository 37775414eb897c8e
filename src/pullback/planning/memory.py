"""Where the slots of a plan live: which kernels write in place, and which buffers are shared over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from pullback.planning.steps import LEAVES, UPDATES, VIEWS, Extent, Plan, Result, Step, bases


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


def packed(plan: Plan) -> Plan:
    """Write out as copies the reshapes that can't be views, so that the copies live in buffers as all else does."""
    made = {step.output: step for step in plan.steps}
    steps, shapes = [], list(plan.shapes)
    for step in plan.steps:
        if step.kind == "shape" and prod(shapes[step.output]) > 1 and strides_of(step.output, made, shapes) is None:
            (source,) = step.inputs
            copy = Step("map", (source,), ("copy",), len(shapes))
            shapes.append(shapes[source])
            step = step._replace(inputs=(copy.output,))
            made |= {copy.output: copy, step.output: step}
            steps.append(copy)
        steps.append(step)
    return Plan(plan.inputs, tuple(steps), plan.results, tuple(shapes))


def strides_of(slot: int, made: Mapping[int, Step], shapes: Sequence[Extent]) -> tuple[int, ...] | None:
    """How far apart the entries of a view lie along each axis, in entries; None where it can't be a view."""
    step, shape = made[slot], shapes[slot]
    if step.kind not in VIEWS:
        return _rows(shape)
    (source,) = step.inputs
    inner = strides_of(source, made, shapes)
    if inner is None:
        return None
    before = shapes[source]
    if step.kind == "permute":
        return tuple(inner[k] for k in step.detail)
    if step.kind == "expand":
        if not before:
            return (0,) * len(shape)
        return tuple(0 if n == 1 != m else s for n, m, s in zip(before, shape, inner, strict=True))
    if step.kind == "diagonal":
        labels = dict.fromkeys(step.detail)
        return tuple(sum(s for s, x in zip(inner, step.detail, strict=True) if x == label) for label in labels)
    if step.kind == "part":
        return inner
    return _reshaped(before, inner, shape)


def _rows(shape: Extent) -> tuple[int, ...]:
    strides = [1] * len(shape)
    for k in range(len(shape) - 2, -1, -1):
        strides[k] = strides[k + 1] * max(shape[k + 1], 1)
    return tuple(strides)


def _reshaped(before: Extent, strides: Sequence[int], after: Extent) -> tuple[int, ...] | None:
    """The strides of a reshape: axes that lie within each other merge and split, others can't."""
    if 0 in before:
        return _rows(after)
    runs: list[list[int]] = []
    for n, s in zip(before, strides, strict=True):
        if n == 1:
            continue
        if runs and runs[-1][1] == n * s:
            runs[-1] = [runs[-1][0] * n, s]
        else:
            runs.append([n, s])
    found: list[int] = []
    rest = list(runs)
    left, step = (1, 1)
    for n in after:
        if n == 1:
            found.append(1)
            continue
        if left == 1 and rest:
            left, step = rest.pop(0)
        if left % n:
            return None
        left //= n
        found.append(step * left)
    return tuple(found) if left == 1 and not rest else None


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
