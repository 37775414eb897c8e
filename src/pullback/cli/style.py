"""Whether to colour what a stream shows, and how, without any library."""

from __future__ import annotations

import os
from typing import TextIO

_CODES = {"red": "31", "yellow": "33", "bold": "1", "dim": "2"}


def wants_colour(stream: TextIO) -> bool:
    """Tell whether to colour: NO_COLOR forbids it, FORCE_COLOR asks for it, else a terminal gets it."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str, stream: TextIO) -> str:
    """Put a text in a style where the stream wants colour, else leave it."""
    return f"\033[{_CODES[style]}m{text}\033[0m" if wants_colour(stream) else text
