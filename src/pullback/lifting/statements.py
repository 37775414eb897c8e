"""A tensor as a small program: the named parts first, then what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pullback.dimension import ONE, Dimension
from pullback.lifting.chain import transpose
from pullback.lifting.lift import Speller
from pullback.lifting.naming import choose_names
from pullback.syntax.tree import Binding, Call, Chain, Comprehension, Indexed, Negate, Power, Syntax, Transpose
from pullback.tensor.node import Node, topological

Shape = tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What may be called by name when results are spelled."""

    shapes: Mapping[str, Shape]
    spelling: Mapping[str, str]
    given: Mapping[Node, str]
    precedence: Mapping[str, int]
    dimensions: frozenset[str] = frozenset()

    def speller(self, names: Mapping[Node, str]) -> Speller:
        """Make a speller that uses these names."""
        return Speller(self.shapes, names, self.spelling, self.precedence)


@dataclass(frozen=True, slots=True)
class Spelled:
    """Results as text trees: ``where`` binds the shared parts, ``results`` use them."""

    where: tuple[Binding, ...]
    results: tuple[Syntax, ...]


def spell_all(roots: Sequence[Node], shapes: Sequence[Shape], vocabulary: Vocabulary) -> Spelled:
    """Spell tensors in their shapes; parts that they share are named once for all."""
    taken = {*vocabulary.shapes, *vocabulary.spelling.values(), *vocabulary.given.values(), *vocabulary.dimensions}
    names = choose_names(roots, vocabulary.given, taken)
    speller = vocabulary.speller(names)
    results = tuple(oriented(speller.spell_out(root), shape) for root, shape in zip(roots, shapes, strict=True))
    where = [Binding(names[node], speller.spell_out(node)) for node in topological(roots) if node in names]
    return Spelled(tuple(where), results)


def oriented(tree: Syntax, shape: Shape) -> Syntax:
    """Turn a column into a row where the result is one."""
    is_row = len(shape) == 2 and shape[0] is ONE and shape[1] is not ONE
    return transpose(tree) if is_row else tree


def is_matrix_form(tree: Syntax) -> bool:
    """Whether a tree is matrix notation throughout, with no entries in it."""
    match tree:
        case Comprehension() | Indexed():
            return False
        case Negate(operand) | Transpose(operand):
            return is_matrix_form(operand)
        case Power(base, exponent):
            return is_matrix_form(base) and is_matrix_form(exponent)
        case Chain(operands) | Call(_, operands):
            return all(is_matrix_form(operand) for operand in operands)
    return True
