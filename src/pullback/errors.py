"""What pullback says when it can't do what was asked: what, where, and what would mend it."""

from __future__ import annotations

from dataclasses import dataclass

_WIDEST_LINE = 120


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the source text, as character offsets ``[start, end)``."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """Give the stretch from the start of this one to the end of the other."""
        return Span(min(self.start, other.start), max(self.end, other.end))


NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a source text with a word on what is there."""

    span: Span
    label: str = ""


class PullbackError(Exception):
    """The root of every error that pullback raises on purpose.

    ``message`` says what is wrong, ``places`` where (drawn as carets under the lines of ``source``),
    ``hint`` what would mend it.
    """

    def __init__(self, message: str, *, source: str = "", places: tuple[Place, ...] = (), hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.places = places
        self.hint = hint

    def at(self, source: str) -> PullbackError:
        """Fill in the source text where a deeper layer did not know it; return the error itself."""
        self.source = self.source or source
        return self

    @property
    def line(self) -> int | None:
        """The line of the first place, from 1; None where the error has no place."""
        return _position(self.source, self.places[0].span.start)[0] if self.places else None

    @property
    def column(self) -> int | None:
        """The column of the first place, from 1; None where the error has no place."""
        return _position(self.source, self.places[0].span.start)[1] if self.places else None

    def __str__(self) -> str:
        parts = [self.message]
        parts += [_draw(self.source, place) for place in self.places if self.source]
        if self.hint:
            parts.append(f"hint: {self.hint}")
        return "\n".join(parts)


class NotationError(PullbackError):
    """The text can't be read: a syntax error, an unknown name, something bound twice."""


class ShapeError(PullbackError):
    """Two parts of the program can't have the shapes that they must have."""


class UnsupportedError(PullbackError):
    """What is asked for can't be derived or run; it is refused by name."""


class ValuesError(PullbackError):
    """The values given do not fit the program: missing, of another size, not numbers."""


def _position(source: str, offset: int) -> tuple[int, int]:
    before = source[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _draw(source: str, place: Place) -> str:
    """Draw one line of source with carets under the place; long lines are cut around it."""
    line, column = _position(source, place.span.start)
    text = source.split("\n")[line - 1] if source else ""
    width = max(1, min(place.span.end - place.span.start, len(text) - column + 1))
    left = max(0, column - 1 - _WIDEST_LINE // 2)
    shown = "".join(c if c.isprintable() else "·" for c in text[left : left + _WIDEST_LINE])
    width = min(width, max(1, len(shown) - (column - 1 - left)))
    gutter = f"  line {line}, column {column}: "
    carets = " " * (len(gutter) + column - 1 - left) + "^" * width
    return f"{gutter}{shown}\n{carets}" + (f" {place.label}" if place.label else "")
