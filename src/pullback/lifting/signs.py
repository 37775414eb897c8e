"""The sign of a difference: of b - A x and A x - b, the one to write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pullback.lifting.alphabet import Natural, leading
from pullback.lifting.chain import names_of, signed, weight
from pullback.tensor.add import scaled
from pullback.tensor.node import Apply, Factor, Node, Product, Rational, Sum, Variable, make_apply
from pullback.tensor.product import constant_axes, number_of

if TYPE_CHECKING:
    from pullback.lifting.lift import Speller


def absorb_sign(
    speller: Speller, coefficient: Rational, factors: Sequence[Factor], alone: bool = True
) -> tuple[Rational, list[Factor]]:
    """Choose the sign of each difference: -(s - 1) reads 1 - s, (b - A x)^2 reads (A x - b)^2.

    A product that stands ``alone`` takes more pains to lose a minus than a term of a sum.
    """
    sign, changed = _settled(speller, factors)
    coefficient *= sign
    if coefficient < 0:
        count = Counter(factor.node for factor in changed)
        for k, (node, indices, exponent) in enumerate(changed):
            if exponent % 2 == 1 and count[node] == 1 and (other := _other_sign(speller, node, alone)) is not None:
                changed[k] = Factor(other, indices, exponent)
                return -coefficient, changed
    return coefficient, changed


def _settled(speller: Speller, factors: Sequence[Factor]) -> tuple[int, list[Factor]]:
    """Give each factor the sign in which it reads best, and the sign that is left over."""
    sign = 1
    changed = list(factors)
    for k, (node, indices, exponent) in enumerate(factors):
        if isinstance(node, Product) or not isinstance(exponent, int):
            continue
        better = reading(speller, node)
        if better is not node:
            changed[k] = Factor(better, indices, exponent)
            sign = -sign if exponent % 2 else sign
    return sign, changed


def reading(speller: Speller, node: Node) -> Node:
    """Of a tensor and its negative, the one to write where both would do."""
    if isinstance(node, Sum) and len(node.terms) > 1:
        turned = scaled(-1, node)
        if turned in speller.names or node in speller.names:
            return node if node in speller.names else turned
        sides = _sides(speller, node)
        return node if sides[0] <= sides[1] else turned
    if node in speller.names:
        return node
    if isinstance(node, Product):
        sign, _ = _settled(speller, node.factors)
        return node if sign > 0 else scaled(-1, node)
    if isinstance(node, Apply) and node.operation.parity == -1:
        (argument,) = node.arguments
        better = reading(speller, argument)
        return node if better is argument else make_apply(node.operation, (better,), node.axes)
    return node


def _other_sign(speller: Speller, node: Node, alone: bool) -> Node | None:
    """The negative of a factor, where it is as good to write: a difference, or sign of a difference.

    1 - s stays where s is a function, as in its derivative s (1 - s); -p (1 - p) is p (p - 1).
    """
    if node in speller.names:
        return None
    if isinstance(node, Apply) and node.operation.parity == -1:
        (argument,) = node.arguments
        inner = _other_sign(speller, argument, alone)
        return None if inner is None else make_apply(node.operation, (inner,), node.axes)
    if not isinstance(node, Sum) or len(node.terms) < 2:
        return None
    ahead, behind = _sides(speller, node)
    plain = alone and all(_is_polynomial(term.node) for term in node.terms)
    leads = (not ahead[0] and not plain) or behind == _NOTHING
    return None if leads else scaled(-1, node)


def _is_polynomial(node: Node) -> bool:
    """Whether a term is made of numbers and variables, without a function."""
    parts = [f.node for f in node.factors] if isinstance(node, Product) else [node]
    return all(isinstance(part, Variable) or number_of(part) is not None for part in parts)


Side = tuple[bool, bool, int, tuple[int, Natural]]
_NOTHING: Side = (True, True, 0, (0, ()))


def _sides(speller: Speller, node: Sum) -> tuple[Side, Side]:
    """Rank the terms of each sign as they are written, the better first: numbers, what varies, length, name."""
    sides: dict[int, list[Side]] = {1: [], -1: []}
    for coefficient, term in node.terms:
        sign, tree = signed(speller.term(1, term, alone=False))
        name = min(map(leading, names_of(tree)), default=(0, ()))
        sides[sign if coefficient > 0 else -sign].append(
            (number_of(term) is None, bool(constant_axes(term)), -weight(tree), name)
        )
    ahead, behind = (_rank(sides[sign]) for sign in (1, -1))
    return ahead, behind


def _rank(terms: Sequence[Side]) -> Side:
    length, name = min(((length, name) for _, _, length, name in terms), default=(0, (0, ())))
    return (all(t[0] for t in terms), all(t[1] for t in terms), length, name)
