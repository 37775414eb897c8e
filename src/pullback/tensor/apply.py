"""Applied operations in normal form.

What does not concern the operation moves outside: axes along which its arguments are constant, a
transpose that it commutes with, numbers at which its value is exact. What the table of operations
knows beyond that (log of exp, inverse of inverse) comes in as the operation's ``rewrite``.
"""

from __future__ import annotations

from collections.abc import Sequence

from pullback.dimension import Dimension
from pullback.errors import UnsupportedError
from pullback.tensor.add import scaled
from pullback.tensor.axes import broadcast
from pullback.tensor.node import Axes, Node, Operation, Product, make_apply
from pullback.tensor.product import constant, constant_axes, is_symmetric, number_of, permuted, transposed, without_axes


def apply(operation: Operation, arguments: Sequence[Node]) -> Node:
    """Apply an operation; all arguments have the same leading axes before their core axes."""
    arguments = tuple(arguments)
    batch, output = _match_signature(operation, arguments)
    shared = frozenset(range(len(batch)))
    for argument in arguments:
        shared &= constant_axes(argument)
    if shared and arguments:
        inner = apply(operation, [without_axes(argument, shared) for argument in arguments])
        kept = [k for k in range(len(batch) + len(output)) if k not in shared]
        return broadcast(inner, batch + output, kept)
    if operation.rewrite is not None:
        found = operation.rewrite(arguments)
        if found is not None:
            assert found.axes == batch + output, f"{operation.name} was rewritten to other axes"
            return found
    if operation.exact and len(arguments) == 1:
        number = number_of(arguments[0])
        if number is not None and number in operation.exact:
            return broadcast(constant(operation.exact[number]), batch + output, ())
    flip = _orientation(operation, arguments)
    if flip is not None:
        return flip
    return make_apply(operation, arguments, batch + output)


def _match_signature(operation: Operation, arguments: tuple[Node, ...]) -> tuple[Axes, Axes]:
    """Read the batch axes and the core dimensions off the arguments; give batch and result core."""
    signature = operation.signature
    sizes: dict[str, Dimension] = {}
    batch: Axes | None = None
    for argument, core in zip(arguments, signature.inputs, strict=True):
        lead = argument.axes[: len(argument.axes) - len(core)]
        assert batch is None or batch == lead, f"{operation.name}: leading axes differ"
        batch = lead
        for name, axis in zip(core, argument.axes[len(lead) :], strict=True):
            if sizes.setdefault(name, axis) is not axis:
                raise UnsupportedError(f"{operation.name} needs a square matrix here, not {sizes[name]} x {axis}")
    batch = batch or ()
    return batch, operation.output([argument.axes[len(batch) :] for argument in arguments])


def _orientation(operation: Operation, arguments: tuple[Node, ...]) -> Node | None:
    """Move a transpose outside, where that gives the operation the smaller arguments."""
    if any(len(argument.axes) != 2 for argument in arguments) or not arguments:
        return None
    if operation.entrywise or operation.transposing or operation.invariant:
        if all(is_symmetric(argument) for argument in arguments):
            return None
        turned = tuple(transposed(argument) for argument in arguments)
        order = _order_but_for_sign if operation.parity else _order
        if [order(a) for a in turned] < [order(a) for a in arguments]:
            result = apply(operation, turned)
            return result if operation.invariant else permuted(result, (1, 0))
    return None


def _order(node: Node) -> tuple[int, bytes]:
    return node.order


def _order_but_for_sign(node: Node) -> tuple[int, bytes]:
    """The same for x and -x, which an even or odd function turns into one another: W - W' is -(W - W')'."""
    return min(node.order, scaled(-1, node).order)


def is_ones(node: Node) -> bool:
    """Whether every entry is the number one."""
    return isinstance(node, Product) and number_of(node) == 1
