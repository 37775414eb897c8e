"""Derivations as one page of HTML: mathematics in MathML, folding without scripts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from pullback.derivation.formula import EQUALS, Line
from pullback.derivation.record import Record
from pullback.derivation.steps import Detail
from pullback.rendering.mathml import formula, label
from pullback.rendering.outline import Item, outline
from pullback.rendering.sentences import Speaker
from pullback.syntax.tree import Name


def render(record: Record, code: str, detail: Detail) -> str:
    """Write a whole page."""
    speaker = Speaker(code, formula, escape)
    words = Speaker(code, label, str)
    style = files("pullback.rendering").joinpath("page.css").read_text(encoding="utf-8")
    program = record.request.program
    last = len(program.statements) - 1
    statement = Line((Name(record.request.names.output), EQUALS, program.syntax.bindings[last].value))
    lang = speaker.language.__name__.rpartition(".")[2]
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(words.say('title', {'statement': statement}))}</title>\n<style>\n{style}</style>\n</head>\n"
        "<body>\n"
        f"<main>\n<h1>{speaker.say('title', {'statement': statement})}</h1>\n"
        f"{body(record, speaker, detail)}</main>\n</body>\n</html>\n"
    )


def fragment(record: Record, code: str, detail: Detail) -> str:
    """Write the steps alone, for a notebook; it reads without a style sheet and takes on its colours."""
    return f"<div>{body(record, Speaker(code, formula, escape), detail)}</div>"


def body(record: Record, speaker: Speaker, detail: Detail) -> str:
    """Write the sections."""
    return "".join(_Page(speaker).sections(outline(record.steps, detail)))


class _Page:
    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker

    def sections(self, items: Sequence[Item]) -> Iterator[str]:
        for item in items:
            sentence = self.speaker.step(item.step)
            if item.step.kind.startswith("check"):
                failed = " failed" if item.step.kind == "check.failed" else ""
                yield f'<div class="check{failed}" role="status"><p>{sentence}</p>'
                yield from self.steps(item.items)
                yield "</div>\n"
                continue
            result = ' class="result"' if item.step.kind.startswith("result") else ""
            yield f"<section{result}>\n<h2>{sentence}</h2>\n"
            yield from self.boards(item.step.lines)
            yield from self.steps(item.items)
            yield "</section>\n"

    def steps(self, items: Sequence[Item]) -> Iterator[str]:
        if not items:
            return
        yield '<ol class="steps">\n'
        for item in items:
            yield from self.step(item)
        yield "</ol>\n"

    def step(self, item: Item) -> Iterator[str]:
        step = item.step
        result = " result" if step.kind.startswith(("recognise", "added", "numbers")) else ""
        yield f'<li class="{step.kind.partition(".")[0]}{result}" id="step-{item.label}">'
        if step.kind in ("statement", "operand") and item.items:
            rule = ""
            if step.rule is not None and step.kind == "operand":
                rule = f'<span class="rule">{self.speaker.rule(step.rule)}</span>'
            title = self.closed(item) if step.kind == "operand" else self.speaker.step(step)
            yield f"<details open><summary>{title}{rule}</summary>\n"
            yield from self.steps(item.items)
            yield "</details>"
        else:
            if step.kind != "operand":
                yield f"<p>{self.speaker.step(step)}</p>\n"
            yield from self.boards(step.lines)
            yield from self.steps(item.items)
        yield "</li>\n"

    @staticmethod
    def closed(item: Item) -> str:
        """The closed form, which stays when the steps below it are folded away."""
        lines = item.step.lines
        return " ".join(formula(board) for board in lines[:1])

    @staticmethod
    def boards(lines: Sequence[Line]) -> Iterator[str]:
        for board in lines:
            yield f'<div class="board" tabindex="0">{formula(board, display=True)}</div>\n'
