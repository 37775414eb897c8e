"""Lines of the board as LaTeX in mathematics mode."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.derivation.formula import Big, Line, Matrix, Numbers, Part, Sign
from pullback.derivation.scalars import rounded
from pullback.rendering.symbols import write
from pullback.syntax.tree import Syntax

_SIGNS = {".*": r"\odot", "./": r"\oslash", ".": r"\cdot", "*": "", ",": r",\;", "→": r"\to"}
_BLANK = r"\cdot"


def formula(value: Syntax | Line) -> str:
    """Write an expression or a line."""
    return " ".join(map(_part, value.parts)) if isinstance(value, Line) else write(value, "latex")


def _part(part: Part) -> str:
    if isinstance(part, Sign):
        return _SIGNS.get(part.text, part.text)
    if isinstance(part, Matrix):
        return _matrix([[_BLANK if cell is None else write(cell, "latex") for cell in row] for row in part.rows])
    if isinstance(part, Numbers):
        columns = part.shape[1] if len(part.shape) == 2 else 1
        cells = [write(rounded(value), "latex") for value in part.values]
        return _matrix([cells[k : k + columns] for k in range(0, len(cells), max(1, columns))])
    if isinstance(part, Big):
        shape = r" \times ".join(map(str, part.shape))
        return rf"\left[{shape},\; \|\cdot\| = {write(rounded(part.norm), 'latex')}\right]"
    return write(part, "latex")


def _matrix(rows: Sequence[Sequence[str]]) -> str:
    body = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"
