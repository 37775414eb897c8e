"""``concat`` and ``slice``: putting vectors and matrices end to end, and taking a stretch back."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pullback.dimension import ONE, Dimension
from pullback.lowering.value import Context, Value
from pullback.syntax.tree import Call, Name
from pullback.tensor.add import add
from pullback.tensor.node import Node
from pullback.tensor.product import permuted
from pullback.tensor.reshape import padded, part

if TYPE_CHECKING:
    from pullback.lowering.expressions import Environment, Lowering


def concat(lowering: Lowering, tree: Call, names: Environment) -> Value:
    """End to end; matrices are stacked, or with ``rows`` put side by side, row by row."""
    context = lowering.context
    arguments = list(tree.arguments)
    axis = "columns"
    if arguments and isinstance(arguments[-1], Name) and arguments[-1].identifier in ("rows", "columns"):
        axis = arguments.pop().identifier  # type: ignore[union-attr]
    if not arguments:
        raise lowering.error("concat needs something to put together", tree.span)
    values = [lowering.lower(argument, names) for argument in arguments]
    if any(value.rank == 1 for value in values):
        values = [_as_vector(context, value) for value in values]
    rank = max(max(value.rank for value in values), 1)
    if rank > 2 or any(value.rank not in (rank, 0 if rank == 1 else rank) for value in values):
        raise context.mismatch("concat takes vectors (and scalars), or matrices", values)
    if rank == 2 and axis == "columns":
        turned = [_turned(lowering, value) for value in values]
        for value, other in pairwise(values):
            if not context.solver.unify(value.shape[-1], other.shape[-1]):
                raise context.mismatch(
                    "concat needs as many columns of each", [value, other], "or say concat(A, B, rows)"
                )
        return lowering.transpose(_side_by_side(lowering, turned, tree), tree.span)
    return _side_by_side(lowering, values, tree)


def _as_vector(context: Context, value: Value) -> Value:
    """A matrix of one column as the vector that it is; all else as it is."""
    if value.rank == 2 and context.solver.resolve(value.shape[1]) is ONE:
        return Value(value.shape[:1], value.node, value.span)
    return value


def _turned(lowering: Lowering, value: Value) -> Value:
    """The transpose of a matrix, with both axes even where one has length one."""
    rows, columns = value.shape
    turned = lowering.transpose(value, value.span)
    return Value((columns, rows), turned.node, value.span)


def _side_by_side(lowering: Lowering, values: list[Value], tree: Call) -> Value:
    context = lowering.context
    lead = values[0].shape[:-1]
    for value in values[1:]:
        if lead and not context.solver.unify(lead[0], value.shape[0]):
            raise context.mismatch("concat needs the same number of each", values)
    lengths = [value.shape[-1] if value.shape else Dimension.of(1) for value in values]
    total = Dimension.of(0)
    for length in lengths:
        total = total + context.solver.resolve(length)

    def make() -> Node:
        resolved = [context.solver.resolve(length) for length in lengths]
        whole = Dimension.of(0)
        for length in resolved:
            whole = whole + length
        axes = context.axes((*lead, whole))
        terms: list[tuple[int, Node]] = []
        offset = Dimension.of(0)
        for value, length in zip(values, resolved, strict=True):
            terms.append((1, padded(unsqueezed(value.node(), length), offset, whole)))
            offset = offset + length
        return add(terms, axes)

    return Value((*lead, total), make, tree.span)


def unsqueezed(node: Node, length: Dimension) -> Node:
    """Give a tensor its last axis back where that has length one and is not in the graph."""
    if length is not Dimension.of(1):
        return node
    from pullback.tensor.axes import broadcast

    return broadcast(node, (*node.axes, length), range(len(node.axes)))


def take(lowering: Lowering, tree: Call, names: Environment, offset: Dimension, length: Dimension) -> Value:
    """``slice(x, n, m)``: skip n entries and take m; of a matrix, of every column."""
    context = lowering.context
    value = lowering.lower(tree.arguments[0], names)
    if value.rank not in (1, 2):
        raise context.mismatch("slice takes a vector or a matrix", [value])
    shape = (length, *value.shape[1:])
    whole = context.solver.resolve(value.shape[0])
    beyond = (context.solver.resolve(offset) + context.solver.resolve(length) - whole).number
    if beyond is not None and beyond > 0:
        raise context.mismatch(f"slice takes up to entry {offset + length} of {whole}", [value])

    def make() -> Node:
        start, count = context.solver.resolve(offset), context.solver.resolve(length)
        node = value.node()
        turned = permuted(node, (1, 0)) if len(node.axes) == 2 else node
        taken = part(turned, start, count)
        if count is Dimension.of(1):
            from pullback.tensor.product import without_axes

            return without_axes(taken, frozenset({len(taken.axes) - 1}))
        return permuted(taken, (1, 0)) if len(taken.axes) == 2 else taken

    return Value(shape, make, tree.span)
