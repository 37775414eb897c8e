"""Spelling what moves entries about: vec and reshape, concat and slice."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from pullback.dimension import Dimension
from pullback.lifting.chain import transpose
from pullback.syntax.tree import Call, Name, Number, Syntax
from pullback.simplification.merging import open_axis
from pullback.tensor.node import Apply, Node, Product, Sum
from pullback.tensor.product import permuted
from pullback.tensor.product import product as make
from pullback.tensor.reshape import Linear

if TYPE_CHECKING:
    from pullback.lifting.lift import Speller


def spell_linear(speller: Speller, node: Apply, operation: Linear) -> Syntax:
    """Spell one of merge, split, pad and part."""
    (argument,) = node.arguments
    if operation.kind == "merge":
        product = spell_kron(speller, node)
        if product is not None:
            return product
    if node.batch == 0:
        if operation.kind == "merge":
            return Call("vec", (speller.spell(permuted(argument, (1, 0))),))
        if operation.kind == "pad":
            return spell_blocks(speller, node.axes, [(operation.sizes[0], argument)])
        return _core(speller, operation, speller.spell(argument), argument.axes[-1])
    if node.batch == 1 and operation.kind == "part":
        tree = _core(speller, operation, speller.spell(permuted(argument, (1, 0))), argument.axes[-1])
        return transpose(tree)
    if node.batch == 1 and operation.kind == "pad":
        return spell_blocks(speller, node.axes, [(operation.sizes[0], argument)])
    from pullback.lifting.entries import spell_lifted

    return spell_lifted(speller, node, lambda trees: _core(speller, operation, trees[0], argument.axes[-1]))


def spell_kron(speller: Speller, node: Apply) -> Syntax | None:
    """Read two merged axes, or one, over a product of two independent parts as a Kronecker product."""
    rank = len(node.axes)
    if rank > 2:
        return None
    inner: Node | None = node
    for axis in reversed(range(rank)):
        inner = open_axis(inner, axis) if inner is not None else None
    if not isinstance(inner, Product) or len(set(inner.output)) != len(inner.output):
        return None
    left, right = inner.output[::2], inner.output[1::2]
    parts = []
    loose = [f for f in inner.factors]
    for side in (left, right):
        group, labels = [], set(side)
        grown = True
        while grown:
            grown = False
            for f in list(loose):
                if labels & set(f.indices):
                    group.append(f)
                    labels |= set(f.indices)
                    loose.remove(f)
                    grown = True
        other = right if side is left else left
        if labels & set(other):
            return None
        parts.append(make(group, side, {i: inner.dimensions[i] for i in labels}))
    if loose:
        return None
    return Call("kron", tuple(speller.spell(part) for part in parts))


def _core(speller: Speller, operation: Linear, tree: Syntax, length: Dimension) -> Syntax:
    """Spell the operation on one vector or matrix that is spelled already."""
    first, second = operation.sizes
    if operation.kind == "merge":
        return Call("vec", (transpose(tree),))
    if operation.kind == "split":
        return transpose(Call("reshape", (tree, speller.length(second), speller.length(first))))
    if operation.kind == "part":
        skip: Syntax = speller.length(first) if first.terms else Number(Fraction(0))
        return Call("slice", (tree, skip, speller.length(second)))
    after = second - first - length
    gaps = [Call("zeros", (speller.length(gap),)) if gap.terms else None for gap in (first, after)]
    return Call("concat", tuple(part for part in (gaps[0], tree, gaps[1]) if part is not None))


def spell_blocks(speller: Speller, axes: tuple[Dimension, ...], blocks: list[tuple[Dimension, Node]]) -> Syntax:
    """Spell stretches of the last axis end to end, with zeros between them."""
    lead, total = axes[:-1], axes[-1]
    arguments: list[Syntax] = []
    here = Dimension.of(0)
    for offset, node in [*blocks, (total, None)]:
        if offset is not here:
            gap = offset - here
            arguments.append(Call("zeros", tuple(speller.length(axis) for axis in (*lead, gap))))
        if node is not None:
            arguments.append(speller.spell(node))
            here = offset + node.axes[-1]
    if lead:
        arguments.append(Name("rows"))
    return Call("concat", tuple(arguments))


def gather_blocks(speller: Speller, node: Sum) -> Syntax | None:
    """Read a sum of padded vectors that do not overlap as one concat; None where it is no such sum."""
    from pullback.tensor.add import scaled

    if not 1 <= len(node.axes) <= 2 or len(node.terms) < 2:
        return None
    blocks: list[tuple[Dimension, Node]] = []
    for coefficient, term in node.terms:
        if not isinstance(term, Apply) or not isinstance(term.operation, Linear) or term.operation.kind != "pad":
            return None
        blocks.append((term.operation.sizes[0], scaled(coefficient, term.arguments[0])))
    ordered: list[tuple[Dimension, Node]] = []
    here = Dimension.of(0)
    while blocks:
        found = next((block for block in blocks if block[0] is here), None)
        if found is None:
            return None
        ordered.append(found)
        blocks.remove(found)
        here = here + found[1].axes[-1]
    return spell_blocks(speller, node.axes, ordered)
