"""What a Jacobian or Hessian is made of, before any number: terms, each an einsum of small parts.

``delta(a, c) B(b, d)`` is a Kronecker product with an identity and is kept as B; a sum over samples of outer
products is kept as the parts of the outer product, with the samples as an axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pullback.planning.flattening import flattened
from pullback.planning.gathering import common_factors
from pullback.tensor.add import add
from pullback.tensor.node import Factor, Node, Product, Rational, Sum, Term
from pullback.tensor.product import product


@dataclass(frozen=True, slots=True)
class Piece:
    """``coefficient`` times the einsum of ``parts`` into ``output``, in which a label may repeat."""

    coefficient: Rational
    parts: tuple[tuple[Node, tuple[int, ...]], ...]
    output: tuple[int, ...]


def terms_of(node: Node) -> list[Piece]:
    """The terms of a tensor, each as few parts as hold it without its deltas and its outermost sum."""
    if isinstance(node, Sum):
        return _joined([_scaled(term, inner) for term in node.terms for inner in terms_of(term.node)])
    if isinstance(node, Product):
        return _scaled_sum(node) or [_parts(node)]
    labels = tuple(range(len(node.axes)))
    return [Piece(1, ((node, labels),), labels)]


def _scaled_sum(node: Product) -> list[Piece] | None:
    """The terms of a sum that is only multiplied by scalars."""
    scalars = [f for f in node.factors if not f.indices]
    rest = [f for f in node.factors if f.indices]
    if len(rest) != 1 or not isinstance(rest[0].node, Sum) or rest[0].exponent != 1:
        return None
    place = rest[0].indices
    if sorted(place) != sorted(node.output) or len(node.dimensions) != len(place):
        return None
    scalar = product([(f.node, (), f.exponent) for f in scalars], ())
    front = ((scalar, ()),) if scalars else ()
    return [
        Piece(inner.coefficient, (*front, *inner.parts), tuple(inner.output[place.index(k)] for k in node.output))
        for inner in terms_of(rest[0].node)
    ]


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Pieces that differ in one part alone as one, whose part is a sum."""
    waiting, done = list(pieces), []
    while waiting:
        here = waiting.pop(0)
        for k, there in enumerate(waiting):
            found = _join(here, there)
            if found is not None:
                waiting[k] = found
                break
        else:
            done.append(here)
    return done


def _join(one: Piece, two: Piece) -> Piece | None:
    a, b = _placed(one, 0), _placed(two, max(_inside(one), default=0) + 1)
    if a.output != b.output:
        return None
    lengths = {x: n for piece in (a, b) for node, labels in piece.parts for x, n in zip(labels, node.axes, strict=True)}
    common = common_factors(a.parts, b.parts, lengths)
    if common is None or all(len(a.parts[k][1]) == 0 for k in common.left):
        return None
    renamed = {common.joined[1]: common.joined[0]} if common.joined is not None else {}
    rests = [
        [(node, labels) for k, (node, labels) in enumerate(a.parts) if k not in common.left],
        [
            (node, tuple(renamed.get(x, x) for x in labels))
            for k, (node, labels) in enumerate(b.parts)
            if k not in common.right
        ],
    ]
    own = set(renamed.values())
    spans = [{x for _, labels in rest for x in labels if x >= 0 or x in own} for rest in rests]
    if spans[0] != spans[1] or not spans[0]:
        return None
    labels = tuple(sorted(spans[0]))
    order = {x: k for k, x in enumerate(sorted({x for rest in rests for _, part in rest for x in part}))}
    terms = [
        product([(node, [order[x] for x in part], 1) for node, part in rest], [order[x] for x in labels])
        for rest in rests
    ]
    total = add(list(zip((a.coefficient, b.coefficient), terms, strict=True)), terms[0].axes)
    return _raised(Piece(1, (*(a.parts[k] for k in common.left), (total, labels)), a.output))


def _inside(piece: Piece) -> list[int]:
    """The labels that are summed over, as numbers from one."""
    inner = {x for _, labels in piece.parts for x in labels} - set(piece.output)
    return list(range(1, len(inner) + 1))


def _placed(piece: Piece, offset: int) -> Piece:
    """The same piece with its axes as labels, and labels below zero inside."""
    names: dict[int, int] = {}
    for k, label in enumerate(piece.output):
        names.setdefault(label, k)
    for _, labels in piece.parts:
        for label in labels:
            if label not in names:
                names[label] = -1 - offset - sum(1 for x in names.values() if x < 0)
    parts = tuple((node, tuple(names[x] for x in labels)) for node, labels in piece.parts)
    return Piece(piece.coefficient, parts, tuple(names[x] for x in piece.output))


def _raised(piece: Piece) -> Piece:
    """Labels that are not below zero."""
    low = min(0, *(x for _, labels in piece.parts for x in labels))
    parts = tuple((node, tuple(x - low for x in labels)) for node, labels in piece.parts)
    return Piece(piece.coefficient, parts, tuple(x - low for x in piece.output))


def _scaled(term: Term, inner: Piece) -> Piece:
    return Piece(term.coefficient * inner.coefficient, inner.parts, inner.output)


def _parts(node: Product) -> Piece:
    """Cut a product where it falls into parts: at the label whose removal leaves most of them."""
    factors, axes = flattened(node, 0)
    outer = frozenset(node.output)
    summed = [k for k in range(len(axes)) if k not in outer]
    best = _components(factors, None)
    widest = max((sum(1 for k in outer if any(k in f.indices for f in group)) for group in best), default=0)
    at: int | None = None
    for label in summed:
        found = _components(factors, label)
        reach = [sum(1 for k in outer if any(k in f.indices for f in group)) for group in found]
        if widest > 2 and len(found) > len(best) and max(reach, default=0) < widest:
            best, at = found, label
    parts = []
    for group in best:
        kept = [k for k in dict.fromkeys(node.output) if any(k in f.indices for f in group)]
        if at is not None and any(at in f.indices for f in group):
            kept.insert(0, at)
        dimensions = {k: axes[k] for f in group for k in f.indices}
        parts.append((product([(f.node, f.indices, f.exponent) for f in group], kept, dimensions), tuple(kept)))
    return Piece(1, tuple(parts), node.output)


def _components(factors: Sequence[Factor], cut: int | None) -> list[list[Factor]]:
    """Factors that hang together by labels other than ``cut``."""
    groups: list[tuple[set[int], list[Factor]]] = []
    for factor in factors:
        labels = {k for k in factor.indices if k != cut}
        joined = [group for group in groups if group[0] & labels]
        groups = [group for group in groups if not group[0] & labels]
        merged = [f for group in joined for f in group[1]]
        groups.append((labels.union(*(group[0] for group in joined)), [*merged, factor]))
    return [group for _, group in groups]
