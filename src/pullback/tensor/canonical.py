"""Canonical labelling: the same product gets the same indices however it was written.

The indices and factors of a product form a hypergraph. Colour refinement (Weisfeiler and Leman, 1968)
tells its indices apart by what they touch; where a tie is left, one of the tied indices is singled out
and refinement goes on. Ties in products of matrices are symmetries (a cycle may start anywhere), so
this needs no search: a product of 30 equal factors costs 30 refinements and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pullback.tensor.node import Factor, Node, Rational

Piece = tuple[Node, tuple[int, ...], Rational]
_CANDIDATES = 8


def canonical_factors(
    pieces: Sequence[Piece],
    output: Sequence[int],
    dimension: Callable[[int], object],
    is_symmetric: Callable[[Node], bool],
) -> tuple[tuple[Factor, ...], tuple[int, ...], list[int]]:
    """Number the labels and order the pieces.

    Returns the factors, the output in new numbers, and the old label of each number.
    """
    symmetric = [len(piece[1]) == 2 and is_symmetric(piece[0]) for piece in pieces]
    order = _order_by_content(pieces, symmetric, output)
    if order is None:
        order = _order_by_refinement(pieces, symmetric, output, dimension)
    number = {label: k for k, label in enumerate(order)}
    factors = []
    for (node, labels, exponent), commutes in zip(pieces, symmetric, strict=True):
        indices = tuple(number[label] for label in labels)
        if commutes and indices[0] > indices[1]:
            indices = indices[::-1]
        factors.append(Factor(node, indices, exponent))
    factors.sort(key=_factor_order)
    return tuple(factors), tuple(number[label] for label in output), order


def _factor_order(factor: Factor) -> tuple[int, bytes, Rational, tuple[int, ...]]:
    return (factor.node.size, factor.node.key, factor.exponent, factor.indices)


def _order_by_content(pieces: Sequence[Piece], symmetric: Sequence[bool], output: Sequence[int]) -> list[int] | None:
    """Number labels by first appearance where the pieces are all different; None where they are not."""
    names = {(piece[0].key, piece[2]) for piece in pieces}
    if len(names) != len(pieces):
        return None
    order = dict.fromkeys(output)
    ranked = sorted(zip(pieces, symmetric, strict=True), key=lambda p: (p[0][0].size, p[0][0].key, p[0][2]))
    for (_, labels, _), commutes in ranked:
        if commutes and labels[0] != labels[1]:
            if labels[0] not in order and labels[1] not in order:
                return None
            if labels[0] not in order:
                labels = labels[::-1]
        order.update(dict.fromkeys(labels))
    return list(order)


def _order_by_refinement(
    pieces: Sequence[Piece], symmetric: Sequence[bool], output: Sequence[int], dimension: Callable[[int], object]
) -> list[int]:
    labels = list(dict.fromkeys([*output, *(label for piece in pieces for label in piece[1])]))
    places: dict[int, list[int]] = {label: [] for label in labels}
    for position, label in enumerate(output):
        places[label].append(position)
    kinds = _rank([(piece[0].size, piece[0].key, str(piece[2])) for piece in pieces])
    colours = dict(zip(labels, _rank([(tuple(places[x]), str(dimension(x))) for x in labels]), strict=True))
    colours = _refine(pieces, symmetric, kinds, colours)
    while len(set(colours.values())) < len(labels):
        tied: dict[int, list[int]] = {}
        for label in labels:
            tied.setdefault(colours[label], []).append(label)
        cell = min((c for c, members in tied.items() if len(members) > 1))
        best = None
        for label in tied[cell][:_CANDIDATES]:
            single = {x: 2 * c + (1 if c == cell and x != label else 0) for x, c in colours.items()}
            refined = _refine(pieces, symmetric, kinds, single)
            invariant = sorted(
                (kind, sorted(refined[x] for x in piece[1]) if s else [refined[x] for x in piece[1]])
                for kind, piece, s in zip(kinds, pieces, symmetric, strict=True)
            )
            if best is None or invariant < best[0]:
                best = (invariant, refined)
        assert best is not None
        colours = best[1]
    return sorted(labels, key=colours.__getitem__)


def _refine(
    pieces: Sequence[Piece], symmetric: Sequence[bool], kinds: Sequence[int], colours: dict[int, int]
) -> dict[int, int]:
    labels = list(colours)
    classes = len(set(colours.values()))
    while classes < len(labels):
        touched: dict[int, list[tuple[int, tuple[int, ...], int]]] = {label: [] for label in labels}
        for kind, piece, commutes in zip(kinds, pieces, symmetric, strict=True):
            around = tuple(colours[label] for label in piece[1])
            around = tuple(sorted(around)) if commutes else around
            for position, label in enumerate(piece[1]):
                touched[label].append((kind, around, 0 if commutes else position))
        ranks = _rank([(colours[label], tuple(sorted(touched[label]))) for label in labels])
        colours = dict(zip(labels, ranks, strict=True))
        refined = len(set(ranks))
        if refined == classes:
            break
        classes = refined
    return colours


def _rank(keys: list[object]) -> list[int]:
    ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}  # type: ignore[type-var]
    return [ranks[key] for key in keys]
