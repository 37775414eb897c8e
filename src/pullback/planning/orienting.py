"""Which way round matrices are computed: as the program has them, and with as few transposes as can be.

The graph has a normal form of its own, in which a matrix may stand for its transpose; a plan follows it. Here the
matrices of a plan are turned, group by group: those that an entrywise function ties together turn together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pullback.planning.drafting import Draft
from pullback.planning.steps import Plan, Result, Step

ALONG_AXIS = frozenset({"softmax", "logsumexp", "hardmax", "max"})
"""Operations on vectors, which work along one axis of what has more."""

_WISH = 4
"""How many transposes it may cost to have a matrix as the program has it."""


def oriented(
    plan: Plan, wishes: Mapping[int, bool], make: type[Draft] = Draft
) -> tuple[Plan, dict[int, tuple[int, bool]]]:
    """Turn matrices of a plan.

    Args:
        plan: A plan; its inputs and results stay as they are.
        wishes: Slots that are to be turned, or not.
        make: The kind of draft to write.

    Returns:
        The new plan; and for slots the new ones, and whether they are turned.
    """
    turned: set[int] = set()
    groups = _groups(plan)
    price = _Price(plan, wishes)
    for group in (*groups, *groups):
        touched = group | {slot for user in group for slot in price.used_by.get(user, ())}
        before = price.of(touched, turned)
        after = price.of(touched, turned ^ group)
        if after < before:
            turned ^= group
    rewrite = _Rewrite(plan, turned, make)
    new = rewrite.run()
    return new, rewrite.final


def _groups(plan: Plan) -> list[frozenset[int]]:
    """Slots that turn together."""
    parent: dict[int, int] = {}

    def find(slot: int) -> int:
        while parent[slot] != slot:
            parent[slot] = parent[parent[slot]]
            slot = parent[slot]
        return slot

    for step in plan.steps:
        if _turns(step, plan):
            parent[step.output] = step.output
            for slot in step.inputs if step.kind in ("map", "reduce", "apply") else ():
                if slot in parent:
                    parent[find(slot)] = find(step.output)
    groups: dict[int, set[int]] = {}
    for slot in parent:
        groups.setdefault(find(slot), set()).add(slot)
    return [frozenset(group) for group in groups.values()]


def _turns(step: Step, plan: Plan) -> bool:
    """Whether a step can write its result transposed."""
    shape = plan.shapes[step.output]
    if len(shape) != 2:
        return False
    if step.kind == "shape":
        return len(plan.shapes[step.inputs[0]]) == 1 and 1 in shape
    if _is_along(step, plan):
        return True
    return step.kind in ("map", "dot", "full") or (step.kind == "reduce" and step.detail[-1] == "keep")


def _is_along(step: Step, plan: Plan) -> bool:
    """Whether it works along the last axis of a matrix, and so along the first one of the transpose."""
    return step.kind == "apply" and step.detail[0] in ALONG_AXIS and len(plan.shapes[step.inputs[0]]) == 2


class _Price:
    """What turning costs: a transpose for every slot that someone needs the other way round.

    ``uses`` has for every slot that is no transpose whether it is looked at through one, and the slot that is
    computed from it; None where that can't turn.
    """

    def __init__(self, plan: Plan, wishes: Mapping[int, bool]) -> None:
        self.plan, self.wishes = plan, wishes
        self.uses: dict[int, set[tuple[bool, int | None]]] = {}
        self.used_by: dict[int, set[int]] = {}
        self.columns: dict[int, bool] = {}
        source: dict[int, tuple[int, bool]] = {}
        for step in plan.steps:
            if _is_transpose(step):
                slot, turned = source.get(step.inputs[0], (step.inputs[0], False))
                source[step.output] = (slot, not turned)
                continue
            if step.kind == "shape" and _turns(step, plan):
                self.columns[step.output] = plan.shapes[step.output][-1] == 1
            if len(plan.shapes[step.output]) < 2 and (step.kind == "reduce" or _is_along(step, plan)):
                continue
            user = step.output if _turns(step, plan) else None
            for given in step.inputs:
                self.use(*source.get(given, (given, False)), user)
        for result in plan.results:
            self.use(*source.get(result.slot, (result.slot, False)), None)

    def use(self, slot: int, turned: bool, user: int | None) -> None:
        """Note that a slot is used."""
        if len(self.plan.shapes[slot]) == 2:
            self.uses.setdefault(slot, set()).add((turned, user))
            if user is not None:
                self.used_by.setdefault(user, set()).add(slot)

    def of(self, slots: Iterable[int], turned: Collection[int]) -> float:
        """The price of some slots, where these are turned."""
        price = 0.0
        for slot in slots:
            own = slot in turned
            price += any(own != (through != (user in turned)) for through, user in self.uses.get(slot, ()))
            price += (self.columns.get(slot, False) != own) / 4 if slot in self.columns else 0
            price += _WISH * (self.wishes.get(slot, own) != own)
        return price


def _is_transpose(step: Step) -> bool:
    return step.kind == "permute" and step.detail == (1, 0)


class _Rewrite:
    """Writes a plan anew with some slots turned."""

    def __init__(self, plan: Plan, turned: Iterable[int], make: type[Draft]) -> None:
        self.plan, self.turned = plan, frozenset(turned)
        self.draft = make()
        self.new: dict[int, int] = {}
        self.source: dict[int, int] = {}
        self.final: dict[int, tuple[int, bool]] = {}

    def get(self, slot: int, turned: bool = False) -> int:
        """A slot of the old plan in the new one, as it was or transposed."""
        while slot in self.source:
            slot, turned = self.source[slot], not turned
        return self.new[slot] if turned == (slot in self.turned) else self.draft.permute(self.new[slot], (1, 0))

    def as_stored(self, slot: int) -> tuple[int, bool]:
        """A slot of the old plan in the new one, whichever way round that is there."""
        turned = False
        while slot in self.source:
            slot, turned = self.source[slot], not turned
        return self.new[slot], turned != (slot in self.turned)

    def run(self) -> Plan:
        """All steps, the results as they were."""
        for name, (slot, shape) in self.plan.inputs.items():
            if slot >= 0:
                self.new[slot] = self.draft.input(name, shape)
            else:
                self.draft.input(name, shape)
        for step in self.plan.steps:
            if _is_transpose(step):
                self.source[step.output] = step.inputs[0]
            elif step.kind != "input":
                self.new[step.output] = self.step(step)
        results = [Result(self.get(result.slot), result.shape) for result in self.plan.results]
        kept = list(self.new)
        extra = [Result(self.new[slot], self.draft.shapes[self.new[slot]]) for slot in kept]
        plan = self.draft.plan([*results, *extra])
        for slot, result in zip(kept, plan.results[len(results) :], strict=True):
            self.final[slot] = (result.slot, slot in self.turned)
        return _without(plan, len(results))

    def step(self, step: Step) -> int:
        """One step; what can't turn takes its inputs as they were."""
        turn = step.output in self.turned
        shape = self.plan.shapes[step.output]
        wanted = shape[::-1] if turn else shape
        ranks = [len(self.plan.shapes[slot]) for slot in step.inputs]
        if step.kind == "map" and len(shape) == 2:
            given = [
                self.get(slot, turn) if rank == 2 else self.get(slot)
                for slot, rank in zip(step.inputs, ranks, strict=True)
            ]
            return self.draft.emit("map", given, step.detail, wanted)
        if step.kind == "dot" and turn:
            a, b = step.inputs
            return self.draft.dot(self.get(b, True), self.get(a, True), wanted)
        if step.kind == "dot":
            return self.draft.dot(self.get(step.inputs[0]), self.get(step.inputs[1]), shape)
        if step.kind == "reduce" and ranks == [2]:
            return self.reduce(step, turn, wanted)
        if _is_along(step, self.plan):
            (slot,) = step.inputs
            x, flip = (self.get(slot, turn), turn) if len(shape) == 2 else self.as_stored(slot)
            return self.draft.emit("apply", (x,), (step.detail[0], 0 if flip else 1), wanted)
        if turn and step.kind == "shape":
            return self.draft.shape(self.get(step.inputs[0]), wanted)
        if turn and step.kind == "full":
            return self.draft.full(step.detail[0], wanted)
        return self.draft.emit(step.kind, [self.get(slot) for slot in step.inputs], step.detail, shape)

    def reduce(self, step: Step, turn: bool, wanted: tuple[int, ...]) -> int:
        """A sum over an axis is over the other one of the transpose."""
        function, *axes = step.detail
        keep = axes[-1] == "keep"
        axes = axes[:-1] if keep else axes
        (slot,) = step.inputs
        given, flip = (self.get(slot, turn), turn) if keep else self.as_stored(slot)
        new_axes = sorted(1 - axis for axis in axes) if flip else axes
        return self.draft.emit("reduce", (given,), (function, *new_axes, *(("keep",) if keep else ())), wanted)


def _without(plan: Plan, count: int) -> Plan:
    """The plan with the first results alone, and the steps that these need."""
    made = {step.output: step for step in plan.steps}
    results = plan.results[:count]
    needed: set[int] = set()
    stack = [result.slot for result in results]
    while stack:
        slot = stack.pop()
        if slot not in needed:
            needed.add(slot)
            stack.extend(made[slot].inputs)
    steps = tuple(step for step in plan.steps if step.output in needed or step.kind == "input")
    return Plan(plan.inputs, steps, results, plan.shapes)
