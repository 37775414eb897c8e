"""Products in normal form.

A product is built from factors over labels. What comes out is the same object for every way to write
it: nested products are flattened, deltas are contracted away, equal factors collected into powers,
a matrix meets its inverse and both vanish, numbers move to the front, what is a scalar of its own
becomes a factor of its own, and the labels are numbered canonically.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import count

from pullback.dimension import Dimension
from pullback.tensor.add import add, content, exact_power, scaled, split_coefficient
from pullback.tensor.cancel import find_cancellation
from pullback.tensor.canonical import Piece, canonical_factors
from pullback.tensor.node import Apply, Factor, Node, Product, Rational, Sum, Variable, make_product, make_sum, rational

FLATTEN_LIMIT = 36
"""Products of more factors than this stay nested beside others, so that deep programs cost what they are long."""

_SYMMETRIC = frozenset({"symmetric", "spd", "diagonal"})
_MOST_COPIES = 4


def product(
    factors: Iterable[tuple[Node, Sequence[int], Rational]],
    output: Sequence[int],
    dimensions: Mapping[int, Dimension] | None = None,
) -> Node:
    """Build the product of the factors, each ``(node, labels of its axes, exponent)``.

    Labels are any integers that are not negative. Those in ``output`` become the axes of the result,
    the others are summed over. ``dimensions`` is needed for labels that are on no factor.
    """
    return _Builder(dimensions or {}).build(factors, tuple(output))


def one() -> Node:
    """The scalar 1, the product of nothing."""
    return make_product((), (), ())


def constant(value: Rational) -> Node:
    """A number as a scalar."""
    return scaled(value, one())


def number_of(node: Node) -> Rational | None:
    """The value of a node that is a plain number, or a number times ones; else None."""
    if isinstance(node, Sum) and not node.terms:
        return 0
    coefficient, rest = split_coefficient(node)
    if not isinstance(rest, Product) or rest.factors:
        return None
    plain = len(set(rest.output)) == len(rest.dimensions) == len(rest.output)
    return coefficient if plain else None


def permuted(node: Node, order: Sequence[int]) -> Node:
    """Reorder the axes: axis k of the result is axis ``order[k]`` of the node."""
    if tuple(order) == tuple(range(len(node.axes))):
        return node
    if isinstance(node, Sum):
        return add([(c, permuted(n, order)) for c, n in node.terms], tuple(node.axes[k] for k in order))
    return product([(node, range(len(node.axes)), 1)], order)


def transposed(node: Node) -> Node:
    """The transpose of a tensor of two axes."""
    if node._transposed is None:
        node._transposed = permuted(node, (1, 0))
    return node._transposed


def power(node: Node, exponent: Rational) -> Node:
    """Raise every entry to a number."""
    labels = range(len(node.axes))
    return product([(node, labels, exponent)], labels, dict(enumerate(node.axes)))


def size_of(dimension: Dimension) -> Node:
    """A dimension as a scalar: the sum of that many ones."""
    terms = []
    for monomial, coefficient in dimension.terms:
        names = [(make_product((), (), (Dimension.of(name),)), (), 1) for name in monomial]
        terms.append((coefficient, product(names, ())))
    return add(terms, ())


def _is_size(node: Product) -> bool:
    return not node.factors and not node.output and len(node.dimensions) == 1


def size_name(node: Node) -> str | None:
    """The name of the dimension that a scalar stands for, if it is one."""
    return node.dimensions[0].name if isinstance(node, Product) and _is_size(node) else None


def is_symmetric(node: Node) -> bool:
    """Whether a tensor of two axes equals its transpose, by its structure and declared properties."""
    if node._symmetric is None:
        node._symmetric = _find_symmetry(node)
    return node._symmetric


def _find_symmetry(node: Node) -> bool:
    if len(node.axes) != 2 or node.axes[0] is not node.axes[1]:
        return False
    if isinstance(node, Variable):
        return bool(node.properties & _SYMMETRIC)
    if isinstance(node, Apply):
        operation = node.operation
        if operation.transposing or operation.entrywise:
            return all(is_symmetric(argument) for argument in node.arguments)
        return False
    return transposed(node) is node


def nonnegative(node: Node) -> bool:
    """Whether every entry is known to be zero or above."""
    if isinstance(node, Variable):
        return "positive" in node.properties
    if isinstance(node, Apply):
        return node.operation.positive
    if isinstance(node, Sum):
        return all(c > 0 and nonnegative(n) for c, n in node.terms)
    assert isinstance(node, Product)
    return all(f.exponent % 2 == 0 or nonnegative(f.node) for f in node.factors)


def constant_axes(node: Node) -> frozenset[int]:
    """The axes along which every entry is the same."""
    if node._constant is None:
        node._constant = _find_constant_axes(node)
    return node._constant


def _find_constant_axes(node: Node) -> frozenset[int]:
    if isinstance(node, Sum):
        shared = frozenset(range(len(node.axes)))
        for _, part in node.terms:
            shared &= constant_axes(part)
        return shared
    if isinstance(node, Product):
        used = {index for factor in node.factors for index in factor.indices}
        return frozenset(
            k for k, index in enumerate(node.output) if index not in used and node.output.count(index) == 1
        )
    return frozenset()


def without_axes(node: Node, gone: frozenset[int]) -> Node:
    """Drop axes along which every entry is the same."""
    if not gone:
        return node
    axes = tuple(axis for k, axis in enumerate(node.axes) if k not in gone)
    if isinstance(node, Sum):
        return add([(c, without_axes(n, gone)) for c, n in node.terms], axes)
    assert isinstance(node, Product)
    output = [index for k, index in enumerate(node.output) if k not in gone]
    dimensions = {i: d for i, d in enumerate(node.dimensions) if i not in {node.output[k] for k in gone}}
    return product([(f.node, f.indices, f.exponent) for f in node.factors], output, dimensions)


class _Builder:
    """Collects pieces over labels; labels that a delta ties together share a representative."""

    def __init__(self, dimensions: Mapping[int, Dimension]) -> None:
        self.dimensions: dict[int, Dimension] = dict(dimensions)
        self.tied: dict[int, int] = {}
        self.fresh = count(-1, -1)
        self.coefficient: Rational = 1
        self.pieces: list[Piece] = []
        self.vanishes = False

    def find(self, label: int) -> int:
        tied = self.tied
        while label in tied:
            label = tied[label]
        return label

    def tie(self, left: int, right: int) -> None:
        left, right = self.find(left), self.find(right)
        if left != right:
            self.tied[max(left, right)] = min(left, right)

    def build(self, factors: Iterable[tuple[Node, Sequence[int], Rational]], output: tuple[int, ...]) -> Node:
        work = [(node, tuple(labels), exponent) for node, labels, exponent in factors]
        for node, labels, _ in work:
            for label, axis in zip(labels, node.axes, strict=True):
                known = self.dimensions.setdefault(label, axis)
                assert known is axis, f"label {label} has dimension {known} and {axis}"
        for label in output:
            assert label in self.dimensions, "a label on no factor needs a dimension"
        work.reverse()
        self.take_all(work)
        outer = tuple(self.dimensions[label] for label in output)
        if self.vanishes:
            return make_sum((), outer)
        output = tuple(self.find(label) for label in output)
        while True:
            self.collect()
            if not self.cancel(output):
                break
            output = tuple(self.find(label) for label in output)
        node = self.finish(output)
        return scaled(self.coefficient, node)

    def take_all(self, work: list[Piece]) -> None:
        """Take in factors, the last one first, and what they consist of."""
        while work:
            self.take(*work.pop(), work)

    def take(self, node: Node, labels: tuple[int, ...], exponent: Rational, work: list[Piece]) -> None:
        """Take one factor in, or put the simpler ones that it consists of back to work."""
        exponent = rational(exponent)
        if exponent == 0:
            return
        if isinstance(node, Sum):
            self.take_sum(node, labels, exponent, work)
        elif isinstance(node, Product):
            self.take_product(node, labels, exponent, work)
        else:
            if isinstance(node, Variable) and "diagonal" in node.properties and len(labels) == 2:
                self.tie(*labels)
            self.pieces.append((node, labels, exponent))

    def take_sum(self, node: Sum, labels: tuple[int, ...], exponent: Rational, work: list[Piece]) -> None:
        if not node.terms:
            self.vanishes = self.vanishes or exponent > 0
            self.pieces.append((node, labels, exponent))
            return
        if labels and (gone := constant_axes(node)):
            work.append((without_axes(node, gone), tuple(x for k, x in enumerate(labels) if k not in gone), exponent))
            return
        if isinstance(exponent, int) and exponent < 0 and (inner := self.below_one(node)) is not None:
            work.append((inner, labels, -exponent))
            return
        shared = content(node.terms, signed=isinstance(exponent, int))
        root = exact_power(shared, exponent)
        if len(node.terms) == 1:
            rest = node.terms[0].node
            if root is None and (shared != node.terms[0].coefficient or rest is one()):
                self.pieces.append((node, labels, exponent))
                return
        elif root is None:
            rest, root = node, 1  # sqrt(2 x + y / 2) is no simpler for a number taken out of the root
        else:
            rest = node if shared == 1 else scaled(Fraction(1) / shared, node)
        if root is None:
            self.pieces.append((constant(shared), (), exponent))
        else:
            self.coefficient *= root
        if len(node.terms) == 1:
            work.append((rest, labels, exponent))
        else:
            if len(labels) == 2 and transposed(rest).order < rest.order:
                rest, labels = transposed(rest), labels[::-1]
                if isinstance(rest, Sum) and isinstance(exponent, int):
                    sign = content(rest.terms, signed=True)
                    if sign < 0:
                        rest, self.coefficient = scaled(-1, rest), self.coefficient * (-1) ** exponent
            self.pieces.append((rest, labels, exponent))

    @staticmethod
    def below_one(node: Sum) -> Node | None:
        """1 / (1 + exp(-x)) is sigmoid(x), which does not overflow."""
        if len(node.terms) != 2 or any(c != 1 for c, _ in node.terms):
            return None
        (one_term, other) = sorted((n for _, n in node.terms), key=lambda n: number_of(n) != 1)
        if number_of(one_term) != 1 or not isinstance(other, Apply) or other.operation.below_one is None:
            return None
        return other.operation.below_one(other)

    def take_product(self, node: Product, labels: tuple[int, ...], exponent: Rational, work: list[Piece]) -> None:
        if _is_size(node):
            self.pieces.append((node, labels, exponent))
            return
        if exponent == 1:
            beside = len(self.pieces) + len(work)
            if beside and len(node.factors) > 1 and len(node.factors) + beside > FLATTEN_LIMIT:
                self.pieces.append((node, labels, exponent))
            else:
                self.inline(node, labels, work, 1)
            return
        plain = len(set(node.output)) == len(node.dimensions) == len(node.output)
        if not plain and node.output and isinstance(exponent, int) and 1 < exponent <= _MOST_COPIES:
            for _ in range(exponent):
                self.inline(node, labels, work, 1)
        elif not plain:
            if len(labels) == 2 and transposed(node).order < node.order:
                node, labels = transposed(node), labels[::-1]  # type: ignore[assignment]
            self.pieces.append((node, labels, exponent))
        elif isinstance(exponent, int):
            self.inline(node, labels, work, exponent)
        else:
            self.take_root(node, labels, exponent, work)

    def take_root(self, node: Product, labels: tuple[int, ...], exponent: Rational, work: list[Piece]) -> None:
        """Distribute a root over the factors that allow it; the others stay under it together."""
        single = len(node.factors) == 1
        loose: list[Factor] = []
        held: list[Factor] = []
        for factor in node.factors:
            inner = factor.exponent
            odd = isinstance(inner, Fraction) or inner % 2 == 1
            free = nonnegative(factor.node) or (single and (odd or (inner * exponent) % 2 == 0))
            (loose if free else held).append(factor)
        if len(held) == len(node.factors) and held:
            self.pieces.append((node, labels, exponent))
            return
        place = dict(zip(node.output, labels, strict=True))
        for factor in loose:
            work.append((factor.node, tuple(place[i] for i in factor.indices), factor.exponent * exponent))
        if held:
            used = sorted({i for factor in held for i in factor.indices})
            rest = product([(f.node, f.indices, f.exponent) for f in held], used)
            self.pieces.append((rest, tuple(place[i] for i in used), exponent))

    def inline(self, node: Product, labels: tuple[int, ...], work: list[Piece], exponent: int) -> None:
        place: dict[int, int] = {}
        for index, label in zip(node.output, labels, strict=True):
            if index in place:
                self.tie(place[index], label)
            else:
                place[index] = label
        for index, axis in enumerate(node.dimensions):
            if index not in place:
                place[index] = next(self.fresh)
                self.dimensions[place[index]] = axis
        for factor in reversed(node.factors):
            indices = tuple(place[i] for i in factor.indices)
            work.append((factor.node, indices, factor.exponent * exponent))

    def collect(self) -> None:
        """Collect equal factors into powers; what became a simpler power is taken in anew."""
        again = True
        while again:
            powers: dict[tuple[Node, tuple[int, ...]], Rational] = {}
            merged: set[tuple[Node, tuple[int, ...]]] = set()
            for node, labels, exponent in self.pieces:
                labels = tuple(self.find(label) for label in labels)
                if len(labels) == 2 and labels[0] > labels[1] and is_symmetric(node):
                    labels = labels[::-1]
                key = (node, labels)
                if key in powers:
                    merged.add(key)
                powers[key] = powers.get(key, 0) + exponent
            again = False
            self.pieces = []
            work: list[Piece] = []
            for (node, labels), power in powers.items():
                if power and (node, labels) in merged and isinstance(node, Sum | Product):
                    work.append((node, labels, rational(power)))
                    again = True
                elif power:
                    self.pieces.append((node, labels, self.idempotent(node, rational(power))))
            self.take_all(work)
        self.meet()

    @staticmethod
    def idempotent(node: Node, exponent: Rational) -> Rational:
        """step(x)^2 is step(x)."""
        flat = isinstance(node, Apply) and node.operation.idempotent
        return 1 if flat and isinstance(exponent, int) and exponent > 1 else exponent

    def meet(self) -> None:
        """Let functions of the same argument meet: sinh(x) / cosh(x) is tanh(x)."""
        if self.raise_powers():
            self.collect()
            return
        present = {piece[0].operation.name for piece in self.pieces if isinstance(piece[0], Apply)}
        for k, piece in enumerate(self.pieces):
            if not isinstance(piece[0], Apply) or not present & piece[0].operation.meets.keys():
                continue
            node, labels, exponent = self.pieces[k]
            assert isinstance(node, Apply)
            for j, (other, where, power) in enumerate(self.pieces):
                if j == k or where != labels or not isinstance(other, Apply):
                    continue
                rule = node.operation.meets.get(other.operation.name)
                found = rule(node, exponent, other, power) if rule is not None else None
                if found is None:
                    continue
                self.pieces = [piece for i, piece in enumerate(self.pieces) if i not in (j, k)]
                self.pieces += [(n, labels, rational(e)) for n, e in found if e]
                self.collect()
                return

    def raise_powers(self) -> bool:
        """x^p x is x^(p + 1); tell whether there was any."""
        for k, (node, labels, exponent) in enumerate(self.pieces):
            if not isinstance(node, Apply) or node.operation.raised is None or exponent != 1:
                continue
            for j, (other, where, power) in enumerate(self.pieces):
                if other is node.arguments[0] and where == labels:
                    self.pieces = [piece for i, piece in enumerate(self.pieces) if i not in (j, k)]
                    self.take_all([(node.operation.raised(node, power), labels, 1)])
                    return True
        return False

    def cancel(self, output: tuple[int, ...]) -> bool:
        """Let one matrix meet its inverse; tell whether any did."""
        found = find_cancellation(self.pieces, output, is_symmetric)
        if found is None:
            return False
        self.forget(found.gone, {*found.tied, *(label for piece in found.instead for label in piece[1])})
        if found.tied:
            self.tie(*found.tied)
        self.take_all(list(found.instead))
        return True

    def forget(self, gone: set[int], survivors: set[int]) -> None:
        """Drop pieces with the labels that were summed over inside them."""
        inner = {label for k in gone for label in self.pieces[k][1]} - survivors
        self.pieces = [piece for k, piece in enumerate(self.pieces) if k not in gone]
        inner -= {label for _, labels, _ in self.pieces for label in labels}
        for label in [label for label in self.dimensions if self.find(label) in inner]:
            del self.dimensions[label]

    def finish(self, output: tuple[int, ...]) -> Node:
        """Give scalars of their own a node of their own, then number the labels."""
        self.count_idle_labels(output)
        attached, scalars = self.components(output)
        if scalars:
            powers: dict[Node, Rational] = {}
            rest: list[Piece] = []
            for group in scalars:
                if len(group) == 1 and not group[0][1]:
                    node, exponent = group[0][0], group[0][2]
                elif len(scalars) == 1 and not attached and not output:
                    return self.number(group, output)
                else:
                    node, exponent = self.number(group, ()), 1
                powers[node] = powers.get(node, 0) + exponent
            rest = [(node, (), rational(e)) for node, e in powers.items() if e]
            attached = attached + rest
        return self.number(attached, output)

    def count_idle_labels(self, output: tuple[int, ...]) -> None:
        """A label that is summed over and on no factor counts its dimension."""
        used = set(output).union(*(labels for _, labels, _ in self.pieces))
        for label, axis in list(self.dimensions.items()):
            if self.find(label) == label and label not in used:
                coefficient, node = split_coefficient(size_of(axis))
                self.coefficient *= coefficient
                self.pieces += self.as_factors(node)

    @staticmethod
    def as_factors(node: Node) -> list[Piece]:
        if isinstance(node, Product) and not _is_size(node):
            return [(factor.node, (), factor.exponent) for factor in node.factors]
        return [(node, (), 1)]

    def components(self, output: tuple[int, ...]) -> tuple[list[Piece], list[list[Piece]]]:
        """Split the pieces into those tied to the output and scalars that stand alone."""
        reached = set(output)
        attached, loose = [], self.pieces
        while loose:
            found = [piece for piece in loose if not reached.isdisjoint(piece[1])]
            if not found:
                break
            attached += found
            loose = [piece for piece in loose if reached.isdisjoint(piece[1])]
            reached.update(*(labels for _, labels, _ in found))
        groups: list[list[Piece]] = []
        while loose:
            group, loose = [loose[0]], loose[1:]
            joined = set(group[0][1])
            while found := [piece for piece in loose if not joined.isdisjoint(piece[1])]:
                group += found
                loose = [piece for piece in loose if joined.isdisjoint(piece[1])]
                joined.update(*(labels for _, labels, _ in found))
            groups.append(group)
        return attached, groups

    def number(self, pieces: Sequence[Piece], output: tuple[int, ...]) -> Node:
        if len(pieces) == 1:
            node, labels, exponent = pieces[0]
            if exponent == 1 and len(set(labels)) == len(labels):
                if labels == output:
                    return node
                if isinstance(node, Sum) and len(node.terms) > 1 and sorted(labels) == sorted(output):
                    return permuted(node, [labels.index(label) for label in output])
                if len(labels) == 2 and labels == output[::-1] and is_symmetric(node):
                    return node
                if isinstance(node, Sum) and set(labels) < set(output) and len(set(output)) == len(output):
                    lengths = {label: self.dimensions[label] for label in output}
                    axes = tuple(lengths.values())
                    return add([(c, product([(n, labels, 1)], output, lengths)) for c, n in node.terms], axes)
        if len(pieces) == 1 and pieces[0][1] == output and pieces[0][2] == 1:
            node = pieces[0][0]
            if isinstance(node, Variable) and "diagonal" in node.properties:
                return node
        factors, numbered, order = canonical_factors(pieces, output, self.dimensions.__getitem__, is_symmetric)
        return make_product(factors, numbered, tuple(self.dimensions[label] for label in order))
