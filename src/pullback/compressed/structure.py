"""What a Jacobian or Hessian is made of, before any number: terms, each an einsum of small parts.

``delta(a, c) B(b, d)`` is a Kronecker product with an identity and is kept as B; a sum over samples of outer
products is kept as the parts of the outer product, with the samples as an axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pullback.planning.flattening import flattened
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
        return [_scaled(term, inner) for term in node.terms for inner in terms_of(term.node)]
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
