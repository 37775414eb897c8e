"""Moved entries in products, the way round that matrix notation can say.

In the graph a reshape goes to the factor whose entries it moves, and sums run over both axes that are one:

- a sum over k of g[k] times row k of A, reshaped, is reshape(A' g, m, n);
- a sum over i and j of row k of A, reshaped to R, R[i,j] X[i,j], is A vec(X);
- what the rows of a matrix with merged columns are multiplied by stands before it: g vec(X)'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pullback.tensor import rebuilding
from pullback.tensor.node import Apply, Factor, Node, Product, make_apply, topological
from pullback.tensor.product import product
from pullback.tensor.reshape import Linear, merged


def contracted(roots: Sequence[Node]) -> list[Node]:
    """Reshape what is summed, in all products below the roots."""
    order = list(topological(roots))
    if not any(_moves(node, "split") or _moves(node, "merge") for node in order):
        return list(roots)
    done: dict[Node, Node] = {}
    for node in order:
        done[node] = _half_flat(_within(_flat(_in_front(rebuilt(node, done)))))
    return [done[root] for root in roots]


def _moves(node: Node, kind: str) -> bool:
    return isinstance(node, Apply) and isinstance(node.operation, Linear) and node.operation.kind == kind


def _in_front(node: Node) -> Node:
    """Take factors of the rows out of a matrix whose columns are two axes merged."""
    if not _moves(node, "merge") or not isinstance(node, Apply):
        return node
    (inner,) = node.arguments
    if not isinstance(inner, Product):
        return node
    lead, core = inner.output[:-2], inner.output[-2:]
    if not lead or len({*lead, *core}) != len(set(lead)) + 2:
        return node
    outer = [f for f in inner.factors if f.indices and set(f.indices) <= set(lead)]
    rest = [f for f in inner.factors if f not in outer]
    kept = [label for label in dict.fromkeys(lead) if any(label in f.indices for f in rest)]
    if len(kept) == len(set(lead)) or set(kept) & {label for f in outer for label in f.indices}:
        return node
    lengths = dict(enumerate(inner.dimensions))
    gone = set(lead) - set(kept)
    part = product(rest, (*kept, *core), {label: n for label, n in lengths.items() if label not in gone})
    flat = merged(part)
    new = len(inner.dimensions)
    axes = {label: lengths[label] for label in lead} | {new: node.axes[-1]}
    return product([*outer, (flat, (*kept, new), 1)], (*lead, new), axes)


def _flat(node: Node) -> Node:
    """Merge what a reshaped row is summed with over both of its axes, and leave the row as it is."""
    if not isinstance(node, Product):
        return node
    for k, (inner, indices, exponent) in enumerate(node.factors):
        core = set(indices[-2:])
        if not _moves(inner, "split") or exponent != 1 or len(set(indices)) < len(indices) or core & set(node.output):
            continue
        others = [f for j, f in enumerate(node.factors) if j != k]
        group = _tied(others, core)
        inside = {label for f in group for label in f.indices}
        beyond = {label for f in others if f not in group for label in f.indices} | set(node.output)
        if not core <= inside or inside & (beyond | set(indices[:-2])):
            continue
        assert isinstance(inner, Apply)
        lengths = dict(enumerate(node.dimensions))
        flat = merged(product(group, indices[-2:], {label: lengths[label] for label in inside}))
        new = len(node.dimensions)
        rest = [f for f in others if f not in group]
        left = {label: length for label, length in lengths.items() if label not in inside} | {new: flat.axes[-1]}
        row = Factor(inner.arguments[0], (*indices[:-2], new), 1)
        return product([*rest, row, Factor(flat, (new,), 1)], node.output, left)
    return node


def _half_flat(node: Node) -> Node:
    """Where a reshaped row is summed over one of its axes, the other goes through an identity: A kron(eye(m), y)."""
    if not isinstance(node, Product):
        return node
    for k, (inner, indices, exponent) in enumerate(node.factors):
        if not _moves(inner, "split") or exponent != 1 or len(indices) != 3 or len(set(indices)) < 3:
            continue
        others = [f for j, f in enumerate(node.factors) if j != k]
        for at in (1, 2):
            summed, kept = indices[at], indices[3 - at]
            group = [f for f in others if summed in f.indices]
            if summed in node.output or not group or any(f.indices != (summed,) for f in group):
                continue
            assert isinstance(inner, Apply)
            lengths = dict(enumerate(node.dimensions))
            new, copy = len(lengths), len(lengths) + 1
            core = {1: (summed, copy), 2: (copy, summed)}[at]
            local = {kept: lengths[kept], copy: lengths[kept], summed: lengths[summed]}
            through = product([], (0, 0), {0: lengths[kept]})
            flat = merged(product([(through, (kept, copy), 1), *group], (kept, *core), local))
            left = {label: length for label, length in lengths.items() if label != summed} | {new: flat.axes[-1]}
            row = Factor(inner.arguments[0], (indices[0], new), 1)
            rest = [f for f in others if f not in group]
            return product([*rest, row, Factor(flat, (kept, new), 1)], node.output, left)
    return node


def _tied(factors: Sequence[Factor], labels: set[int]) -> list[Factor]:
    """The factors that have some of the labels, or are tied to those that do."""
    reached, found = set(labels), list[Factor]()
    while True:
        more = [f for f in factors if f not in found and reached & set(f.indices)]
        if not more:
            return found
        found += more
        reached |= {label for f in more for label in f.indices}


def _within(node: Node) -> Node:
    """Take the vectors that a row is summed with into the reshape."""
    if not isinstance(node, Product):
        return node
    for k, (inner, indices, exponent) in enumerate(node.factors):
        if (
            not _moves(inner, "split")
            or len(inner.axes) != 3
            or exponent != 1
            or len(set(indices)) < len(indices)
            or indices[0] in node.output
        ):
            continue
        row = indices[0]
        others = [f for j, f in enumerate(node.factors) if j != k]
        vectors = [f for f in others if row in f.indices]
        if not vectors or any(f.indices != (row,) for f in vectors):
            continue
        assert isinstance(inner, Apply)
        (flat,) = inner.arguments
        summed = product([(flat, (0, 1), 1), *((f.node, (0,), f.exponent) for f in vectors)], (1,))
        shaped = make_apply(inner.operation, (summed,), inner.axes[1:])
        rest = [f for f in others if f not in vectors]
        lengths = {label: length for label, length in enumerate(node.dimensions) if label != row}
        return product([*rest, Factor(shaped, indices[1:], 1)], node.output, lengths)
    return node


def rebuilt(node: Node, done: Mapping[Node, Node]) -> Node:
    """Build a node again from other parts; a reshape stays where it is."""
    if isinstance(node, Apply) and isinstance(node.operation, Linear):
        return make_apply(node.operation, tuple(done[argument] for argument in node.arguments), node.axes)
    return rebuilding.rebuilt(node, done)
