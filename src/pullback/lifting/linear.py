"""Spelling what moves entries about: vec and reshape, concat and slice."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from pullback.dimension import Dimension
from pullback.lifting.chain import transpose
from pullback.lifting.sizes import length as measure
from pullback.simplification.merging import open_axis
from pullback.syntax.tree import Call, Chain, Name, Number, Syntax
from pullback.tensor.node import Apply, Factor, Node, Product, Sum
from pullback.tensor.product import permuted
from pullback.tensor.product import product as make
from pullback.tensor.reshape import Linear, merged

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

    if operation.kind == "merge":
        rank = len(argument.axes)
        turned = permuted(argument, (*range(rank - 2), rank - 1, rank - 2))
        return spell_lifted(speller, node, [turned], lambda trees: Call("vec", (trees[0],)))
    return spell_lifted(speller, node, [argument], lambda trees: _core(speller, operation, trees[0], argument.axes[-1]))


def spell_kron(speller: Speller, node: Apply) -> Syntax | None:
    """Read merged axes over a product of two independent parts as a Kronecker product."""
    if len(node.axes) > 2:
        return None
    inner: Node = node
    sides: list[list[int]] = []
    for axis in reversed(range(len(node.axes))):
        split = open_axis(inner, axis)
        sides.insert(0, [0, 1] if split is not None else [0])
        inner = inner if split is None else split
    if not isinstance(inner, Product):
        return None
    output = inner.output
    if len(output) == 4 and (outer := _outer(speller, inner)) is not None:
        return outer
    places = [output[: len(sides[0])], output[len(sides[0]) :]]
    for left, right in _halves(places):
        if not set(left[1]) & set(right[1]):
            parts = [_part(inner, labels) for _, labels in (left, right)]
            if parts[0] is not None and parts[1] is not None and _covers(inner, parts):
                trees = [
                    speller.spell_row(p[0]) if row else speller.spell(p[0])
                    for p, (row, _) in zip(parts, (left, right), strict=True)
                    if p
                ]
                return Call("kron", tuple(trees))
    if len(output) == 4 and output[:2] == output[2:] and output[0] != output[1]:
        flat = make(
            [(f.node, f.indices, f.exponent) for f in inner.factors], output[:2], dict(enumerate(inner.dimensions))
        )
        return Call("diag", (speller.spell(merged(flat)),))
    return None


def _outer(speller: Speller, inner: Product) -> Syntax | None:
    """Read a product of a matrix and another, each merged to one axis, as vec(A) vec(B)'."""
    left, right = inner.output[:2], inner.output[2:]
    if set(left) & set(right):
        return None
    parts = [_part(inner, labels[::-1]) for labels in (left, right)]
    if parts[0] is None or parts[1] is None or not _covers(inner, parts):
        return None
    first, second = (Call("vec", (speller.spell(part[0]),)) for part in parts if part is not None)
    return Chain((first, transpose(second)), ("*",))


Half = tuple[bool, tuple[int, ...]]


def _halves(places: list[tuple[int, ...]]) -> list[tuple[Half, Half]]:
    """Ways to share the axes out between the two factors: whether each is a row, and its axes."""
    if len(places) == 1 or not places[1]:
        (p, q) = places[0]
        return [((False, (p,)), (False, (q,)))]
    first, second = places
    if len(first) == len(second) == 2:
        return [((False, (first[0], second[0])), (False, (first[1], second[1])))]
    if len(second) == 2:
        return [
            ((True, second[:1]), (False, (first[0], second[1]))),
            ((False, (first[0], second[0])), (True, second[1:])),
        ]
    return [((False, first[:1]), (False, (first[1], second[0]))), ((False, (first[0], second[0])), (False, first[1:]))]


def _part(inner: Product, labels: tuple[int, ...]) -> tuple[Node, int] | None:
    """The factors that hang on some of the output axes, as a tensor over these, and how many they are."""
    group: list[Factor] = []
    reach = set(labels)
    grown = True
    while grown:
        grown = False
        for factor in inner.factors:
            if factor not in group and reach & set(factor.indices):
                group.append(factor)
                reach |= set(factor.indices)
                grown = True
    if reach & (set(inner.output) - set(labels)):
        return None
    return make(group, labels, {i: inner.dimensions[i] for i in reach}), len(group)


def _covers(inner: Product, parts: list[tuple[Node, int] | None]) -> bool:
    return sum(part[1] for part in parts if part is not None) == len(inner.factors)


def _core(speller: Speller, operation: Linear, tree: Syntax, length: Dimension) -> Syntax:
    """Spell the operation on one vector or matrix that is spelled already."""
    first, second = operation.sizes
    if operation.kind == "split":
        return transpose(Call("reshape", (tree, measure(second), measure(first))))
    if operation.kind == "part":
        skip: Syntax = measure(first) if first.terms else Number(Fraction(0))
        return Call("slice", (tree, skip, measure(second)))
    after = second - first - length
    gaps = [Call("zeros", (measure(gap),)) if gap.terms else None for gap in (first, after)]
    return Call("concat", tuple(part for part in (gaps[0], tree, gaps[1]) if part is not None))


def spell_blocks(speller: Speller, axes: tuple[Dimension, ...], blocks: list[tuple[Dimension, Node]]) -> Syntax:
    """Spell stretches of the last axis end to end, with zeros between them."""
    lead, total = axes[:-1], axes[-1]
    arguments: list[Syntax] = []
    here = Dimension.of(0)
    for offset, node in [*blocks, (total, None)]:
        if offset is not here:
            gap = offset - here
            arguments.append(Call("zeros", tuple(measure(axis) for axis in (*lead, gap))))
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
