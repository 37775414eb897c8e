r"""Derivations as Markdown, with mathematics as GitHub shows it, or between dollars as notebooks do.

GitHub reads Markdown before mathematics, so underscores and backslashes between dollars may be lost. What
stands in a ``math`` block, or between ``$`` and backquotes, is left alone. It refuses some commands, of
which ``\operatorname`` is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pullback.derivation.formula import Line
from pullback.derivation.record import Record
from pullback.derivation.steps import Detail
from pullback.rendering.latex_math import aligned, allowed, formula
from pullback.rendering.operations import Described, used
from pullback.rendering.outline import Item, outline
from pullback.rendering.sentences import Speaker, title
from pullback.syntax.tree import Syntax

Flavour = Literal["github", "dollars"]
FLAVOURS: tuple[Flavour, ...] = ("github", "dollars")

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|$"})


def escaped(text: str) -> str:
    """Words that Markdown is to leave alone."""
    return text.translate(_SPECIAL)


def displayed(latex: str, flavour: Flavour = "github") -> str:
    """A formula in a block of its own."""
    return f"```math\n{allowed(latex)}\n```" if flavour == "github" else f"$$\n{latex}\n$$"


def _github(value: Syntax | Line) -> str:
    return f"$`{allowed(formula(value))}`$"


def _dollars(value: Syntax | Line) -> str:
    return f"${formula(value)}$"


def render(record: Record, code: str, detail: Detail, flavour: Flavour = "github") -> str:
    """Write the derivation."""
    speaker = Speaker(code, _github if flavour == "github" else _dollars, escaped)
    page = _Page(speaker, flavour)
    body = "\n".join([*page.items(outline(record.steps, detail)), *page.table(used(record))])
    return f"# {title(speaker, record)}\n\n{body.strip()}\n"


class _Page:
    def __init__(self, speaker: Speaker, flavour: Flavour) -> None:
        self.speaker, self.flavour = speaker, flavour

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
                rule = f" — {self.speaker.linked(step.rule, _link)}" if step.rule is not None else ""
                yield f"#### {sentence}{rule}"
        else:
            yield sentence
        yield ""
        if item.shows_lines and step.lines:
            yield displayed(aligned(step.lines), self.flavour)
            yield ""
        yield from self.items(item.items)

    def table(self, entries: Sequence[Described]) -> Iterator[str]:
        """The entries of the table of operations that the steps name."""
        if entries:
            yield f"## {self.speaker.say('table')}"
        for found in entries:
            yield f"\n### {found.name}\n"
            yield displayed(aligned([*found.meanings, *(line for _, line in found.passes)]), self.flavour)
            if found.source:
                yield f"\n{escaped(found.source)}"


def _link(text: str, address: str) -> str:
    return f"[{text}]({address})"
