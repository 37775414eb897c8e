"""Series-parallel reduction: a product of tensors read as matrix notation.

Indices are vertices, factors of two axes edges, factors of one axis labels on a vertex. Two edges in
series are a matrix product, two in parallel a Hadamard product, a dangling edge a matrix-vector
product, a cycle a trace, a label between two edges a diagonal matrix. Output indices are never
eliminated; what is left over when nothing more reduces has to be written by its entries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from pullback.dimension import Dimension
from pullback.lifting.alphabet import Natural, natural
from pullback.lifting.chain import (
    Operand,
    Reading,
    entrywise,
    names_of,
    operand,
    raised,
    read,
    shorter,
    text,
    transpose,
    turn,
    weight,
)
from pullback.syntax.tree import Call, Chain, Name, Number, Power, Syntax
from pullback.tensor.node import Rational


@dataclass(slots=True)
class Edge:
    """A matrix between two vertices, read from ``start`` to ``end``."""

    start: int
    end: int
    reading: Reading

    def seen_from(self, vertex: int) -> Reading:
        """The chain that starts at the vertex."""
        return self.reading if vertex == self.start else turn(self.reading)

    def other(self, vertex: int) -> int:
        """The vertex at the other end."""
        return self.end if vertex == self.start else self.start


Label = tuple[Reading, Rational]
"""A column (as a chain that ends in one) and the power to which its entries are raised."""


@dataclass(slots=True)
class Network:
    """What is left of a product during reduction."""

    output: tuple[int, ...]
    lengths: Mapping[int, Dimension]
    spell: Mapping[str, int]
    edges: list[Edge] = field(default_factory=list)
    labels: dict[int, list[Label]] = field(default_factory=dict)
    diagonals: dict[int, list[Operand]] = field(default_factory=dict)
    scalars: list[tuple[Syntax, Rational]] = field(default_factory=list)
    wide: list[tuple[Syntax, tuple[int, ...], Rational]] = field(default_factory=list)
    summed: dict[str, tuple[Dimension, ...]] = field(default_factory=dict)

    def label(self, vertex: int, reading: Reading, exponent: Rational = 1) -> None:
        """Put a column on a vertex."""
        self.labels.setdefault(vertex, []).append((reading, exponent))

    def bare(self, vertex: int) -> bool:
        """Whether nothing but edges is at a vertex."""
        return not self.labels.get(vertex) and not self.diagonals.get(vertex)

    def strip(self, vertex: int) -> None:
        """Take off a vertex what is on it."""
        self.labels.pop(vertex, None)
        self.diagonals.pop(vertex, None)

    def column(self, vertex: int) -> Reading | None:
        """All that is on a vertex as one column, diagonal matrices in front; None where nothing is."""
        diagonals = tuple(self.diagonals.get(vertex, ()))
        labels = self.labelled(vertex)
        if labels is not None:
            return (*diagonals, *labels)
        return (operand(Call("diag", (read(diagonals),))),) if diagonals else None

    def labelled(self, vertex: int) -> Reading | None:
        """All labels of a vertex as one column; None where there is none."""
        labels = self.collected(vertex)
        if not labels:
            return None
        if len(labels) == 1 and labels[0][1] == 1:
            return labels[0][0]
        return (operand(self.hadamard(labels)),)

    def diagonal(self, vertex: int) -> Reading:
        """All that is on a vertex as a diagonal matrix between two edges."""
        column = self.labelled(vertex)
        matrices = tuple(self.diagonals.get(vertex, ()))
        if column is None:
            return matrices
        spread = Call("diag", (read(column),))
        return (*matrices, Operand(spread, spread))

    def collected(self, vertex: int) -> list[Label]:
        """The labels of a vertex, equal ones as a power."""
        labels = self.labels.get(vertex, [])
        if len(labels) < 2:
            return labels
        powers: dict[str, Label] = {}
        for reading, exponent in labels:
            key = text(read(reading))
            powers[key] = (reading, exponent + (powers[key][1] if key in powers else 0))
        self.labels[vertex] = [label for label in powers.values() if label[1]]
        return self.labels[vertex]

    def hadamard(self, labels: Sequence[Label]) -> Syntax:
        """Multiply columns entry by entry."""
        return entrywise([(read(reading), e) for reading, e in sorted(labels, key=self.rank)])

    def rank(self, label: Label) -> tuple[int, int, Natural]:
        """Sort what is multiplied entry by entry: the upstream gradient first, then short before long."""
        return self.tree_rank(read(label[0]))

    def tree_rank(self, tree: Syntax) -> tuple[int, int, Natural]:
        """Sort trees that are multiplied entry by entry."""
        return (self.precedence(tree), weight(tree), natural(text(tree)))

    def precedence(self, tree: Syntax) -> int:
        """Zero for what holds the upstream gradient."""
        return 0 if any(name in names_of(tree) for name, order in self.spell.items() if order == 0) else 1

    def reduce(self) -> None:
        """Eliminate vertices until only output is left, or nothing more reduces."""
        while self.loops() or self.dangling() or self.parallel() or self.series():
            pass

    def incident(self, vertex: int) -> list[Edge]:
        return [edge for edge in self.edges if vertex in (edge.start, edge.end)]

    def held(self, vertex: int) -> bool:
        """Whether a vertex is in the output or on a factor of more than two axes."""
        return vertex in self.output or any(vertex in indices for _, indices, _ in self.wide)

    def inner(self) -> list[int]:
        return [v for v in dict.fromkeys(v for e in self.edges for v in (e.start, e.end)) if not self.held(v)]

    def loops(self) -> bool:
        """A matrix with both ends on one vertex: its trace if that is all, else its diagonal."""
        for edge in self.edges:
            if edge.start == edge.end:
                self.edges.remove(edge)
                self.loop(edge.start, edge.reading)
                return True
        return False

    def dangling(self) -> bool:
        """A vertex with one edge: a matrix times a column, or the sums of its rows."""
        for vertex in self.inner():
            edges = self.incident(vertex)
            if len(edges) != 1:
                continue
            (edge,) = edges
            there = edge.other(vertex)
            column = self.column(vertex)
            reading = edge.seen_from(there)
            if column is None and self.alone(there):
                self.edges.remove(edge)
                best = min((reading, turn(reading)), key=self.direction)
                total = Call("sum", (read(best),))
                self.summed[text(total)] = (self.lengths[edge.start], self.lengths[edge.end])
                self.scalars.append((total, 1))
                return True
            if column is None:
                *front, last = reading
                sums = row_sums(last)
                self.summed[text(sums)] = (self.lengths[vertex],)
                product = (*front, operand(sums))
            else:
                product = (*reading, *column)
            self.strip(vertex)
            self.edges.remove(edge)
            self.label(there, product)
            return True
        return False

    def alone(self, vertex: int) -> bool:
        """Whether nothing but one edge is at a vertex."""
        return not self.held(vertex) and len(self.incident(vertex)) == 1 and self.bare(vertex)

    def parallel(self) -> bool:
        """Edges between the same vertices: a Hadamard product, or a closed chain where that is shorter."""
        for k, first in enumerate(self.edges):
            twins = [e for e in self.edges[k + 1 :] if {e.start, e.end} == {first.start, first.end}]
            if not twins:
                continue
            if len(twins) == 1 and self.closes(first, twins[0]):
                return True
            self.merge([first, *twins])
            return True
        return False

    def merge(self, edges: list[Edge]) -> None:
        start, end = edges[0].start, edges[0].end
        there, back = (self.together([read(edge.seen_from(vertex)) for edge in edges]) for vertex in (start, end))
        self.edges = [edge for edge in self.edges if edge not in edges]
        self.edges.append(
            Edge(start, end, (Operand(shorter(there, transpose(back)), shorter(back, transpose(there))),))
        )

    def together(self, trees: Sequence[Syntax]) -> Syntax:
        """Multiply matrices entry by entry: products of products joined, 1 ./ B as a divisor at the end."""
        above: list[Syntax] = []
        below: list[Syntax] = []
        for tree in trees:
            flat = isinstance(tree, Chain) and set(tree.operators) <= {".*", "./"}
            operands = tree.operands if flat and isinstance(tree, Chain) else (tree,)
            operators = (".*", *tree.operators) if flat and isinstance(tree, Chain) else (".*",)
            for operator, item in zip(operators, operands, strict=True):
                (above if operator == ".*" else below).append(item)
        one = Number(Fraction(1))
        above = powers(sorted([tree for tree in above if tree != one], key=self.tree_rank)) or [one]
        below = powers(sorted(below, key=self.tree_rank))
        between = (".*",) * (len(above) - 1) + ("./",) * len(below)
        return Chain((*above, *below), between) if between else above[0]

    def closes(self, first: Edge, second: Edge) -> bool:
        """Read two parallel edges as the diagonal of a product, where a Hadamard product takes more transposes."""
        for vertex in (first.end, first.start):
            if self.held(vertex) or len(self.incident(vertex)) != 2 or not self.bare(vertex):
                continue
            there = first.other(vertex)
            loop = (*first.seen_from(there), *second.seen_from(vertex))
            sides = [self.together([read(first.seen_from(v)), read(second.seen_from(v))]) for v in (there, vertex)]
            around = min(weight(read(loop)), weight(read(turn(loop))))
            beside = min(map(weight, sides))
            square = any(isinstance(side, Power) for side in sides)
            congruent = len(loop) > 2 and loop[0].turned == loop[-1].tree and not square
            if not congruent and (around > beside or (around == beside and len(loop) > 2)):
                return False
            self.edges = [edge for edge in self.edges if edge not in (first, second)]
            self.loop(there, loop)
            return True
        return False

    def loop(self, vertex: int, reading: Reading) -> None:
        """A chain that comes back to its vertex: the diagonal of a matrix, its trace if that is all."""
        free = not self.held(vertex) and not self.incident(vertex) and not self.labels.get(vertex)
        if free:
            reading = (*self.diagonals.pop(vertex, ()), *reading)
            self.scalars.append((Call("tr", (read(_best_rotation(reading)),)), 1))
            self.labels[vertex] = []
            return
        best = min((reading, turn(reading)), key=self.direction)
        self.label(vertex, (operand(Call("diag", (read(best),))),))

    def series(self) -> bool:
        """A vertex with two edges: a matrix product, around a diagonal matrix if it has a label; short ones first."""
        found = [(vertex, edges) for vertex in self.inner() if len(edges := self.incident(vertex)) == 2]
        if not found:
            return False
        readings = [(self.through(vertex, *edges), vertex, edges) for vertex, edges in found]
        reading, vertex, edges = min(
            readings, key=lambda choice: min(map(self.direction, (choice[0], turn(choice[0]))))
        )
        left, right = (edge.other(vertex) for edge in edges)
        self.strip(vertex)
        self.edges = [edge for edge in self.edges if edge not in edges]
        if left == right:
            self.loop(left, reading)
        else:
            self.edges.append(Edge(left, right, reading))
        return True

    def through(self, vertex: int, first: Edge, second: Edge) -> Reading:
        """Read two edges that meet at a vertex as one chain."""
        return (*turn(first.seen_from(vertex)), *self.diagonal(vertex), *second.seen_from(vertex))

    def is_left_over(self) -> bool:
        """Whether something is left that matrix notation can't say."""
        left = [edge for edge in self.edges if {edge.start, edge.end} != set(self.output)]
        return bool(self.wide or left or len(self.output) > 2)

    def single(self, output: tuple[int, ...]) -> Syntax | None:
        """A tensor of many axes that is all there is beside scalars."""
        if len(self.wide) != 1 or self.edges or any(self.labels.values()):
            return None
        tree, indices, exponent = self.wide[0]
        return tree if indices == output and exponent == 1 else None

    def close_scalars(self) -> None:
        """Read vertices that are left alone: inner products, norms and sums."""
        touched = {v for edge in self.edges for v in (edge.start, edge.end)}
        for vertex in list(dict.fromkeys([*self.labels, *self.diagonals])):
            if self.held(vertex) or vertex in touched:
                continue
            labels = self.with_diagonals(vertex, self.collected(vertex))
            self.strip(vertex)
            if labels:
                tree, exponent = self.total(labels)
                self.summed[text(tree)] = (self.lengths[vertex],)
                self.scalars.append((tree, exponent))

    def with_diagonals(self, vertex: int, labels: list[Label]) -> list[Label]:
        """Put the diagonal matrices of a vertex before one of its columns; their trace where it has none."""
        matrices = tuple(self.diagonals.get(vertex, ()))
        if not matrices:
            return labels
        if not labels:
            self.scalars.append((Call("tr", (read(matrices),)), 1))
            return []
        if labels == [(labels[0][0], 2)]:
            return [(labels[0][0], 1), ((*matrices, *labels[0][0]), 1)]
        for k, (reading, exponent) in enumerate(labels):
            if exponent == 1:
                return [*labels[:k], ((*matrices, *reading), 1), *labels[k + 1 :]]
        return [((*matrices, operand(self.hadamard(labels))), 1)]

    def total(self, labels: list[Label]) -> tuple[Syntax, Rational]:
        """Sum a Hadamard product of columns."""
        if all(e % 2 == 0 for _, e in labels):
            halves: list[Label] = [(reading, int(e) // 2) for reading, e in labels]
            root = read(halves[0][0]) if len(halves) == 1 and halves[0][1] == 1 else self.hadamard(halves)
            return Call("norm", (root,)), 2
        if len(labels) == 1 or any(e < 0 for _, e in labels):
            return Call("sum", (self.hadamard(labels),)), 1
        ranked = sorted(labels, key=self.rank)
        last = ranked[-1] if ranked[-1][1] == 1 else next((x for x in ranked if x[1] == 1), ranked[-1])
        rest = [label for label in ranked if label is not last]
        column: Reading = last[0] if last[1] == 1 else (operand(self.hadamard([last])),)
        front = rest[0][0] if len(rest) == 1 and rest[0][1] == 1 else (operand(self.hadamard(rest)),)
        both = (*turn(front), *column)
        return read(min((both, turn(both)), key=self.direction)), 1

    @staticmethod
    def direction(reading: Reading) -> tuple[int, Natural]:
        tree = read(reading)
        return (weight(tree), natural(text(tree)))


def row_sums(item: Operand) -> Syntax:
    """The sums of the rows of a matrix; of a transposed one, of its columns."""
    if weight(item.turned) < weight(item.tree):
        return Call("sum", (item.turned, Name("columns")))
    return Call("sum", (item.tree, Name("rows")))


def powers(trees: Sequence[Syntax]) -> list[Syntax]:
    """Collect equal trees into entrywise powers."""
    counts = Counter(text(tree) for tree in trees)
    distinct = {text(tree): tree for tree in trees}
    return [raised(tree, counts[key], entrywise=True) for key, tree in distinct.items()]


def _best_rotation(reading: Reading) -> Reading:
    """Start a trace where it reads best: with the fewest transposes, then by name."""
    candidates = []
    for direction in (reading, turn(reading)):
        for k in range(len(direction)):
            candidates.append((*direction[k:], *direction[:k]))
    return min(candidates, key=lambda r: (weight(read(r)), [text(item.tree) for item in r]))
