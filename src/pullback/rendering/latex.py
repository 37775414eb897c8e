"""Derivations as LaTeX: a fragment for a paper, or a document that compiles on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pullback.derivation.formula import Line
from pullback.derivation.record import Record
from pullback.derivation.steps import Detail
from pullback.rendering.latex_math import formula
from pullback.rendering.outline import Item, outline
from pullback.rendering.sentences import Speaker
from pullback.syntax.tree import Syntax

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "→": r"$\to$", "×": r"$\times$",
}  # fmt: skip

_PACKAGES = r"""\documentclass{article}
\usepackage[a4paper,margin=2.2cm]{geometry}
\usepackage{amsmath,amssymb}
"""
_KOREAN = r"\usepackage{kotex}" + "\n"


def escaped(text: str) -> str:
    """Words that LaTeX is to print as they are."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def _inline(value: Syntax | Line) -> str:
    return f"${formula(value)}$"


def render(record: Record, code: str, detail: Detail, document: bool) -> str:
    """Write the derivation."""
    page = _Page(Speaker(code, _inline, escaped))
    body = "\n".join(page.items(outline(record.steps, detail))).strip() + "\n"
    if not document:
        return body
    korean = _KOREAN if code.lower().startswith("ko") else ""
    setup = "\\allowdisplaybreaks\n\\setcounter{MaxMatrixCols}{20}\n\\setlength{\\parindent}{0pt}\n"
    return f"{_PACKAGES}{korean}{setup}\\begin{{document}}\n{body}\\end{{document}}\n"


class _Page:
    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker

    def items(self, items: Sequence[Item]) -> Iterator[str]:
        for item in items:
            yield from self.item(item)

    def item(self, item: Item) -> Iterator[str]:
        step = item.step
        sentence = self.speaker.step(step)
        if item.depth == 0 and step.kind.startswith("check"):
            yield rf"\paragraph{{}} {sentence}"
        elif item.depth == 0:
            yield rf"\section*{{{sentence}}}"
        elif step.kind == "statement":
            yield rf"\subsection*{{{sentence}}}"
        elif step.kind == "operand":
            if item.items:
                rule = f" ({self.speaker.rule(step.rule)})" if step.rule is not None else ""
                yield rf"\subsubsection*{{{sentence}{rule}}}"
        else:
            yield f"{sentence}"
        if item.shows_lines:
            yield from self.lines(step.lines)
        yield ""
        yield from self.items(item.items)

    @staticmethod
    def lines(lines: Sequence[Line]) -> Iterator[str]:
        for board in lines:
            yield r"\[" + formula(board) + r"\]"
