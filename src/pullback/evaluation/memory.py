"""Arrays that are larger than the machine: refused before they are made, or said where they could not be."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from math import prod

from pullback.errors import ValuesError

_BYTES = 8
_UNKNOWN = 2**40
"""What is taken for the memory of a machine that does not say how much it has."""


@cache
def largest() -> int:
    """How many numbers fit in the memory of this machine."""
    try:
        return int(os.sysconf("SC_PHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE")) // _BYTES
    except (AttributeError, OSError, ValueError):
        return _UNKNOWN // _BYTES


def require(shape: Sequence[int], what: str) -> None:
    """Refuse an array that the machine has no room for.

    Raises:
        ValuesError: With the shape and the size.

    >>> require((2, 3), "the result")
    """
    if prod(shape) > largest():
        raise _too_large(shape, what)


@contextmanager
def memory(what: str) -> Iterator[None]:
    """Say which array there was no memory for.

    Raises:
        ValuesError: Where Python raises MemoryError.
    """
    try:
        yield
    except MemoryError as error:
        raise _too_large(getattr(error, "shape", ()), what) from None


def _too_large(shape: Sequence[int], what: str) -> ValuesError:
    lengths, size = " x ".join(map(str, shape)), prod(shape) * _BYTES / 2**30
    said = f"is an array of {lengths}, which takes {size:.3g} GB; this machine has no room for it"
    return ValuesError(f"{what} {said if shape else 'needs more memory than there is'}", hint="give smaller sizes")
