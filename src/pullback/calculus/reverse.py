"""Reverse accumulation.

Cotangents flow from the output to the inputs, each node's own once it is complete. A cotangent may
have axes of its own before those of its node: none for a gradient, those of the output for a Jacobian.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pullback.calculus.rules import pull_back
from pullback.tensor.add import add, scaled, zeros
from pullback.tensor.axes import identity
from pullback.tensor.node import Apply, Axes, Node, Product, Sum, Variable, topological
from pullback.tensor.product import product


def backward(root: Node, cotangent: Node, targets: Sequence[Node]) -> list[Node]:
    """Pull a cotangent of ``root`` back to each of the targets.

    ``cotangent`` has the axes of ``root`` after any number of axes of its own, which come first in the
    results too. The targets are variables, or any nodes to be taken as independent.
    """
    own = cotangent.axes[: len(cotangent.axes) - len(root.axes)]
    order = list(topological([root]))
    wanted = set(targets)
    active = _active(order, wanted)
    collected: dict[Node, list[tuple[int, Node]]] = {root: [(1, cotangent)]}
    total: dict[Node, Node] = {}
    for node in reversed(order):
        if node not in active or node not in collected:
            continue
        here = add(collected.pop(node), own + node.axes)
        if node in wanted:
            total[node] = here
            continue
        if isinstance(here, Sum) and not here.terms:
            continue
        for child, contribution in _contributions(node, here, own, active):
            collected.setdefault(child, []).append((1, contribution))
    return [total.get(target, zeros(own + target.axes)) for target in targets]


def gradient(root: Node, targets: Sequence[Node]) -> list[Node]:
    """Differentiate a scalar by each target."""
    assert root.axes == ()
    return backward(root, product([], ()), targets)


def jacobian(root: Node, target: Node) -> Node:
    """Differentiate every entry by every entry: the axes of ``root``, then those of ``target``."""
    return backward(root, identity(root.axes), [target])[0]


def _active(order: Sequence[Node], targets: Collection[Node]) -> set[Node]:
    """The nodes that depend on a target."""
    active: set[Node] = set()
    for node in order:
        if node in targets or any(child in active for child in node.children):
            active.add(node)
    return active


def _contributions(node: Node, cotangent: Node, own: Axes, active: set[Node]) -> list[tuple[Node, Node]]:
    if isinstance(node, Sum):
        return [(t.node, scaled(t.coefficient, cotangent)) for t in node.terms if t.node in active]
    if isinstance(node, Product):
        return _through_product(node, cotangent, own, active)
    if isinstance(node, Apply):
        return [(a, pull_back(node, k, cotangent)) for k, a in enumerate(node.arguments) if a in active]
    assert isinstance(node, Variable)
    return []


def _through_product(node: Product, cotangent: Node, own: Axes, active: set[Node]) -> list[tuple[Node, Node]]:
    """The derivative by one factor is the product of all others with the cotangent."""
    count = len(node.dimensions)
    extra = range(count, count + len(own))
    dimensions = dict(enumerate((*node.dimensions, *own)))
    upstream = (cotangent, (*extra, *node.output), 1)
    results = []
    for k, (factor, indices, exponent) in enumerate(node.factors):
        if factor not in active:
            continue
        others = [f for j, f in enumerate(node.factors) if j != k]
        if exponent != 1:
            others = [*others, (factor, indices, exponent - 1)]  # type: ignore[list-item]
        results.append((factor, scaled(exponent, product([*others, upstream], (*extra, *indices), dimensions))))
    return results
