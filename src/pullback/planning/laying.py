"""Which way round the matrices of a plan lie in memory.

The graph has a normal form of its own, in which a matrix may stand for its transpose; a plan follows it. A product of
matrices can be written either way at no cost, but what works entry by entry wants all its matrices to lie the same
way. Here they are turned, group by group, where that is estimated to be faster.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import prod

from pullback.planning.drafting import Draft
from pullback.planning.steps import Extent, Plan, Result, Step

_STRIDED = 1.0
_COPIED = 2.0
_LOOP = 15.0
"""Prices, as in ``ordering``: of an entry read across the rows, of one copied, of an inner loop of a broadcast."""


def oriented(plan: Plan) -> tuple[Draft, list[int]]:
    """Turn matrices; inputs stay as they are.

    Returns:
        A new draft, and in it the slots of the results.
    """
    prices = _Prices(plan)
    turned: frozenset[int] = frozenset()
    groups = _groups(plan)
    for group in (*groups, *groups):
        flipped = turned ^ group
        if prices.near(group, flipped) < prices.near(group, turned):
            turned = flipped
    return _Rewrite(plan, turned).run()


def _is_transpose(step: Step) -> bool:
    return step.kind == "permute" and step.detail == (1, 0)


def _turns(step: Step, plan: Plan) -> bool:
    """Whether a step can write its result transposed."""
    shape = plan.shapes[step.output]
    if len(shape) != 2:
        return False
    if step.kind == "shape":
        return len(plan.shapes[step.inputs[0]]) == 1 and 1 in shape
    return step.kind in ("map", "dot", "full") or (step.kind == "reduce" and step.detail[-1] == "keep")


def _groups(plan: Plan) -> list[frozenset[int]]:
    """Slots that turn together: those that entrywise functions tie to each other."""
    parent: dict[int, int] = {}
    source: dict[int, int] = {}

    def find(slot: int) -> int:
        while parent[slot] != slot:
            parent[slot] = parent[parent[slot]]
            slot = parent[slot]
        return slot

    for step in plan.steps:
        if _is_transpose(step):
            source[step.output] = source.get(step.inputs[0], step.inputs[0])
        elif _turns(step, plan):
            parent[step.output] = step.output
            for slot in step.inputs if step.kind in ("map", "reduce") else ():
                slot = source.get(slot, slot)
                if slot in parent:
                    parent[find(slot)] = find(step.output)
    groups: dict[int, set[int]] = {}
    for slot in parent:
        groups.setdefault(find(slot), set()).add(slot)
    singles = [frozenset((slot,)) for slot in parent if len(groups[find(slot)]) > 1]
    return [*(frozenset(group) for group in groups.values()), *singles]


class _Prices:
    """What the steps of a plan cost, by which of its matrices are turned."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.source: dict[int, tuple[int, bool]] = {}
        self.users: dict[int, list[Step]] = {}
        self.makers: dict[int, Step] = {}
        self.handed: dict[int, list[bool]] = {}
        for step in plan.steps:
            if _is_transpose(step):
                slot, turned = self.origin(step.inputs[0])
                self.source[step.output] = (slot, not turned)
                continue
            self.makers[step.output] = step
            for given in set(step.inputs):
                self.users.setdefault(self.origin(given)[0], []).append(step)
        for result in plan.results:
            slot, turned = self.origin(result.slot)
            self.handed.setdefault(slot, []).append(turned)

    def origin(self, slot: int) -> tuple[int, bool]:
        """The slot that is looked at, and whether transposed."""
        return self.source.get(slot, (slot, False))

    def near(self, group: Collection[int], turned: Collection[int]) -> float:
        """The price of all steps that touch a group."""
        touched = {step.output: step for slot in group for step in (self.makers[slot], *self.users.get(slot, ()))}
        price = sum(self.of(step, turned) for step in touched.values())
        for slot in group:
            for through in self.handed.get(slot, ()):
                price += 0.5 * prod(self.plan.shapes[slot]) * (through != (slot in turned))
        return price

    def lies(self, slot: int, turned: Collection[int]) -> bool:
        """Whether a slot is read across the rows that lie in memory."""
        slot, through = self.origin(slot)
        return through != (slot in turned)

    def of(self, step: Step, turned: Collection[int]) -> float:
        """The price of one step."""
        shapes = self.plan.shapes
        shape = shapes[step.output]
        own = step.output in turned
        if step.kind == "map" and len(shape) == 2:
            price = 0.0
            for slot in step.inputs:
                given = shapes[slot]
                if len(given) == 2 and min(given) > 1 and self.lies(slot, turned) != own:
                    price += _STRIDED * prod(given)
            if any(len(shapes[slot]) == 2 and shapes[slot] != shape for slot in step.inputs):
                price += _LOOP * (shape[1] if own else shape[0])
            return price
        if step.kind == "reduce" and len(shapes[step.inputs[0]]) == 2:
            given = shapes[step.inputs[0]]
            across = self.lies(step.inputs[0], turned)
            last = 0 if across else 1
            return _LOOP * given[1 - last] if last in step.detail else 0.0
        if step.kind == "shape" and len(shapes[step.inputs[0]]) == 2 and min(shapes[step.inputs[0]]) > 1:
            merged = tuple(n for n in shape if n != 1) != tuple(n for n in shapes[step.inputs[0]] if n != 1)
            return _COPIED * prod(shape) if merged and self.lies(step.inputs[0], turned) else 0.0
        return 0.0


class _Rewrite:
    """Writes a plan anew with some slots turned."""

    def __init__(self, plan: Plan, turned: frozenset[int]) -> None:
        self.plan, self.turned = plan, turned
        self.draft = Draft()
        self.new: dict[int, int] = {}
        self.source: dict[int, int] = {}

    def get(self, slot: int, turned: bool = False) -> int:
        """A slot of the old plan in the new one, as it was or transposed."""
        while slot in self.source:
            slot, turned = self.source[slot], not turned
        return self.new[slot] if turned == (slot in self.turned) else self.draft.permute(self.new[slot], (1, 0))

    def run(self) -> tuple[Draft, list[int]]:
        """All steps, the results as they were."""
        for name, (slot, shape) in self.plan.inputs.items():
            made = self.draft.input(name, shape)
            if slot >= 0:
                self.new[slot] = made
        for step in self.plan.steps:
            if _is_transpose(step):
                self.source[step.output] = step.inputs[0]
            elif step.kind != "input":
                self.new[step.output] = self.step(step)
        return self.draft, [self.get(result.slot) for result in self.plan.results]

    def step(self, step: Step) -> int:
        """One step; what can't turn takes its inputs as they were."""
        draft, turn = self.draft, step.output in self.turned
        shape = self.plan.shapes[step.output]
        wanted: Extent = shape[::-1] if turn else shape
        ranks = [len(self.plan.shapes[slot]) for slot in step.inputs]
        pairs = list(zip(step.inputs, ranks, strict=True))
        if step.kind == "map" and len(shape) == 2:
            given = [self.get(slot, turn) if rank == 2 else self.get(slot) for slot, rank in pairs]
            return draft.emit("map", given, step.detail, wanted)
        if step.kind == "dot":
            a, b = step.inputs
            if turn:
                return draft.dot(self.get(b, True), self.get(a, True), wanted)
            return draft.dot(self.get(a), self.get(b), shape)
        if turn and step.kind == "reduce":
            function, *axes = step.detail
            flipped = sorted(1 - axis for axis in axes[:-1])
            return draft.emit("reduce", (self.get(step.inputs[0], True),), (function, *flipped, "keep"), wanted)
        if turn and step.kind == "shape":
            return draft.shape(self.get(step.inputs[0]), wanted)
        if turn and step.kind == "full":
            return draft.full(step.detail[0], wanted)
        if step.kind == "shape":
            return draft.shape(self.get(step.inputs[0]), shape)
        if step.kind == "permute":
            return draft.permute(self.get(step.inputs[0]), step.detail)
        return draft.emit(step.kind, [self.get(slot) for slot in step.inputs], step.detail, shape)


def with_orientation(draft: Draft, results: Sequence[Result], updates: Sequence[tuple[int, int]]) -> Plan:
    """The plan of a draft with its matrices turned to lie as they are used; ``updates`` as in ``Draft.plan``."""
    asked = [*results, *(Result(change, draft.shapes[change]) for _, change in updates)]
    plan = draft.plan([*asked, *(Result(target, draft.shapes[target]) for target, _ in updates)])
    turned, slots = oriented(plan)
    kept = [Result(slot, result.shape) for slot, result in zip(slots, results, strict=False)]
    count = len(results)
    pairs = zip(slots[count + len(updates) :], slots[count : count + len(updates)], strict=True)
    return turned.plan(kept, list(pairs))
