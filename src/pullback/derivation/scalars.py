"""Scalar expressions as trees: sums, products and powers of entries, zeros dropped and signs in front."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from pullback.derivation.formula import LITERAL, PARTIAL
from pullback.syntax.forms import children, decimal, literal, rebuild
from pullback.syntax.tree import Call, Chain, Indexed, Name, Negate, Number, Power, Syntax

ZERO = Number(Fraction(0))
ONE = Number(Fraction(1))
_DIGITS = 4
_LARGEST_WHOLE = 10**7
_LARGEST_DIVISOR = 12
"""Numbers with a larger divisor are decimals."""


def is_zero(tree: Syntax) -> bool:
    """Whether an entry vanishes."""
    return isinstance(tree, Number) and tree.value == 0


def number(value: int | Fraction) -> Syntax:
    """An exact number; one with a small divisor is a quotient, as it is said: 1/2, not 0.5."""
    value = Fraction(value)
    if 1 < value.denominator <= _LARGEST_DIVISOR:
        top, bottom = Number(Fraction(abs(value.numerator))), Number(Fraction(value.denominator))
        quotient = Chain((top, bottom), ("/",))
        return quotient if value > 0 else Negate(quotient)
    return literal(value)


def rounded(value: float) -> Syntax:
    """A measured number with four digits; whole numbers stay whole.

    >>> from pullback.syntax.printer import show
    >>> [show(rounded(v)) for v in (3.0, -0.5, 1 / 3)]
    ['3', '-0.5', '0.3333']
    """
    if not math.isfinite(value):
        return Call(LITERAL, (Name(str(value)),))
    text = f"{value:.0f}" if value == round(value) and abs(value) < _LARGEST_WHOLE else f"{value:.{_DIGITS}g}"
    exact = Fraction(text)
    if "e" in text or decimal(abs(exact)) is None:
        return Call(LITERAL, (Name(f"{value:.{_DIGITS - 1}e}" if "e" not in text else text),))
    return literal(exact)


def plus(terms: Iterable[Syntax]) -> Syntax:
    """Add; what vanishes is dropped, numbers and like terms are gathered, a minus becomes the operator.

    >>> from pullback.syntax.printer import show
    >>> a, b = Name("a"), Name("b")
    >>> show(plus([times([a, b]), ONE, times([b, a]), Negate(number(Fraction(1, 2)))]))
    '2 a b + 1/2'
    """
    kept = _collected(_opened(term for term in terms if not is_zero(term)))
    if not kept:
        return ZERO
    operands: list[Syntax] = []
    operators: list[str] = []
    for term in kept:
        minus = isinstance(term, Negate) and bool(operands)
        if isinstance(term, Negate) and operands:
            term = term.operand
        if operands:
            operators.append("-" if minus else "+")
        operands.append(term)
    return operands[0] if len(operands) == 1 else Chain(tuple(operands), tuple(operators))


def _opened(terms: Iterable[Syntax]) -> list[Syntax]:
    """The terms of sums among the terms, in their place."""
    opened: list[Syntax] = []
    for term in terms:
        if isinstance(term, Chain) and term.is_sum:
            signs = ("+", *term.operators)
            opened += [t if sign == "+" else negated(t) for sign, t in zip(signs, term.operands, strict=True)]
        else:
            opened.append(term)
    return opened


def _collected(terms: Iterable[Syntax]) -> list[Syntax]:
    """Gather like terms where the first of them stands: a b + b a is 2 a b, 1 - 1/2 is 1/2."""
    found: dict[_Factors, tuple[Fraction, Syntax]] = {}
    for term in terms:
        coefficient, rest, key = _parted(term)
        before, first = found.get(key, (Fraction(0), rest))
        found[key] = (before + coefficient, first)
    return [times([number(coefficient), rest]) for coefficient, rest in found.values() if coefficient]


_Factors = frozenset[tuple[Syntax, int]]
"""Factors with their powers: above the line positive, below it negative."""


def _parted(term: Syntax) -> tuple[Fraction, Syntax, _Factors]:
    """The number before a term, the rest, and what the rest multiplies."""
    coefficient, above, below = _factors([term])
    powers: dict[Syntax, int] = {}
    for factors, sign in ((above, 1), (below, -1)):
        for factor in factors:
            base, exponent = _whole_power(factor)
            powers[base] = powers.get(base, 0) + sign * exponent
    rest = over(_product(above), below) if above or below else ONE
    return coefficient, rest, frozenset(powers.items())


def times(factors: Iterable[Syntax]) -> Syntax:
    """Multiply; numbers are gathered in front, equal factors made powers, quotients put on one line.

    >>> from pullback.syntax.printer import show
    >>> x, y = Name("x"), Name("y")
    >>> show(times([x, number(Fraction(1, 2)), over(y, [x])]))
    'x y / (2 x)'
    """
    coefficient, above, below = _factors(factors)
    if coefficient == 0:
        return ZERO
    top, bottom = abs(coefficient.numerator), coefficient.denominator
    if bottom > _LARGEST_DIVISOR:
        head: list[Syntax] = [literal(abs(coefficient))]
        bottom = 1
    else:
        head = [number(top)] if top != 1 or not above else []
    result = over(_product([*head, *above]), [*([number(bottom)] if bottom != 1 else []), *below])
    return Negate(result) if coefficient < 0 else result


def _factors(factors: Iterable[Syntax]) -> tuple[Fraction, list[Syntax], list[Syntax]]:
    """The number, what stands above the line and what stands below it."""
    coefficient = Fraction(1)
    above: list[Syntax] = []
    below: list[Syntax] = []
    todo = [(factor, 1) for factor in factors][::-1]
    while todo:
        factor, side = todo.pop()
        if isinstance(factor, Negate):
            coefficient = -coefficient
            todo.append((factor.operand, side))
        elif isinstance(factor, Number) and factor.value:
            coefficient *= factor.value if side > 0 else 1 / factor.value
        elif isinstance(factor, Number) and side > 0:
            coefficient = Fraction(0)
        elif isinstance(factor, Chain) and set(factor.operators) <= {"*", "/"}:
            sides = [side, *(side if operator == "*" else -side for operator in factor.operators)]
            todo += list(zip(factor.operands, sides, strict=True))[::-1]
        else:
            (above if side > 0 else below).append(factor)
    return coefficient, above, below


def _whole_power(factor: Syntax) -> tuple[Syntax, int]:
    if isinstance(factor, Power) and isinstance(factor.exponent, Number) and factor.exponent.value.denominator == 1:
        return factor.base, int(factor.exponent.value)
    return factor, 1


def _product(factors: Sequence[Syntax]) -> Syntax:
    """Write factors side by side, equal ones as a power."""
    powers: dict[Syntax, int] = {}
    for factor in factors:
        base, exponent = _whole_power(factor)
        powers[base] = powers.get(base, 0) + exponent
    parts = [tree if e == 1 else power(tree, e) for tree, e in powers.items()]
    if not parts:
        return ONE
    return parts[0] if len(parts) == 1 else Chain(tuple(parts), ("*",) * (len(parts) - 1))


def over(top: Syntax, bottom: Sequence[Syntax]) -> Syntax:
    """Divide by a product."""
    if not bottom:
        return top
    below = _product(bottom)
    if below == ONE:
        return top
    if isinstance(top, Negate):
        return Negate(over(top.operand, bottom))
    if isinstance(top, Chain) and not top.is_sum:
        return Chain((*top.operands, below), (*top.operators, "/"))
    return Chain((top, below), ("/",))


def power(base: Syntax, exponent: int | Fraction) -> Syntax:
    """Raise to a number."""
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2):
        return Call("sqrt", (base,))
    if isinstance(base, Number) and isinstance(exponent, int) and exponent > 0:
        return number(base.value**exponent)
    if isinstance(base, Power) and isinstance(base.exponent, Number) and Fraction(exponent).denominator == 1:
        return power(base.base, base.exponent.value * exponent)
    return Power(base, Number(Fraction(exponent)) if Fraction(exponent).denominator == 1 else number(exponent))


def negated(tree: Syntax) -> Syntax:
    """The negative of an entry."""
    return tree.operand if isinstance(tree, Negate) else ZERO if is_zero(tree) else Negate(tree)


def replaced(tree: Syntax, value: Callable[[Syntax], Syntax | None]) -> Syntax:
    """Put something in place of names, entries and partial derivatives; None from ``value`` leaves one."""
    if isinstance(tree, Name | Indexed) or (isinstance(tree, Call) and tree.function == PARTIAL):
        found = value(tree)
        return tree if found is None else found
    made = rebuild(tree, [replaced(part, value) for part in children(tree)])
    if not isinstance(made, Chain):
        return made
    return _settled(made) if made.is_sum else _numbers_first(made)


def _numbers_first(tree: Chain) -> Syntax:
    """Turn ``x 2`` into ``2 x``."""
    if set(tree.operators) != {"*"}:
        return tree
    operands = sorted(tree.operands, key=lambda operand: not _is_number(operand))
    return Chain(tuple(operands), tree.operators)


def _is_number(tree: Syntax) -> bool:
    if isinstance(tree, Negate):
        return _is_number(tree.operand)
    return isinstance(tree, Number) or (isinstance(tree, Call) and tree.function == LITERAL)


def _settled(tree: Chain) -> Syntax:
    """Turn ``a + -2 b`` into ``a - 2 b``."""
    operands, operators = [tree.operands[0]], []
    for operator, operand in zip(tree.operators, tree.operands[1:], strict=True):
        bare = _without_minus(operand)
        operators.append(operator if bare is None else "-" if operator == "+" else "+")
        operands.append(operand if bare is None else bare)
    return Chain(tuple(operands), tuple(operators))


def _without_minus(tree: Syntax) -> Syntax | None:
    """The rest of a term that begins with a minus, else None."""
    if isinstance(tree, Negate):
        return tree.operand
    if isinstance(tree, Chain) and not tree.is_sum and (first := _without_minus(tree.operands[0])) is not None:
        return Chain((first, *tree.operands[1:]), tree.operators)
    return None
