"""Products inside products, opened: the graph nests long products, but a plan wants to see all factors."""

from __future__ import annotations

from pullback.dimension import Dimension
from pullback.tensor.node import Factor, Node, Product
from pullback.tensor.product import FLATTEN_LIMIT

_MOST = 160


def flattened(node: Product, limit: int = FLATTEN_LIMIT) -> tuple[list[Factor], list[Dimension]]:
    """The factors of a product with long inner products opened, and the dimensions of all its indices.

    Inner products are opened where that makes more than ``limit`` factors.
    """
    dimensions = list(node.dimensions)
    factors = list(node.factors)
    while len(factors) < _MOST:
        place = next((k for k, f in enumerate(factors) if _opens(f, len(factors), limit)), None)
        if place is None:
            break
        inner = factors.pop(place)
        assert isinstance(inner.node, Product)
        index = dict(zip(inner.node.output, inner.indices, strict=True))
        for label, axis in enumerate(inner.node.dimensions):
            if label not in index:
                index[label] = len(dimensions)
                dimensions.append(axis)
        factors += [Factor(f.node, tuple(index[k] for k in f.indices), f.exponent) for f in inner.node.factors]
    return factors, dimensions


def _opens(factor: Factor, beside: int, limit: int) -> bool:
    """Whether a factor is a product that only its length keeps apart."""
    inner: Node = factor.node
    if not isinstance(inner, Product) or factor.exponent != 1 or not inner.output:
        return False
    plain = len(set(inner.output)) == len(inner.output)
    used = {k for f in inner.factors for k in f.indices}
    return plain and used == set(range(len(inner.dimensions))) and beside + len(inner.factors) > limit
