"""The steps of a derivation as the page shows them: nested, each with its sentence and its lines in MathML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from pullback.derivation.formula import EQUALS, Line, Numbers, equation
from pullback.derivation.record import Record
from pullback.derivation.steps import Step
from pullback.rendering.mathml import label
from pullback.rendering.outline import Item, outline
from pullback.rendering.sentences import Speaker
from pullback.syntax.tree import Chain, Name
from pullback.web.entries import Board, extent, sources, substituted


class Teller:
    """Tells one derivation in one language."""

    def __init__(self, record: Record, lang: str) -> None:
        self.record = record
        self.board = Board(record.request.names.symbols)
        self.speaker = Speaker(lang, self.board.formula, escape)
        self.words = Speaker(lang, label, str)

    def title(self) -> str:
        """Name the derivation."""
        program = self.record.request.program
        last = len(program.statements) - 1
        name = Name(self.record.request.name_of(last))
        return self.speaker.say("title", {"statement": equation(name, program.syntax.bindings[last].value)})

    def steps(self) -> list[dict[str, Any]]:
        """Tell all steps, with the level of detail that each belongs to."""
        return self._items(outline(self.record.steps, "full"))

    def _items(self, items: Sequence[Item]) -> list[dict[str, Any]]:
        told = []
        before: Step | None = None
        for item in items:
            told.append(self._item(item, before))
            before = item.step
        return told

    def _item(self, item: Item, before: Step | None) -> dict[str, Any]:
        step = item.step
        made: dict[str, Any] = {
            "id": item.label,
            "kind": step.kind,
            "detail": step.detail,
            "html": self.speaker.step(step),
        }
        lines = self._lines(step, before)
        if step.kind == "operand" and step.lines:
            made["html"] = self.board.formula(_closed(step.lines))
        if lines:
            made["lines"] = lines
        if step.rule is not None:
            made["rule"] = self.words.rule(step.rule)
        if item.items:
            made["steps"] = self._items(item.items)
        return made

    def _lines(self, step: Step, before: Step | None) -> list[str]:
        if step.kind == "numbers" and before is not None and before.lines:
            marks, sums = self.board.factor_marks(step.lines[-1], before.lines[-1])
            most = step.lines[:-1]
            return [*map(self.board.formula, most), self.board.formula(step.lines[-1], marks, sums)]
        if step.kind.startswith("entries.numbers") and before is not None and len(before.lines) == len(step.lines):
            pairs = zip(step.lines, before.lines, strict=True)
            return [substituted(here, there) or self.board.formula(here) for here, there in pairs]
        if step.kind == "forward.statement" and len(step.lines) == 2:
            return [self.board.formula(step.lines[0]), self._computed(step.lines[1], step.lines[0])]
        return [self.board.formula(line) for line in step.lines]

    def _computed(self, numbers: Line, statement: Line) -> str:
        """Write ``y = [62; 152]`` so that each entry knows the row of W and the x that it came from."""
        tree, result = statement.parts[-1], numbers.parts[-1]
        readings = self.record.request.readings
        known = readings is not None and isinstance(result, Numbers) and EQUALS in numbers.parts
        if known and readings is not None and isinstance(tree, Chain) and tree.operators == ("*",):
            a, b = (
                Numbers.of(readings.values[part.identifier])
                if isinstance(part, Name) and part.identifier in readings.values
                else None
                for part in tree.operands
            )
            if a is not None and b is not None and a.shape and b.shape and isinstance(result, Numbers):
                left, right = self.board.cells(tree.operands[0], a), self.board.cells(tree.operands[1], b)
                if left and right:
                    return self.board.formula(numbers, None, sources(left, right, extent(result)))
        return self.board.formula(numbers)


def _closed(lines: Sequence[Line]) -> Line:
    """Of the lines of an operand, the closed form: the first about what the last is about."""
    return next(line for line in lines if line.parts[0] == lines[-1].parts[0])
