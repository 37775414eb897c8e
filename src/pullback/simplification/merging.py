"""Merged axes opened: where all that meets at an index is merged, it is summed over both axes instead.

tr(kron(A, B)) is tr(A) tr(B), vec(A)' vec(B) is a sum over the entries of two matrices.
"""

from __future__ import annotations

from pullback.tensor.add import add
from pullback.tensor.apply import apply
from pullback.tensor.node import Apply, Axes, Factor, Node, Product, Sum, topological
from pullback.tensor.product import product
from pullback.tensor.reshape import Linear, merged, stacked


def open_axis(node: Node, axis: int) -> Node | None:
    """Give a tensor with a merged axis as two axes in its place; None where that axis is not merged."""
    if isinstance(node, Apply):
        if isinstance(node.operation, Linear):
            return _open_linear(node, node.operation, axis)
        if node.operation.entrywise and node.arguments:
            opened = [open_axis(argument, axis) for argument in node.arguments]
            inner = [o for o in opened if o is not None]
            same = len({o.axes for o in inner}) == 1 and len(inner) == len(opened)
            return apply(node.operation, inner) if same else None
        return None
    if isinstance(node, Sum) and node.terms:
        terms = [(c, open_axis(n, axis)) for c, n in node.terms]
        inner_terms = [(c, n) for c, n in terms if n is not None]
        if len(inner_terms) < len(terms) or len({n.axes for _, n in inner_terms}) != 1:
            return None
        return add(inner_terms, inner_terms[0][1].axes)
    if isinstance(node, Product):
        index = node.output[axis]
        if node.output.count(index) != 1:
            return None
        return _open_index(node, index)
    return None


def _open_linear(node: Apply, operation: Linear, axis: int) -> Node | None:
    if operation.kind != "merge":
        return None
    (argument,) = node.arguments
    if axis == node.batch:
        return argument
    inner = open_axis(argument, axis)
    return merged(inner) if inner is not None else None


def _open_index(node: Product, index: int, split: Axes = ()) -> Node | None:
    """Replace an index by two wherever it stands.

    None unless it is a merged axis on every factor; with ``split``, axes that are not merged are split.
    """
    first, second = len(node.dimensions), len(node.dimensions) + 1
    factors = []
    sizes: set[Axes] = set()
    for factor, indices, exponent in node.factors:
        inner, labels = factor, list(indices)
        while index in labels:
            at = len(labels) - 1 - labels[::-1].index(index)
            opened = open_axis(inner, at)
            if opened is None and split:
                opened = _split(inner, at, split)
            if opened is None:
                return None
            sizes.add(opened.axes[at : at + 2])
            inner, labels[at : at + 1] = opened, [first, second]
        factors.append((inner, labels, exponent))
    if len(sizes) != 1:
        return None
    output = [i for label in node.output for i in ((first, second) if label == index else (label,))]
    kept = {i: d for i, d in enumerate(node.dimensions) if i != index}
    return product(factors, output, kept)


def opened(node: Node) -> Node:
    """Open every summed index of a product that is merged on all its factors; merge axes of the result last."""
    if isinstance(node, Apply) and isinstance(node.operation, Linear) and node.operation.kind == "split":
        inner = open_axis(node.arguments[0], len(node.axes) - 2)
        return node if inner is None or inner.axes != node.axes else opened(inner)
    if not isinstance(node, Product) or (len(node.factors) == 1 and node.factors[0].exponent == 1):
        return node
    for index in range(len(node.dimensions)):
        on_merge = any(
            index in f.indices and isinstance(f.node, Apply) and isinstance(f.node.operation, Linear)
            for f in node.factors
        )
        if on_merge and index not in node.output:
            found = _open_index(node, index) or _open_last(node, index)
            if found is not None:
                return opened(found)
    for axis, index in enumerate(node.output):
        if node.output.count(index) == 1 and any(_is_merged(f, index) for f in node.factors):
            found = _open_index(node, index)
            if found is not None and not has_merges(found):
                return _closed(found, axis)
    return node


def _open_last(node: Product, index: int) -> Node | None:
    """Open the one merged axis that is left in a product, what it meets being split: kron(A, B)' vec(G)."""
    moved = [f for f in node.factors if _holds_linear(f.node)]
    if len(moved) != 1 or not _is_merged(moved[0], index):
        return None
    merge = moved[0].node
    assert isinstance(merge, Apply) and isinstance(merge.operation, Linear)
    return None if _holds_linear(merge.arguments[0]) else _open_index(node, index, merge.operation.sizes)


def _holds_linear(node: Node) -> bool:
    """Whether the factors of a tensor move entries about."""
    parts = [f.node for f in node.factors] if isinstance(node, Product) else [node]
    return any(isinstance(part, Apply) and isinstance(part.operation, Linear) for part in parts)


def _split(node: Node, axis: int, sizes: Axes) -> Node:
    """Split an axis into two in its place."""
    rank = len(node.axes)
    others = [k for k in range(rank) if k != axis]
    apart = stacked(product([(node, range(rank), 1)], [*others, axis]), sizes)
    order = list(range(rank - 1))
    order[axis:axis] = [rank - 1, rank]
    return product([(apart, range(rank + 1), 1)], order)


def _is_merged(factor: Factor, index: int) -> bool:
    """Whether an axis of a factor is two axes made one."""
    return (
        isinstance(factor.node, Apply)
        and isinstance(factor.node.operation, Linear)
        and (factor.node.operation.kind == "merge" and factor.indices[-1] == index)
    )


def _closed(node: Node, axis: int) -> Node:
    """Merge an axis with the one after it."""
    rank = len(node.axes)
    others = [k for k in range(rank) if k not in (axis, axis + 1)]
    flat = merged(product([(node, range(rank), 1)], [*others, axis, axis + 1]))
    back = list(range(rank - 2))
    back.insert(axis, rank - 2)
    return product([(flat, range(rank - 1), 1)], back)


def has_merges(root: Node) -> bool:
    """Whether any axis is merged at or below a node."""
    return any(isinstance(n, Apply) and isinstance(n.operation, Linear) for n in topological([root]))
