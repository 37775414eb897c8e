"""One plan for a program and its derivatives, shared and linear in depth.

Each cotangent is a stand-in that is computed once and used by all that lies below it, as a person would write
``dh = W2' dz`` before going on; so a deep program costs what it is long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pullback.calculus.reverse import backward
from pullback.operations.stability import passing
from pullback.tensor.add import add
from pullback.tensor.node import Apply, Node, Product, Sum, Variable, make_variable, topological
from pullback.tensor.product import number_of, product, transposed
from pullback.tensor.reshape import Linear


@dataclass(frozen=True, slots=True)
class Cotangents:
    """Gradients of the targets, in terms of the inputs and of stand-ins with their definitions.

    ``of`` gives for every stand-in the node whose cotangent it is.
    """

    gradients: list[Node]
    standins: dict[Variable, Node]
    of: dict[Variable, Node] = field(default_factory=dict)


def reverse_sweep(root: Node, seed: Node, targets: Sequence[Node]) -> Cotangents:
    """Pull ``seed`` back to the targets, each cotangent under a name of its own."""
    order = list(topological([root]))
    wanted = set(targets)
    active: set[Node] = set()
    for node in order:
        if node in wanted or any(child in active for child in _children(node)):
            active.add(node)
    twins = _twins(order)
    collected: dict[Node, list[Node]] = {root: [seed]}
    standins: dict[Variable, Node] = {}
    of: dict[Variable, Node] = {}
    total: dict[Node, Node] = {}
    for node in reversed(order):
        if node not in active or node not in collected:
            continue
        here = add([(1, part) for part in collected.pop(node)], node.axes)
        if node in twins:
            collected.setdefault(twins[node], []).append(transposed(here))
            continue
        if node in wanted:
            total[node] = here
            continue
        if isinstance(here, Sum) and not here.terms:
            continue
        children = [child for child in dict.fromkeys(_children(node)) if child in active]
        if not _is_small(here):
            name = make_variable(f"cotangent {len(standins)}", node.axes)
            standins[name] = here
            of[name] = node
            here = name
        for child, part in zip(children, _backward(node, here, children), strict=True):
            collected.setdefault(child, []).append(part)
    zero = {target: add([], target.axes) for target in targets}
    return Cotangents([total.get(target, zero[target]) for target in targets], standins, of)


def _children(node: Node) -> Sequence[Node]:
    """What a cotangent goes to; past what would overflow on the way."""
    past = passing(node)
    return node.children if past is None else past[:1]


def _backward(node: Node, cotangent: Node, children: Sequence[Node]) -> Sequence[Node]:
    """What the children get of a node's cotangent."""
    past = passing(node)
    if past is None or not children:
        return backward(node, cotangent, children)
    labels = tuple(range(len(node.axes)))
    factors = [(cotangent, labels, 1), (past[1], labels, 1)]
    return [product(factors, labels, dict(enumerate(node.axes)))]


def _twins(order: Sequence[Node]) -> dict[Node, Node]:
    """For nodes whose transpose comes before them, that: both get one cotangent."""
    found: dict[Node, Node] = {}
    seen: set[Node] = set()
    for node in order:
        if len(node.axes) == 2 and isinstance(node, Sum | Apply) and node.children:
            twin = transposed(node)
            if twin is not node and twin in seen and type(twin) is type(node):
                found[node] = twin
        seen.add(node)
    return found


def _is_small(node: Node) -> bool:
    """Whether naming it would share nothing: an input, or a number."""
    if isinstance(node, Variable) or number_of(node) is not None:
        return True
    if isinstance(node, Sum) and len(node.terms) == 1:
        return _is_small(node.terms[0].node)
    if isinstance(node, Apply) and isinstance(node.operation, Linear):
        return _is_small(node.arguments[0])
    return isinstance(node, Product) and (not node.factors or _is_outer(node))


def _is_outer(node: Product) -> bool:
    """Whether it is an outer product of what is there already: what it multiplies is better applied to one factor."""
    indices = [index for factor in node.factors for index in factor.indices]
    return len(node.output) == len(indices) == len(set(indices)) and len(node.factors) > 1
