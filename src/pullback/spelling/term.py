"""What a line of source says, before any library spells it: small trees of operations with their shapes.

| op | arguments | detail |
|---|---|---|
| ``name`` | | an identifier |
| ``number`` | | a number, perhaps with its formula |
| ``full`` | | a number, repeated over the shape |
| ``permute``, ``reshape``, ``broadcast`` | x | for each axis of the result that of x; nothing; nothing |
| ``index`` | x | ``":"``, ``"None"`` or ``"0"`` for each axis that is kept, comes or goes |
| ``diagonal`` | x | a label for each axis of x |
| ``slice`` | x | start and stop on the last axis |
| ``sum``, ``max``, ``mean`` | x | the axes that go, then whether they stay with length one |
| ``matmul``, ``outer``, ``vdot``, ``solve`` | a, b | |
| ``einsum`` | a, b | labels of a, of b and of the result |
| ``embed`` | x | labels of the result, of which some repeat; labels of x |
| ``concatenate`` | a, b | |
| ``pad`` | x | where x starts on the last axis |
| ``call`` | any | the name of an operation on whole arrays, then the axis it works along, where it has one |
| ``greater``, ``equal``, ``unequal`` | a, b | |
| ``cast`` | a comparison | |
| a function of ``planning.entrywise`` | one to three | |
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from pullback.planning.steps import Extent

_FREE = frozenset("name number permute index negative reshape broadcast diagonal slice".split())


class Term(NamedTuple):
    """An operation on terms."""

    op: str
    args: tuple[Term, ...]
    detail: tuple[Any, ...]
    shape: Extent

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def is_number(self) -> bool:
        """Whether it is a number in the source, no array."""
        return self.op == "number"

    @property
    def is_mask(self) -> bool:
        """Whether it is true or false, which multiplies as 1 or 0."""
        return self.op in ("greater", "equal", "unequal")

    def weight(self) -> int:
        """The number of operations in it; views count nothing."""
        return int(self.op not in _FREE) + sum(arg.weight() for arg in self.args)


def name(text: str, shape: Extent) -> Term:
    """An array that has a name."""
    return Term("name", (), (text,), shape)


def number(value: float) -> Term:
    """A number."""
    return Term("number", (), (value,), ())


def size(shape: Extent) -> int:
    """The number of entries."""
    return prod(shape)
