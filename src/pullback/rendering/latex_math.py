"""Lines of the board as LaTeX in mathematics mode, on one row or, where they are long, on several."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pullback.derivation.formula import EQUALS, Big, Line, Matrix, Numbers, Part, Sign
from pullback.derivation.scalars import rounded
from pullback.rendering.symbols import write
from pullback.syntax.tree import Chain, Syntax

_SIGNS = {".*": r"\odot", "./": r"\oslash", ".": r"\cdot", "*": "", ",": r",\;", "→": r"\to"}
_BLANK = r"\cdot"
WIDEST = 80
"""Signs that a row of a printed page has room for, about."""

_FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")
_SILENT = re.compile(r"\\(?:left|right|mathrm|mathbf|operatorname|displaystyle)(?![a-zA-Z])")
_COMMAND = re.compile(r"\\[a-zA-Z]+|\\.")
_SPACING = re.compile(r"[{}^_&\s]")


def formula(value: Syntax | Line) -> str:
    """Write an expression or a line."""
    return " ".join(map(_part, value.parts)) if isinstance(value, Line) else write(value, "latex")


def allowed(latex: str) -> str:
    r"""A formula without the commands that GitHub refuses.

    >>> allowed(r"\operatorname{softmax}\left(z\right)")
    '\\mathrm{softmax}\\left(z\\right)'
    """
    return latex.replace(r"\operatorname{", r"\mathrm{")


def rows(line: Line) -> list[str]:
    """Write a line as the rows of ``aligned``: one, or several where it is too long for a page."""
    left, *sides = _sides(line.parts)
    if not sides:
        return [f"& {formula(line)}"]
    first = _joined(left)
    whole = " = ".join(["", *map(_joined, sides)]).removeprefix(" ")
    if extent(first) + extent(whole) <= WIDEST:
        return [f"{first} &{whole}"]
    made: list[str] = []
    for side in sides:
        pieces = _pieces(side, WIDEST - extent(first))
        made.append(f"{first if not made else ''} &= {pieces[0]}".lstrip())
        made += [f"&\\quad {piece}" for piece in pieces[1:]]
    return made


def aligned(lines: Sequence[Line]) -> str:
    """Write lines below each other, their equals signs aligned."""
    if len(lines) == 1 and len(made := rows(lines[0])) == 1:
        return formula(lines[0])
    made = [row for line in lines for row in rows(line)]
    return "\\begin{aligned}\n" + " \\\\\n".join(made) + "\n\\end{aligned}"


def extent(text: str) -> int:
    r"""How wide a formula is, about, in signs.

    >>> extent(r"\frac{\partial L}{\partial x} = W^\top g")
    6
    """
    while (found := _FRACTION.search(text)) is not None:
        above, below = found[1], found[2]
        text = text[: found.start()] + (above if extent(above) > extent(below) else below) + text[found.end() :]
    return len(_SPACING.sub("", _COMMAND.sub("x", _SILENT.sub("", text))))


def _sides(parts: Sequence[Part]) -> list[list[Part]]:
    sides: list[list[Part]] = [[]]
    for part in parts:
        if part == EQUALS:
            sides.append([])
        else:
            sides[-1].append(part)
    return sides


def _joined(parts: Sequence[Part]) -> str:
    return " ".join(map(_part, parts))


def _pieces(side: Sequence[Part], room: int) -> list[str]:
    """A side on one row, or its terms on several."""
    whole = _joined(side)
    (tree,) = side if len(side) == 1 else (None,)
    if extent(whole) <= room or not isinstance(tree, Chain) or not tree.is_sum:
        return [whole]
    pieces: list[str] = []
    begin = 0
    for end in range(1, len(tree.operands) + 1):
        if end < len(tree.operands) and extent(_terms(tree, begin, end + 1)) <= room:
            continue
        pieces.append(_terms(tree, begin, end))
        begin = end
    return pieces


def _terms(tree: Chain, begin: int, end: int) -> str:
    """Some terms of a sum, with the sign before the first of them where it is not the first of all."""
    operands, operators = tree.operands[begin:end], tree.operators[begin : end - 1]
    text = write(operands[0] if len(operands) == 1 else Chain(operands, operators), "latex")
    return f"{tree.operators[begin - 1]} {text}" if begin else text


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


def _matrix(cells: Sequence[Sequence[str]]) -> str:
    tall = any("\\frac" in cell for row in cells for cell in row)
    body = (r" \\[4pt] " if tall else r" \\ ").join(" & ".join(row) for row in cells)
    return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"
