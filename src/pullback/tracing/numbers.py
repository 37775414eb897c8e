"""Numbers as they are written: 0.1 is 1/10, and 0.7071067811865476 is the root of 1/2."""

from __future__ import annotations

from fractions import Fraction

from pullback.tracing.tape import refuse

Number = int | float | Fraction
_LONGEST = 10_000
"""A decimal whose fraction has a larger denominator may be a root that was rounded."""
_LARGEST = 4096
_ROUNDING = 8 * 2.0**-52


def exact(number: Number) -> Fraction:
    """A number as it is written in decimals: 0.1 is 1/10."""
    if isinstance(number, float):
        if number != number or number in (float("inf"), float("-inf")):
            raise refuse(f"the number {number}")
        return Fraction(repr(number)) if not number.is_integer() else Fraction(int(number))
    return Fraction(number)


def rooted(number: Number) -> tuple[Fraction, Fraction]:
    """A number as a fraction and the exponent to raise it to: 1, or 1/2 or 1/4 for roots of small fractions.

    >>> rooted(0.5), rooted(2**-0.5)
    ((Fraction(1, 2), Fraction(1, 1)), (Fraction(1, 2), Fraction(1, 2)))
    """
    plain = exact(number)
    if plain.denominator <= _LONGEST:
        return plain, Fraction(1)
    for exponent in (2, 4):
        power = abs(float(number)) ** exponent
        near = Fraction(power).limit_denominator(_LARGEST)
        small = near.numerator <= _LARGEST and near != 0
        if small and abs(float(near) - power) <= _ROUNDING * exponent * power:
            return (near if plain > 0 else -near), Fraction(1, exponent)
    return plain, Fraction(1)
