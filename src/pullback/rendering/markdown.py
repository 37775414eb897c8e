"""Derivations as Markdown, with mathematics as GitHub and notebooks show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pullback.derivation.formula import Line
from pullback.derivation.record import Record
from pullback.derivation.steps import Detail
from pullback.rendering.latex_math import formula
from pullback.rendering.outline import Item, outline
from pullback.rendering.sentences import Speaker
from pullback.syntax.tree import Syntax

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|$"})


def escaped(text: str) -> str:
    """Words that Markdown is to leave alone."""
    return text.translate(_SPECIAL)


def _inline(value: Syntax | Line) -> str:
    return f"${formula(value)}$"


def render(record: Record, code: str, detail: Detail) -> str:
    """Write the derivation."""
    page = _Page(Speaker(code, _inline, escaped))
    return "\n".join(page.items(outline(record.steps, detail))).strip() + "\n"


class _Page:
    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker

    def items(self, items: Sequence[Item]) -> Iterator[str]:
        for item in items:
            yield from self.item(item)

    def item(self, item: Item) -> Iterator[str]:
        step = item.step
        sentence = self.speaker.step(step)
        if item.depth == 0:
            mark = "**" if step.kind.startswith("check") else ""
            yield f"{mark}{sentence}{mark}" if mark else f"## {sentence}"
        elif step.kind == "statement":
            yield f"### {sentence}"
        elif step.kind == "operand":
            if item.items:
                rule = f" — {self.speaker.rule(step.rule)}" if step.rule is not None else ""
                yield f"#### {sentence}{rule}"
        else:
            yield sentence
        yield ""
        if item.shows_lines:
            yield from self.lines(step.lines)
        yield from self.items(item.items)

    @staticmethod
    def lines(lines: Sequence[Line]) -> Iterator[str]:
        for board in lines:
            yield "$$"
            yield formula(board)
            yield "$$"
            yield ""
