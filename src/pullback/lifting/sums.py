"""Spelling sums: the order of the terms, numbers that stand for ones, shared numbers in front."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from pullback.lifting.alphabet import Natural, natural
from pullback.lifting.chain import number, settle_minus, signed, text, transpose, transposes, weight
from pullback.lifting.sizes import length as measure
from pullback.syntax.tree import Call, Chain, Comprehension, Negate, Number, Syntax
from pullback.tensor.add import content, scaled
from pullback.tensor.node import Product, Rational, Sum, Term, make_sum, rational
from pullback.tensor.product import constant_axes, number_of, without_axes

if TYPE_CHECKING:
    from pullback.lifting.lift import Speller

_LONG = 10
"""Denominators from which a fraction is written as a decimal."""


def spell_sum(speller: Speller, node: Sum, row: bool = False) -> Syntax:
    """Spell a linear combination."""
    if not node.terms:
        return spell_zeros(speller, node)
    if len(node.terms) > 1:
        shared = content(node.terms, signed=False)
        if shared != 1 and saves_numbers(node, shared):
            inner = scaled(Fraction(1) / shared, node)
            assert isinstance(inner, Sum)
            tree = whole(speller, inner, row)
            if isinstance(tree, Negate):
                return settle_minus(Negate(speller.joined([number(shared), tree.operand])))
            return speller.joined([number(shared), tree])
    return terms_of(speller, node, row)


def saves_numbers(node: Sum, shared: Rational) -> bool:
    """Whether fewer numbers are written with the shared one in front: 2 (x + y), but 0.01 + 0.99 s."""
    plain = sum(number_of(n) is not None for _, n in node.terms)
    before = sum(abs(c) != 1 and number_of(n) is None for c, n in node.terms) + plain
    after = 1 + sum(abs(c) != shared and number_of(n) is None for c, n in node.terms) + plain
    return after < before or (after == before and shared.denominator < _LONG)


def whole(speller: Speller, node: Sum, row: bool) -> Syntax:
    """Spell a sum after its common number, by its name if it has one."""
    tree = speller.by_name(node)
    if tree is None:
        return terms_of(speller, node, row)
    if not row:
        return tree
    return Negate(transpose(tree.operand)) if isinstance(tree, Negate) else transpose(tree)


def spell_zeros(speller: Speller, node: Sum) -> Syntax:
    """Spell zero in its shape."""
    if not node.axes:
        return Number(Fraction(0))
    return Call("zeros", tuple(measure(axis) for axis in node.axes))


def terms_of(speller: Speller, node: Sum, row: bool = False) -> Syntax:
    """Spell the terms, the positive ones first, each sign once."""
    from pullback.lifting.linear import gather_blocks

    gathered = gather_blocks(speller, node)
    if gathered is not None:
        return transpose(gathered) if row else gathered
    node = with_named_parts(speller, node)
    spelled = [(term, spell_term(speller, node, term, row)) for term in node.terms]
    if any(isinstance(tree, Comprehension) for _, tree in spelled):
        return _comprehension(speller, node)
    order = sorted(spelled, key=lambda pair: rank(pair[0], pair[1]))
    return add_up([tree for _, tree in order])


def with_named_parts(speller: Speller, node: Sum) -> Sum:
    """Put a named sum in place of its terms: h + relu(r), where h is a sum with a name itself."""
    have = {n: c for c, n in node.terms}
    for part in reversed(speller.named_sums):
        if part is node or not 1 < len(part.terms) <= len(have):
            continue
        ratio = Fraction(have.get(part.terms[0].node, 0)) / part.terms[0].coefficient
        if ratio and all(have.get(n) == ratio * c for c, n in part.terms):
            inside = {n for _, n in part.terms}
            rest = tuple(term for term in node.terms if term.node not in inside)
            return make_sum((*rest, Term(rational(ratio), part)), node.axes)
    return node


def add_up(trees: list[Syntax]) -> Syntax:
    """Join signed terms."""
    operands: list[Syntax] = []
    operators: list[str] = []
    for k, tree in enumerate(trees):
        sign, inner = signed(tree)
        if k:
            operators.append("-" if sign < 0 else "+")
            operands.append(inner)
        else:
            operands.append(settle_minus(tree))
    return operands[0] if len(operands) == 1 else Chain(tuple(operands), tuple(operators))


def spell_term(speller: Speller, whole: Sum, term: Term, row: bool = False) -> Syntax:
    """Spell one term; a number repeated over all axes is written once where another term has the axes."""
    axes = frozenset(range(len(whole.axes)))
    deltas = any(isinstance(n, Product) and len(set(n.output)) < len(n.output) for _, n in whole.terms)
    if axes and not deltas and constant_axes(term.node) == axes and len(whole.terms) > 1:
        others = [t for t in whole.terms if constant_axes(t.node) != axes]
        carrier = others or [t for t in whole.terms if t is not term][:1]
        keeps = not others and term is whole.terms[0]
        if carrier and not keeps:
            return speller.term(term.coefficient, without_axes(term.node, axes), alone=False)
    return speller.term(term.coefficient, term.node, row, alone=len(whole.terms) == 1)


def rank(term: Term, tree: Syntax) -> tuple[int, int, int, int, int, Natural]:
    """Positive before negative; numbers first, repeated ones last; the longer term, the one with fewer transposes."""
    sign, inner = signed(tree)
    plain = isinstance(inner, Number) or (
        isinstance(inner, Chain) and all(isinstance(o, Number) for o in inner.operands)
    )
    turned = transposes(inner)
    return (
        int(sign < 0),
        0 if plain else 1,
        int(bool(constant_axes(term.node))),
        turned - weight(inner),
        turned,
        natural(text(inner)),
    )


def _comprehension(speller: Speller, node: Sum) -> Syntax:
    """A sum that matrix notation can't say: all terms over the same entries."""
    from pullback.lifting.entries import spell_sum_entries

    return spell_sum_entries(speller, node)
