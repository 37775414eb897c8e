"""Common factors: A x + A' x is (A + A') x.

Two terms share a set of factors if their indices can be matched: output indices with themselves,
summed ones with each other. What is left of each term is added up and multiplied by the shared part,
where that takes fewer symbols than before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pullback.dimension import Dimension
from pullback.simplification.cost import cost
from pullback.tensor.add import add, split_coefficient
from pullback.tensor.axes import broadcast
from pullback.tensor.node import Factor, Node, Product, Rational, Sum, Term
from pullback.tensor.product import is_symmetric, product

MOST_TERMS = 32
_MOST_CANDIDATES = 64
_MOST_FACTORS = 96
_CLEAR_GAIN = 3
"""What pulling a factor out of some of the terms has to save, where it leaves products behind."""


class _Piece(NamedTuple):
    """A term with its factors over labels; labels below ``rank`` are the axes of the sum."""

    coefficient: Rational
    factors: tuple[Factor, ...]
    dimensions: dict[int, Dimension]


def factored(node: Node, known: dict[Node, int]) -> Node:
    """Pull out common factors as long as that makes the sum shorter."""
    while isinstance(node, Sum) and 2 <= len(node.terms) <= MOST_TERMS:
        shorter = _step(node, known)
        if shorter is None:
            break
        node = shorter
    return node


def _step(node: Sum, known: dict[Node, int]) -> Node | None:
    rank = len(node.axes)
    pieces = [_open(term, rank) for term in node.terms]
    if sum(len(piece.factors) for piece in pieces) > _MOST_FACTORS:
        return None
    best: tuple[int, Node] | None = None
    here = cost(node, known)
    tried: set[tuple[object, ...]] = set()
    for i in range(len(pieces)):
        for j in range(i + 1, len(pieces)):
            for shared in _shared_sets(pieces[i], pieces[j], rank):
                key = (i, tuple(shared))
                if key in tried or len(tried) > _MOST_CANDIDATES:
                    continue
                tried.add(key)
                result = _pull_out(node, pieces, i, shared, rank)
                if result is None:
                    continue
                gain = here - cost(result, known)
                if (
                    isinstance(result, Sum)
                    and len(result.terms) > 1
                    and gain < _CLEAR_GAIN
                    and not _is_plain(result, node)
                ):
                    continue
                if gain >= 0 and (best is None or gain > best[0]):
                    best = (gain, result)
    return best[1] if best is not None else None


def _is_plain(result: Sum, before: Sum) -> bool:
    """Whether what was pulled out of some of the terms leaves only single names behind: (A + A') x + b."""
    new = [n for _, n in result.terms if all(n is not other for _, other in before.terms)]
    factors = [f.node for n in new if isinstance(n, Product) for f in n.factors]
    return all(_is_single(part) for node in factors if isinstance(node, Sum) for _, part in node.terms)


def _is_single(node: Node) -> bool:
    """Whether a term is one tensor, or several multiplied entry by entry, beside numbers and scalars."""
    _, core = split_coefficient(node)
    return not isinstance(core, Product) or len({frozenset(f.indices) for f in core.factors if f.indices}) <= 1


def _open(term: Term, rank: int) -> _Piece:
    """Write a term over labels: its axes are 0, 1, …, what is summed comes after."""
    node = term.node
    if not isinstance(node, Product) or len(set(node.output)) != len(node.output):
        labels = tuple(range(rank))
        return _Piece(term.coefficient, (Factor(node, labels, 1),), dict(enumerate(node.axes)))
    place = {index: k for k, index in enumerate(node.output)}
    for index in range(len(node.dimensions)):
        place.setdefault(index, rank + len(place))
    factors = tuple(Factor(f.node, tuple(place[i] for i in f.indices), f.exponent) for f in node.factors)
    return _Piece(term.coefficient, factors, {place[i]: d for i, d in enumerate(node.dimensions)})


def _shared_sets(left: _Piece, right: _Piece, rank: int) -> list[list[Factor]]:
    """Find maximal sets of factors of ``left`` that ``right`` has too, one for each first match."""
    found: list[list[Factor]] = []
    alike: dict[Node, list[Factor]] = {}
    for b in right.factors:
        alike.setdefault(b.node, []).append(b)
    for a in left.factors:
        for b in alike.get(a.node, ()):
            place = _match(a, b, {}, rank)
            if place is None:
                continue
            shared, used = [_meet(a, b)], {id(b)}
            rest = [f for f in left.factors if f is not a]
            grown = True
            while grown:
                grown = False
                for f in rest:
                    for other in alike.get(f.node, ()):
                        extended = _match(f, other, place, rank) if id(other) not in used else None
                        if extended is not None:
                            place = extended
                            shared.append(_meet(f, other))
                            used.add(id(other))
                            rest.remove(f)
                            grown = True
                            break
                    if grown:
                        break
            found.append([_meet(a, b)])
            if len(shared) > 1:
                found.append(shared)
    return found


def _meet(a: Factor, b: Factor) -> Factor:
    exponent = min(a.exponent, b.exponent) if a.exponent > 0 else max(a.exponent, b.exponent)
    return Factor(a.node, a.indices, exponent)


def _match(a: Factor, b: Factor, place: dict[int, int], rank: int) -> dict[int, int] | None:
    """Match two factors: the same node, powers of one sign, indices that can be the same."""
    if a.node is not b.node or (a.exponent > 0) != (b.exponent > 0):
        return None
    readings = [b.indices]
    if len(b.indices) == 2 and is_symmetric(b.node):
        readings.append(b.indices[::-1])
    for indices in readings:
        extended = dict(place)
        taken = set(extended.values())
        fits = True
        for x, y in zip(a.indices, indices, strict=True):
            if x < rank or y < rank:
                fits = x == y
            elif x in extended:
                fits = extended[x] == y
            elif y in taken:
                fits = False
            else:
                extended[x] = y
                taken.add(y)
            if not fits:
                break
        if fits:
            return extended
    return None


def _pull_out(node: Sum, pieces: Sequence[_Piece], first: int, shared: list[Factor], rank: int) -> Node | None:
    """Rewrite the sum with the shared factors in front of all terms that have them."""
    lead = pieces[first]
    rests: list[tuple[Rational, list[Factor], dict[int, Dimension]]] = []
    others: list[tuple[Rational, Node]] = []
    for k, piece in enumerate(pieces):
        rest = _without(piece, shared, rank)
        if rest is None:
            others.append(node.terms[k])
        else:
            rests.append((piece.coefficient, *rest))
    if len(rests) < 2:
        return None
    in_shared = {label for f in shared for label in f.indices}
    in_rest = {label for _, factors, _ in rests for f in factors for label in f.indices}
    open_labels = sorted(label for label in in_rest if label < rank or label in in_shared)
    idle = [label for label in range(rank) if label not in in_shared and label not in in_rest]
    if idle or (len(open_labels) > 2 and in_shared):
        return None
    axes = tuple(_dimension(rests, lead, label) for label in open_labels)
    summands = []
    for coefficient, factors, dimensions in rests:
        have = [label for label in open_labels if any(label in f.indices for f in factors)]
        core = product(factors, have, dimensions)
        summands.append((coefficient, broadcast(core, axes, [open_labels.index(label) for label in have])))
    if len(open_labels) > rank and not all(_is_single(part) for _, part in summands):
        return None
    inner = add(summands, axes)
    kept = {label: d for label, d in lead.dimensions.items() if label < rank or label in in_shared}
    outer = product([*shared, (inner, open_labels, 1)], range(rank), kept)
    return add([*others, (1, outer)], node.axes)


def _dimension(
    rests: Sequence[tuple[Rational, list[Factor], dict[int, Dimension]]], lead: _Piece, label: int
) -> Dimension:
    if label in lead.dimensions:
        return lead.dimensions[label]
    return next(dimensions[label] for _, _, dimensions in rests if label in dimensions)


def _without(piece: _Piece, shared: list[Factor], rank: int) -> tuple[list[Factor], dict[int, Dimension]] | None:
    """Take the shared factors off a term, its labels renamed to theirs; None where it lacks one."""
    place: dict[int, int] = {}
    rest = list(piece.factors)
    left: list[Factor] = []
    for wanted in shared:
        for f in rest:
            if f.node is not wanted.node:
                continue
            enough = f.exponent >= wanted.exponent if wanted.exponent > 0 else f.exponent <= wanted.exponent
            extended = _match(f, wanted, place, rank) if enough else None
            if extended is not None:
                place = extended
                rest.remove(f)
                if f.exponent != wanted.exponent:
                    left.append(Factor(f.node, f.indices, f.exponent - wanted.exponent))
                break
        else:
            return None
    fresh = 10_000
    names: dict[int, int] = {}
    for label in piece.dimensions:
        names[label] = label if label < rank else place.get(label, fresh + label)
    renamed = [Factor(f.node, tuple(names[i] for i in f.indices), f.exponent) for f in (*rest, *left)]
    used = {i for f in renamed for i in f.indices}
    return renamed, {names[label]: d for label, d in piece.dimensions.items() if names[label] in used}
