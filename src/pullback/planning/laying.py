"""Which way round the matrices of a plan lie in memory: as is estimated to be fastest, for plans that are run.

How a plan reads is the business of ``orienting``, which is for plans that are emitted; how matrices are turned, that of
``turning``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import prod

from pullback.planning.drafting import Draft
from pullback.planning.steps import Plan, Result, Step
from pullback.planning.turning import Turned, cheapest, is_transpose, origins, tied

_STRIDED = 1.0
_COPIED = 2.0
_LOOP = 15.0
_HANDED = 0.5
"""Prices, as in ``ordering``: of an entry read across the rows, of one copied, of an inner loop of a broadcast, of an
entry of a result that lies transposed."""


def laid(plan: Plan) -> Turned:
    """Turn matrices, and then those of larger groups by themselves."""
    groups = tied(plan, through=True)
    singles = [frozenset((slot,)) for group in groups if len(group) > 1 for slot in sorted(group)]
    return Turned(plan, cheapest([*groups, *singles], _Prices(plan)))


def with_layout(draft: Draft, results: Sequence[Result], updates: Sequence[tuple[int, int]]) -> Plan:
    """The plan of a draft with its matrices turned to lie as they are used; ``updates`` as in ``Draft.plan``."""
    asked = [*results, *(Result(change, draft.shapes[change]) for _, change in updates)]
    turned = laid(draft.plan([*asked, *(Result(target, draft.shapes[target]) for target, _ in updates)]))
    kept = [Result(slot, result.shape) for slot, result in zip(turned.results, results, strict=False)]
    middle = len(results) + len(updates)
    pairs = zip(turned.results[middle:], turned.results[len(results) : middle], strict=True)
    return turned.draft.plan(kept, list(pairs))


class _Prices:
    """Estimates of what the steps of a plan take, by which of its matrices are turned."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.origin = origins(plan)
        self.makers = {step.output: step for step in plan.steps if not is_transpose(step)}
        self.users: dict[int, list[Step]] = {}
        for step in self.makers.values():
            for given in set(step.inputs):
                self.users.setdefault(self.origin[given][0], []).append(step)
        self.handed: dict[int, list[bool]] = {}
        for result in plan.results:
            slot, through = self.origin[result.slot]
            self.handed.setdefault(slot, []).append(through)

    def near(self, group: frozenset[int], turned: Collection[int]) -> float:
        """The price of all steps that touch a group."""
        touched = {step.output: step for slot in group for step in (self.makers[slot], *self.users.get(slot, ()))}
        price = sum(self.of(step, turned) for step in touched.values())
        for slot in group:
            for through in self.handed.get(slot, ()):
                price += _HANDED * prod(self.plan.shapes[slot]) * (through != (slot in turned))
        return price

    def lies(self, slot: int, turned: Collection[int]) -> bool:
        """Whether a slot is read across the rows that lie in memory."""
        slot, through = self.origin[slot]
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
