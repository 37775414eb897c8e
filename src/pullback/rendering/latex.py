r"""Derivations as LaTeX: a fragment for a paper, or a document that compiles on its own.

A fragment needs ``\usepackage{amsmath,amssymb}``; a Korean document is set by kotex, which comes with
TeX Live's Korean collection. Both compile with pdfLaTeX.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pullback.derivation.formula import Line
from pullback.derivation.record import Record
from pullback.derivation.steps import Detail
from pullback.rendering.latex_math import WIDEST, aligned, extent, formula, rows
from pullback.rendering.operations import Described, used
from pullback.rendering.outline import Item, outline
from pullback.rendering.sentences import Speaker, title
from pullback.syntax.tree import Syntax

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "→": r"$\to$", "×": r"$\times$",
}  # fmt: skip

_PACKAGES = r"""\documentclass{article}
\usepackage[a4paper,margin=2.2cm]{geometry}
\usepackage{amsmath,amssymb,graphicx}
"""
_SETUP = r"""\allowdisplaybreaks
\setcounter{MaxMatrixCols}{20}
\setlength{\parindent}{0pt}
\setlength{\parskip}{.4ex plus .2ex}
\newsavebox{\board}
% A formula that is wider than the page is made smaller.
\newcommand{\fit}[1]{\sbox{\board}{$\displaystyle #1$}%
  \ifdim\wd\board>\linewidth\resizebox{\linewidth}{!}{\usebox{\board}}\else\usebox{\board}\fi}
"""
_KOREAN = r"\usepackage{kotex}" + "\n"
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")


def escaped(text: str) -> str:
    """Words that LaTeX is to print as they are."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


def _inline(value: Syntax | Line) -> str:
    return f"${formula(value)}$"


def render(record: Record, code: str, detail: Detail, document: bool) -> str:
    """Write the derivation."""
    speaker = Speaker(code, _inline, escaped)
    page = _Page(speaker, document)
    body = "\n".join([*page.items(outline(record.steps, detail)), *page.table(used(record))]).strip() + "\n"
    if not document:
        return body
    korean = _KOREAN if _HANGUL.search(body) else ""
    heading = rf"{{\Large\bfseries {title(speaker, record)}\par}}" + "\n"
    return f"{_PACKAGES}{korean}{_SETUP}\\begin{{document}}\n{heading}{body}\\end{{document}}\n"


class _Page:
    def __init__(self, speaker: Speaker, document: bool) -> None:
        self.speaker, self.document = speaker, document

    def items(self, items: Sequence[Item]) -> Iterator[str]:
        for item in items:
            yield from self.item(item)

    def item(self, item: Item) -> Iterator[str]:
        step = item.step
        sentence = self.speaker.step(step)
        if item.depth == 0 and step.kind.startswith("check"):
            yield rf"\medskip {sentence}"
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
        if item.shows_lines and step.lines:
            yield self.board(step.lines)
        yield ""
        yield from self.items(item.items)

    def table(self, entries: Sequence[Described]) -> Iterator[str]:
        """The entries of the table of operations that the steps name."""
        if entries:
            yield rf"\section*{{{self.speaker.say('table')}}}"
        for found in entries:
            source = f" ({escaped(found.source)})" if found.source else ""
            yield rf"\texttt{{{escaped(found.name)}}}{source}"
            yield self.board([*found.meanings, *(line for _, line in found.passes)])

    def board(self, lines: Sequence[Line]) -> str:
        """Lines below each other; in a document, what is too wide for the page is made to fit."""
        widest = max(extent(row) for line in lines for row in rows(line))
        if self.document and widest > WIDEST:
            return "\n".join(rf"\[\fit{{{aligned([line])}}}\]" for line in lines)
        made = [row for line in lines for row in rows(line)]
        if len(made) == 1:
            return rf"\[{formula(lines[0])}\]"
        return "\\begin{align*}\n" + " \\\\\n".join(made) + "\n\\end{align*}"
