"""An exercise one step at a time: each statement on the way from the output to the variable, by itself."""

from __future__ import annotations

from pullback.dimension import Dimension
from pullback.lowering.program import Program
from pullback.practice.exercises import Exercise
from pullback.syntax.names import normalise
from pullback.syntax.printer import show
from pullback.tensor.node import Variable, topological


def steps_of(exercise: Exercise) -> list[Exercise]:
    """The statements between the output and the variable, each as an exercise; none where the way forks.

    >>> for step in steps_of(Exercise("z = W x; h = sigmoid(z); y = V h", "W", "")):
    ...     print(step.program, "by", step.variable)
    y = V h by h
    h = sigmoid(z) by z
    z = W x by W
    """
    if exercise.batch:
        return []
    program = exercise.read()
    statements = program.statements
    if len(statements) < 2:
        return []
    named = {s.name: k for k, s in enumerate(statements) if s.name}
    users: dict[str, list[int]] = {}
    for k, statement in enumerate(statements):
        for name in {n.name for n in topological([statement.local]) if isinstance(n, Variable)}:
            users.setdefault(name, []).append(k)
    here = program.input(exercise.variable).variable.name
    made: list[Exercise] = []
    while len(users.get(here, [])) == 1:
        (k,) = users[here]
        made.append(_step(program, k, here if here in named else exercise.variable))
        if k == len(statements) - 1:
            return made[::-1]
        here = statements[k].name or ""
    return []


def _step(program: Program, k: int, variable: str) -> Exercise:
    """One statement, with the shapes that its names have in the program."""
    statement, binding = program.statements[k], program.syntax.bindings[k]
    known = {s.name: s.shape for s in program.statements[:k] if s.name}
    shapes: dict[str, tuple[int | str, ...]] = {}
    for node in topological([statement.local]):
        if isinstance(node, Variable):
            entry = program.inputs.get(node.name)
            axes = entry.shape if entry is not None else known.get(node.name)
            if axes is not None:
                shapes[normalise(entry.name if entry is not None else node.name)] = tuple(map(_length, axes))
    text = f"{binding.name} = {show(binding.value)}" if binding.name else show(binding.value)
    return Exercise(text, variable, "step", shapes)


def _length(axis: Dimension) -> int | str:
    return axis.number if axis.number is not None else str(axis)
