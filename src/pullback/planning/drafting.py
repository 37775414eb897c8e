"""Steps while a plan is drafted: each is written once, and what needs no kernel becomes a view or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from pullback.planning.steps import VIEWS, Extent, Plan, Result, Step

_IDENTITY: dict[str, float] = {"add": 0.0, "multiply": 1.0}


class Draft:
    """A growing list of steps, hash-consed: the same kernel on the same slots is the same slot."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.shapes: list[Extent] = []
        self.known: dict[tuple[Any, ...], int] = {}
        self.inputs: dict[str, tuple[int, Extent]] = {}

    def emit(self, kind: str, inputs: Sequence[int], detail: tuple[Any, ...], shape: Extent) -> int:
        """Append a step, unless the same one is there."""
        key = (kind, tuple(inputs), detail, shape)
        slot = self.known.get(key)
        if slot is None:
            slot = len(self.shapes)
            self.shapes.append(shape)
            self.steps.append(Step(kind, tuple(inputs), detail, slot))
            self.known[key] = slot
        return slot

    def has(self, kind: str, inputs: Sequence[int], detail: tuple[Any, ...], shape: Extent) -> bool:
        """Whether the step is there already."""
        return (kind, tuple(inputs), detail, shape) in self.known

    def input(self, name: str, shape: Extent) -> int:
        """The slot of an input."""
        if name not in self.inputs:
            self.inputs[name] = (self.emit("input", (), (name,), shape), shape)
        return self.inputs[name][0]

    def constant(self, value: float) -> int:
        """A number."""
        return self.emit("constant", (), (value * 1.0,), ())

    def full(self, value: float, shape: Extent) -> int:
        """A number repeated over a shape."""
        return self.emit("full", (), (value,), shape) if shape else self.constant(value)

    def number(self, slot: int) -> float | None:
        """The number that a slot holds, if it is a constant."""
        step = self.steps[slot]
        value: float | None = step.detail[0] if step.kind == "constant" else None
        return value

    # views

    def permute(self, slot: int, order: Sequence[int]) -> int:
        """Reorder axes."""
        order = tuple(order)
        step = self.steps[slot]
        if step.kind == "permute":
            slot, order = step.inputs[0], tuple(step.detail[k] for k in order)
        if order == tuple(range(len(order))):
            return slot
        shape = self.shapes[slot]
        moved = [k for k in order if shape[k] != 1]
        if moved == sorted(moved):
            return self.shape(slot, tuple(shape[k] for k in order))
        return self.emit("permute", (slot,), order, tuple(shape[k] for k in order))

    def shape(self, slot: int, shape: Extent) -> int:
        """Give the same entries in the same order another shape."""
        step = self.steps[slot]
        if step.kind == "shape":
            slot = step.inputs[0]
        assert prod(self.shapes[slot]) == prod(shape), (self.shapes[slot], shape)
        return slot if self.shapes[slot] == shape else self.emit("shape", (slot,), shape, shape)

    def expand(self, slot: int, shape: Extent) -> int:
        """Repeat along axes of length one; a scalar along all."""
        return slot if self.shapes[slot] == shape else self.emit("expand", (slot,), shape, shape)

    def diagonal(self, slot: int, labels: tuple[int, ...]) -> int:
        """Take the entries where axes of the same label have the same index."""
        distinct = tuple(dict.fromkeys(labels))
        shape = tuple(self.shapes[slot][labels.index(label)] for label in distinct)
        numbered = tuple(distinct.index(label) for label in labels)
        return slot if len(distinct) == len(labels) else self.emit("diagonal", (slot,), numbered, shape)

    # kernels

    def dot(self, first: int, second: int, shape: Extent) -> int:
        """A product; where its transpose is there, that, seen the other way round."""
        if len(shape) == 2:
            turned = (self.permute(second, (1, 0)), self.permute(first, (1, 0)))
            twin = self.known.get(("dot", turned, (), shape[::-1]))
            if twin is not None:
                return self.permute(twin, (1, 0))
        return self.emit("dot", (first, second), (), shape)

    def map(self, function: str, *slots: int) -> int:
        """Apply an entrywise function, with what is known of numbers and squares."""
        numbers = [self.number(slot) for slot in slots]
        if function in ("add", "multiply"):
            for here, other in ((0, 1), (1, 0)):
                if numbers[here] == _IDENTITY[function]:
                    return slots[other]
            if function == "multiply" and slots[0] == slots[1]:
                return self.map("square", slots[0])
            if function == "multiply" and -1.0 in numbers:
                return self.map("negative", slots[1 - numbers.index(-1.0)])
            if numbers[0] is not None or (numbers[1] is None and slots[0] > slots[1]):
                slots = (slots[1], slots[0])
        if function in ("subtract", "divide") and numbers[1] == (0.0 if function == "subtract" else 1.0):
            return slots[0]
        shape = broadcast_shape([self.shapes[slot] for slot in slots])
        return self.emit("map", slots, (function,), shape)

    def nonnegative(self, slot: int, depth: int = 8) -> bool:
        """Whether every entry is known to be zero or above."""
        step = self.steps[slot]
        if step.kind in ("constant", "full"):
            return bool(step.detail[0] >= 0)
        if step.kind in VIEWS:
            return self.nonnegative(step.inputs[0], depth)
        if step.kind != "map" or depth == 0:
            return False
        (function,) = step.detail
        if function in ("exp", "square", "sqrt", "abs", "greater", "equal"):
            return True
        if function in ("multiply", "add", "divide", "reciprocal"):
            return all(self.nonnegative(k, depth - 1) for k in step.inputs)
        return function == "subtract" and self.number(step.inputs[0]) == 1 and self.below_one(step.inputs[1])

    def below_one(self, slot: int) -> bool:
        """Whether every entry is known to be at most one: 1 / (1 + something not negative)."""
        step = self.steps[slot]
        if step.kind != "map" or step.detail != ("reciprocal",):
            return False
        below = self.steps[step.inputs[0]]
        if below.kind != "map" or below.detail != ("add",):
            return False
        one, rest = (below.inputs[1], below.inputs[0]) if self.number(below.inputs[1]) is not None else below.inputs
        return self.number(one) == 1 and self.nonnegative(rest)

    def scaled(self, slot: int, coefficient: float) -> int:
        """A number times an array."""
        number = self.number(slot)
        if number is not None:
            return self.constant(number * coefficient)
        return self.map("multiply", slot, self.constant(coefficient))

    def reduce(self, function: str, slot: int, axes: Sequence[int], keep: bool = False) -> int:
        """Sum or take the maximum over axes."""
        axes = tuple(sorted(axes))
        if not axes:
            return slot
        shape = self.shapes[slot]
        if all(shape[k] == 1 for k in axes):
            return slot if keep else self.shape(slot, tuple(n for k, n in enumerate(shape) if k not in axes))
        left = tuple(1 if k in axes else n for k, n in enumerate(shape) if keep or k not in axes)
        return self.emit("reduce", (slot,), (function, *axes, *(("keep",) if keep else ())), left)

    def plan(self, results: Sequence[Result], updates: Sequence[tuple[int, int]] = ()) -> Plan:
        """Keep what the results need, numbered anew, in order.

        ``updates`` are slots of inputs, each with the slot to be added in place: it happens once nothing reads
        the old values any more.
        """
        needed: set[int] = set()
        stack = [result.slot for result in results] + [slot for pair in updates for slot in pair]
        while stack:
            slot = stack.pop()
            if slot not in needed:
                needed.add(slot)
                stack.extend(self.steps[slot].inputs)
        number = {slot: k for k, slot in enumerate(sorted(needed))}
        steps = [
            Step(step.kind, tuple(number[k] for k in step.inputs), step.detail, number[step.output])
            for step in self.steps
            if step.output in needed
        ]
        shapes = [self.shapes[slot] for slot in sorted(needed)]
        final = tuple(Result(number[result.slot], result.shape) for result in results)
        steps = _with_updates(steps, shapes, [(number[p], number[d]) for p, d in updates])
        return Plan(
            {name: (number.get(slot, -1), shape) for name, (slot, shape) in self.inputs.items()},
            tuple(steps),
            final,
            tuple(shapes),
        )


def _with_updates(steps: list[Step], shapes: list[Extent], updates: Sequence[tuple[int, int]]) -> list[Step]:
    """Put each update after the last step that reads its input, and after what it adds."""
    base: dict[int, int] = {}
    last: dict[int, int] = {}
    for position, step in enumerate(steps):
        base[step.output] = base[step.inputs[0]] if step.kind in VIEWS else step.output
        for slot in step.inputs:
            last[base[slot]] = position
    after: dict[int, list[Step]] = {}
    for target, change in updates:
        position = max(last.get(base[target], -1), base[change], change)
        after.setdefault(position, []).append(Step("update", (target, change), (), len(shapes)))
        shapes.append(shapes[target])
    return [step for position, own in enumerate(steps) for step in (own, *after.get(position, ()))]


def broadcast_shape(shapes: Sequence[Extent]) -> Extent:
    """The shape to which arrays are broadcast together; shapes are of equal length or empty."""
    longest = max(shapes, key=len, default=())
    result = list(longest)
    for shape in shapes:
        if shape:
            result = [n if n != 1 else m for n, m in zip(shape, result, strict=True)]
    return tuple(result)


def pruned(plan: Plan, results: Iterable[Result]) -> Plan:
    """A plan without the steps that these results do not need; inputs stay."""
    results = tuple(results)
    made = {step.output: step for step in plan.steps}
    needed: set[int] = set()
    stack = [result.slot for result in results]
    while stack:
        slot = stack.pop()
        if slot not in needed:
            needed.add(slot)
            stack.extend(made[slot].inputs)
    steps = tuple(step for step in plan.steps if step.output in needed or step.kind == "input")
    return Plan(plan.inputs, steps, results, plan.shapes)


def without_result(plan: Plan, position: int) -> Plan:
    """A plan that leaves out one result and what only it needs."""
    return pruned(plan, (result for k, result in enumerate(plan.results) if k != position))
