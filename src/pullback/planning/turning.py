"""Turning matrices of a plan: the mechanism that ``laying`` and ``orienting`` share.

The graph has a normal form of its own, in which a matrix may stand for its transpose; a plan follows it. A product of
matrices can be written either way at no cost, and what works entry by entry works either way if all its matrices
do. So matrices that entrywise functions tie to each other turn together, in groups, and each group is turned where that
lowers a price. The two users differ in the price: what a plan costs to run, or how many transposes a reader sees.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from pullback.planning.drafting import Draft
from pullback.planning.steps import Extent, Plan, Step

ALONG_AXIS = frozenset({"softmax", "logsumexp", "hardmax", "max"})
"""Operations on vectors, which work along one axis of what has more; only emitted plans keep them whole."""


class Prices(Protocol):
    """What a plan costs, by which of its matrices are turned."""

    def near(self, group: frozenset[int], turned: Collection[int]) -> float:
        """The price of all that turning the group could change, where the slots in ``turned`` are turned."""


def cheapest(groups: Sequence[frozenset[int]], prices: Prices) -> frozenset[int]:
    """Turn groups, each where that lowers the price, twice over: one group may make another worth turning."""
    turned: frozenset[int] = frozenset()
    for group in (*groups, *groups):
        flipped = turned ^ group
        if prices.near(group, flipped) < prices.near(group, turned):
            turned = flipped
    return turned


def is_transpose(step: Step) -> bool:
    """Whether it is a view of a matrix the other way round."""
    return step.kind == "permute" and step.detail == (1, 0)


def is_along(step: Step, plan: Plan) -> bool:
    """Whether it works along the last axis of a matrix, and so along the first one of the transpose."""
    return step.kind == "apply" and step.detail[0] in ALONG_AXIS and len(plan.shapes[step.inputs[0]]) == 2


def turns(step: Step, plan: Plan) -> bool:
    """Whether a step can write its result transposed."""
    shape = plan.shapes[step.output]
    if len(shape) != 2:
        return False
    if step.kind == "shape":
        return len(plan.shapes[step.inputs[0]]) == 1 and 1 in shape
    if is_along(step, plan):
        return True
    return step.kind in ("map", "dot", "full") or (step.kind == "reduce" and step.detail[-1] == "keep")


def origins(plan: Plan) -> dict[int, tuple[int, bool]]:
    """For every slot the one that is looked at, and whether through a transpose."""
    found: dict[int, tuple[int, bool]] = {}
    for step in plan.steps:
        if is_transpose(step):
            slot, turned = found[step.inputs[0]]
            found[step.output] = (slot, not turned)
        else:
            found[step.output] = (step.output, False)
    return found


def tied(plan: Plan, through: bool) -> list[frozenset[int]]:
    """Slots that turn together: those that entrywise functions tie to each other, ``through`` transposes too or not."""
    parent: dict[int, int] = {}
    origin = origins(plan)

    def find(slot: int) -> int:
        while parent[slot] != slot:
            parent[slot] = parent[parent[slot]]
            slot = parent[slot]
        return slot

    for step in plan.steps:
        if turns(step, plan):
            parent[step.output] = step.output
            for given in step.inputs if step.kind in ("map", "reduce", "apply") else ():
                slot, across = origin[given]
                if slot in parent and (through or not across):
                    parent[find(slot)] = find(step.output)
    groups: dict[int, set[int]] = {}
    for slot in parent:
        groups.setdefault(find(slot), set()).add(slot)
    return [frozenset(group) for group in groups.values()]


class Turned:
    """A plan written anew with some slots turned.

    ``draft`` has the steps, ``results`` the slots of the plan's results, as they were; ``new`` has for every slot that
    is no transpose its own one, in which it stands as it was or, if it is in ``turned``, transposed.
    """

    def __init__(self, plan: Plan, turned: frozenset[int], make: type[Draft] = Draft) -> None:
        self.plan, self.turned = plan, turned
        self.origin = origins(plan)
        self.draft = make()
        self.new: dict[int, int] = {}
        for name, (slot, shape) in plan.inputs.items():
            made = self.draft.input(name, shape)
            if slot >= 0:
                self.new[slot] = made
        for step in plan.steps:
            if not is_transpose(step) and step.kind != "input":
                self.new[step.output] = self.step(step)
        self.results = [self.get(result.slot) for result in plan.results]

    def get(self, slot: int, turned: bool = False) -> int:
        """A slot of the old plan in the new one, as it was or transposed."""
        made, through = self.as_stored(slot)
        return made if turned == through else self.draft.permute(made, (1, 0))

    def as_stored(self, slot: int) -> tuple[int, bool]:
        """A slot of the old plan in the new one, whichever way round that is there."""
        slot, through = self.origin[slot]
        return self.new[slot], through != (slot in self.turned)

    def step(self, step: Step) -> int:
        """One step; what can't turn takes its inputs as they were."""
        draft, turn = self.draft, step.output in self.turned
        shape = self.plan.shapes[step.output]
        wanted: Extent = shape[::-1] if turn else shape
        ranks = [len(self.plan.shapes[slot]) for slot in step.inputs]
        if step.kind == "map" and len(shape) == 2:
            pairs = zip(step.inputs, ranks, strict=True)
            given = [self.get(slot, turn) if rank == 2 else self.get(slot) for slot, rank in pairs]
            return draft.emit("map", given, step.detail, wanted)
        if step.kind == "dot":
            a, b = step.inputs
            if turn:
                return draft.dot(self.get(b, True), self.get(a, True), wanted)
            return draft.dot(self.get(a), self.get(b), shape)
        if step.kind == "reduce" and ranks == [2]:
            return self.reduce(step, turn, wanted)
        if is_along(step, self.plan):
            (slot,) = step.inputs
            x, flip = (self.get(slot, turn), turn) if len(shape) == 2 else self.as_stored(slot)
            return draft.emit("apply", (x,), (step.detail[0], 0 if flip else 1), wanted)
        if step.kind == "shape":
            return draft.shape(self.get(step.inputs[0]), wanted)
        if step.kind == "permute":
            return draft.permute(self.get(step.inputs[0]), step.detail)
        if turn and step.kind == "full":
            return draft.full(step.detail[0], wanted)
        return draft.emit(step.kind, [self.get(slot) for slot in step.inputs], step.detail, shape)

    def reduce(self, step: Step, turn: bool, wanted: Extent) -> int:
        """A sum over an axis is over the other one of the transpose."""
        function, *axes = step.detail
        keep = axes[-1] == "keep"
        axes = axes[:-1] if keep else axes
        (slot,) = step.inputs
        given, flip = (self.get(slot, turn), turn) if keep else self.as_stored(slot)
        new_axes = sorted(1 - axis for axis in axes) if flip else axes
        return self.draft.emit("reduce", (given,), (function, *new_axes, *(("keep",) if keep else ())), wanted)
