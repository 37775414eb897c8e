"""One entry of a tensor graph as a scalar expression in the entries of its variables.

All dimensions are numbers here. What a delta makes vanish is zero and never written; what no sum of
products says (an entry of an inverse, of a softmax) stays an entry of that expression. With letters for
numbers the same walk gives the index notation, where no index has to be summed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product as every
from math import prod

from pullback.derivation.formula import entry, total
from pullback.derivation.naming import letters as further_letters
from pullback.derivation.scalars import ONE, ZERO, is_zero, number, over, plus, power, times
from pullback.derivation.written import is_written, written_out
from pullback.lifting.statements import is_matrix_form
from pullback.syntax.forms import fold
from pullback.syntax.tree import Call, Indexed, Negate, Power, Syntax
from pullback.tensor.add import scaled
from pullback.tensor.node import Apply, Factor, Node, Product, Rational, Sum, Term, Variable, topological
from pullback.tensor.reshape import Linear

MOST_TERMS = 64
"""Longer sums are not written out."""

MOST_LEAVES = 60
"""Nor are entries that consist of more symbols."""

Index = tuple[int, ...]
Letters = tuple[str, ...]
_CALLED = {"max2": "max", "min2": "min", "hardmax": "hardmax"}


class TooLongError(Exception):
    """An entry has more terms than a board has room for."""


@dataclass(slots=True)
class Expander:
    """Writes entries out.

    ``symbols`` is what the entries of a variable are called, ``shapes`` the full shapes of variables (the
    graph has no axes of length one), ``order`` where names were first written, ``spell`` an expression whole.
    """

    symbols: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    order: Mapping[str, int]
    spell: Callable[[Node], Syntax]
    own: tuple[Node, str] | None = None
    """A node with a name: its entries are called by that."""
    sums: bool = False
    """Whether letters that are summed over stand under a sum sign."""
    taken: set[str] = field(default_factory=set)
    """Letters that inner indices can't have."""
    in_full: bool = False
    """Whether entries that the table knows how to write are written out: exp(z_1) / (exp(z_1) + …)."""
    done: dict[tuple[Node, Index], Syntax] = field(default_factory=dict)
    ranks: dict[Node, int] = field(default_factory=dict)
    budget: int = 20000

    def entry(self, node: Node, index: Index) -> Syntax:
        """Expand the entry at an index that counts from zero.

        Raises:
            TooLongError: It has too many terms.
        """
        key = (node, index)
        found = self.done.get(key)
        if found is None:
            self.budget -= 1
            if self.budget < 0:
                raise TooLongError
            found = self._entry(node, index)
            if leaves_of(found) > MOST_LEAVES:
                raise TooLongError
            self.done[key] = found
        return found

    def _entry(self, node: Node, index: Index) -> Syntax:
        if self.own is not None and node is self.own[0]:
            return self.named(self.own[1], len(node.axes), [k + 1 for k in index])
        if isinstance(node, Variable):
            return self.variable(node, [k + 1 for k in index])
        if isinstance(node, Sum):
            return plus(
                times([number(c), self.product(n, index, c < 0) if isinstance(n, Product) else self.entry(n, index)])
                for c, n in self.sorted_terms(node)
            )
        if isinstance(node, Product):
            return self.product(node, index)
        assert isinstance(node, Apply)
        if isinstance(node.operation, Linear):
            return self.moved(node, node.operation, index)
        if node.operation.entrywise:
            return _applied(node, [self.entry(argument, index) for argument in node.arguments])
        if self.in_full and is_written(node.operation.name):
            return self.written(node, index)
        return self.opaque(node, [k + 1 for k in index])

    def written(self, node: Apply, index: Index) -> Syntax:
        """An entry of an operation on a vector whose entries the table writes out."""
        (argument,) = node.arguments
        outer = len(node.axes) - len(node.operation.signature.output)
        length = argument.axes[-1].number
        if length is None or length > MOST_TERMS:
            raise TooLongError
        entries = [self.entry(argument, (*index[:outer], k)) for k in range(length)]
        return written_out(node.operation.name, entries, index[outer:])

    def variable(self, node: Variable, subscripts: Sequence[int | str]) -> Syntax:
        """The symbol of an entry; axes of length one get their subscript back."""
        return self.named(node.name, len(node.axes), subscripts)

    def named(self, name: str, axes: int, subscripts: Sequence[int | str]) -> Syntax:
        """The entry of a name."""
        given = iter(subscripts)
        shape = self.shapes.get(name, (2,) * axes)
        full: list[int | str] = [1 if length == 1 and len(shape) != axes else next(given) for length in shape]
        return entry(self.symbols.get(name, name), full)

    def opaque(self, node: Node, subscripts: Sequence[int | str]) -> Syntax:
        """An entry of an expression that is named whole.

        Raises:
            TooLongError: Matrix notation has no words for it.
        """
        tree = self.spell(node)
        if not is_matrix_form(tree):
            raise TooLongError
        return Indexed(tree, tuple(map(str, subscripts))) if subscripts else tree

    def sorted_terms(self, node: Sum) -> list[Term]:
        """What is added first, then what is subtracted, each in the order of the text."""
        return sorted(node.terms, key=lambda term: (term.coefficient < 0, self.rank(term.node)))

    def product(self, node: Product, index: Index, negative: bool = False) -> Syntax:
        """The entry of a product: a sum over its inner indices, without what a delta makes zero.

        ``negative`` tells that it is subtracted, so that a difference in it may be turned round.
        """
        place: dict[int, int] = {}
        for label, k in zip(node.output, index, strict=True):
            if place.setdefault(label, k) != k:
                return ZERO
        inner = [label for label in range(len(node.dimensions)) if label not in place]
        lengths = [_length(node, label) for label in inner]
        if prod(lengths) > MOST_TERMS:
            raise TooLongError
        sign, factors = self.oriented(self.sorted_factors(node), negative)
        terms = []
        for chosen in every(*map(range, lengths)):
            here = place | dict(zip(inner, chosen, strict=True))

            def entry_of(factor: Factor, here: Mapping[int, int] = here) -> Syntax:
                return self.entry(factor.node, tuple(here[i] for i in factor.indices))

            terms.append(self.multiply(factors, entry_of))
        return plus(terms) if sign > 0 else times([number(sign), plus(terms)])

    def oriented(self, factors: Sequence[Factor], negative: bool = False) -> tuple[int, list[Factor]]:
        """Turn differences round so that what was written first is positive, where no new minus comes of it."""
        sign = 1
        turned = []
        for factor in factors:
            node = factor.node
            if isinstance(node, Sum) and len(node.terms) > 1 and isinstance(factor.exponent, int):
                first = min(node.terms, key=lambda term: self.rank(term.node))
                if first.coefficient < 0:
                    sign *= (-1) ** (factor.exponent % 2)
                    factor = Factor(scaled(-1, node), factor.indices, factor.exponent)
            turned.append(factor)
        return (1, list(factors)) if sign < 0 and not negative else (sign, turned)

    @staticmethod
    def multiply(factors: Sequence[Factor], entry_of: Callable[[Factor], Syntax]) -> Syntax:
        """One term of that sum: entries above and below the line."""
        above: list[Syntax] = []
        below: list[Syntax] = []
        for factor in factors:
            tree = entry_of(factor)
            if is_zero(tree) and factor.exponent > 0:
                return ZERO
            (above if factor.exponent > 0 else below).append(power(tree, _size(factor.exponent)))
        return over(times(above) if above else ONE, below)

    def sorted_factors(self, node: Product) -> list[Factor]:
        """Scalars first, then matrices, then vectors, each in the order of the text."""

        def key(factor: Factor) -> tuple[bool, int, int]:
            return (bool(factor.indices), -len(factor.indices), self.rank(factor.node))

        return sorted(node.factors, key=key)

    def rank(self, node: Node) -> int:
        """Where the first of the names in a node was written."""
        found = self.ranks.get(node)
        if found is None:
            last = len(self.order)
            for below in topological([node]):
                own = self.order.get(below.name, last) if isinstance(below, Variable) else last
                self.ranks[below] = min((own, *(self.ranks[child] for child in below.children)))
            found = self.ranks[node]
        return found

    def moved(self, node: Apply, operation: Linear, index: Index) -> Syntax:
        """Entries that only move: find the place that this one came from."""
        (argument,) = node.arguments
        sizes = [size.number for size in operation.sizes]
        if any(size is None for size in sizes):
            return self.opaque(node, [k + 1 for k in index])
        first, second = (size or 0 for size in sizes)
        if operation.kind == "merge":
            *lead, last = index
            return self.entry(argument, (*lead, last // second, last % second))
        if operation.kind == "split":
            *lead, row, column = index
            return self.entry(argument, (*lead, row * second + column))
        *lead, last = index
        if operation.kind == "part":
            return self.entry(argument, (*lead, last + first))
        width = argument.axes[-1].number or 0
        if not first <= last < first + width:
            return ZERO
        return self.entry(argument, (*lead, last - first))

    # letters in place of numbers

    def generic(self, node: Node, letters: Letters) -> Syntax | None:
        """The entry for letters as indices; None where an index is summed over, or a delta is not settled."""
        if self.own is not None and node is self.own[0]:
            return self.named(self.own[1], len(node.axes), letters)
        if isinstance(node, Variable):
            return self.variable(node, letters)
        if isinstance(node, Sum):
            terms = self.sorted_terms(node)
            parts = [
                self.generic_product(n, letters, c < 0) if isinstance(n, Product) else self.generic(n, letters)
                for c, n in terms
            ]
            if any(part is None for part in parts):
                return None
            return plus(times([number(t.coefficient), p]) for t, p in zip(terms, parts, strict=True) if p is not None)
        if isinstance(node, Product):
            return self.generic_product(node, letters)
        assert isinstance(node, Apply)
        if isinstance(node.operation, Linear):
            return None
        if node.operation.entrywise:
            arguments = [self.generic(argument, letters) for argument in node.arguments]
            known = [argument for argument in arguments if argument is not None]
            return _applied(node, known) if len(known) == len(arguments) else None
        return self.opaque(node, letters)

    def generic_product(self, node: Product, letters: Letters, negative: bool = False) -> Syntax | None:
        """The entry of a product for letters; one with an inner index needs a sum sign."""
        place: dict[int, str] = {}
        for label, letter in zip(node.output, letters, strict=True):
            if place.setdefault(label, letter) != letter:
                return None
        inner = [label for label in range(len(node.dimensions)) if label not in place]
        if inner and not self.sums:
            return None
        further = further_letters(len(inner), self.taken)
        if len(further) < len(inner):
            return None
        place.update(zip(inner, further, strict=True))
        self.taken.update(further)
        sign, factors = self.oriented(self.sorted_factors(node), negative)
        above: list[Syntax] = [number(sign)]
        below: list[Syntax] = []
        for factor in factors:
            tree = self.generic(factor.node, tuple(place[i] for i in factor.indices))
            if tree is None:
                return None
            (above if factor.exponent > 0 else below).append(power(tree, _size(factor.exponent)))
        if not inner:
            return over(times(above), below)
        summed = total(over(times(above[1:]), below), further)
        return summed if sign > 0 else Negate(summed)


def _size(exponent: Rational) -> Rational:
    return exponent if exponent > 0 else -exponent


def leaves_of(tree: Syntax) -> int:
    """The number of symbols in an entry."""
    return fold(tree, lambda node, parts: sum(parts) or 1)


def _length(node: Product, label: int) -> int:
    length = node.dimensions[label].number
    if length is None:
        raise TooLongError
    return length


def _applied(node: Apply, arguments: Sequence[Syntax]) -> Syntax:
    name = node.operation.name
    if name == "power":
        return Power(arguments[0], arguments[1])
    return Call(_CALLED.get(name, name), tuple(arguments))
