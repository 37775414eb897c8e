"""Entrywise steps joined into loops: what one loop can compute is not written to memory in between.

A step of the kind ``loop`` has as detail the axes that it sums over (or takes the maximum over) and a list of
operations: for each, a function and where its arguments are, which are inputs of the loop (from 0 on) or operations
before it (from -1 down). The last one is the result.
"""

from __future__ import annotations

from collections import Counter

from pullback.planning.steps import Extent, Plan, Step

Operations = tuple[tuple[str, tuple[int, ...]], ...]

MOST = 40
"""A loop has not more operations than this, so that a processor's registers hold what it needs."""


def fused(plan: Plan) -> Plan:
    """Join each entrywise step, sum or maximum with the entrywise steps that only it reads."""
    made = {step.output: step for step in plan.steps}
    readers = Counter(slot for step in plan.steps for slot in step.inputs)
    readers.update(result.slot for result in plan.results)
    inside: set[int] = set()
    loops: dict[int, Step] = {}
    for step in reversed(plan.steps):
        if step.output in inside or step.kind not in ("map", "reduce"):
            continue
        shape = plan.shapes[step.output if step.kind == "map" else step.inputs[0]]
        members = _members(step, shape, made, readers, plan)
        inside |= members
        loops[step.output] = _loop(step, members, made, plan)
    steps = [loops.get(step.output, step) for step in plan.steps if step.output not in inside]
    return Plan(plan.inputs, tuple(steps), plan.results, plan.shapes)


def _members(root: Step, shape: Extent, made: dict[int, Step], readers: Counter[int], plan: Plan) -> set[int]:
    """The steps that go into the loop of another: all that read them are in it, and they have its shape."""
    found: set[int] = set()
    inner: Counter[int] = Counter(root.inputs)
    waiting = list(root.inputs)
    while waiting and len(found) < MOST:
        slot = waiting.pop()
        step = made[slot]
        if slot in found or step.kind != "map" or plan.shapes[slot] != shape or inner[slot] < readers[slot]:
            continue
        found.add(slot)
        inner.update(step.inputs)
        waiting += step.inputs
    return found


def _loop(root: Step, members: set[int], made: dict[int, Step], plan: Plan) -> Step:
    """The loop as a step: inputs in order, operations in the order of the plan."""
    order = sorted(members, key=lambda slot: slot)
    order = [step.output for step in plan.steps if step.output in members] if order else []
    body = [made[slot] for slot in order]
    if root.kind == "map":
        body.append(root)
    inputs = list(dict.fromkeys(slot for step in (*body, root) for slot in step.inputs if slot not in members))
    place = {slot: k for k, slot in enumerate(inputs)}
    operations = []
    for k, step in enumerate(body):
        operations.append((step.detail[0], tuple(place[slot] for slot in step.inputs)))
        place[step.output] = -1 - k
    reduced: tuple[object, ...] = ()
    if root.kind == "reduce":
        reduced = root.detail
        if not operations:
            operations.append(("copy", (place[root.inputs[0]],)))
    shape = plan.shapes[root.output if root.kind == "map" else root.inputs[0]]
    return Step("loop", tuple(inputs), (shape, reduced, tuple(operations)), root.output)
