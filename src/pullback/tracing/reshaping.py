"""Reshapes, which are kept on the outside: a function of a reshaped value is the function, reshaped.

So a layer that works on the last axis of a tensor is read as one of matrices, and reshapes meet and vanish.
"""

from __future__ import annotations

from collections.abc import Sequence

from pullback.dimension import ONE, Dimension
from pullback.errors import ShapeError
from pullback.tensor.node import Node
from pullback.tensor.product import permuted
from pullback.tensor.reshape import merged, stacked
from pullback.tracing.tape import Shape, Value, axes_of


def reshape(value: Value, shape: Shape) -> Value:
    """Give the entries another shape, in row-major order."""
    value = inner_of(value)
    if shape == value.shape:
        return value
    old, new = axes_of(value.shape), axes_of(shape)
    groups = _groups(old, new)
    return Value(shape, (value,), lambda n: _regrouped(n[0], groups), "reshape", fused=True)


Group = tuple[Shape, Shape]


def _groups(old: Shape, new: Shape) -> list[Group]:
    """Match runs of axes that have the same number of entries."""
    groups: list[Group] = []
    i = j = 0
    while i < len(old) or j < len(new):
        found = None
        for total in range(1, len(old) - i + len(new) - j + 1):
            for a in range(max(0, total - (len(new) - j)), min(total, len(old) - i) + 1):
                b = total - a
                if _count(old[i : i + a]) is _count(new[j : j + b]) and a and b:
                    found = (a, b)
                    break
            if found:
                break
        if found is None:
            said = f"{' x '.join(map(str, old))} to {' x '.join(map(str, new))}"
            raise ShapeError(f"can't reshape {said}")
        groups.append((old[i : i + found[0]], new[j : j + found[1]]))
        i, j = i + found[0], j + found[1]
    return groups


def _count(shape: Shape) -> Dimension:
    total = ONE
    for axis in shape:
        total = total * axis
    return total


def _regrouped(node: Node, groups: Sequence[Group]) -> Node:
    done = 0
    for old, new in groups:
        if old == new:
            done += len(old)
            continue
        rank = len(node.axes)
        order = [*range(done), *range(done + len(old), rank), *range(done, done + len(old))]
        node = permuted(node, order)
        for _ in range(len(old) - 1):
            node = merged(node)
        rest = _count(new)
        for k in range(len(new) - 1):
            rest = _count(new[k + 1 :])
            node = stacked(node, (new[k], rest))
        rank = len(node.axes)
        own = list(range(rank - len(new), rank))
        others = list(range(rank - len(new)))
        node = permuted(node, [*others[:done], *own, *others[done:]])
        done += len(new)
    return node


def inner_of(value: Value) -> Value:
    """What a reshaped value was before; the value itself where it is not reshaped."""
    return value.arguments[0] if value.step == "reshape" and value.fused else value


def common_inner(values: Sequence[Value]) -> list[Value] | None:
    """What several values were before they were all reshaped from one shape to one other; None where they were not.

    Single numbers may be among them.
    """
    arrays = [value for value in values if value.rank]
    inner = [inner_of(value) for value in arrays]
    if not arrays or any(i is v for i, v in zip(inner, arrays, strict=True)):
        return None
    if any(v.shape != arrays[0].shape or i.shape != inner[0].shape for v, i in zip(arrays, inner, strict=True)):
        return None
    return [inner_of(value) for value in values]
