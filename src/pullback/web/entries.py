"""MathML whose entries can be found again: ``data-entry="w.1.2"`` on every sign for an entry of W.

Where a number stands for an entry it has the same mark, and a number that was computed from others names
them in ``data-from``. So the page can light up w_12 in W, in its transpose and in the sum at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from itertools import pairwise

from pullback.derivation.formula import LITERAL, PARTIAL, Big, Line, Matrix, Numbers, Part, Sign
from pullback.derivation.scalars import rounded
from pullback.rendering.mathml import label
from pullback.rendering.symbols import BoardMathML, _settled, write
from pullback.syntax.forms import children, fold
from pullback.syntax.printer import Piece, _Layout
from pullback.syntax.tree import Call, Chain, Indexed, Name, Number, Syntax, Transpose

_SIGNS = {".*": "⊙", "./": "⊘", ".": "·", "-": "−", "*": "\u2062"}
_BLANK = '<mo class="blank">·</mo>'
_OPENING = re.compile(r"<\w+")
_MARK = re.compile(r' data-(?:name|entry)="([^"]*)"')

Marks = list[list[str]]
"""A mark for each cell; "" for none."""


def _marked(element: str, attributes: str) -> str:
    return _OPENING.sub(lambda found: found.group() + attributes, element, count=1) if attributes else element


def _attribute(name: str, value: str) -> str:
    return f' data-{name}="{escape(value, quote=True)}"' if value else ""


def _bases(text: str) -> str:
    found = _MARK.search(text)
    return found[1] if found else ""


class HookedMathML(BoardMathML):
    """The board's MathML with marks on names, entries and derivatives of entries."""

    def name(self, identifier: str) -> str:
        """Write a name, marked."""
        return _marked(super().name(identifier), _attribute("name", identifier))

    def indexed(self, operand: str, indices: tuple[str, ...]) -> str:
        """Write an entry, marked."""
        base = _bases(operand)
        mark = ".".join((base, *indices)) if base else ""
        return _marked(super().indexed(_MARK.sub("", operand), indices), _attribute("entry", mark))

    def call(self, node: Call, arguments: list[Piece]) -> Piece:
        """Write a derivative marked by what it is the derivative of."""
        piece = super().call(node, arguments)
        if node.function != PARTIAL:
            return piece
        kind = "entry" if any(isinstance(part, Indexed) for part in node.arguments) else "name"
        bare = _MARK.sub("", piece.text)
        return Piece(_marked(bare, _attribute(kind, mark_of(node))), piece.level, node, piece.negative, piece.numeric)


_STYLE = HookedMathML()


def mark_of(tree: Syntax) -> str:
    """The mark of a name, an entry, a derivative: ``w``, ``w.1.2``, ``L/w.1.2``; "" for anything else.

    >>> from pullback.derivation.formula import entry, partial
    >>> mark_of(partial(Name("L"), entry("w", (1, 2))))
    'L/w.1.2'
    """
    if isinstance(tree, Name):
        return tree.identifier
    if isinstance(tree, Indexed):
        base = mark_of(tree.operand)
        return ".".join((base, *tree.indices)) if base else ""
    if isinstance(tree, Call) and tree.function == PARTIAL:
        above, below = (mark_of(part) for part in tree.arguments)
        return f"{above}/{below}" if above and below else ""
    return ""


@lru_cache(maxsize=8192)
def hooked(tree: Syntax) -> str:
    """Write an expression with its marks."""
    return _STYLE.document(_Layout(_STYLE).text(fold(tree, _settled)))


@dataclass(frozen=True)
class Board:
    """Writes lines of one derivation; ``symbols`` says what the entries of a name are called."""

    symbols: Mapping[str, str] = field(default_factory=dict)

    def formula(self, value: Syntax | Line, marks: Mapping[int, Marks] | None = None, sums: Marks | None = None) -> str:
        """Write an expression or a line as one ``math`` element, numbers marked as ``marks`` says by part."""
        if isinstance(value, Line):
            inside = self._line(value, marks or {}, sums)
        else:
            inside = hooked(value)
        return f'<math aria-label="{escape(label(value), quote=True)}"><mrow>{inside}</mrow></math>'

    def _line(self, board: Line, given: Mapping[int, Marks], sums: Marks | None) -> str:
        marks = {**self._own_marks(board), **given}
        last = len(board.parts) - 1
        return "".join(_part(part, marks.get(k), sums if k == last else None) for k, part in enumerate(board.parts))

    def base(self, tree: Syntax) -> str:
        """What the marks of the entries of a named tensor begin with."""
        if isinstance(tree, Name):
            return self.symbols.get(tree.identifier, tree.identifier)
        if isinstance(tree, Call) and tree.function == PARTIAL and all(isinstance(a, Name) for a in tree.arguments):
            above, below = (self.base(part) for part in tree.arguments)
            return f"{above}/{below}"
        return ""

    def cells(self, tree: Syntax, part: Part) -> Marks | None:
        """The marks of an array that a tree stands for, seen through a transpose."""
        turned = isinstance(tree, Transpose)
        base = self.base(tree.operand if isinstance(tree, Transpose) else tree)
        if not base or not isinstance(part, Numbers | Matrix):
            return None
        rows, columns = extent(part)
        vector = len(part.shape) == 1 or (turned and rows == 1)
        if vector:
            return [[f"{base}.{max(i, j) + 1}" for j in range(columns)] for i in range(rows)]
        if turned:
            return [[f"{base}.{j + 1}.{i + 1}" for j in range(columns)] for i in range(rows)]
        return [[f"{base}.{i + 1}.{j + 1}" for j in range(columns)] for i in range(rows)]

    def _own_marks(self, board: Line) -> dict[int, Marks]:
        """What a line tells by itself: ``W = [numbers]``, ``w_11 = 1``, ``[w_11 …] = [1 …]``."""
        marks: dict[int, Marks] = {}
        sides = split_sides(board)
        first = board.parts[sides[0][0]] if len(sides[0]) == 1 else None
        for before, after in pairwise(sides):
            if len(after) != 1:
                continue
            here = board.parts[after[0]]
            there = board.parts[before[0]] if len(before) == 1 else None
            if isinstance(here, Matrix) and isinstance(there, Matrix) and here.shape == there.shape:
                marks[after[0]] = [["" if c is None else mark_of(c) for c in row] for row in there.rows]
            elif _is_number(here) and there is not None and not isinstance(there, Matrix | Numbers | Big | Sign):
                marks[after[0]] = [[_entry_mark(there)]]
        if first is not None and not isinstance(first, Matrix | Numbers | Big | Sign) and len(sides[-1]) == 1:
            k = sides[-1][0]
            part = board.parts[k]
            if isinstance(part, Numbers) and (cells := self.cells(first, part)):
                marks[k] = cells
        return marks

    def factor_marks(self, board: Line, closed: Line) -> tuple[dict[int, Marks], Marks | None]:
        """The marks of ``dL/dx = [numbers] [numbers] = [numbers]``, and which entries each result came from.

        ``closed`` is the same in letters: ``dL/dx = W' dL/dy``.
        """
        sides, known = split_sides(board), split_sides(closed)
        if len(sides) != 3 or len(known) < 2 or len(known[-1]) != 1:
            return {}, None
        tree = closed.parts[known[-1][0]]
        factors = list(tree.operands) if isinstance(tree, Chain) and not tree.is_sum else [tree]
        places = [k for k in sides[1] if not isinstance(board.parts[k], Sign)]
        if len(places) != len(factors):
            return {}, None
        marks: dict[int, Marks] = {}
        for k, factor in zip(places, factors, strict=True):
            if not isinstance(factor, Matrix | Numbers | Big | Sign) and (cells := self.cells(factor, board.parts[k])):
                marks[k] = cells
        sums = None
        if len(places) == 2 and isinstance(tree, Chain) and tree.operators == ("*",):
            a, b = (marks.get(k) for k in places)
            result = board.parts[sides[2][-1]]
            if a and b and isinstance(result, Numbers):
                sums = sources(a, b, extent(result))
        return marks, sums


def sources(a: Marks, b: Marks, shape: tuple[int, int]) -> Marks | None:
    """For each entry of a product, the entries that were multiplied and added for it."""
    rows, columns = shape
    if len(a) != rows or len(b[0]) != columns or len(a[0]) != len(b):
        return None
    return [[" ".join(m for m in (*a[i], *(row[j] for row in b)) if m) for j in range(columns)] for i in range(rows)]


def substituted(numeric: Line, symbolic: Line) -> str | None:
    """Write a line of numbers with the marks of the same line in letters; None where they differ in form."""
    if len(numeric.parts) != len(symbolic.parts):
        return None
    parts = []
    for here, there in zip(numeric.parts, symbolic.parts, strict=True):
        plain = not isinstance(here, Sign | Matrix | Numbers | Big)
        if plain and not isinstance(there, Sign | Matrix | Numbers | Big):
            parts.append(_paired(here, there))  # type: ignore[arg-type]
        else:
            parts.append(_part(here, None, None))
    inside = "".join(parts)
    return f'<math aria-label="{escape(label(numeric), quote=True)}"><mrow>{inside}</mrow></math>'


_PLACE = "\ue000{}\ue001"
_PLACED = re.compile('<m[in](?: data-name="[^"]*")?>\ue000(\\d+)\ue001</m[in]>')


def _paired(here: Syntax, there: Syntax) -> str:
    """Print one tree with the marks of another of the same form on the numbers in it."""
    found: list[tuple[Syntax, str]] = []

    def visit(a: Syntax, b: Syntax) -> Syntax:
        if _is_number(a) and (mark := _entry_mark(b)):
            found.append((a, mark))
            return Name(_PLACE.format(len(found) - 1))
        below_a, below_b = children(a), children(b)
        if type(a) is not type(b) or len(below_a) != len(below_b) or isinstance(a, Indexed) or not below_a:
            return a
        from pullback.syntax.forms import rebuild

        return rebuild(a, [visit(x, y) for x, y in zip(below_a, below_b, strict=True)])

    text = hooked(visit(here, there))

    def put(match: re.Match[str]) -> str:
        tree, mark = found[int(match[1])]
        return _marked(hooked(tree), _attribute("entry", mark))

    # What a number stood in for is multiplied with a dot, as the board does: 1 · x_1 is read 1 x_1.
    return _PLACED.sub(put, text)


def split_sides(board: Line) -> list[list[int]]:
    """The places of the parts of each side of an equation."""
    sides: list[list[int]] = [[]]
    for k, part in enumerate(board.parts):
        if isinstance(part, Sign) and part.text == "=":
            sides.append([])
        else:
            sides[-1].append(k)
    return sides


def extent(part: Numbers | Matrix) -> tuple[int, int]:
    """Rows and columns; a vector is a column."""
    if isinstance(part, Matrix):
        return part.shape
    return part.shape[0], part.shape[1] if len(part.shape) == 2 else 1


def _is_number(part: Part) -> bool:
    return isinstance(part, Number) or (isinstance(part, Call) and part.function == LITERAL)


def _entry_mark(tree: Part) -> str:
    if isinstance(tree, Indexed) or (isinstance(tree, Call) and tree.function == PARTIAL):
        return mark_of(tree)
    return ""


def _part(part: Part, marks: Marks | None, sums: Marks | None) -> str:
    if isinstance(part, Sign):
        separator = ' separator="true"' if part.text == "," else ""
        return f"<mo{separator}>{_SIGNS.get(part.text, part.text)}</mo>"
    if isinstance(part, Matrix):
        return _matrix([[_BLANK if c is None else hooked(c) for c in row] for row in part.rows], marks, sums)
    if isinstance(part, Numbers):
        columns = max(1, extent(part)[1])
        cells = [write(rounded(value), "mathml") for value in part.values]
        return _matrix([cells[k : k + columns] for k in range(0, len(cells), columns)], marks, sums, "numbers")
    if isinstance(part, Big):
        shape = "<mo>×</mo>".join(f"<mn>{length}</mn>" for length in part.shape)
        norm = f"<mo>‖·‖</mo><mo>=</mo>{write(rounded(part.norm), 'mathml')}"
        return _fenced(f"{shape}<mo>,</mo>{norm}")
    return _marked(hooked(part), _attribute("entry", marks[0][0])) if marks and marks[0] else hooked(part)


def _matrix(rows: Sequence[Sequence[str]], marks: Marks | None, sums: Marks | None, kind: str = "") -> str:
    body = []
    for i, row in enumerate(rows):
        cells = []
        for j, cell in enumerate(row):
            mark = marks[i][j] if marks and i < len(marks) and j < len(marks[i]) else ""
            origin = sums[i][j] if sums and i < len(sums) and j < len(sums[i]) else ""
            cells.append(f"<mtd{_attribute('entry', mark)}{_attribute('from', origin)}>{cell}</mtd>")
        body.append(f"<mtr>{''.join(cells)}</mtr>")
    shown = f"m {kind}".strip()
    return f'<mtable class="{shown}">{"".join(body)}</mtable>'


def _fenced(inside: str) -> str:
    return f'<mrow><mo form="prefix" fence="true">[</mo>{inside}<mo form="postfix" fence="true">]</mo></mrow>'
