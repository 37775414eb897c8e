"""Which way round matrices are written: as the program has them, and with few transposes, for plans that are emitted.

What is fastest to run is the business of ``laying``, which is for compiled plans; how matrices are turned, that of
``turning``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pullback.planning.drafting import Draft, pruned
from pullback.planning.steps import Plan, Result
from pullback.planning.turning import Turned, cheapest, is_along, is_transpose, origins, tied, turns

_WISH = 4
"""How many transposes it may cost to have a matrix as the program has it."""

_COLUMN = 0.25
"""The same for a vector that is seen as a row rather than as a column."""


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
    turned = Turned(plan, cheapest(tied(plan, through=False), _Transposes(plan, wishes)), make)
    draft = turned.draft
    results = [Result(slot, result.shape) for slot, result in zip(turned.results, plan.results, strict=True)]
    kept = draft.plan([*results, *(Result(slot, draft.shapes[slot]) for slot in turned.new.values())])
    final = {
        slot: (result.slot, slot in turned.turned)
        for slot, result in zip(turned.new, kept.results[len(results) :], strict=True)
    }
    return pruned(kept, kept.results[: len(results)]), final


class _Transposes:
    """How many transposes a reader sees: one for every slot that someone needs the other way round.

    ``uses`` has for every slot that is no transpose whether it is looked at through one, and the slot that is
    computed from it; None where that can't turn.
    """

    def __init__(self, plan: Plan, wishes: Mapping[int, bool]) -> None:
        self.plan, self.wishes = plan, wishes
        self.uses: dict[int, set[tuple[bool, int | None]]] = {}
        self.used_by: dict[int, set[int]] = {}
        self.columns: dict[int, bool] = {}
        origin = origins(plan)
        for step in plan.steps:
            if is_transpose(step):
                continue
            if step.kind == "shape" and turns(step, plan):
                self.columns[step.output] = plan.shapes[step.output][-1] == 1
            if len(plan.shapes[step.output]) < 2 and (step.kind == "reduce" or is_along(step, plan)):
                continue
            user = step.output if turns(step, plan) else None
            for given in step.inputs:
                self.use(*origin[given], user)
        for result in plan.results:
            self.use(*origin[result.slot], None)

    def use(self, slot: int, through: bool, user: int | None) -> None:
        """Note that a slot is used."""
        if len(self.plan.shapes[slot]) == 2:
            self.uses.setdefault(slot, set()).add((through, user))
            if user is not None:
                self.used_by.setdefault(user, set()).add(slot)

    def near(self, group: frozenset[int], turned: Collection[int]) -> float:
        """The transposes of a group and of what it is computed from."""
        return sum(self.of(slot, turned) for slot in group.union(*(self.used_by.get(user, ()) for user in group)))

    def of(self, slot: int, turned: Collection[int]) -> float:
        """The price of one slot."""
        own = slot in turned
        price = float(any(own != (through != (user in turned)) for through, user in self.uses.get(slot, ())))
        if slot in self.columns:
            price += _COLUMN * (self.columns[slot] != own)
        return price + _WISH * (self.wishes.get(slot, own) != own)
