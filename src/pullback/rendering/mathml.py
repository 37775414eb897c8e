"""Lines of the board as MathML Core, with the plain notation as their label."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pullback.derivation.formula import Big, Line, Matrix, Numbers, Part, Sign
from pullback.derivation.scalars import rounded
from pullback.rendering.blocks import draw
from pullback.rendering.symbols import write
from pullback.syntax.tree import Syntax

_SIGNS = {".*": "⊙", "./": "⊘", ".": "·", "-": "−", "*": "\u2062"}
_BLANK = "<mo>·</mo>"


def formula(value: Syntax | Line, display: bool = False) -> str:
    """Write an expression or a line as one ``math`` element."""
    inside = "".join(map(_part, value.parts)) if isinstance(value, Line) else write(value, "mathml")
    kind = ' displaystyle="true"' if display else ""
    return f'<math{kind} aria-label="{escape(label(value), quote=True)}"><mrow>{inside}</mrow></math>'


def label(value: Syntax | Line) -> str:
    """The plain notation, for readers that hear it; matrices row by row."""
    if isinstance(value, Line):
        return " ".join(_spoken(part) for part in value.parts)
    return write(value, "plain")


def _spoken(part: Part) -> str:
    if isinstance(part, Matrix):
        rows = (" ".join("." if cell is None else write(cell, "plain") for cell in row) for row in part.rows)
        return f"[{'; '.join(rows)}]"
    if isinstance(part, Numbers):
        columns = part.shape[1] if len(part.shape) == 2 else 1
        cells = [write(rounded(value), "plain") for value in part.values]
        return "[" + "; ".join(" ".join(cells[k : k + columns]) for k in range(0, len(cells), max(1, columns))) + "]"
    if isinstance(part, Sign):
        return part.text
    return " ".join(draw(Line((part,)), "plain", 10**6))


def _part(part: Part) -> str:
    if isinstance(part, Sign):
        separator = ' separator="true"' if part.text == "," else ""
        return f"<mo{separator}>{_SIGNS.get(part.text, part.text)}</mo>"
    if isinstance(part, Matrix):
        return _matrix([[_BLANK if cell is None else write(cell, "mathml") for cell in row] for row in part.rows])
    if isinstance(part, Numbers):
        columns = part.shape[1] if len(part.shape) == 2 else 1
        cells = [write(rounded(value), "mathml") for value in part.values]
        return _matrix([cells[k : k + columns] for k in range(0, len(cells), max(1, columns))])
    if isinstance(part, Big):
        shape = "<mo>×</mo>".join(f"<mn>{length}</mn>" for length in part.shape)
        norm = f"<mo>‖·‖</mo><mo>=</mo>{write(rounded(part.norm), 'mathml')}"
        return _fenced(f"{shape}<mo>,</mo>{norm}")
    return write(part, "mathml")


def _matrix(rows: Sequence[Sequence[str]]) -> str:
    body = "".join("<mtr>" + "".join(f"<mtd>{cell}</mtd>" for cell in row) + "</mtr>" for row in rows)
    return _fenced(f"<mtable>{body}</mtable>", ' class="matrix"')


def _fenced(inside: str, attributes: str = "") -> str:
    return (
        f'<mrow{attributes}><mo form="prefix" fence="true">[</mo>{inside}<mo form="postfix" fence="true">]</mo></mrow>'
    )
