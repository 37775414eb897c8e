"""Sums over an axis that only one factor has: what is left of a sum once it is summed may be much less.

The rows of X - mean(X, rows) ones(d)' add to zero, those of softmax(X, rows) to one, whatever they are
multiplied by.
"""

from __future__ import annotations

from collections import Counter

from pullback.tensor.add import add
from pullback.tensor.node import Apply, Factor, Node, Product, Sum
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
        kept = tuple(label for label in factor.indices if uses[label] > 1)
        if factor.exponent != 1 or len(kept) == len(factor.indices) or len(set(factor.indices)) < len(factor.indices):
            continue
        if isinstance(inner, Apply) and inner.operation.distribution and kept == factor.indices[:-1]:
            others = [*node.factors[:k], *node.factors[k + 1 :]]
            lengths = {label: length for label, length in enumerate(node.dimensions) if label != factor.indices[-1]}
            return summed(product(others, node.output, lengths))
        if not isinstance(inner, Sum) or not 1 < len(inner.terms) < _LONGEST:
            continue
        terms = [(c, product([(n, factor.indices, 1)], kept)) for c, n in inner.terms]
        left = add(terms, tuple(node.dimensions[label] for label in kept))
        if not isinstance(left, Sum) or len(left.terms) < len(inner.terms):
            factors = [*node.factors[:k], Factor(left, kept, 1), *node.factors[k + 1 :]]
            gone = set(factor.indices) - set(kept)
            lengths = {label: length for label, length in enumerate(node.dimensions) if label not in gone}
            return summed(product(factors, node.output, lengths))
    return node
