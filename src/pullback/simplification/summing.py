"""Sums over an axis that only one factor has: what is left of a sum once it is summed may be much less.

The rows of X - mean(X, rows) ones(d)' sum to zero, whatever they are multiplied by.
"""

from __future__ import annotations

from collections import Counter

from pullback.tensor.add import add
from pullback.tensor.node import Factor, Node, Product, Sum
from pullback.tensor.product import product

_LONGEST = 64


def summed(node: Node) -> Node:
    """Sum the terms of a factor one by one over the axes that only it has, where fewer of them are left."""
    if not isinstance(node, Product):
        return node
    uses = Counter(node.output)
    for factor in node.factors:
        uses.update(factor.indices)
    for k, factor in enumerate(node.factors):
        inner = factor.node
        if not isinstance(inner, Sum) or factor.exponent != 1 or not 1 < len(inner.terms) < _LONGEST:
            continue
        kept = tuple(label for label in factor.indices if uses[label] > 1)
        if len(kept) == len(factor.indices) or len(set(factor.indices)) < len(factor.indices):
            continue
        terms = [(c, product([(n, factor.indices, 1)], kept)) for c, n in inner.terms]
        left = add(terms, tuple(node.dimensions[label] for label in kept))
        if not isinstance(left, Sum) or len(left.terms) < len(inner.terms):
            factors = [*node.factors[:k], Factor(left, kept, 1), *node.factors[k + 1 :]]
            return summed(product(factors, node.output, dict(enumerate(node.dimensions))))
    return node
