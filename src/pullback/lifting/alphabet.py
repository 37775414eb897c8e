"""The order of names: 2 before 10, and which of two names is the likelier to stand in front of a minus."""

from __future__ import annotations

import re

from pullback.syntax.names import GREEK

_DIGITS = re.compile(r"([0-9]+)")
_LEADING = "xyzuvwrpqstfghjklmnoiedcba"
"""What varies comes first: x - a and not a - x, y - t, x - mu."""

Natural = tuple[tuple[bool, int, str], ...]


def natural(text: str) -> Natural:
    """A key by which A2 comes before A10, and numbers come before letters.

    >>> sorted(["A10", "A2", "A"], key=natural)
    ['A', 'A2', 'A10']
    """
    parts = [part for part in _DIGITS.split(text) if part]
    return tuple((False, int(part), "") if part.isdigit() else (True, 0, part) for part in parts)


def leading(name: str) -> tuple[int, Natural]:
    """A key by which the name comes first that is written with a plus in a difference of two alike.

    >>> sorted(["mu", "a", "y", "x"], key=leading)
    ['x', 'y', 'a', 'mu']
    """
    letter = name[:1].lower()
    stem = name.rstrip("0123456789_")
    place = len(_LEADING) if stem in GREEK or letter not in _LEADING else _LEADING.index(letter)
    return (place, natural(name))
