"""A tensor as a small program: the named parts first, then what is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pullback.dimension import ONE, Dimension
from pullback.lifting.chain import names_of
from pullback.lifting.contracting import contracted
from pullback.lifting.folding import PREFIX, Folded, fold
from pullback.lifting.lift import Speller
from pullback.lifting.naming import choose_names
from pullback.lifting.sharing import share
from pullback.syntax.tree import Binding, Call, Chain, Comprehension, Indexed, Negate, Power, Syntax, Transpose
from pullback.tensor.node import Node, Sum, Variable, topological
from pullback.tensor.product import is_symmetric

Shape = tuple[Dimension, ...]
_RECENT = 6


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What may be called by name when results are spelled."""

    shapes: Mapping[str, Shape]
    spelling: Mapping[str, str]
    given: Mapping[Node, str]
    precedence: Mapping[str, int]
    dimensions: frozenset[str] = frozenset()
    order: Mapping[Dimension, int] = field(default_factory=dict)

    def after(self, folded: Folded) -> Vocabulary:
        """The words with placeholders among them."""
        if not folded.parts:
            return self
        shapes = {part.name: part.axes for part in folded.parts}
        spelling = {part.name: part.name.removeprefix(PREFIX) for part in folded.parts}
        return replace(
            self, shapes={**self.shapes, **shapes}, spelling={**self.spelling, **spelling}, given=folded.given
        )

    def speller(self, names: Mapping[Node, str], present: frozenset[str] = frozenset()) -> Speller:
        """Make a speller that uses these names."""
        return Speller(self.shapes, names, self.spelling, self.precedence, present=present, order=self.order)


@dataclass(frozen=True, slots=True)
class Spelled:
    """Results as text trees: ``where`` binds the shared parts, ``results`` use them."""

    where: tuple[Binding, ...]
    results: tuple[Syntax, ...]


def spell_all(roots: Sequence[Node], shapes: Sequence[Shape], vocabulary: Vocabulary) -> Spelled:
    """Spell tensors in their shapes; parts that they share are named once for all."""
    taken = {*vocabulary.shapes, *vocabulary.spelling.values(), *vocabulary.given.values(), *vocabulary.dimensions}
    folded = fold(contracted(roots), vocabulary.given)
    vocabulary = vocabulary.after(folded)
    roots, parts = folded.roots, folded.parts
    names = choose_names([*parts.values(), *roots] if parts else roots, vocabulary.given, taken)
    present = frozenset(node.name for node in topological([*roots, *parts.values()]) if isinstance(node, Variable))
    speller = vocabulary.speller(names, present)
    shared = []
    for node, name in names.items():
        shared.append(Binding(name, _bound_side(speller, node, vocabulary)))
        if isinstance(node, Sum):
            speller.named_sums = [*speller.named_sums[-_RECENT:], node]
    own = [  # after what they use: by now it is known which way round each named matrix is
        Binding(vocabulary.spelling[placeholder.name], _bound_side(speller, node, vocabulary))
        for placeholder, node in parts.items()
        if placeholder.name in present
    ]
    where = [*own, *shared]
    results = tuple(_spell(speller, root, shape) for root, shape in zip(roots, shapes, strict=True))
    used = taken | set(names.values())

    def fresh(tree: Syntax) -> str:
        stem = "delta" if names_of(tree) & vocabulary.precedence.keys() else "v"
        name, k = stem, 0
        while name in used:
            k += 1
            name = f"{stem}{k}"
        used.add(name)
        return name

    return Spelled(*share(_in_order(where), results, fresh))


def _in_order(where: Sequence[Binding]) -> list[Binding]:
    """Put every binding after those that it uses, and else keep the order."""
    known = {binding.name: binding for binding in where}
    placed: dict[str | None, Binding] = {}
    stack = [(binding, False) for binding in reversed(where)]
    entered: set[str | None] = set()
    while stack:
        binding, ready = stack.pop()
        if ready:
            placed.setdefault(binding.name, binding)
        elif binding.name not in entered:
            entered.add(binding.name)
            stack.append((binding, True))
            stack += [(known[n], False) for n in sorted(names_of(binding.value)) if n in known and n not in entered]
    return list(placed.values())


def _bound_side(speller: Speller, node: Node, vocabulary: Vocabulary) -> Syntax:
    """Spell what a name stands for: a matrix or its transpose, whichever is shorter."""
    tree = speller.spell_out(node)
    matrix = len(node.axes) == 2 and not is_symmetric(node) and node not in vocabulary.given
    turned = speller.turned(node) if matrix else None
    if turned is not None and speller.better(node, tree, turned) is not tree:
        speller.flipped.add(node)
        return turned
    return tree


def _spell(speller: Speller, root: Node, shape: Shape) -> Syntax:
    if is_row(shape):
        return speller.spell_row(root)
    return speller.spell(root) if root in speller.names else speller.spell_out(root)


def is_row(shape: Shape) -> bool:
    """Whether a shape is that of a row: one row, more than one column."""
    return len(shape) == 2 and shape[0] is ONE and shape[1] is not ONE


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
