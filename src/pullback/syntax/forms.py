"""Walking syntax trees without recursion, and the form that a tree has after being read back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TypeVar

from pullback.errors import NOWHERE, Span
from pullback.syntax.tree import (
    Call,
    Chain,
    Comprehension,
    Expectation,
    Indexed,
    Name,
    Negate,
    Number,
    Power,
    Syntax,
    Transpose,
)

T = TypeVar("T")

MOST_DECIMALS = 6
"""A number whose decimal form needs more digits after the point is written as a quotient."""
_LONGEST_WHOLE = 16
"""Whole numbers of more digits are written with a power of ten, where that is exact and short."""
_MOST_ZEROS = 4
"""Numbers with more zeros after the point are written with a power of ten."""


def children(node: Syntax) -> tuple[Syntax, ...]:
    """Give the direct parts of a node, in the order in which they are written."""
    match node:
        case Number() | Name():
            return ()
        case Negate() | Transpose() | Indexed():
            return (node.operand,)
        case Power():
            return (node.base, node.exponent)
        case Chain():
            return node.operands
        case Call():
            return node.arguments
        case Comprehension():
            return (node.body,)
        case Expectation():
            return (node.mean, node.covariance, node.body)


def rebuild(node: Syntax, parts: Sequence[Syntax]) -> Syntax:
    """Give the node with other parts in place of its own."""
    match node:
        case Number() | Name():
            return node
        case Negate():
            return Negate(parts[0], node.span)
        case Transpose():
            return Transpose(parts[0], node.span)
        case Indexed():
            return Indexed(parts[0], node.indices, node.span)
        case Power():
            return Power(parts[0], parts[1], node.entrywise, node.span)
        case Chain():
            return chain(parts, node.operators, node.span)
        case Call():
            return Call(node.function, tuple(parts), node.span)
        case Comprehension():
            return Comprehension(node.indices, parts[0], node.span)
        case Expectation():
            return Expectation(node.variable, parts[0], parts[1], parts[2], node.span)


def fold(tree: Syntax, visit: Callable[[Syntax, list[T]], T], leaves: tuple[type, ...] = ()) -> T:
    """Compute a result for a tree from the results for its parts, without recursion.

    Nodes of the types in ``leaves`` are visited as if they had no parts.

    >>> from pullback.syntax.tree import Name, Negate
    >>> fold(Negate(Name("x")), lambda node, parts: 1 + sum(parts))
    2
    """
    results: list[T] = []
    todo: list[tuple[Syntax, int]] = [(tree, -1)]
    while todo:
        node, count = todo.pop()
        if count >= 0:
            parts = results[len(results) - count :]
            del results[len(results) - count :]
            results.append(visit(node, parts))
            continue
        below = () if isinstance(node, leaves) else children(node)
        todo.append((node, len(below)))
        todo.extend((part, -1) for part in reversed(below))
    return results[0]


def names(tree: Syntax) -> Iterator[Name]:
    """Walk the names in a tree.

    >>> from pullback.syntax.tree import Negate
    >>> [name.identifier for name in names(Negate(Name("x")))]
    ['x']
    """
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, Name):
            yield node
        todo.extend(reversed(children(node)))


def chain(operands: Sequence[Syntax], operators: Sequence[str], span: Span = NOWHERE) -> Syntax:
    """Join operands on one level; a first operand on the same level is taken in, as reading does.

    >>> from pullback.syntax.tree import Name
    >>> a, b, c = Name("a"), Name("b"), Name("c")
    >>> len(chain([chain([a, b], ["+"]), c], ["-"]).operands)
    3
    """
    if not operators:
        return operands[0]
    first = operands[0]
    if isinstance(first, Chain) and first.is_sum == (operators[0] in "+-"):
        return Chain(first.operands + tuple(operands[1:]), first.operators + tuple(operators), span)
    return Chain(tuple(operands), tuple(operators), span)


def canonical(tree: Syntax) -> Syntax:
    """Give the tree that reading the printed text gives.

    A chain as the first operand of a chain on its level is flattened; a negative number is a negated
    one, except in an exponent, where it is the number; a number with more than six decimals is a quotient.

    >>> from fractions import Fraction
    >>> from pullback.syntax.tree import Number
    >>> canonical(Number(Fraction(-1, 2)))
    Negate(operand=Number(value=Fraction(1, 2), span=Span(start=0, end=0)), span=Span(start=0, end=0))
    """
    return fold(tree, _canonical_node)


def _canonical_node(node: Syntax, parts: list[Syntax]) -> Syntax:
    if isinstance(node, Number):
        return literal(node.value, node.span)
    if isinstance(node, Power):
        return Power(parts[0], exponent(parts[1]), node.entrywise, node.span)
    return rebuild(node, parts)


COMPARISONS = ("<", ">", "<=", ">=")


def comparison(left: Syntax, sign: str, right: Syntax, span: Span = NOWHERE) -> Syntax:
    """Say a comparison with ``step``, which is 1 above zero and else 0: a > b is step(a - b).

    What is not strict is one less the opposite: a >= b is 1 - step(b - a).
    """
    small, large = (left, right) if sign in ("<", ">=") else (right, left)
    above = Call("step", (_difference(large, small),), span)
    return above if sign in ("<", ">") else chain([Number(Fraction(1), span), above], ["-"], span)


def _difference(left: Syntax, right: Syntax) -> Syntax:
    if isinstance(right, Number) and right.value == 0:
        return left
    span = left.span.to(right.span)
    if isinstance(left, Number) and left.value == 0:
        return Negate(right, span)
    return chain([left, right], ["-"], span)


def exponent(tree: Syntax) -> Syntax:
    """Read a negated number literal as the negative number, as in ``A^-1``."""
    if isinstance(tree, Negate) and isinstance(tree.operand, Number):
        if tree.operand.value < 0 or decimal(tree.operand.value) is None:
            return tree
        return Number(-tree.operand.value, tree.span)
    return tree


def literal(value: Fraction, span: Span = NOWHERE) -> Syntax:
    """Write a number with literals that the notation has: unsigned decimals, quotients, a minus."""
    if decimal(abs(value)) is not None:
        return Number(value, span) if value >= 0 else Negate(Number(-value, span), span)
    top: Syntax = Number(Fraction(abs(value.numerator)), span)
    if value < 0:
        top = Negate(top, span)
    return Chain((top, Number(Fraction(value.denominator), span)), ("/",), span)


def decimal(value: Fraction) -> str | None:
    """Write a number of zero or more as a decimal; None where that needs more than six digits after the point.

    A number of few digits that is very large or very small is written with a power of ten.

    >>> decimal(Fraction(5, 2)), decimal(Fraction(1, 3)), decimal(Fraction(7))
    ('2.5', None, '7')
    >>> decimal(Fraction(10) ** 20), decimal(Fraction(3, 2 * 10**8))
    ('1e20', '1.5e-8')
    """
    if value.denominator == 1 and value < 10**_LONGEST_WHOLE:
        return str(value.numerator)
    scaled = value * 10**MOST_DECIMALS
    if scaled.denominator == 1 and value < 10**_LONGEST_WHOLE:
        whole, rest = divmod(scaled.numerator, 10**MOST_DECIMALS)
        return f"{whole}.{rest:0{MOST_DECIMALS}d}".rstrip("0")
    return _with_power(value) or (str(value.numerator) if value.denominator == 1 else None)


def _with_power(value: Fraction) -> str | None:
    """Write ``1.5e-8``; None where that needs more than seven digits, or a power that is not read."""
    if value * 10**_MOST_ZEROS >= 1 and value < 10**_LONGEST_WHOLE:
        return None
    exponent = math.floor(math.log10(value.numerator) - math.log10(value.denominator))
    for power in (exponent, exponent + 1, exponent - 1):
        digits = value / Fraction(10) ** power * 10**MOST_DECIMALS
        if digits.denominator == 1 and 10**MOST_DECIMALS <= digits < 10 ** (MOST_DECIMALS + 1):
            text = str(digits.numerator)
            return f"{text[0]}.{text[1:]}".rstrip("0").rstrip(".") + f"e{power}" if abs(power) <= 308 else None
    return None
