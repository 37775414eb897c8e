"""A subject planned for one language: functions kept by name where the language has them, parts by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pullback.emission.identifiers import identifier, unused
from pullback.emission.subject import Shape, Subject
from pullback.planning.building import Builder, Value, build_all
from pullback.planning.drafting import Draft, pruned
from pullback.planning.orienting import oriented
from pullback.planning.steps import VIEWS, Plan, Result, Step
from pullback.planning.symbolic import nominal_sizes
from pullback.tensor.node import Apply, Node, Variable
from pullback.tensor.product import transposed

Standing = tuple[Node, bool]
"""What a slot holds: a node, or the transpose of it."""


@dataclass(frozen=True)
class Drawn:
    """A plan with names for everything in it.

    ``inputs`` are the parameters with their shapes, ``results`` what is returned with its shapes, ``sizes``
    the identifiers of dimensions, ``loose`` those of them that no input has. ``names`` gives for inputs by their
    key the identifier, ``wanted`` names for slots, those in ``forced`` for a line of their own in any case,
    ``nodes`` what slots with a name are, ``values`` the arrays by key on which the file checks itself.
    """

    subject: Subject
    name: str
    plan: Plan
    inputs: dict[str, Shape]
    results: dict[str, Shape]
    sizes: dict[str, str]
    loose: tuple[str, ...]
    names: dict[str, str]
    wanted: dict[int, str]
    forced: frozenset[int]
    nodes: dict[int, Standing]
    reserved: frozenset[str]
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """What the output, or the only result, is called."""
        return next(iter(self.results))

    @property
    def upstream(self) -> str | None:
        """The parameter that stands for the gradient of the output, if there is one."""
        given = self.subject.upstream
        return None if given is None else self.names[given.variable.name]

    @property
    def layer_inputs(self) -> list[str]:
        """The parameters without the upstream gradient."""
        return [name for name in self.inputs if name != self.upstream]

    @property
    def wrt(self) -> dict[str, str]:
        """For every parameter that has a gradient, what that is called."""
        if not self.subject.has_backward:
            return {}
        spelled = {entry.name: self.names[key] for key, entry in self.subject.task.inputs.items()}
        pairs = zip(self.subject.labels, self.results, strict=True)
        return {spelled[label]: result for label, result in pairs if label is not None}


class _PlainDraft(Draft):
    """A draft in which nothing is rewritten for speed alone."""

    def nonnegative(self, slot: int, depth: int = 8) -> bool:
        return False


class _NamedFunctions(Builder):
    """A builder that keeps the functions in ``kept`` as they are called."""

    kept: frozenset[str] = frozenset()

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self.draft = _PlainDraft()

    def apply(self, node: Apply) -> Value:
        called = node.operation.name
        if called not in self.kept:
            return super().apply(node)
        shape = self.extent(node)
        values = [self.value(argument) for argument in node.arguments]
        if node.operation.entrywise:
            return Value(self.draft.map(called, *(value.slot for value in values)), shape)
        return Value(self.draft.emit("apply", [self.full_slot(v) for v in values], (called,), shape), shape)


def keeping(kept: frozenset[str]) -> type[Builder]:
    """A kind of builder for a language that has these functions."""
    return type("Builder", (_NamedFunctions,), {"kept": kept})


def draw_up(
    subject: Subject, kept: frozenset[str], reserved: frozenset[str], apart: bool = False, name: str | None = None
) -> Drawn:
    """Plan a subject for a language with the functions ``kept``, in which the ``reserved`` names are taken.

    The backward pass is ``apart`` from the forward pass, or in the same function.
    """
    task = subject.task
    called = name or unused(
        subject.default_name, {identifier(n) for n in (*_inputs(subject), subject.output)}, "_function"
    )
    taken = set(reserved) | {called, f"{called}_forward", f"{called}_backward", f"make_{called}"}
    names: dict[str, str] = {}
    for key, entry in task.inputs.items():
        names[key] = unused(identifier(entry.name), taken)
        taken.add(names[key])
    results: dict[str, Shape] = {}
    for label, (_, shape) in zip(subject.labels, task.roots, strict=True):
        result = unused(identifier(subject.output) if label is None else f"d{identifier(label)}", taken)
        results[result] = shape
        taken.add(result)
    dimensions = set(task.dimensions()) | {n for e in task.inputs.values() for axis in e.shape for n in axis.names}
    sizes: dict[str, str] = {}
    for dimension in sorted(dimensions):
        sizes[dimension] = unused(identifier(dimension), taken, "_size")
        taken.add(sizes[dimension])
    given = [entry for entry in task.inputs.values() if not (apart and entry is subject.upstream)]
    spoken = {axis.name for entry in given for axis in entry.shape}
    loose = tuple(sizes[d] for d in task.dimensions() if d not in spoken)
    plan, slots = _plan(subject, nominal_sizes(dimensions, sizes, _numbers(subject)), keeping(kept))
    wanted, forced, nodes = _names_of_slots(subject, slots, plan, taken)
    inputs = {names[key]: entry.shape for key, entry in task.inputs.items()}
    return Drawn(subject, called, plan, inputs, results, sizes, loose, names, wanted, forced, nodes, reserved)


def _inputs(subject: Subject) -> list[str]:
    return [entry.name for entry in subject.task.inputs.values()]


def _numbers(subject: Subject) -> set[int]:
    """The lengths that the program gives in numbers, whose sums and products are numbers too."""
    found = {int(axis.number) for e in subject.task.inputs.values() for axis in e.shape if axis.number is not None}
    return found | {axis.number for _, shape in subject.task.roots for axis in shape if axis.number is not None}


def _plan(subject: Subject, sizes: Mapping[str, int], make: type[Builder]) -> tuple[Plan, dict[int, list[Standing]]]:
    """The plan, and the nodes that slots hold whole."""
    task = subject.task
    needed = task.needed()
    place = list(task.inputs)
    order = sorted((*needed, *task.carriers(needed)), key=lambda v: place.index(v.name))
    full = {v.name: tuple(axis.evaluate(sizes) for axis in task.inputs[v.name].shape) for v in order}
    roots = [node for node, _ in task.roots]
    builder = build_all(sizes, roots, task.standins, full, make)
    results = [
        Result(builder.values[node].slot, tuple(axis.evaluate(sizes) for axis in axes)) for node, axes in task.roots
    ]
    named: list[tuple[Node, bool, Result]] = []
    for node in (*subject.called, *task.standins):
        value, turned = builder.values.get(node), False
        if value is None and len(node.axes) == 2:
            value, turned = builder.values.get(transposed(node)), True
        if value is not None and builder.draft.shapes[value.slot] == value.shape:
            named.append((node, turned, Result(value.slot, value.shape)))
    plan = builder.draft.plan([*results, *(result for *_, result in named)])
    found = [(n, t, r.slot) for (n, t, _), r in zip(named, plan.results[len(results) :], strict=True)]
    plan = pruned(plan, plan.results[: len(results)])
    base = {step.output: step.inputs[0] for step in plan.steps if step.kind == "permute" and step.detail == (1, 0)}
    wishes: dict[int, bool] = {}
    places: list[tuple[Node, bool, int]] = []
    for node, turned, slot in found:
        while slot in base:
            slot, turned = base[slot], not turned
        places.append((node, turned, slot))
        if node in subject.statements or subject.cotangents.get(node) in subject.statements:  # type: ignore[call-overload]
            wishes.setdefault(slot, turned)
    plan, final = oriented(plan, wishes, _PlainDraft)
    slots: dict[int, list[Standing]] = {}
    for node, turned, slot in places:
        if slot in final:
            slots.setdefault(final[slot][0], []).append((node, final[slot][1] != turned))
    return plan, slots


def _names_of_slots(
    subject: Subject, slots: Mapping[int, list[Standing]], plan: Plan, taken: set[str]
) -> tuple[dict[int, str], frozenset[int], dict[int, Standing]]:
    """Names for slots: those of the program, then those of the closed form, then dH for the cotangent of H."""
    made = {step.output: step for step in plan.steps}
    results = {result.slot for result in plan.results}
    wanted: dict[int, str] = {}
    nodes: dict[int, Standing] = {}
    forced: set[int] = set()
    for slot, candidates in slots.items():
        if slot not in made or made[slot].kind in ("input", "constant", "full") or _looks_at_input(slot, made):
            continue
        ranked = sorted(((_rank(subject, standing), standing) for standing in candidates), key=lambda pair: pair[0][0])
        (rank, name), nodes[slot] = ranked[0]
        if name is not None and slot not in results:
            wanted[slot] = unused(identifier(name), taken)
            taken.add(wanted[slot])
            forced |= {slot} if rank == 0 else set()
    return wanted, frozenset(forced), nodes


def _rank(subject: Subject, standing: Standing) -> tuple[int, str | None]:
    """The name for what a slot holds; 0 where the program has that name, so that it stands on a line of its own."""
    node, turned = standing
    forward = subject.cotangents.get(node) if isinstance(node, Variable) else node
    prefix = "" if forward is node else "d"
    if forward is None:
        return 3, None
    held = transposed(forward) if turned else forward
    if held in subject.statements and held in subject.called:
        return 0, prefix + subject.called[held]
    name = subject.called.get(held) or (subject.called.get(forward) if forward not in subject.statements else None)
    return (2, None) if name is None else (1, prefix + name)


def _looks_at_input(slot: int, made: Mapping[int, Step]) -> bool:
    step = made[slot]
    while step.kind in VIEWS:
        step = made[step.inputs[0]]
    return step.kind == "input"
