"""Where factors of a product meet that make something simpler.

A matrix meets its inverse, an orthogonal matrix its transpose, an exponential the sum of all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pullback.tensor.canonical import Piece
from pullback.tensor.node import Apply, Factor, Node, Product, Variable


class Cancellation(NamedTuple):
    """Pieces that go, two labels that become one, and pieces that come instead."""

    gone: set[int]
    tied: tuple[int, ...] = ()
    instead: tuple[Piece, ...] = ()


def find_cancellation(
    pieces: Sequence[Piece], output: Sequence[int], is_symmetric: Callable[[Node], bool]
) -> Cancellation | None:
    """Find pieces that multiply to an identity: which ones, and the two labels that become one."""
    candidates = [k for k, piece in enumerate(pieces) if _may_cancel(piece)]
    if not candidates:
        return None
    uses = Counter(label for piece in pieces for label in piece[1])
    uses.update(output)
    for k in candidates:
        node, labels, _ = pieces[k]
        if isinstance(node, Product):
            found = _meet_parts(pieces, k, node) or _meet_itself(pieces, uses, k, node, is_symmetric)
            if found is not None:
                return found
            continue
        left, right = labels
        if isinstance(node, Apply):
            found = _meet_argument(pieces, uses, k, node.arguments[0], left, right, is_symmetric)
        else:
            found = _meet_orthogonal(pieces, uses, k, left, right)
        if found is not None:
            return found
    return None


def _may_cancel(piece: Piece) -> bool:
    node, labels, exponent = piece
    if isinstance(node, Product):
        inner = len(node.dimensions) > len(set(node.output))
        return exponent != 1 and inner and len(set(labels)) == len(labels)
    if exponent != 1 or len(labels) != 2 or labels[0] == labels[1]:
        return False
    if isinstance(node, Apply):
        return node.operation.inverse and node.batch == 0
    return isinstance(node, Variable) and "orthogonal" in node.properties


def _meet_parts(pieces: Sequence[Piece], k: int, node: Product) -> Cancellation | None:
    """An entry over the sum of all along an axis: exp(x) / sum(exp(x)) is softmax(x)."""
    labels, exponent = pieces[k][1:]
    if len(node.factors) != 1 or exponent > -1 or exponent % 1:
        return None
    (factor,) = node.factors
    part = factor.node
    summed = [at for at, index in enumerate(factor.indices) if index not in node.output]
    if not isinstance(part, Apply) or part.operation.normalised is None or factor.exponent != 1 or len(summed) != 1:
        return None
    place = dict(zip(node.output, labels, strict=True))
    for j, (other, where, power) in enumerate(pieces):
        fits = other is part and power >= 1 and power % 1 == 0 and len(set(where)) == len(where)
        if fits and all(place.get(index, at) == at for index, at in zip(factor.indices, where, strict=True)):
            share = part.operation.normalised(part, summed[0])
            rest = [(node, labels, exponent + 1), (part, where, power - 1)]
            return Cancellation({j, k}, instead=((share, where, 1), *(piece for piece in rest if piece[2])))
    return None


def _meet_itself(
    pieces: Sequence[Piece], uses: Counter[int], k: int, node: Product, is_symmetric: Callable[[Node], bool]
) -> Cancellation | None:
    """A power of a product meets the same product multiplied out: (W H)^-2 .* W H is (W H)^-1."""
    labels, exponent = pieces[k][1:]
    if not node.output:
        return None
    start = dict(zip(node.output, labels, strict=True))
    match = _match(pieces, node.factors, start, {k}, is_symmetric)
    if match is None:
        return None
    gone, place = match
    inside = Counter(label for j in gone for label in pieces[j][1])
    closed = all(inside[label] == uses[label] for index, label in place.items() if index not in start)
    if not closed or len(set(place.values())) != len(place):
        return None
    return Cancellation(gone | {k}, instead=((node, labels, exponent + 1),))


def _meet_orthogonal(pieces: Sequence[Piece], uses: Counter[int], k: int, left: int, right: int) -> Cancellation | None:
    for other in range(k + 1, len(pieces)):
        node, labels, exponent = pieces[other]
        if node is not pieces[k][0] or exponent != 1:
            continue
        if labels[0] == left and uses[left] == 2 and labels[1] != left:
            return Cancellation({k, other}, (right, labels[1]))
        if labels[1] == right and uses[right] == 2 and labels[0] != right:
            return Cancellation({k, other}, (left, labels[0]))
    return None


def _meet_argument(
    pieces: Sequence[Piece],
    uses: Counter[int],
    k: int,
    argument: Node,
    left: int,
    right: int,
    is_symmetric: Callable[[Node], bool],
) -> Cancellation | None:
    factors: Sequence[Factor] = [Factor(argument, (0, 1), 1)]
    ends: tuple[int, ...] = (0, 1)
    if isinstance(argument, Product):
        if len(set(argument.output)) < 2:
            return None
        factors, ends = argument.factors, argument.output
    # inv(M)[left, right] M[right, far] is a delta of left and far; M[far, left] inv(M)[left, right] likewise
    for near, near_end, far_end, survivor in ((right, ends[0], ends[1], left), (left, ends[1], ends[0], right)):
        match = _match(pieces, factors, {near_end: near}, {k}, is_symmetric)
        if match is None:
            continue
        gone, place = match
        inner = Counter(label for j in gone | {k} for label in pieces[j][1])
        far = place[far_end]
        closed = all(inner[label] == uses[label] for index, label in place.items() if index != far_end)
        if closed and len(set(place.values())) == len(place) and far != near:
            return Cancellation(gone | {k}, (survivor, far))
    return None


def _match(
    pieces: Sequence[Piece],
    factors: Sequence[Factor],
    place: dict[int, int],
    used: set[int],
    is_symmetric: Callable[[Node], bool],
) -> tuple[set[int], dict[int, int]] | None:
    """Find the factors among the pieces so that indices go to labels; backtracks over equal nodes."""
    if not factors:
        return set(), place
    ready = [f for f in factors if not f.indices or any(i in place for i in f.indices)]
    if not ready:
        return None
    factor = ready[0]
    rest = [f for f in factors if f is not factor]
    for k, (node, labels, exponent) in enumerate(pieces):
        if k in used or node is not factor.node or exponent != factor.exponent:
            continue
        readings = [labels]
        if len(labels) == 2 and is_symmetric(node):
            readings.append(labels[::-1])
        for reading in readings:
            extended = dict(place)
            if all(extended.setdefault(i, label) == label for i, label in zip(factor.indices, reading, strict=True)):
                found = _match(pieces, rest, extended, used | {k}, is_symmetric)
                if found is not None:
                    return found[0] | {k}, found[1]
    return None
