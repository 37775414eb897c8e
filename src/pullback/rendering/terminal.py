"""Derivations on a terminal: plain text that lines up; colour where it is wanted and rich is there."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from pullback.derivation.formula import Line
from pullback.derivation.steps import Detail, Step
from pullback.rendering.blocks import draw, width_of
from pullback.rendering.outline import Item, outline
from pullback.rendering.sentences import Speaker
from pullback.rendering.symbols import write
from pullback.syntax.tree import Syntax

_NARROWEST = 40
_INDENT = "  "
_WIDEST = 110

Row = tuple[str, str]
"""A row of text and what it is: title, heading, sentence, formula or result."""


def render(steps: Sequence[Step], code: str, width: int, style: str, detail: Detail) -> list[Row]:
    """Lay the steps out in rows."""
    return list(_Page(code, max(width, _NARROWEST), style).rows(outline(steps, detail)))


class _Page:
    def __init__(self, code: str, width: int, style: str) -> None:
        self.width, self.style = width, style

        def formula(value: Syntax | Line) -> str:
            return " ".join(draw(value, style, 10**6)) if isinstance(value, Line) else write(value, style)

        def text(words: str) -> str:
            return words.replace("→", "->") if style == "plain" else words

        self.speaker = Speaker(code, formula, text)

    def rows(self, items: Sequence[Item]) -> Iterator[Row]:
        for item in items:
            yield from self.heading(item)
            for inner in item.items:
                yield from self.item(inner, 1)
            yield "", "blank"

    def heading(self, item: Item) -> Iterator[Row]:
        kind = "check" if item.step.kind.startswith("check") else "title"
        yield from self.wrapped(self.speaker.step(item.step), 0, kind)
        for board in item.step.lines:
            yield from self.drawn(board, 1, "result")

    def item(self, item: Item, depth: int) -> Iterator[Row]:
        step = item.step
        if step.kind == "statement":
            yield "", "blank"
            yield from self.wrapped(self.speaker.step(step), depth, "heading")
        elif step.kind == "operand":
            if item.items:
                yield "", "blank"
                yield from self.wrapped(self.named(item), depth, "heading")
            else:
                for board in step.lines:
                    yield from self.drawn(board, depth, "formula")
        else:
            sentence = self.speaker.step(step)
            yield from self.wrapped(sentence, depth, "sentence")
            kind = "result" if step.kind.startswith(("recognise", "added", "result")) else "formula"
            for board in step.lines:
                yield from self.drawn(board, depth + 1, kind)
        for inner in item.items:
            yield from self.item(inner, depth + 1)

    def named(self, item: Item) -> str:
        rule = item.step.rule
        title = self.speaker.step(item.step)
        return f"{title}   ({self.speaker.rule(rule)})" if rule is not None else title

    def wrapped(self, text: str, depth: int, kind: str) -> Iterator[Row]:
        indent = _INDENT * depth
        room = max(_NARROWEST // 2, min(self.width, _WIDEST) - len(indent))
        for part in _wrap(text, room):
            yield indent + part, kind

    def drawn(self, board: Line, depth: int, kind: str) -> Iterator[Row]:
        indent = _INDENT * depth
        for text in draw(board, self.style, self.width - len(indent)):
            yield indent + text, kind


def _wrap(text: str, width: int) -> list[str]:
    """Break a sentence at its spaces; letters of double width count twice."""
    if width_of(text) == len(text):
        return textwrap.wrap(text, width, break_long_words=False) or [""]
    rows, current = [], ""
    for word in text.split(" "):
        joined = f"{current} {word}" if current else word
        if current and width_of(joined) > width:
            rows.append(current)
            joined = word
        current = joined
    return [*rows, current]


_COLOURS = {"title": "bold cyan", "heading": "bold", "result": "green", "check": "bold green"}


def coloured(rows: Sequence[Row]) -> str | None:
    """The rows with colour; None where rich is not installed."""
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        return None
    import io

    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, width=10**4, color_system="standard", no_color=False, legacy_windows=False
    )
    for text, kind in rows:
        console.print(Text(text, style=_COLOURS.get(kind, "")), soft_wrap=True)
    return out.getvalue().rstrip("\n")
