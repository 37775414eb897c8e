"""Choices between two tensors: what one is multiplied by goes into the branch that it belongs to.

A derivative of where(c, a, b) is a product with where(c, 1, 0). Left so, an entry that is not chosen
is still computed, and 0 times its infinite slope is no number; inside the branch it is never looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

from pullback.tensor.add import add, scaled
from pullback.tensor.apply import apply
from pullback.tensor.node import Apply, Factor, Node, Product, Rational, Sum, Term
from pullback.tensor.product import number_of, product


def chosen(node: Node) -> Node:
    """Move factors into branches, and put the branches of one condition together."""
    if isinstance(node, Product):
        return _absorbed(node)
    if isinstance(node, Sum) and len(node.terms) > 1:
        return _joined(node)
    return node


def _is_choice(node: Node) -> bool:
    return isinstance(node, Apply) and node.operation.name == "where"


def _open_side(node: Node) -> int | None:
    """Which argument of a choice is not zero, where one is and the other is not."""
    if not isinstance(node, Apply) or not _is_choice(node):
        return None
    zero = [number_of(branch) == 0 for branch in node.arguments[1:]]
    return None if zero[0] == zero[1] else 1 + zero.index(False)


def _absorbed(node: Product) -> Node:
    """where(c, 1, 0) .* f is where(c, f, 0)."""
    for k, (choice, indices, exponent) in enumerate(node.factors):
        side = _open_side(choice)
        if side is None or exponent != 1 or len(set(indices)) != len(indices):
            continue
        assert isinstance(choice, Apply)
        inside = [f for j, f in enumerate(node.factors) if j != k and f.indices and set(f.indices) == set(indices)]
        if not inside:
            continue
        dimensions = {i: node.dimensions[i] for i in indices}
        branch = product([(choice.arguments[side], indices, 1), *inside], indices, dimensions)
        arguments = list(choice.arguments)
        arguments[side] = branch
        taken = apply(choice.operation, arguments)
        rest = [f for j, f in enumerate(node.factors) if j != k and f not in inside]
        factors = [*rest, Factor(taken, indices, 1)]
        return chosen(product(factors, node.output, dict(enumerate(node.dimensions))))
    return node


def _joined(node: Sum) -> Node:
    """where(c, a, 0) + where(c, 0, b) is where(c, a, b)."""
    by_condition: dict[Node, list[Term]] = {}
    for term in node.terms:
        if _open_side(term.node) is not None:
            assert isinstance(term.node, Apply)
            by_condition.setdefault(term.node.arguments[0], []).append(term)
    joined: list[tuple[Rational, Node]] = []
    gone: set[Node] = set()
    for condition, terms in by_condition.items():
        if len(terms) > 1:
            gone |= {term.node for term in terms}
            joined.append((1, _one_choice(condition, terms)))
    if not joined:
        return node
    return add([*(term for term in node.terms if term.node not in gone), *joined], node.axes)


def _one_choice(condition: Node, terms: Sequence[Term]) -> Node:
    first = terms[0].node
    assert isinstance(first, Apply)
    branches = []
    for side in (1, 2):
        parts = [scaled(c, n.arguments[side]) for c, n in terms if isinstance(n, Apply)]
        branches.append(add([(1, part) for part in parts], first.axes))
    return apply(first.operation, [condition, *branches])
