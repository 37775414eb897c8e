"""Which factor makes a claim of the right answer: a norm, a step's value, taken too often or left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from pullback.auditing.relations import Relation

_AGREE = 1e-7
_POWERS = (Fraction(1), Fraction(-1), Fraction(2), Fraction(-2), Fraction(1, 2), Fraction(-1, 2))
_NUMBERS = (Fraction(1), Fraction(2), Fraction(1, 2))

Named = Sequence[tuple[str, Any]]
"""Texts with the arrays that they stand for."""


def known_factors(values: Mapping[str, Any], called: Mapping[str, str]) -> Named:
    """What may be a factor: scalars, arrays, and norms and sums of vectors and matrices."""
    import numpy as np

    found: list[tuple[str, Any]] = []
    for name, array in values.items():
        text = called.get(name, name)
        found.append((text, np.asarray(array)))
        if np.ndim(array) in (1, 2) and np.size(array) > 1:
            found.append((f"norm({text})", np.asarray(np.linalg.norm(array))))
            found.append((f"sum({text})", np.asarray(np.sum(array))))
    return found


def missing_factors(claims: Sequence[Any], rights: Sequence[Any], factors: Sequence[Named]) -> Iterator[Relation]:
    """Factors by which the claim differs from the right answer at every trial, entry by entry."""
    import numpy as np

    ratios = []
    for claim, right in zip(claims, rights, strict=True):
        if claim.shape != right.shape or not np.all(np.isfinite(claim)) or not np.any(right) or not np.any(claim):
            return
        with np.errstate(all="ignore"):
            ratios.append(np.where(right == 0, np.nan, claim / right))
        if np.any((right == 0) != (claim == 0)):
            return
    for k, (text, _) in enumerate(factors[0]):
        arrays = [each[k][1] for each in factors]
        if any(a.ndim and a.shape != r.shape for a, r in zip(arrays, ratios, strict=True)):
            continue
        for power in _POWERS:
            for number in _NUMBERS:
                for sign in (1, -1):
                    if _same(ratios, arrays, power, float(sign * number)):
                        yield _relation(text, power, number, sign)
                        return


def _same(ratios: Sequence[Any], arrays: Sequence[Any], power: Fraction, number: float) -> bool:
    import numpy as np

    for ratio, array in zip(ratios, arrays, strict=True):
        if power.denominator != 1 and np.any(array < 0):
            return False
        with np.errstate(all="ignore"):
            wanted = number * np.power(array, float(power))
        known = ~np.isnan(ratio)
        spread = np.broadcast_to(wanted, ratio.shape)
        if not np.all(np.isfinite(spread)) or np.any(
            np.abs(ratio[known] - spread[known]) > _AGREE * np.abs(spread[known])
        ):
            return False
    return True


def _relation(text: str, power: Fraction, number: Fraction, sign: int) -> Relation:
    """The factor that is too many, or (where its power is negative) the one that is missing."""
    size = abs(power)
    part = text if size == 1 else f"sqrt({text})" if size == Fraction(1, 2) else f"{_closed(text)}^{size}"
    key = "part_surplus" if power > 0 else "part_missing"
    plain = number == 1 and sign == 1
    if not plain:
        amount = number if power > 0 else 1 / number
        part = f"{'-' if sign < 0 else ''}{'' if amount == 1 else f'{amount} '}{_closed(part)}"
    return Relation(key, (2.15 if size == 1 else 2.25) if plain else 2.5, {"part": part})


def _closed(text: str) -> str:
    return text if text.isalnum() or (text.endswith(")") and " " not in text) else f"({text})"
