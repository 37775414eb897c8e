"""Sums in normal form: flat, like terms collected, in a canonical order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd, isqrt, lcm

from pullback.tensor.node import MOST_BITS, Apply, Axes, Node, Product, Rational, Sum, Term, make_sum, rational

_LARGEST_POWER = 512
_LARGEST_WHOLE = 32
_DECIMAL = 10**9
FLATTEN_LIMIT = 64
"""Sums of more terms than this stay nested, so that deep programs cost what they are long."""


def add(terms: Iterable[tuple[Rational, Node]], axes: Axes) -> Node:
    """Add tensors with the same axes, each with a coefficient; ``axes`` gives zero its shape."""
    collected: dict[Node, Rational] = {}
    terms = list(terms)
    for coefficient, node in terms:
        assert node.axes == axes, f"a term has axes {node.axes}, the sum {axes}"
        opens = isinstance(node, Sum) and (len(node.terms) <= FLATTEN_LIMIT or len(terms) == 1)
        parts = node.terms if opens and isinstance(node, Sum) else (Term(1, node),)
        for inner, part in parts:
            collected[part] = collected.get(part, 0) + coefficient * inner
    if len(collected) > 1:
        _meet_opposites(collected)
    kept = [Term(rational(c), n) for n, c in collected.items() if c]
    if len(kept) == 1:
        return scaled(*kept[0])
    kept.sort(key=lambda term: term.node.order)
    return make_sum(tuple(kept), axes)


def _meet_opposites(collected: dict[Node, Rational]) -> None:
    """Let f(x) and f(-x) with the same number, or its negative, add up: exp(x) + exp(-x) is 2 cosh(x)."""
    functions = {n.arguments[0]: n for n in collected if isinstance(n, Apply) and n.operation.halves is not None}
    if len(functions) < 2:
        return
    for argument, function in functions.items():
        other = functions.get(scaled(-1, argument))
        if other is None or other is function or not collected.get(function) or not collected.get(other):
            continue
        here, there = collected[function], collected[other]
        if here in (there, -there):
            assert function.operation.halves is not None
            whole = function.operation.halves(function, 1 if here == there else -1)
            collected[function] = collected[other] = 0
            coefficient, node = split_coefficient(whole)
            collected[node] = collected.get(node, 0) + here * coefficient


def scaled(coefficient: Rational, node: Node) -> Node:
    """A number times a tensor."""
    coefficient = rational(coefficient)
    if coefficient == 1:
        return node
    if coefficient == 0:
        return make_sum((), node.axes)
    if isinstance(node, Sum):
        terms = tuple(Term(rational(coefficient * c), n) for c, n in node.terms)
        return terms[0].node if len(terms) == 1 and terms[0].coefficient == 1 else make_sum(terms, node.axes)
    return make_sum((Term(coefficient, node),), node.axes)


def split_coefficient(node: Node) -> tuple[Rational, Node]:
    """Take the number off a term: 2 x is (2, x)."""
    if isinstance(node, Sum) and len(node.terms) == 1:
        return node.terms[0]
    return 1, node


def content(terms: Sequence[Term], signed: bool) -> Rational:
    """The number that all coefficients share; with ``signed``, its sign makes the first one positive.

    What is left has whole coefficients, or where these would be large and decimals do, a first one of 1:
    v + 0.00001 and not 100000 v + 1.
    """
    coefficients = [c for c, _ in terms]
    shared = _common([c.numerator for c in coefficients], [c.denominator for c in coefficients])
    if max(coefficients) > _LARGEST_WHOLE * shared or min(coefficients) < -_LARGEST_WHOLE * shared:
        varying = [c for c, n in terms if not (isinstance(n, Product) and not n.factors)]
        lead = abs(Fraction((varying or coefficients)[0]))
        if all(_DECIMAL % (Fraction(c) / lead).denominator == 0 for c in coefficients):
            shared = rational(lead)
    return -shared if signed and coefficients[0] < 0 else shared


def _common(tops: list[int], bottoms: list[int]) -> Rational:
    """The greatest number of which all fractions are whole multiples."""
    bottom = lcm(*bottoms)
    return gcd(*tops) if bottom == 1 else rational(Fraction(gcd(*tops), bottom))


def zeros(axes: Axes) -> Node:
    """The zero tensor."""
    return make_sum((), axes)


def _bits(number: Rational) -> int:
    return max(number.numerator.bit_length(), number.denominator.bit_length())


def exact_power(base: Rational, exponent: Rational) -> Rational | None:
    """A number to a number where that is rational, else None."""
    if base == 1:
        return 1
    if abs(Fraction(exponent)) > _LARGEST_POWER or base == 0 or 2 * _bits(base) * abs(Fraction(exponent)) > MOST_BITS:
        return None
    if isinstance(exponent, int):
        return rational(Fraction(base) ** int(exponent))
    if exponent.denominator != 2 or base < 0:
        return None
    value = Fraction(base)
    top, bottom = isqrt(value.numerator), isqrt(value.denominator)
    if top * top != value.numerator or bottom * bottom != value.denominator:
        return None
    return rational(Fraction(top, bottom) ** exponent.numerator)
