"""Derivations as one page of HTML: mathematics in MathML, folding without scripts, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from pullback.derivation.formula import Line
from pullback.derivation.record import Record
from pullback.derivation.steps import Detail
from pullback.rendering.mathml import formula, label
from pullback.rendering.operations import used
from pullback.rendering.outline import Item, outline
from pullback.rendering.sentences import Speaker, title

WORD_JOINER = "\u2060"
"""No row is broken here."""


def render(record: Record, code: str, detail: Detail) -> str:
    """Write a whole page."""
    speaker = Speaker(code, formula, escape, WORD_JOINER)
    words = Speaker(code, label, str)
    style = files("pullback.rendering").joinpath("page.css").read_text(encoding="utf-8")
    lang = speaker.language.__name__.rpartition(".")[2]
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title(words, record))}</title>\n<style>\n{style}</style>\n</head>\n"
        "<body>\n"
        f"<main>\n<h1>{title(speaker, record)}</h1>\n"
        f"{body(record, speaker, detail)}{table(record, speaker)}</main>\n</body>\n</html>\n"
    )


def fragment(record: Record, code: str, detail: Detail) -> str:
    """Write the steps alone, for a notebook; it reads without a style sheet and takes on its colours."""
    return f"<div>{body(record, Speaker(code, formula, escape, WORD_JOINER), detail, linked=False)}</div>"


def body(record: Record, speaker: Speaker, detail: Detail, linked: bool = True) -> str:
    """Write the sections; ``linked`` names of rules lead to the table below them."""
    return "".join(_Page(speaker, linked).sections(outline(record.steps, detail)))


def table(record: Record, speaker: Speaker) -> str:
    """Write the entries of the table of operations that the steps name."""
    entries = used(record)
    if not entries:
        return ""
    parts = [f'<section class="table">\n<h2>{speaker.say("table")}</h2>\n<dl>\n']
    for found in entries:
        source = f' <span class="rule">{escape(found.source)}</span>' if found.source else ""
        parts.append(f'<dt id="{escape(found.name)}"><code>{escape(found.name)}</code>{source}</dt>\n')
        for line in (*found.meanings, *(line for _, line in found.passes)):
            parts.append(f'<dd class="board" tabindex="0">{formula(line, display=True)}</dd>\n')
    return "".join([*parts, "</dl>\n</section>\n"])


class _Page:
    def __init__(self, speaker: Speaker, linked: bool) -> None:
        self.speaker, self.linked = speaker, linked

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
                name = self.speaker.linked(step.rule, _link) if self.linked else self.speaker.rule(step.rule)
                rule = f'<span class="rule">{name}</span>'
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


def _link(text: str, address: str) -> str:
    return f'<a href="{escape(address)}">{text}</a>'
