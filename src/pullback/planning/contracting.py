"""Products as kernels: which order, and what each pair of factors is - a GEMM, a solve, a multiplication.

An operand is a slot with a label on each axis. Transposes are views that go into the kernels, and each
kernel is asked for the orientation in which its result is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import NamedTuple

from pullback.planning.drafting import Draft
from pullback.planning.ordering import contraction_order

_RANK_UPDATE = 24
"""From this width on BLAS does a symmetric product faster than a general one."""


class Operand(NamedTuple):
    """A factor: its slot, a label for each axis, what its entries are raised to (1 or -1).

    Where ``inverse`` is set, the operand is the inverse of that slot, which is nowhere computed yet.
    """

    slot: int
    labels: tuple[int, ...]
    exponent: int = 1
    inverse: int | None = None


class Contraction:
    """Contracts operands over labels; ``lengths`` belong to the labels."""

    def __init__(self, draft: Draft, lengths: Mapping[int, int]) -> None:
        self.draft = draft
        self.lengths = lengths
        self.summed_next: frozenset[int] = frozenset()

    def run(self, operands: Sequence[Operand], output: Sequence[int], coefficient: float) -> Operand:
        """Contract all; the axes of the result are labels of ``output`` in the order of ``output``."""
        operands = self.narrowed(operands)
        scalars = [operand for operand in operands if not operand.labels]
        rest = [operand for operand in operands if operand.labels]
        wanted = [label for label in output if any(label in operand.labels for operand in rest)]
        factor = self.scalar(scalars, coefficient)
        if not rest:
            return Operand(factor if factor is not None else self.draft.constant(1.0), ())
        if factor is not None and len(rest) > 1:
            size = prod(self.lengths[label] for label in wanted)
            place = self.place_for(rest, factor, size)
            if place is not None:
                slot = self.draft.map("multiply", self.plain(rest[place]), factor)
                rest[place] = Operand(slot, rest[place].labels)
                factor = None
        order = contraction_order([frozenset(o.labels) for o in rest], frozenset(wanted), self.lengths)
        for turn, (first, second) in enumerate(order):
            b, a = rest.pop(second), rest.pop(first)
            alive = set(wanted).union(*(operand.labels for operand in rest))
            self.summed_next = self.look_ahead(a, b, alive, rest, order[turn + 1 :], wanted)
            rest.append(self.pair(a, b, alive, wanted if not rest else None))
        (result,) = rest
        slot = self.draft.permute(self.plain(result), [result.labels.index(label) for label in wanted])
        if factor is not None:
            slot = self.draft.map("multiply", slot, factor)
        return Operand(slot, tuple(wanted))

    def narrowed(self, operands: Sequence[Operand]) -> list[Operand]:
        """Operands without axes of length one, which would turn products of matrices into batches of one."""
        solved = {label for operand in operands if operand.inverse is not None for label in operand.labels}
        found: list[Operand] = []
        for operand in operands:
            kept = [k for k, x in enumerate(operand.labels) if self.lengths[x] != 1 or x in solved]
            if len(kept) < len(operand.labels):
                shape = self.draft.shapes[operand.slot]
                slot = self.draft.shape(operand.slot, tuple(shape[k] for k in kept))
                operand = operand._replace(slot=slot, labels=tuple(operand.labels[k] for k in kept))
            found.append(operand)
        return found

    def look_ahead(
        self, a: Operand, b: Operand, alive: set[int], rest: Sequence[Operand], order: Sequence[tuple[int, int]],
        wanted: Sequence[int],
    ) -> frozenset[int]:  # fmt: skip
        """The labels over which the product of a pair is summed where it is next used."""
        here = {label for label in (*a.labels, *b.labels) if label in alive}
        sets = [set(operand.labels) for operand in rest] + [here]
        for first, second in order:
            two, one = sets.pop(second), sets.pop(first)
            left = set(wanted).union(*sets)
            if one is here or two is here:
                return frozenset((one & two) - left)
            sets.append((one | two) & left)
        return frozenset()

    def scalar(self, scalars: Sequence[Operand], coefficient: float) -> int | None:
        """Multiply what has no axes; None for the number one."""
        factor: int | None = None
        below: int | None = None
        for operand in scalars:
            if operand.exponent == 1:
                factor = operand.slot if factor is None else self.draft.map("multiply", factor, operand.slot)
            else:
                below = operand.slot if below is None else self.draft.map("multiply", below, operand.slot)
        if below is not None:
            above = self.draft.constant(coefficient) if factor is None else factor
            coefficient = 1.0 if factor is None else coefficient
            factor = self.draft.map("divide", above, below)
        if coefficient != 1:
            number = self.draft.constant(coefficient)
            factor = number if factor is None else self.draft.map("multiply", factor, number)
        return factor

    def place_for(self, operands: Sequence[Operand], factor: int, result: int) -> int | None:
        """Choose the operand that a scalar goes on: one that has it already, or the smallest; None: the result."""
        best: tuple[int, int] | None = None
        for k, operand in enumerate(operands):
            if operand.inverse is not None or operand.exponent != 1:
                continue
            first, second = operand.slot, factor
            if self.draft.number(second) is None and first > second:
                first, second = second, first
            if self.draft.has("map", (first, second), ("multiply",), self.draft.shapes[operand.slot]):
                return k
            size = prod(self.draft.shapes[operand.slot])
            if best is None or size < best[0]:
                best = (size, k)
        return best[1] if best is not None and best[0] < result else None

    def plain(self, operand: Operand) -> int:
        """The slot of an operand by itself, inverse or reciprocal computed."""
        if operand.inverse is not None:
            raise ExplicitInverse(operand.inverse)
        if operand.exponent == -1:
            return self.draft.map("reciprocal", operand.slot)
        return operand.slot

    def pair(self, a: Operand, b: Operand, alive: set[int], wanted: Sequence[int] | None) -> Operand:
        """Contract two operands; ``wanted`` is the order of labels that the result should have, if known."""
        shared = [label for label in a.labels if label in b.labels]
        gone = [label for label in shared if label not in alive]
        kept = [label for label in shared if label in alive]
        left = [label for label in a.labels if label not in shared]
        right = [label for label in b.labels if label not in shared]
        if a.inverse is not None or b.inverse is not None:
            solved = self.solve(a, b, gone, kept, left, right) or self.solve(b, a, gone, kept, right, left)
            if solved is not None:
                return solved
        if not gone:
            return self.multiply(a, b, wanted)
        if not kept:
            return self.dot(a, b, left, gone, right, wanted)
        return self.batched(a, b, kept, left, gone, right, wanted)

    def solve(
        self, a: Operand, b: Operand, gone: list[int], kept: list[int], left: list[int], right: list[int]
    ) -> Operand | None:
        """inv(A) b without the inverse."""
        if a.inverse is None or b.inverse is not None or kept or len(gone) != 1 or len(left) != 1:
            return None
        matrix = a.inverse if a.labels.index(gone[0]) == 1 else self.draft.permute(a.inverse, (1, 0))
        other = self.arranged(b, [*gone, *right])
        length = self.lengths[gone[0]]
        width = prod(self.lengths[label] for label in right)
        flat = self.draft.shape(other, (length, width) if right else (length,))
        slot = self.draft.emit("solve", (matrix, flat), (), self.draft.shapes[flat])
        slot = self.draft.shape(slot, (length, *(self.lengths[label] for label in right)))
        return Operand(slot, (left[0], *right))

    def arranged(self, operand: Operand, labels: Sequence[int]) -> int:
        """The operand with its axes in this order."""
        return self.draft.permute(self.plain(operand), [operand.labels.index(label) for label in labels])

    def spread(self, operand: Operand, slot: int, labels: Sequence[int]) -> int:
        """The operand over these axes, of length one where it has none."""
        here = [label for label in labels if label in operand.labels]
        slot = self.draft.permute(slot, [operand.labels.index(label) for label in here])
        return self.draft.shape(slot, tuple(self.lengths[x] if x in here else 1 for x in labels))

    def multiply(self, a: Operand, b: Operand, wanted: Sequence[int] | None) -> Operand:
        """Entry by entry, and outer products."""
        labels = self.merged(a, b, wanted)
        if a.exponent == b.exponent:
            function, pair = "multiply", (a, b)
        else:
            function, pair = "divide", (a, b) if b.exponent == -1 else (b, a)
        one, two = (self.spread(o, o.slot if o.inverse is None else self.plain(o), labels) for o in pair)
        slot = self.draft.map(function, one, two)
        return Operand(slot, labels, -1 if a.exponent == b.exponent == -1 else 1)

    def merged(self, a: Operand, b: Operand, wanted: Sequence[int] | None) -> tuple[int, ...]:
        """An order for the labels of both in which few axes have to move."""
        if wanted is not None:
            return tuple(wanted)
        big, small = (a, b) if len(a.labels) >= len(b.labels) else (b, a)
        labels = (*big.labels, *(label for label in small.labels if label not in big.labels))
        last = tuple(label for label in labels if label in self.summed_next)
        ends = bool(last) and last in (labels[: len(last)], labels[len(labels) - len(last) :])
        return labels if ends else (*(label for label in labels if label not in last), *last)

    def size(self, labels: Sequence[int]) -> int:
        """The number of entries over these labels."""
        return prod(self.lengths[label] for label in labels)

    def dot(
        self, a: Operand, b: Operand, left: list[int], gone: list[int], right: list[int], wanted: Sequence[int] | None
    ) -> Operand:
        """A GEMM, or what it is with vectors; of several labels, they are merged into one axis."""
        if wanted is not None and left and right:
            order = [label for label in wanted if label in left or label in right]
            if order[: len(right)] == [x for x in order if x in right] and right:
                a, b, left, right = b, a, right, left
            left = [x for x in order if x in left]
            right = [x for x in order if x in right]
        elif left and right and self.summed_next & set(left) and len(left) > 1 and not self.summed_next & set(right):
            a, b, left, right = b, a, right, left
        gone = self.best_inner(a, b, gone)
        inner = self.size(gone)
        first = self.draft.shape(self.arranged(a, [*left, *gone]), (self.size(left), inner) if left else (inner,))
        second = self.draft.shape(self.arranged(b, [*gone, *right]), (inner, self.size(right)) if right else (inner,))
        if not left and right:
            first, second = self.draft.permute(second, (1, 0)), first
        shape = tuple(self.size(x) for x in (left, right) if x)
        if left and right and inner == 1:
            slot = self.draft.map(
                "multiply",
                self.draft.shape(first, (shape[0], 1)),
                self.draft.shape(second, (1, shape[1])),
            )
        else:
            square = self.weighted_square(first, second) if len(shape) == 2 else None
            slot = self.draft.dot(first, second, shape) if square is None else square
        labels = (*left, *right)
        return Operand(self.draft.shape(slot, tuple(self.lengths[x] for x in labels)), labels)

    def weighted_square(self, first: int, second: int) -> int | None:
        """X' diag(s) X as Y' Y with Y = diag(sqrt s) X, where s is not negative: half the work of a GEMM."""
        draft = self.draft
        for one, two in self.untransposed(first, second):
            step = draft.steps[two]
            if step.kind != "map" or step.detail != ("multiply",) or draft.shapes[step.output] != draft.shapes[one]:
                continue
            if one not in step.inputs or min(draft.shapes[one]) < _RANK_UPDATE:
                continue
            weight = step.inputs[1] if step.inputs[0] == one else step.inputs[0]
            thin = draft.shapes[weight] in ((draft.shapes[one][0], 1), ())
            if step.output == two and thin and draft.nonnegative(weight):
                root = draft.map("multiply", one, draft.map("sqrt", weight))
                size = draft.shapes[one][1]
                return draft.emit("dot", (draft.permute(root, (1, 0)), root), (), (size, size))
        return None

    def untransposed(self, first: int, second: int) -> list[tuple[int, int]]:
        """Read first' second as pairs (X, Y) of X' Y, whichever of the two carries the weights."""
        step = self.draft.steps[first]
        if step.kind != "permute":
            return []
        inner = step.inputs[0]
        return [(inner, second), (second, inner)]

    def best_inner(self, a: Operand, b: Operand, gone: list[int]) -> list[int]:
        """Order the summed labels as the larger operand has them."""
        if len(gone) < 2:
            return gone
        larger = a if self.size(a.labels) >= self.size(b.labels) else b
        return [label for label in larger.labels if label in gone]

    def batched(
        self,
        a: Operand,
        b: Operand,
        kept: list[int],
        left: list[int],
        gone: list[int],
        right: list[int],
        wanted: Sequence[int] | None,
    ) -> Operand:
        """A GEMM for each entry of shared labels."""
        if not left and not right:
            labels = tuple(x for x in (wanted or kept) if x in kept)
            one, two = self.plain(a), self.plain(b)
            detail = (a.labels, b.labels, labels)
            slot = self.draft.emit("contract", (one, two), detail, tuple(self.lengths[x] for x in labels))
            return Operand(slot, labels)
        if wanted is not None:
            order = [label for label in wanted if label in left or label in right]
            if left and right and order[0] in right:
                a, b, left, right = b, a, right, left
        gone = self.best_inner(a, b, gone)
        lead, inner = self.size(kept), self.size(gone)
        first = self.draft.shape(self.arranged(a, [*kept, *left, *gone]), (lead, self.size(left), inner))
        second = self.draft.shape(self.arranged(b, [*kept, *gone, *right]), (lead, inner, self.size(right)))
        slot = self.draft.emit("matmul", (first, second), (), (lead, self.size(left), self.size(right)))
        labels = (*kept, *left, *right)
        return Operand(self.draft.shape(slot, tuple(self.lengths[x] for x in labels)), labels)


class ExplicitInverse(Exception):
    """An inverse is needed as a matrix; the slot is that of the matrix to invert."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self.slot = slot
