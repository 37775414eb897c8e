"""Tensors written by their entries: ``[i,j: A[i,k] B[k,j] exp(x[i])]``.

Inside, an index is an extra axis of whatever it is on; the expression around the entries is lowered as
if each entry were a number (or, with ``:``, a vector or matrix) and then lifted over those axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullback.dimension import ONE, Dimension
from pullback.errors import Span
from pullback.lowering.value import Shape, Value
from pullback.syntax.tree import (
    Call,
    Chain,
    Comprehension,
    Indexed,
    Name,
    Negate,
    Power,
    Syntax,
    Transpose,
)
from pullback.tensor.add import add, scaled
from pullback.tensor.axes import broadcast
from pullback.tensor.node import Node, make_variable
from pullback.tensor.product import product
from pullback.tensor.substitute import Lifted, substitute

if TYPE_CHECKING:
    from pullback.lowering.expressions import Environment, Lowering

WHOLE = ":"


def comprehension(lowering: Lowering, tree: Comprehension, names: Environment) -> Value:
    """Lower a tensor written by its entries."""
    if len(set(tree.indices)) != len(tree.indices):
        raise lowering.error("an axis is named twice", tree.span, "for a diagonal, multiply by eye(n)[i,j]")
    lengths: dict[str, Dimension] = {}
    terms = []
    for sign, body in _terms(tree.body):
        term = _Term(lowering, names, dict(lengths), body)
        lengths |= {i: n for i, n in term.lengths.items() if i in tree.indices or lowering.reads_rows}
        terms.append((sign, term))
    for index in tree.indices:
        if index not in lengths:
            hint = f"multiply by ones(n)[{index}] to say how long it is"
            raise lowering.error(f"nothing says how long the axis {index} is", tree.span, hint)
    core = _core(lowering, tree, [term.value for _, term in terms])
    shape = (*(lengths[index] for index in tree.indices), *core)

    def make() -> Node:
        axes = lowering.context.axes(shape)
        open_indices = [i for i in tree.indices if lowering.context.solver.resolve(lengths[i]) is not ONE]
        return add([(sign, term.build(open_indices, term.lengths | lengths)) for sign, term in terms], axes)

    return lowering.note("entries", [term.value for _, term in terms], Value(shape, make, tree.span))


def _core(lowering: Lowering, tree: Comprehension, values: list[Value]) -> Shape:
    """Give the shape that the terms have beside the axes written: a sum of rows is a vector, say."""
    context = lowering.context
    arrays = [value for value in values if not context.is_scalar(value)]
    if not arrays:
        return ()
    for value in values:
        if not lowering.same_shape(arrays[0].shape, value.shape):
            raise context.mismatch("the terms of a sum over entries differ in shape", [arrays[0], value])
    if tree.indices and context.is_row(arrays[0]):
        raise context.mismatch("an entry can't be a row here", arrays[:1], "transpose it")
    return context.resolved(arrays[0].shape)


def _terms(body: Syntax, sign: int = 1) -> list[tuple[int, Syntax]]:
    """Split a sum into its terms with their signs."""
    if isinstance(body, Chain) and body.is_sum:
        signs = [1, *(1 if operator == "+" else -1 for operator in body.operators)]
        return [part for s, term in zip(signs, body.operands, strict=True) for part in _terms(term, sign * s)]
    if isinstance(body, Negate):
        return _terms(body.operand, -sign)
    return [(sign, body)]


class _Term:
    """One product of entries: its value over placeholders, and what these stand for."""

    def __init__(self, lowering: Lowering, names: Environment, lengths: dict[str, Dimension], tree: Syntax) -> None:
        self.lowering, self.names, self.lengths = lowering, names, lengths
        self.slots: list[tuple[Value, Value, tuple[str, ...]]] = []
        self.inner: dict[str, Value] = dict(names)
        self.value = lowering.lower(self.replaced(tree), self.inner)

    def replaced(self, tree: Syntax) -> Syntax:
        """Put a placeholder for every entry."""
        match tree:
            case Indexed(operand, indices, span):
                return self.slot(operand, indices, span)
            case Negate(operand, span):
                return Negate(self.replaced(operand), span)
            case Transpose(operand, span):
                return Transpose(self.replaced(operand), span)
            case Power(base, exponent, entrywise, span):
                return Power(self.replaced(base), self.replaced(exponent), entrywise, span)
            case Chain(operands, operators, span):
                return Chain(tuple(self.replaced(operand) for operand in operands), operators, span)
            case Call(function, arguments, span):
                return Call(function, tuple(self.replaced(argument) for argument in arguments), span)
        return tree

    def slot(self, operand: Syntax, indices: tuple[str, ...], span: Span) -> Syntax:
        context = self.lowering.context
        whole = self.lowering.lower(self.replaced(operand), self.inner)
        long = tuple(axis for axis in context.resolved(whole.shape) if axis is not ONE)
        if len(long) == len(indices) < whole.rank:
            whole = Value(long, whole.node, whole.span)
        elif whole.rank == len(indices) + 1 and self.lowering.reads_rows:
            indices = (*indices, WHOLE)
        if whole.rank != len(indices):
            raise context.mismatch(f"{len(indices)} indices are on {context.describe(whole)}", [whole])
        for index, axis in zip(indices, whole.shape, strict=True):
            if index != WHOLE and not context.solver.unify(self.lengths.setdefault(index, axis), axis):
                raise context.mismatch(f"the index {index} runs over two lengths", [whole])
        shape = tuple(axis for index, axis in zip(indices, whole.shape, strict=True) if index == WHOLE)
        name = f"entry {len(self.slots)}"
        placeholder = Value(shape, lambda: make_variable(name, context.axes(shape)), span)
        self.slots.append((placeholder, whole, indices))
        self.lowering.note("entry", (whole,), placeholder)
        self.inner[name] = placeholder
        return Name(name, span)

    def build(self, output: list[str], lengths: dict[str, Dimension]) -> Node:
        """Build the term with the axes asked for; the other indices are summed over."""
        context = self.lowering.context
        leaves: dict[Node, Lifted] = {}
        order = list(lengths)
        for placeholder, whole, indices in self.slots:
            inner = substitute(whole.node(), leaves)
            labels = [1000 + order.index(name) for name in inner.extra]
            extra = list(inner.extra)
            core = []
            for k, (index, axis) in enumerate(zip(indices, whole.shape, strict=True)):
                if context.solver.resolve(axis) is ONE:
                    continue
                if index == WHOLE:
                    labels.append(k)
                    core.append(k)
                else:
                    labels.append(1000 + order.index(index))
                    if index not in extra:
                        extra.append(index)
            lead = [1000 + order.index(index) for index in extra]
            leaves[placeholder.node()] = Lifted(product([(inner.node, labels, 1)], [*lead, *core]), tuple(extra))
        lifted = substitute(self.value.node(), leaves)
        position = {name: k for k, name in enumerate(lifted.extra)}
        kept = [name for name in output if name in position]
        all_axes = range(len(lifted.node.axes))
        beside = all_axes[len(lifted.extra) :]
        summed = product([(lifted.node, all_axes, 1)], [*(position[name] for name in kept), *beside])
        axes = (*(context.solver.resolve(lengths[name]) for name in output), *summed.axes[len(kept) :])
        places = [*(output.index(name) for name in kept), *range(len(output), len(axes))]
        return scaled(1, broadcast(summed, axes, places))
