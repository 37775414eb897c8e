"""What the products of a sum have in common, to be multiplied by once: A x B + A y B is A (x + y) B.

The products are written over the labels of the sum's axes and labels of their own, which are summed over. Besides the
axes, one label of each may take part: sum over p of a(p, i) b(p, j) and of a(p, i) c(p, j) share a and p.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from pullback.planning.contracting import Contraction, Operand
from pullback.planning.drafting import Draft
from pullback.planning.ordering import contraction_cost
from pullback.tensor.node import Rational

Part = tuple[Hashable, tuple[int, ...]]
"""A factor as it is compared, and its labels; those below zero belong to the product alone."""


class Common(NamedTuple):
    """The positions of shared factors in either product, and the label of each that they share (or None)."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    joined: tuple[int, int] | None


def common_factors(left: Sequence[Part], right: Sequence[Part], lengths: Mapping[int, object]) -> Common | None:
    """Match the factors of two products; ``lengths`` tell which labels may be joined.

    Labels of the axes are the same in both; those below zero are different ones in each.

    >>> common_factors(
    ...     [("A", (0, -1)), ("x", (-1,))], [("A", (0, -2)), ("y", (-2,))], {-1: 5, -2: 5}
    ... )
    Common(left=(0,), right=(0,), joined=(-1, -2))
    """
    best = _matched(left, right, None)
    for a in sorted({x for _, labels in left for x in labels if x < 0}, reverse=True):
        for b in sorted({x for _, labels in right for x in labels if x < 0}, reverse=True):
            if lengths[a] == lengths[b]:
                found = _matched(left, right, (a, b))
                if len(found.left) > len(best.left):
                    best = found
    return best if best.left else None


def _matched(left: Sequence[Part], right: Sequence[Part], joined: tuple[int, int] | None) -> Common:
    """Match with one pair of own labels held to be the same."""
    here, there = joined if joined is not None else (0, 0)
    free: dict[Part, list[int]] = {}
    for k, (key, labels) in enumerate(right):
        if all(x >= 0 or (joined is not None and x == there) for x in labels):
            place = tuple(here if joined is not None and x == there else x for x in labels)
            free.setdefault((key, place), []).append(k)
    pairs: list[tuple[int, int]] = []
    for k, (key, labels) in enumerate(left):
        if all(x >= 0 or (joined is not None and x == here) for x in labels) and free.get((key, labels)):
            pairs.append((k, free[key, labels].pop(0)))
    used = joined if joined is not None and any(here in left[k][1] for k, _ in pairs) else None
    return Common(tuple(k for k, _ in pairs), tuple(k for _, k in pairs), used)


class Gathered(NamedTuple):
    """A product as operands times a number: labels from 0 to ``rank`` are axes, those below zero are summed over."""

    operands: tuple[Operand, ...]
    number: float
    lengths: dict[int, int]
    rank: int

    def parts(self) -> list[Part]:
        """The operands as they are compared."""
        return [((o.slot, o.exponent, o.inverse), o.labels) for o in self.operands]

    def cost(self) -> float:
        """Estimate the time to contract it."""
        output = frozenset(x for o in self.operands for x in o.labels if x >= 0)
        return contraction_cost([frozenset(o.labels) for o in self.operands if o.labels], output, self.lengths)


Weighed = tuple[Rational, Gathered]


def join(draft: Draft, one: Weighed, two: Weighed) -> Weighed | None:
    """Two terms of a sum as one, by what they share; None where that does not pay."""
    (c, left), (d, right) = one, two
    offset = min([0, *left.lengths]) - 1
    right = _moved(right, offset)
    common = common_factors(left.parts(), right.parts(), left.lengths | right.lengths)
    if common is None or any(o.inverse is not None for o in (*left.operands, *right.operands)):
        return None
    if common.joined is not None:
        right = _renamed(right, common.joined[1], common.joined[0])
    shared = tuple(left.operands[k] for k in common.left)
    rests = [_rest(left, common.left), _rest(right, common.right)]
    spans = [{x for o in operands for x in o.labels if x >= 0 or x in _own(common)} for operands in rests]
    if not (spans[0] <= spans[1] or spans[1] <= spans[0]) or not any(spans):
        return None
    labels = tuple(sorted(spans[0] | spans[1]))
    lengths = left.lengths | right.lengths
    inner = Operand(-1, labels)
    apart = (
        left.cost()
        + right.cost()
        + contraction_cost([frozenset(range(left.rank))] * 2, frozenset(range(left.rank)), lengths)
    )
    outer = [frozenset(o.labels) for o in (*shared, inner) if o.labels]
    output = frozenset(x for o in (*shared, inner) for x in o.labels if x >= 0)
    together = contraction_cost(outer, output, lengths) + contraction_cost(
        [frozenset(labels)] * 2, frozenset(labels), lengths
    )
    together += sum(
        contraction_cost([frozenset(o.labels) for o in operands if o.labels], frozenset(span), lengths)
        for operands, span in zip(rests, spans, strict=True)
    )
    if together > 0.95 * apart:
        return None
    scale: Rational = 1 if c != d and c != -d else c if c > 0 else -c
    slots = [
        _spread(draft, operands, labels, lengths, float(abs(Fraction(number) / scale)) * term.number)
        for operands, number, term in zip(rests, (c, d), (left, right), strict=True)
    ]
    sign: Rational = 1
    if (c < 0) == (d < 0):
        total, sign = draft.map("add", *slots), -1 if c < 0 else 1
    else:
        total = draft.map("subtract", *(slots if d < 0 else slots[::-1]))
    return sign * scale, Gathered((*shared, Operand(total, labels)), 1.0, lengths, left.rank)


def _own(common: Common) -> set[int]:
    return {common.joined[0]} if common.joined is not None else set()


def _rest(term: Gathered, shared: Sequence[int]) -> list[Operand]:
    return [operand for k, operand in enumerate(term.operands) if k not in shared]


def _moved(term: Gathered, offset: int) -> Gathered:
    """The same product with other labels inside."""
    names = {x: x if x >= 0 else x + offset for x in term.lengths}
    operands = tuple(o._replace(labels=tuple(names[x] for x in o.labels)) for o in term.operands)
    return Gathered(operands, term.number, {names[x]: n for x, n in term.lengths.items()}, term.rank)


def _renamed(term: Gathered, old: int, new: int) -> Gathered:
    names = {x: new if x == old else x for x in term.lengths}
    operands = tuple(o._replace(labels=tuple(names[x] for x in o.labels)) for o in term.operands)
    return Gathered(operands, term.number, {names[x]: n for x, n in term.lengths.items()}, term.rank)


def _spread(
    draft: Draft, operands: Sequence[Operand], labels: tuple[int, ...], lengths: Mapping[int, int], number: float
) -> int:
    """Contract what is left of a term over these labels, of length one along those that it has not."""
    found = Contraction(draft, lengths).run(operands, labels, number)
    if not found.labels:
        return found.slot
    return draft.shape(found.slot, tuple(lengths[x] if x in found.labels else 1 for x in labels))
