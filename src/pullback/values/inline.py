"""Arrays as people type them: ``1 2 3; 4 5 6``, ``[1, 2, 3]``, ``[[1, 2], [3, 4]]``, ``-1/3``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from pullback.errors import Place, Span, ValuesError
from pullback.values.files import Array

_FLOAT = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_TOKEN = re.compile(
    rf"(?P<number>[+\-−]?(?:{_FLOAT}(?:/{_FLOAT})?|nan|inf(?:inity)?)(?![\w.+\-−/]))"
    r"|(?P<open>\[)|(?P<close>\])|(?P<comma>,)|(?P<row>;|\n)|(?P<space>[^\S\n]+)|(?P<bad>[^\s,;\[\]]+)",
    re.IGNORECASE,
)
_DEEPEST = 32
_HINT = 'write rows of numbers such as "1 2 3; 4 5 6", or name a .npy, .csv or .json file'


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    span: Span


@dataclass(slots=True)
class _Part:
    """A number, or the entries between two brackets, flat with their shape."""

    shape: tuple[int, ...]
    leaves: list[float]
    span: Span


def read_inline(text: str, option: str) -> Array:
    """Read an array from its text.

    Spaces or commas part the entries of a row, semicolons or line ends the rows; brackets nest to any
    number of axes.

    Raises:
        ValuesError: With a caret under what is no number, the row of another length, the bracket left open.
    """
    reader = _Reader(text, option)
    part = reader.entries(depth=0)
    return np.array(part.leaves, dtype=np.float64).reshape(part.shape)


class _Reader:
    def __init__(self, text: str, option: str) -> None:
        self.text = text
        self.option = option
        self.tokens = [
            _Token(str(m.lastgroup), m.group(), Span(*m.span()))
            for m in _TOKEN.finditer(text)
            if m.lastgroup != "space"
        ]
        self.next = 0

    def entries(self, depth: int) -> _Part:
        """Read up to the closing bracket, or to the end of the text at depth 0."""
        opening = self.tokens[self.next - 1].span if depth else Span(0, len(self.text))
        rows: list[list[_Part]] = [[]]
        after_comma = False
        while self.next < len(self.tokens):
            token = self.tokens[self.next]
            self.next += 1
            row = rows[-1]
            if token.kind == "close":
                if not depth:
                    self.fail("a bracket is closed that was never opened", token.span)
                return self.stack(rows, opening.to(token.span), nested=True)
            if token.kind == "bad":
                self.fail(f"{token.text[:40]!r} is not a number", token.span, hint=_HINT)
            elif token.kind == "row":
                if row and not after_comma and not (token.text == "\n" and row[-1].shape):
                    rows.append([])
                elif token.text == ";":
                    self.fail("a row has no entries", token.span)
            elif token.kind == "comma":
                if after_comma or not row:
                    self.fail("a number is missing before the comma", token.span)
            else:
                row.append(self.item(token, depth))
            after_comma = token.kind == "comma" or (after_comma and token.text == "\n")
        if depth:
            self.fail("a bracket is never closed", opening, hint="add ]")
        return self.stack(rows, opening, nested=False)

    def item(self, token: _Token, depth: int) -> _Part:
        if token.kind == "number":
            return _Part((), [self.number(token)], token.span)
        if depth >= _DEEPEST:
            self.fail(f"brackets are more than {_DEEPEST} deep", token.span)
        return self.entries(depth + 1)

    def number(self, token: _Token) -> float:
        over, slash, under = token.text.replace("−", "-").partition("/")
        if not slash:
            return float(over)
        if float(under) == 0:
            self.fail("a division by zero", token.span, hint="write inf or nan")
        return float(over) / float(under)

    def stack(self, rows: list[list[_Part]], span: Span, *, nested: bool) -> _Part:
        """Put the rows together; a single row is a list, a single number outside brackets a scalar."""
        rows = rows if rows[-1] else rows[:-1]
        if not rows:
            self.fail("there are no numbers", span, hint=_HINT)
        if len(rows) > 1:
            return self.join([row[0] if len(row) == 1 and row[0].shape else self.join(row) for row in rows], span)
        if len(rows[0]) == 1 and not nested:
            return rows[0][0]
        return self.join(rows[0], span)

    def join(self, parts: list[_Part], span: Span | None = None) -> _Part:
        first = parts[0]
        for part in parts[1:]:
            if part.shape != first.shape:
                self.fail(
                    f"{_size(part.shape)} beside {_size(first.shape)}",
                    part.span,
                    hint="every row of an array is of one length",
                )
        leaves = [leaf for part in parts for leaf in part.leaves]
        return _Part((len(parts), *first.shape), leaves, span or first.span.to(parts[-1].span))

    def fail(self, message: str, span: Span, hint: str = "") -> NoReturn:
        raise ValuesError(f"{self.option}: {message}", source=self.text, places=(Place(span),), hint=hint)


def _size(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    return f"a row of {shape[0]}" if len(shape) == 1 else f"a block of {' x '.join(map(str, shape))}"
