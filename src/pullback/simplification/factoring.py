"""Common factors: A x + A' x is (A + A') x.

Two terms share a set of factors if their indices can be matched: output indices with themselves,
summed ones with each other. What is left of each term is added up and multiplied by the shared part,
where that takes fewer symbols than before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

from pullback.dimension import Dimension
from pullback.simplification.cost import cost
from pullback.tensor.add import add, split_coefficient
from pullback.tensor.axes import broadcast, ones
from pullback.tensor.node import Axes, Factor, Node, Product, Rational, Sum, Term
from pullback.tensor.product import is_symmetric, product, size_name

MOST_TERMS = 32
_MOST_CANDIDATES = 64
_MOST_FACTORS = 96
_FRESH = 10_000
_SLACK = 4
"""What may be saved beside the factors themselves: numbers, functions that move entries."""
_CLEAR_GAIN = 3
"""What pulling a factor out of some of the terms has to save, where it leaves products behind."""


class _Piece(NamedTuple):
    """A term with its factors over labels; labels below ``rank`` are the axes of the sum.

    ``output`` has the label of each axis; axes that a delta ties together have that of the first.
    """

    coefficient: Rational
    factors: tuple[Factor, ...]
    dimensions: dict[int, Dimension]
    output: tuple[int, ...]


class _Rest(NamedTuple):
    """What is left of a term without the shared factors, over their labels.

    ``ties`` are shared labels that the term has as one: A' diag(p) A is A[i,j] p[i] d[i,k] A[k,l].
    """

    coefficient: Rational
    factors: list[Factor]
    dimensions: dict[int, Dimension]
    output: tuple[int, ...]
    ties: dict[int, int]


class _Candidate(NamedTuple):
    """Factors to pull out, as one term has them, and at most how much that saves."""

    bound: int
    shared: list[Factor]
    lead: _Piece
    rests: list[_Rest | None]


def factored(node: Node, known: dict[Node, int]) -> Node:
    """Pull out common factors as long as that makes the sum shorter."""
    whole = node
    while isinstance(node, Sum) and 2 <= len(node.terms) <= MOST_TERMS:
        shorter = _step(node, known)
        if shorter is None:
            break
        node = shorter
    return node if node is whole and isinstance(node, Sum) else _with_factored_sums(node, known)


def _with_factored_sums(node: Node, known: dict[Node, int]) -> Node:
    """Factor what was left between parentheses."""
    if isinstance(node, Sum):
        terms = [(c, _with_factored_sums(n, known)) for c, n in node.terms]
        return (
            node
            if all(new is old for (_, new), (_, old) in zip(terms, node.terms, strict=True))
            else add(terms, node.axes)
        )
    if not isinstance(node, Product):
        return node
    factors = [
        (factored(f.node, known) if isinstance(f.node, Sum) else f.node, f.indices, f.exponent) for f in node.factors
    ]
    if all(new is f.node for (new, _, _), f in zip(factors, node.factors, strict=True)):
        return node
    return product(factors, node.output, dict(enumerate(node.dimensions)))


def _step(node: Sum, known: dict[Node, int]) -> Node | None:
    """Pull out what saves most."""
    pieces = [_open(term, len(node.axes)) for term in node.terms]
    if sum(len(piece.factors) for piece in pieces) > _MOST_FACTORS:
        return None
    best: tuple[tuple[int, int, int], Node] | None = None
    here = cost(node, known)
    for candidate in _candidates(node, pieces, known):
        if best is not None and candidate.bound < best[0][0]:
            break
        result = _in_front(node, candidate)
        if result is None:
            continue
        gain = here - cost(result, known)
        if gain < _CLEAR_GAIN and not _is_plain(result, node):
            continue
        merit = (gain, -len(result.children), len(candidate.shared))
        if gain >= 0 and (best is None or merit > best[0]):
            best = (merit, result)
    return best[1] if best is not None else None


def _candidates(node: Sum, pieces: Sequence[_Piece], known: dict[Node, int]) -> list[_Candidate]:
    """What could be pulled out, what may save most first; each set of factors with one of its terms as the lead."""
    rank = len(node.axes)
    found: dict[object, _Candidate] = {}
    seen: set[object] = set()
    for i, j in permutations(range(len(pieces)), 2):
        for shared in _shared_sets(pieces[i], pieces[j], rank):
            if (i, *shared) in seen or len(seen) > _MOST_CANDIDATES:
                continue
            seen.add((i, *shared))
            for rests in _rests(pieces, pieces[i], shared):
                have = tuple(k for k, rest in enumerate(rests) if rest is not None)
                ties = tuple(tuple(rests[k].ties.items()) for k in have)  # type: ignore[union-attr]
                places = sorted((f.node.order, f.exponent, tuple(min(i, rank) for i in f.indices)) for f in shared)
                saved = sum(cost(f.node, known) + (f.exponent not in (1, -1)) for f in shared)
                bound = (len(have) - 1) * saved + _SLACK
                found.setdefault((tuple(places), have, ties), _Candidate(bound, shared, pieces[i], rests))
    return sorted(found.values(), key=lambda candidate: -candidate.bound)


def _rests(pieces: Sequence[_Piece], lead: _Piece, shared: list[Factor]) -> Iterator[list[_Rest | None]]:
    """What is left of the terms that have the shared factors; None for those that stay as they are.

    All such terms first, then without those that would leave an identity behind (A x + A' x - c x), then
    without those that have as one what the others have as two.
    """
    scalars = not any(f.indices for f in shared)
    lengths = any(size_name(f.node) is not None for f in shared)
    rests = [_without(piece, shared, lead) if scalars or _refines(lead, piece) else None for piece in pieces]
    rests = [None if rest is not None and _is_delta(rest, len(lead.output)) else rest for rest in rests]
    fewer = [None if rest is not None and _is_delta(rest) else rest for rest in rests]
    plain = [None if rest is not None and rest.ties else rest for rest in rests]
    for choice in (rests, *([fewer] if fewer != rests else []), *([plain] if plain not in (rests, fewer) else [])):
        if sum(rest is not None for rest in choice) > 1 and not (lengths and None in choice):
            yield choice


def _is_plain(result: Node, before: Sum) -> bool:
    """Whether what was pulled out of some of the terms leaves only single names behind: (A + A') x + b."""
    if not isinstance(result, Sum) or len(result.terms) == 1:
        return True
    new = [n for _, n in result.terms if all(n is not other for _, other in before.terms)]
    factors = [f.node for n in new if isinstance(n, Product) for f in n.factors]
    return all(_is_single(part) for node in factors if isinstance(node, Sum) for _, part in node.terms)


def _is_single(node: Node) -> bool:
    """Whether a term is one tensor, or several multiplied entry by entry, beside numbers and scalars."""
    _, core = split_coefficient(node)
    return not isinstance(core, Product) or len({frozenset(f.indices) for f in core.factors if f.indices}) <= 1


def _open(term: Term, rank: int) -> _Piece:
    """Write a term over labels: its axes are 0, 1, …, what is summed comes after.

    A label that is summed over one factor alone gets a factor of ones, so that sums can be shared too.
    """
    node = term.node
    if not isinstance(node, Product):
        labels = tuple(range(rank))
        return _Piece(term.coefficient, (Factor(node, labels, 1),), dict(enumerate(node.axes)), labels)
    place: dict[int, int] = {}
    for k, index in enumerate(node.output):
        place.setdefault(index, k)
    for index in range(len(node.dimensions)):
        place.setdefault(index, rank + index)
    factors = tuple(Factor(f.node, tuple(place[i] for i in f.indices), f.exponent) for f in node.factors)
    dimensions = {place[i]: d for i, d in enumerate(node.dimensions)}
    uses = Counter(label for f in factors for label in f.indices * (1 if f.exponent == 1 else 2))
    lone = [label for label, count in uses.items() if count == 1 and label >= rank]
    sums = tuple(Factor(ones((dimensions[label],)), (label,), 1) for label in lone)
    return _Piece(term.coefficient, (*factors, *sums), dimensions, tuple(place[i] for i in node.output))


def _shared_sets(left: _Piece, right: _Piece, rank: int) -> list[list[Factor]]:
    """Find sets of factors of ``left`` that ``right`` has too: each alone, all that go with it, all but one."""
    found: list[list[Factor]] = []
    alike: dict[Node, list[Factor]] = {}
    for b in right.factors:
        alike.setdefault(b.node, []).append(b)
    for a in left.factors:
        for b in alike.get(a.node, ()):
            place = _match(a, b, {}, right.output)
            if place is None:
                continue
            shared, used = [_meet(a, b)], {id(b)}
            rest = [f for f in left.factors if f is not a]
            grown = True
            while grown:
                grown = False
                for f in rest:
                    for other in alike.get(f.node, ()):
                        extended = _match(f, other, place, right.output) if id(other) not in used else None
                        if extended is not None:
                            place = extended
                            shared.append(_meet(f, other))
                            used.add(id(other))
                            rest.remove(f)
                            grown = True
                            break
                    if grown:
                        break
            smaller = [[f for f in shared if f is not gone] for gone in shared] if len(shared) > 2 else []
            found += [some for some in ([_meet(a, b)], shared, *smaller) if some not in found]
    if not _refines(left, right):
        return [scalars for shared in found if (scalars := [f for f in shared if not f.indices])]
    return found


def _refines(left: _Piece, right: _Piece) -> bool:
    """Whether every delta between axes that the left term has is in the right one too."""
    return all(right.output[label] == right.output[k] for k, label in enumerate(left.output))


def _meet(a: Factor, b: Factor) -> Factor:
    exponent = min(a.exponent, b.exponent) if a.exponent > 0 else max(a.exponent, b.exponent)
    return Factor(a.node, a.indices, exponent)


def _match(a: Factor, b: Factor, place: dict[int, int], output: tuple[int, ...]) -> dict[int, int] | None:
    """Match two factors: the same node, powers of one sign, labels of ``a`` that go to those of ``b``.

    Axes go to themselves, or to what they are tied to in the ``output`` of the second term.
    """
    if a.node is not b.node or (a.exponent > 0) != (b.exponent > 0):
        return None
    if len(set(a.indices)) != len(set(b.indices)):
        return None
    rank = len(output)
    readings = [b.indices]
    if len(b.indices) == 2 and is_symmetric(b.node):
        readings.append(b.indices[::-1])
    for indices in readings:
        extended = dict(place)
        for x, y in zip(a.indices, indices, strict=True):
            if (output[x] if x < rank else extended.setdefault(x, y)) != y:
                break
        else:
            return extended
    return None


def _is_delta(rest: _Rest, below: int = _FRESH) -> bool:
    """Whether nothing but a number is left at labels (axes, or others too) that are tied together."""
    touched = {i for f in rest.factors for i in f.indices}
    return any(mine not in touched and theirs not in touched for mine, theirs in rest.ties.items() if mine < below)


def _in_front(node: Sum, candidate: _Candidate) -> Node | None:
    """Put the shared factors in front of the sum of what is left of the terms."""
    rank = len(node.axes)
    shared, lead = candidate.shared, candidate.lead
    rests = [rest for rest in candidate.rests if rest is not None]
    others = [term for term, rest in zip(node.terms, candidate.rests, strict=True) if rest is None]
    in_shared = {label for f in shared for label in f.indices}
    if not in_shared:
        whole = add([(r.coefficient, product(r.factors, r.output, r.dimensions)) for r in rests], node.axes)
        scaled_sum = product([*shared, (whole, range(rank), 1)], range(rank), dict(enumerate(node.axes)))
        return add([*others, (1, scaled_sum)], node.axes)
    in_rest = {
        label for r in rests for label in (*(i for f in r.factors for i in f.indices), *r.ties, *r.ties.values())
    }
    open_labels = sorted(label for label in in_rest if label < rank or label in in_shared)
    idle = [label for label in lead.output if label not in in_shared and label not in in_rest]
    if idle or len(open_labels) > 2:
        return None
    axes = tuple(_dimension(rests, lead, label) for label in open_labels)
    summands = [(r.coefficient, _spread(r, open_labels, axes)) for r in rests]
    if len(open_labels) > rank and not all(_is_single(part) for _, part in summands):
        return None
    inner = add(summands, axes)
    kept = {label: d for label, d in lead.dimensions.items() if label < rank or label in in_shared}
    outer = product([*shared, (inner, open_labels, 1)], lead.output, kept)
    return add([*others, (1, outer)], node.axes)


def _spread(rest: _Rest, labels: Sequence[int], axes: Axes) -> Node:
    """What is left of a term as a tensor over the labels that the shared factors leave open."""
    touched = {i for f in rest.factors for i in f.indices} | rest.ties.keys() | set(rest.ties.values())
    have = [label for label in labels if label in touched]
    dimensions = {label: d for label, d in rest.dimensions.items() if label in touched}
    dimensions |= {label: axes[labels.index(label)] for label in have if label not in rest.ties}
    core = product(rest.factors, [rest.ties.get(label, label) for label in have], dimensions)
    return broadcast(core, axes, [labels.index(label) for label in have])


def _dimension(rests: Sequence[_Rest], lead: _Piece, label: int) -> Dimension:
    if label in lead.dimensions:
        return lead.dimensions[label]
    return next(rest.dimensions[label] for rest in rests if label in rest.dimensions)


def _without(piece: _Piece, shared: list[Factor], lead: _Piece) -> _Rest | None:
    """Take the shared factors off a term, its labels renamed to theirs; None where it lacks one."""
    place: dict[int, int] = {}
    rest = list(piece.factors)
    left: list[Factor] = []
    for wanted in shared:
        for f in rest:
            enough = f.exponent >= wanted.exponent if wanted.exponent > 0 else f.exponent <= wanted.exponent
            extended = _match(wanted, f, place, piece.output) if enough else None
            if extended is not None:
                place = extended
                rest.remove(f)
                if f.exponent != wanted.exponent:
                    left.append(Factor(f.node, f.indices, f.exponent - wanted.exponent))
                break
        else:
            return None
    rank = len(piece.output)
    names = {label: label for label in piece.output}
    ties = {k: label for k, label in enumerate(piece.output) if label != k and lead.output[k] == k}
    for mine, theirs in sorted(place.items()):
        if names.setdefault(theirs, mine) != mine:
            ties[mine] = names[theirs]
    for label in piece.dimensions:
        names.setdefault(label, label if label < rank else _FRESH + label)
    renamed = [Factor(f.node, tuple(names[i] for i in f.indices), f.exponent) for f in (*rest, *left)]
    used = {i for f in renamed for i in f.indices} | set(piece.output)
    dimensions = {names[label]: d for label, d in piece.dimensions.items() if names[label] in used}
    return _Rest(piece.coefficient, renamed, dimensions, piece.output, ties)
