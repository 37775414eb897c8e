"""Numbers that remember how they were computed from the lengths of axes.

A plan is made of numbers. To emit source that holds for all sizes, it is made for sizes that are large primes, each
of which knows its name; what is computed from them knows its formula, and the emitters print that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from math import isqrt
from typing import Any

_FIRST = 211


def _primes() -> Iterator[int]:
    number = _FIRST
    while True:
        if all(number % divisor for divisor in range(2, isqrt(number) + 1)):
            yield number
        number += 2


class Size(int):
    """A length with its formula."""

    text: str
    loose: bool

    @staticmethod
    def of(value: int, text: str, loose: bool = False) -> Size:
        """A length that is written ``text``; ``loose`` where it is a sum."""
        made = Size(value)
        made.text, made.loose = text, loose
        return made

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, float):
            return Number.of(float(int(self)) * float(other), _times(_say(other), _say(self)))
        if not isinstance(other, int):
            return NotImplemented
        if other == 1 and not isinstance(other, Size):
            return self
        return Size.of(int(self) * int(other), _times(_say(self), _say(other)))

    def __rmul__(self, other: Any) -> Any:
        if isinstance(other, float):
            return Number.of(float(other) * float(int(self)), _times(_say(other), _say(self)))
        if other == 1 and not isinstance(other, Size):
            return self
        return Size.of(int(other) * int(self), _times(_say(other), _say(self)))

    def __add__(self, other: Any) -> Any:
        if other == 0:
            return self
        return Size.of(int(self) + int(other), f"{_plain(self)} + {_plain(other)}", True)

    def __radd__(self, other: Any) -> Any:
        return self if other == 0 else Size.of(int(self) + int(other), f"{_plain(other)} + {_plain(self)}", True)

    def __repr__(self) -> str:
        return self.text


class Number(float):
    """A number with its formula."""

    text: str

    @staticmethod
    def of(value: float, text: str) -> Number:
        """A number that is written ``text``."""
        made = Number(value)
        made.text = text
        return made

    def __mul__(self, other: Any) -> Any:
        return Number.of(float(self) * float(other), _times(_say(self), _say(other)))

    def __rmul__(self, other: Any) -> Any:
        return Number.of(float(other) * float(self), _times(_say(other), _say(self)))

    def __neg__(self) -> Any:
        return Number.of(-float(self), f"-{_say(self)}")

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        """Raise to a power."""
        power = float(other)
        text = f"1.0 / {_say(self)}" if power == -1 else f"{_say(self)} ** {power!r}"
        return Number.of(float(self) ** power, text)

    def __repr__(self) -> str:
        return self.text


def _plain(value: Any) -> str:
    return value.text if isinstance(value, Size | Number) else repr(value)


def _say(value: Any) -> str:
    text = _plain(value)
    return text if text.replace(".", "").replace("_", "").isalnum() else f"({text})"


def _times(left: str, right: str) -> str:
    for one, two in ((left, right), (right, left)):
        if one.startswith("(1.0 / ") and _is_literal(two):
            return f"{two.strip('()')} / {one[7:-1]}"
    return right if left in ("1.0", "1") else left if right in ("1.0", "1") else f"{left} * {right}"


def _is_literal(text: str) -> bool:
    try:
        float(text.strip("()"))
    except ValueError:
        return False
    return True


def nominal_sizes(names: Iterable[str], spelled: dict[str, str], numbers: Collection[int] = ()) -> dict[str, int]:
    """A prime for every dimension name, each written as ``spelled`` says; none is one of ``numbers``."""
    free = (prime for prime in _primes() if prime not in numbers)
    return {name: Size.of(prime, spelled[name]) for name, prime in zip(sorted(names), free, strict=False)}
