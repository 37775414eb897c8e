"""Lines of the board as blocks of text: matrices with brackets over several rows, aligned in their middle."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from pullback.derivation.formula import Big, Line, Matrix, Numbers, Part, Sign
from pullback.derivation.scalars import rounded
from pullback.rendering.symbols import write

_SIGNS = {".*": "⊙", "./": "⊘", "-": "-", "*": "", ".": "·"}
_PLAIN = {".": "*", "→": "->"}
_OPERATORS = frozenset("+ - = ⊙ ⊘ .* ./ · *".split())
_INDENTED = 6
_DEEPER = 4
_LEADING = ("+ ", "- ", "= ")
_BLANK = {"plain": ".", "unicode": "·"}


def width_of(text: str) -> int:
    """The columns that a text takes on a terminal; Korean letters take two.

    >>> width_of("W₁ᵀ"), width_of("행렬")
    (3, 4)
    """
    columns = 0
    for letter in text:
        if not unicodedata.combining(letter):
            columns += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
    return columns


def padded(text: str, width: int, right: bool = False) -> str:
    """Fill with spaces to a width."""
    fill = " " * max(0, width - width_of(text))
    return fill + text if right else text + fill


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of the same width; ``middle`` is the row that stands on the line."""

    rows: tuple[str, ...]
    middle: int
    is_sign: bool = False
    tight: bool = False

    @property
    def width(self) -> int:
        """The columns that it takes."""
        return max(map(width_of, self.rows), default=0)


def block(part: Part, style: str) -> Block:
    """Draw one part."""
    if isinstance(part, Sign):
        text = part.text if style == "plain" and part.text != "." else _SIGNS.get(part.text, part.text)
        if style == "plain":
            text = _PLAIN.get(part.text, text)
        return Block((text,), 0, is_sign=True, tight=part.text == ",")
    if isinstance(part, Matrix):
        rows = [[_BLANK[style] if cell is None else write(cell, style) for cell in row] for row in part.rows]
        return bracketed(rows, style, numeric=False)
    if isinstance(part, Numbers):
        return bracketed(number_rows(part, style), style, numeric=True)
    if isinstance(part, Big):
        times = " x " if style == "plain" else " × "
        return Block((f"[{times.join(map(str, part.shape))}, norm {part.norm:.4g}]",), 0)
    return Block((write(part, style),), 0)


def number_rows(part: Numbers, style: str) -> list[list[str]]:
    """The cells of an array; a vector is a column."""
    columns = part.shape[1] if len(part.shape) == 2 else 1
    cells = [write(rounded(v), style) for v in part.values]
    return [cells[k : k + columns] for k in range(0, len(cells), max(1, columns))]


def bracketed(rows: Sequence[Sequence[str]], style: str, numeric: bool) -> Block:
    """Put brackets around rows of cells, columns aligned."""
    if not rows or not rows[0]:
        return Block(("[]",), 0)
    widths = [max(width_of(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["  ".join(padded(cell, w, right=numeric) for cell, w in zip(row, widths, strict=True)) for row in rows]
    if len(lines) == 1:
        return Block((f"[{lines[0]}]",), 0)
    if style == "plain":
        return Block(tuple(f"[ {text} ]" for text in lines), (len(lines) - 1) // 2)
    left = ["⎡", *"⎢" * (len(lines) - 2), "⎣"]
    right = ["⎤", *"⎥" * (len(lines) - 2), "⎦"]
    drawn = tuple(f"{a} {text} {b}" for a, text, b in zip(left, lines, right, strict=True))
    return Block(drawn, (len(lines) - 1) // 2)


def beside(blocks: Sequence[Block]) -> list[str]:
    """Put blocks next to each other, their middles on one row."""
    above = max(b.middle for b in blocks)
    below = max(len(b.rows) - b.middle for b in blocks)
    rows = []
    for r in range(above + below):
        texts = []
        for k, b in enumerate(blocks):
            inner = r - above + b.middle
            text = b.rows[inner] if 0 <= inner < len(b.rows) else ""
            texts.append(("" if k == 0 or b.tight else " ") + padded(text, b.width))
        rows.append("".join(texts).rstrip())
    return rows


def draw(board: Line, style: str, width: int) -> list[str]:
    """Draw a line, broken before its signs where it is wider than ``width``."""
    groups: list[list[Block]] = [[]]
    for b in (b for part in board.parts for b in _fitting(part, style, width)):
        here = sum(x.width + 1 for x in groups[-1])
        if groups[-1] and here + b.width > width and not b.tight:
            if b.is_sign or not groups[-1][-1].is_sign:
                groups.append([b])
                continue
            sign = groups[-1].pop()
            if not groups[-1]:
                groups.pop()
            groups.append([sign, b])
            continue
        groups[-1].append(b)
    rows: list[str] = []
    for k, group in enumerate(g for g in groups if g):
        indent = "    " if k else ""
        drawn = beside(group)
        for text in drawn:
            rows += [indent + piece for piece in _folded(text, width - len(indent), len(drawn) == 1)]
    return rows


def _fitting(part: Part, style: str, width: int) -> list[Block]:
    """A part as one block, or a matrix that is too wide as several, some columns each."""
    whole = block(part, style)
    if whole.width <= width - _INDENTED or not isinstance(part, Matrix | Numbers):
        return [whole]
    if isinstance(part, Matrix):
        rows = [[_BLANK[style] if cell is None else write(cell, style) for cell in row] for row in part.rows]
    else:
        rows = number_rows(part, style)
    more = "..." if style == "plain" else "⋯"
    groups: list[list[int]] = [[]]
    room = width - _INDENTED - 2 * len(more) - 6
    for k in range(len(rows[0])):
        here = sum(max(width_of(row[c]) for row in rows) + 2 for c in [*groups[-1], k])
        if groups[-1] and here > room:
            groups.append([])
        groups[-1].append(k)
    blocks = []
    for number, group in enumerate(groups):
        first, last = number == 0, number == len(groups) - 1
        cells = [[*([] if first else [more]), *(row[k] for k in group), *([] if last else [more])] for row in rows]
        blocks.append(bracketed(cells, style, numeric=isinstance(part, Numbers)))
    return blocks


def _folded(text: str, width: int, alone: bool) -> list[str]:
    """Break a long row of text before + and -, inside terms only where these are too long; matrices stay whole."""
    if not alone or width_of(text) <= width:
        return [text]
    pieces: list[str] = []
    current = ""
    for k, word in enumerate(_breakable(text, width - _DEEPER)):
        joined = word if k == 0 else f"{current} {word}"
        if k and width_of(joined) > width and current.strip():
            pieces.append(current)
            joined = " " * _DEEPER + word
        current = joined
    return [*pieces, current]


def _breakable(text: str, width: int) -> list[str]:
    """The terms of a sum, each with its sign; a term that is too long as its words."""
    terms: list[str] = []
    depth = 0
    for word in _words(text):
        if terms and not (depth == 0 and word[:2] in _LEADING):
            terms[-1] = f"{terms[-1]} {word}"
        else:
            terms.append(word)
        depth += sum(word.count(c) for c in "([") - sum(word.count(c) for c in ")]")
    return [piece for term in terms for piece in (_words(term) if width_of(term) > width else [term])]


def _words(text: str) -> list[str]:
    """Split at spaces; an operator stays with what follows it."""
    words: list[str] = []
    for word in text.split(" "):
        if words and words[-1] in _OPERATORS:
            words[-1] = f"{words[-1]} {word}"
        else:
            words.append(word)
    return words
