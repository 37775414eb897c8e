"""Products inside products, opened: the graph nests long products, but a plan wants to see all factors."""

from __future__ import annotations

from collections.abc import Sequence

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
        place = next((k for k, f in enumerate(factors) if _opens(f, k, factors, node.output, limit)), None)
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


def _opens(factor: Factor, place: int, factors: Sequence[Factor], output: Sequence[int], limit: int) -> bool:
    """Whether a factor is a product that only its length keeps apart; no index may lose its last factor by it."""
    inner: Node = factor.node
    if not isinstance(inner, Product) or factor.exponent != 1 or not inner.output:
        return False
    if len(set(inner.output)) < len(inner.output) or len(factors) + len(inner.factors) <= limit:
        return False
    used = {k for f in inner.factors for k in f.indices}
    if any(k not in used for k in range(len(inner.dimensions)) if k not in inner.output):
        return False
    ones = {index for index, k in zip(factor.indices, inner.output, strict=True) if k not in used}
    elsewhere = {k for other, f in enumerate(factors) if other != place for k in f.indices}
    return ones <= elsewhere | set(output)
