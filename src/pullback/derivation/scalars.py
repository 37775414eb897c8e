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


def is_zero(tree: Syntax) -> bool:
    """Whether an entry vanishes."""
    return isinstance(tree, Number) and tree.value == 0


def number(value: int | Fraction) -> Syntax:
    """An exact number."""
    return literal(Fraction(value))


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
    """Add; what vanishes is dropped, a minus becomes the operator."""
    kept = _collected(term for term in terms if not is_zero(term))
    if not kept:
        return ZERO
    operands: list[Syntax] = []
    operators: list[str] = []
    for term in kept:
        minus = isinstance(term, Negate) and bool(operands)
        if isinstance(term, Negate) and operands:
            term = term.operand
        opened = isinstance(term, Chain) and term.is_sum and not minus
        if operands:
            operators.append("-" if minus else "+")
        if opened and isinstance(term, Chain):
            operands += term.operands
            operators += term.operators
        else:
            operands.append(term)
    return operands[0] if len(operands) == 1 else Chain(tuple(operands), tuple(operators))


def _collected(terms: Iterable[Syntax]) -> list[Syntax]:
    """Gather equal terms: a + a is 2 a."""
    count: dict[Syntax, int] = {}
    for term in terms:
        bare, sign = (term.operand, -1) if isinstance(term, Negate) else (term, 1)
        count[bare] = count.get(bare, 0) + sign
    return [
        (term if n == 1 else Negate(term)) if abs(n) == 1 else times([number(n), term])
        for term, n in count.items()
        if n
    ]


def times(factors: Iterable[Syntax]) -> Syntax:
    """Multiply; ones are dropped, numbers gathered in front, equal factors made powers, a minus put on top."""
    coefficient = Fraction(1)
    kept: list[Syntax] = []
    for factor in factors:
        if isinstance(factor, Negate):
            coefficient, factor = -coefficient, factor.operand
        if isinstance(factor, Number):
            coefficient *= factor.value
        elif isinstance(factor, Chain) and not factor.is_sum and set(factor.operators) == {"*"}:
            kept += factor.operands
        else:
            kept.append(factor)
    if coefficient == 0:
        return ZERO
    powers: dict[Syntax, int] = {}
    for factor in kept:
        powers[factor] = powers.get(factor, 0) + 1
    raised = [tree if e == 1 else power(tree, e) for tree, e in powers.items()]
    size = abs(coefficient)
    head = [number(size)] if size != 1 or not raised else []
    parts = [*head, *raised]
    result = parts[0] if len(parts) == 1 else Chain(tuple(parts), ("*",) * (len(parts) - 1))
    return Negate(result) if coefficient < 0 else result


def over(top: Syntax, bottom: Sequence[Syntax]) -> Syntax:
    """Divide by a product."""
    if not bottom:
        return top
    below = times(bottom)
    if isinstance(top, Negate):
        return Negate(over(top.operand, bottom))
    if isinstance(below, Negate):
        return Negate(over(top, [below.operand]))
    return Chain((top, below), ("/",)) if below != ONE else top


def power(base: Syntax, exponent: int | Fraction) -> Syntax:
    """Raise to a number."""
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2):
        return Call("sqrt", (base,))
    if isinstance(base, Number) and isinstance(exponent, int) and exponent > 0:
        return number(base.value**exponent)
    return Power(base, number(exponent))


def negated(tree: Syntax) -> Syntax:
    """The negative of an entry."""
    return tree.operand if isinstance(tree, Negate) else ZERO if is_zero(tree) else Negate(tree)


def replaced(tree: Syntax, value: Callable[[Syntax], Syntax | None]) -> Syntax:
    """Put something in place of names, entries and partial derivatives; None from ``value`` leaves one."""
    if isinstance(tree, Name | Indexed) or (isinstance(tree, Call) and tree.function == PARTIAL):
        found = value(tree)
        return tree if found is None else found
    made = rebuild(tree, [replaced(part, value) for part in children(tree)])
    return _settled(made) if isinstance(made, Chain) and made.is_sum else made


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
