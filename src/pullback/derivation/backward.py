"""The backward pass: statement by statement from the output, contributions added where a name is used twice."""

from __future__ import annotations

from typing import Any

from pullback.derivation.differential import statement_by_differentials
from pullback.derivation.elementwise import folded_step, operand_step
from pullback.derivation.formula import EQUALS, Line, Part, Sign, equation, through
from pullback.derivation.local import Closed, Local
from pullback.derivation.readings import shown
from pullback.derivation.request import Request
from pullback.derivation.scene import Scene
from pullback.derivation.steps import Parameter, Rule, Step
from pullback.syntax.tree import Name, Syntax

MOST_DETAILED = 12
"""So many statements, counted from the output, are read entry by entry; those before by their closed forms."""
MOST_SHOWN = 60


def backward_step(request: Request, method: str) -> Step:
    """All passes, from the last statement to the first."""
    walk = _Walk(request, method)
    steps: list[Step] = []
    for count, position in enumerate(request.order):
        if count == MOST_SHOWN:
            steps.append(Step("backward.more", {"count": len(request.order) - MOST_SHOWN}, detail="brief"))
            break
        steps.append(walk.statement(position, count < MOST_DETAILED))
    if not request.order:
        steps.append(Step("backward.nothing", {}, detail="brief"))
    steps += [Step("backward.unused", {"x": x, "y": y}, detail="brief") for x, y in _unused(request)]
    return Step("backward", {"count": len(request.order)}, (), None, tuple(steps), "brief")


def _unused(request: Request) -> list[tuple[Syntax, Syntax]]:
    """What is asked for and does not act on the output, where something else does."""
    if not request.order:
        return []
    y = Name(request.names.output)
    spelling = request.names.spelling
    return [(Name(spelling.get(name, name)), y) for name in request.wrt if name not in request.uses]


class _Walk:
    """The pass so far: what has come to each name."""

    def __init__(self, request: Request, method: str) -> None:
        self.request, self.method = request, method
        self.parts: dict[str, list[tuple[Local, Closed]]] = {}
        self.left: dict[str, int] = dict(request.uses)
        self.sums: dict[str, Any] = {}

    def statement(self, position: int, detailed: bool) -> Step:
        request = self.request
        local = request.local(position)
        wanted = [name for name in local.operands if name in request.reaching]
        wanted.sort(key=lambda name: (local.term_of(name), len(local.program.inputs[name].shape)))
        is_loss = request.is_loss and position == len(request.board.statements) - 1
        closed = local.closed(wanted, is_loss)
        shared = frozenset(name for name in wanted if request.uses.get(name, 0) > 1)
        steps: list[Step] = []
        if self.method == "differential" and detailed:
            steps += statement_by_differentials(local, closed, request.readings, is_loss, shared)
        else:
            scene = self.scene(position, shared) if detailed else None
            for k, name in enumerate(wanted):
                more = (is_loss, name in shared, k == 0)
                if detailed:
                    steps.append(operand_step(local, scene, name, closed[name], request.readings, *more))
                else:
                    steps.append(folded_step(local, name, closed[name], name in shared))
        for name in wanted:
            self.parts.setdefault(name, []).append((local, closed[name]))
            self.left[name] -= 1
            self.take_in(name, local, closed[name])
            if not self.left[name] and len(self.parts[name]) > 1:
                steps.append(self.added(name))
        y = Name(local.name)
        parameters: dict[str, Parameter] = {
            "y": y,
            "statement": equation(y, local.tree),
            "gradient": local.names.gradient(local.name),
        }
        return Step("statement", parameters, (), local.rule, tuple(steps), "brief")

    def scene(self, position: int, shared: frozenset[str]) -> Scene | None:
        """The statement on the board; with numbers where the board has the real sizes."""
        small = self.request.small
        if small is None:
            return None
        real = not small.sizes
        local = Local(small.program, position, self.request.name_of(position), self.request.names)
        return Scene(local, self.request.readings if real else None, shared)

    def take_in(self, name: str, local: Local, closed: Closed) -> None:
        """Add the numbers of a contribution."""
        readings = self.request.readings
        if readings is None or local.name not in readings.gradients:
            return
        value = readings.of_expression(closed.expression)
        if value is None or name not in readings.values:
            return
        value = value.reshape(readings.values[name].shape)
        self.sums[name] = self.sums[name] + value if name in self.sums else value
        if not self.left[name]:
            readings.gradients[name] = self.sums[name]

    def added(self, name: str) -> Step:
        """The contributions to a name that is used in several places, added up."""
        names = self.request.names
        gradient = names.gradient(names.spelling.get(name, name))
        parts: list[Part] = [gradient, EQUALS]
        whole: list[Part] = [gradient, EQUALS]
        for k, (local, closed) in enumerate(self.parts[name]):
            if k:
                parts.append(Sign("+"))
                whole.append(Sign("+"))
            parts.append(through(gradient, local.name))
            whole.append(closed.tree)
        lines = [Line(tuple(parts))]
        if not any(closed.where for _, closed in self.parts[name]):
            lines.append(Line(tuple(whole)))
        readings = self.request.readings
        if readings is not None and name in readings.gradients:
            lines.append(equation(gradient, shown(readings.gradients[name])))
        x: Syntax = Name(names.spelling.get(name, name))
        return Step("added", {"x": x, "count": len(self.parts[name])}, tuple(lines), Rule("sum"), detail="brief")
