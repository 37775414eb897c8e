"""The sign of a difference: of b - A x and A x - b, the one to write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pullback.lifting.chain import text, weight
from pullback.tensor.add import scaled
from pullback.tensor.axes import constant_axes
from pullback.tensor.node import Apply, Factor, Node, Rational, Sum, make_apply
from pullback.tensor.product import number_of

if TYPE_CHECKING:
    from pullback.lifting.lift import Speller


def absorb_sign(speller: Speller, coefficient: Rational, factors: Sequence[Factor]) -> tuple[Rational, list[Factor]]:
    """Choose the sign of each difference: -(s - 1) reads 1 - s, (b - A x)^2 reads (A x - b)^2."""
    changed = list(factors)
    for k, (node, indices, exponent) in enumerate(factors):
        if not isinstance(node, Sum) or not isinstance(exponent, int):
            continue
        turned = scaled(-1, node)
        if turned in speller.names or node in speller.names:
            better = turned in speller.names and node not in speller.names
        elif exponent % 2:
            better = prefers(turned)
        else:
            better = reading(speller, node) is turned
        if better:
            changed[k] = Factor(turned, indices, exponent)
            coefficient = -coefficient if exponent % 2 else coefficient
    if coefficient < 0:
        for k, (node, indices, exponent) in enumerate(changed):
            if exponent % 2 == 1 and (other := other_sign(speller, node)) is not None:
                changed[k] = Factor(other, indices, exponent)
                return -coefficient, changed
    return coefficient, changed


def prefers(node: Node) -> bool:
    """Whether a sum is best written with this sign: no minus at all, or 1 - s rather than s - 1."""
    assert isinstance(node, Sum)
    if all(c > 0 for c, _ in node.terms):
        return True
    return any(c > 0 and number_of(n) is not None for c, n in node.terms)


def other_sign(speller: Speller, node: Node) -> Node | None:
    """The negative of a factor, where it is as good to write: a difference, or sign of a difference."""
    if node in speller.names:
        return None
    if isinstance(node, Apply) and node.operation.parity == -1:
        (argument,) = node.arguments
        inner = other_sign(speller, argument)
        return None if inner is None else make_apply(node.operation, (inner,), node.axes)
    if not isinstance(node, Sum) or len(node.terms) < 2 or prefers(node):
        return None
    return scaled(-1, node) if any(c < 0 for c, _ in node.terms) else None


def reading(speller: Speller, node: Node) -> Node:
    """Of a sum and its negative, the one to write where both would do."""
    if not isinstance(node, Sum) or len(node.terms) < 2:
        return node
    turned = scaled(-1, node)
    if turned in speller.names or node in speller.names:
        return turned if turned in speller.names else node
    sides = [_rank_of_side(speller, node, 1), _rank_of_side(speller, node, -1)]
    return node if sides[0] >= sides[1] else turned


def _rank_of_side(speller: Speller, node: Sum, sign: int) -> tuple[bool, bool, int, str]:
    """Rank the terms of one sign: a plain number, a term that varies, the longer one, the later name."""
    terms = [n for c, n in node.terms if c * sign > 0]
    number = any(number_of(n) is not None for n in terms)
    varying = any(not constant_axes(n) for n in terms)
    weights = [(weight(speller.spell(n)), text(speller.spell(n))) for n in terms]
    longest = max(weights, default=(0, ""))
    return (number, varying, longest[0], longest[1])
