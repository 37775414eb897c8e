"""Tensor graphs as steps: sizes become numbers, deltas and ones become views, inverses become solves."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any, NamedTuple

from pullback.operations.table import TABLE
from pullback.planning.contracting import Contraction, ExplicitInverse, Operand
from pullback.planning.drafting import Draft
from pullback.planning.entrywise import lower_entrywise
from pullback.planning.flattening import flattened
from pullback.planning.gathering import Gathered, join
from pullback.planning.steps import Extent
from pullback.tensor.node import (
    Apply,
    Node,
    Product,
    Rational,
    Sum,
    Variable,
    approximate,
    make_apply,
    rational,
    topological,
)
from pullback.tensor.product import transposed
from pullback.tensor.reshape import Linear


class Value(NamedTuple):
    """A computed node: its slot, of length one along axes where it is constant, and its true shape.

    The slot's shape is () or has as many axes as ``shape``.
    """

    slot: int
    shape: Extent


class Builder:
    """Turns nodes into steps of one draft. ``sizes`` gives every dimension name a number.

    ``standins`` are variables that stand for nodes, so that what follows from them is planned once; ``full`` has
    the shapes of inputs with their axes of length one; inverses in ``explicit`` are computed as matrices.
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        standins: Mapping[Variable, Node] | None = None,
        full: Mapping[str, Extent] | None = None,
        explicit: frozenset[Node] = frozenset(),
    ) -> None:
        self.draft = Draft()
        self.sizes = sizes
        self.standins = standins or {}
        self.full = full or {}
        self.explicit = explicit
        self.values: dict[Node, Value] = {}
        self.scaled_values: dict[tuple[Rational, Node], Value] = {}
        self.inverted: dict[int, Node] = {}
        self.present: set[Node] = set()
        self.uses: dict[Node, int] = {}

    def extent(self, node: Node) -> Extent:
        """The shape of a node in numbers."""
        return tuple(axis.evaluate(self.sizes) for axis in node.axes)

    def build(self, root: Node) -> Value:
        """Compute a node and all below it, children first, without recursion."""
        stack = [root]
        while stack:
            node = stack[-1]
            missing = [] if node in self.values else self.missing(node)
            if missing:
                stack += missing
            else:
                stack.pop()
                self.value(node)
        return self.values[root]

    def missing(self, node: Node) -> list[Node]:
        """What has to be computed before a node; inverses wait until something needs them as matrices."""
        if isinstance(node, Variable):
            return [self.standins[node]] if node in self.standins and self.standins[node] not in self.values else []
        below: list[Node] = []
        for child in self.parts(node):
            if _is_inverse(child) and child not in self.values and child not in self.explicit:
                below += (inner for inner in child.children if inner not in self.values)
            elif child not in self.values:
                below.append(child)
        return below[::-1]

    def parts(self, node: Node) -> Sequence[Node]:
        """What a node is made of: of a product its factors, of a sum the factors of the products in it."""
        if isinstance(node, Product):
            return [f.node for f in flattened(node)[0]]
        if isinstance(node, Sum):
            return [part for child in node.children for part in (self.parts(child) if self.opens(child) else (child,))]
        return node.children

    def opens(self, node: Node) -> bool:
        """Whether a term is a product that nothing else uses, so that a sum may do something else with it."""
        if not isinstance(node, Product) or not node.factors or self.uses.get(node, 0) > 1:
            return False
        return len(set(node.output)) == len(node.output) and node not in self.values

    def value(self, node: Node) -> Value:
        """Compute a node whose children are computed."""
        found = self.values.get(node)
        if found is None:
            found = self.values[node] = self.twin(node) or self.lower(node)
        return found

    def twin(self, node: Node) -> Value | None:
        """What is there already as its transpose."""
        if len(node.axes) != 2 or not isinstance(node, Sum | Apply) or not node.children:
            return None
        there = self.values.get(transposed(node))
        if there is None or len(self.draft.shapes[there.slot]) != 2:
            return None
        return Value(self.draft.permute(there.slot, (1, 0)), there.shape[::-1])

    def lower(self, node: Node) -> Value:
        """Write the steps of one node."""
        if isinstance(node, Variable):
            if node in self.standins:
                return self.values[self.standins[node]]
            shape = self.extent(node)
            slot = self.draft.input(node.name, self.full.get(node.name, shape))
            return Value(self.draft.shape(slot, shape), shape)
        if isinstance(node, Product):
            return self.product(node, 1)
        if isinstance(node, Sum):
            return self.sum(node)
        assert isinstance(node, Apply)
        return self.apply(node)

    def full_slot(self, value: Value) -> int:
        """The slot of a value with constant axes repeated."""
        return self.draft.expand(value.slot, value.shape)

    # products

    def product(self, node: Product, coefficient: Rational) -> Value:
        """A product times a number."""
        operands, number, lengths = self.operands(node, approximate(coefficient))
        distinct = tuple(dict.fromkeys(node.output))
        result = Contraction(self.draft, lengths).run(operands, distinct, number)
        return self.spread(result, node.output, distinct, lengths)

    def operands(self, node: Product, number: float) -> tuple[list[Operand], float, dict[int, int]]:
        """The factors of a product as operands, the number before them, and the lengths of its labels."""
        factors, dimensions = flattened(node)
        lengths = {k: axis.evaluate(self.sizes) for k, axis in enumerate(dimensions)}
        operands: list[Operand] = []
        for factor in factors:
            if _is_inverse(factor.node) and factor.exponent == 1 and factor.node not in self.explicit:
                operand = self.inverse_operand(factor.node, factor.indices)
                if operand is not None:
                    operands.append(operand)
                    continue
            value = self.value(factor.node)
            known = self.draft.number(value.slot)
            if known is not None:
                number = number * _power(known, factor.exponent)
                continue
            operands.append(self.operand(value, factor.indices, factor.exponent))
        used = {label for operand in operands for label in operand.labels}
        for label in set(lengths) - used - set(node.output):
            number = lengths[label] * number
        return self.sum_alone(operands, node.output, lengths), number, lengths

    def inverse_operand(self, node: Node, indices: tuple[int, ...]) -> Operand | None:
        """An inverse that a solve may spare, if it stands as a matrix."""
        assert isinstance(node, Apply)
        if len(indices) != 2 or indices[0] == indices[1]:
            return None
        slot = self.full_slot(self.value(node.arguments[0]))
        self.inverted[slot] = node
        return Operand(-1, indices, 1, slot)

    def operand(self, value: Value, indices: tuple[int, ...], exponent: Rational) -> Operand:
        """A factor without the axes along which it is constant, each label once."""
        draft, slot = self.draft, value.slot
        shape = draft.shapes[slot]
        if shape:
            live = [k for k, n in enumerate(value.shape) if shape[k] != 1 or n == 1]
            if len(live) < len(shape):
                slot = draft.shape(slot, tuple(shape[k] for k in live))
                indices = tuple(indices[k] for k in live)
        else:
            indices = ()
        if len(set(indices)) < len(indices):
            slot = draft.diagonal(slot, indices)
            indices = tuple(dict.fromkeys(indices))
        slot, left = self.raised(slot, exponent)
        return Operand(slot, indices, left)

    def raised(self, slot: int, exponent: Rational) -> tuple[int, int]:
        """Raise entries to a power; what is left of the power is 1 or -1."""
        draft = self.draft
        below = -1 if exponent < 0 else 1
        size = abs(exponent)
        if size == 1:
            return slot, below
        if size == 2:
            return draft.map("square", slot), below
        if size == Fraction(1, 2):
            return draft.map("sqrt", slot), below
        if isinstance(size, int) and size in (3, 4):
            square = draft.map("square", slot)
            return draft.map("multiply", square, slot) if size == 3 else draft.map("square", square), below
        if size == Fraction(3, 2):
            return draft.map("multiply", draft.map("sqrt", slot), slot), below
        return draft.map("power", slot, draft.constant(approximate(exponent))), 1

    def sum_alone(
        self, operands: Sequence[Operand], output: Sequence[int], lengths: Mapping[int, int]
    ) -> list[Operand]:
        """Sum each operand over the labels that only it has."""
        counts: dict[int, int] = dict.fromkeys(output, 2)
        for operand in operands:
            for label in operand.labels:
                counts[label] = counts.get(label, 0) + 1
        done: list[Operand] = []
        for operand in operands:
            alone = [k for k, label in enumerate(operand.labels) if counts[label] == 1]
            if not alone:
                done.append(operand)
            elif operand.inverse is not None:
                done.append(operand)
                done += [Operand(self.draft.full(1.0, (lengths[x],)), (x,)) for x in (operand.labels[k] for k in alone)]
            else:
                slot = self.draft.map("reciprocal", operand.slot) if operand.exponent == -1 else operand.slot
                kept = tuple(label for label in operand.labels if counts[label] != 1)
                done.append(Operand(self.draft.reduce("add", slot, alone), kept))
        return done

    def spread(
        self, result: Operand, output: tuple[int, ...], distinct: tuple[int, ...], lengths: Mapping[int, int]
    ) -> Value:
        """Axes along which nothing varies get length one; repeated ones make a diagonal."""
        shape = tuple(lengths[label] for label in output)
        draft = self.draft
        if len(distinct) == len(output):
            if not result.labels:
                return Value(result.slot, shape)
            slot = draft.shape(result.slot, tuple(lengths[x] if x in result.labels else 1 for x in distinct))
            return Value(slot, shape)
        thin = tuple(lengths[x] if x in result.labels else 1 for x in distinct)
        if draft.number(result.slot) is None:
            slot = draft.expand(draft.shape(result.slot, thin), tuple(lengths[x] for x in distinct))
        else:
            slot = result.slot
        return Value(draft.emit("embed", (slot,), (output, distinct), shape), shape)

    # sums

    def sum(self, node: Sum) -> Value:
        """A linear combination; what its products share is multiplied by once, what is small is added first."""
        draft, shape = self.draft, self.extent(node)
        if not node.terms:
            return Value(draft.constant(0.0), shape)
        terms: list[tuple[Rational, Node | Gathered]] = [(t.coefficient, t.node) for t in node.terms]
        if len(terms) > 1:
            terms = self.gathered(terms, shape)
        if len(terms) == 1:
            return Value(self.term(*terms[0]), shape)
        sizes: set[Rational] = {c if c > 0 else -c for c, _ in terms}
        shared: Rational = sizes.pop() if len(sizes) == 1 else 1
        parts = [(-1 if c < 0 else 1, self.term((c if c > 0 else -c) / Fraction(shared), term)) for c, term in terms]
        parts.sort(key=lambda part: (prod(draft.shapes[part[1]]), -part[0]))
        if parts[0][0] < 0 and any(sign > 0 for sign, _ in parts[1:2]):
            parts[0], parts[1] = parts[1], parts[0]
        sign, total = parts[0]
        for here, slot in parts[1:]:
            if here == sign:
                total = draft.map("add", total, slot)
            elif sign > 0:
                total = draft.map("subtract", total, slot)
            else:
                total, sign = draft.map("subtract", slot, total), 1
        if sign * shared != 1:
            total = draft.scaled(total, approximate(sign * shared))
        return Value(total, shape)

    def term(self, coefficient: Rational, node: Node | Gathered) -> int:
        """A term times a number."""
        if isinstance(node, Gathered):
            return self.contracted(node, approximate(coefficient))
        if coefficient == 1:
            return self.value(node).slot
        if isinstance(node, Product) and node.factors and self.uses.get(node, 0) <= 1:
            key = (rational(coefficient), node)
            if key not in self.scaled_values:
                self.scaled_values[key] = self.product(node, coefficient)
            return self.scaled_values[key].slot
        return self.draft.scaled(self.value(node).slot, approximate(coefficient))

    def contracted(self, term: Gathered, coefficient: float) -> int:
        """A product of operands over the axes of a sum; axes along which nothing varies get length one."""
        output = range(term.rank)
        found = Contraction(self.draft, term.lengths).run(term.operands, output, coefficient * term.number)
        if not found.labels:
            return found.slot
        return self.draft.shape(found.slot, tuple(term.lengths[x] if x in found.labels else 1 for x in output))

    def gathered(self, terms: list[tuple[Rational, Node | Gathered]], shape: Extent) -> list[tuple[Rational, Any]]:
        """Join products that share factors, wherever that is estimated to be faster."""
        products = [(c, t) for c, t in terms if isinstance(t, Node) and self.opens(t)]
        if len(products) < 2:
            return terms
        rest = [(c, t) for c, t in terms if not (isinstance(t, Node) and self.opens(t))]
        waiting: list[tuple[Rational, Gathered, Node | None]] = [(c, self.opened(t, shape), t) for c, t in products]
        done: list[tuple[Rational, Any]] = []
        while waiting:
            coefficient, here, node = waiting.pop(0)
            for k, (other, there, _) in enumerate(waiting):
                joined = join(self.draft, (coefficient, here), (other, there))
                if joined is not None:
                    waiting[k] = (*joined, None)
                    break
            else:
                done.append((coefficient, here if node is None else node))
        return [*done, *rest]

    def opened(self, node: Node, shape: Extent) -> Gathered:
        """A product as operands whose labels are the places of the sum's axes, and numbers below zero inside."""
        assert isinstance(node, Product)
        operands, number, lengths = self.operands(node, 1.0)
        place = {label: k for k, label in enumerate(node.output)}
        for label in lengths:
            place.setdefault(label, -1 - label)
        moved = [o._replace(labels=tuple(place[x] for x in o.labels)) for o in operands]
        return Gathered(tuple(moved), number, {place[x]: n for x, n in lengths.items()}, len(shape))

    # operations

    def apply(self, node: Apply) -> Value:
        """An operation on arguments."""
        draft, shape = self.draft, self.extent(node)
        operation = node.operation
        if operation.name == "pi":
            return Value(draft.constant(math.pi), shape)
        values = [self.value(argument) for argument in node.arguments]
        if isinstance(operation, Linear):
            return Value(self.linear(operation, values[0], shape), shape)
        if operation.entrywise:
            slots = [value.slot for value in values]
            if operation.name == "step" and (relu := self.beside(node, "relu")) is not None:
                slots = [relu]
            found = lower_entrywise(draft, operation.name, slots)
            if found is not None:
                return Value(found, shape)
        else:
            slots = [self.full_slot(value) for value in values]
            found = self.reduction(operation.name, slots[0]) if len(slots) == 1 else None
            if found is not None:
                return Value(draft.shape(found, shape), shape)
        return Value(draft.emit("apply", [self.full_slot(v) for v in values], (operation.name,), shape), shape)

    def beside(self, node: Apply, name: str) -> int | None:
        """The value of another operation on the same argument, if that is asked for too."""
        primitive = TABLE[name].primitive
        assert primitive is not None
        other = make_apply(primitive.operation, node.arguments, node.axes)
        return self.value(other).slot if other in self.present else None

    def reduction(self, name: str, slot: int) -> int | None:
        """Softmax and its kin over the last axis, sharing maxima, exponentials and sums."""
        draft = self.draft
        last = (len(draft.shapes[slot]) - 1,)
        if name == "max":
            return draft.reduce("maximum", slot, last)
        if name == "hardmax":
            top = draft.map("equal", slot, draft.reduce("maximum", slot, last, keep=True))
            return draft.map("divide", top, draft.reduce("add", top, last, keep=True))
        if name not in ("softmax", "logsumexp"):
            return None
        top = draft.map("finite", draft.reduce("maximum", slot, last, keep=True))
        powers = draft.map("exp", draft.map("subtract", slot, top))
        total = draft.reduce("add", powers, last, keep=True)
        if name == "softmax":
            return draft.map("divide", powers, total)
        return draft.map("add", draft.map("log", total), top)

    def linear(self, operation: Linear, value: Value, shape: Extent) -> int:
        """Operations that only move entries."""
        draft = self.draft
        slot = self.full_slot(value)
        first, second = (size.evaluate(self.sizes) for size in operation.sizes)
        if operation.kind in ("merge", "split"):
            return draft.shape(slot, shape)
        length = draft.shapes[slot][-1]
        if type(length) is int and type(first) is int and type(second) is int:  # not while they are symbols
            operation.require(length, self.sizes)
        if operation.kind == "part":
            return draft.emit("part", (slot,), (first, first + second), shape)
        return draft.emit("pad", (slot,), (first, second), shape)


def build_all(
    sizes: Mapping[str, int],
    roots: Sequence[Node],
    standins: Mapping[Variable, Node],
    full: Mapping[str, Extent],
    make: type[Builder] = Builder,
) -> Builder:
    """Plan several nodes together, each cotangent before what needs it; inverses are solves wherever that can be."""
    place = {variable: k for k, variable in enumerate(standins)}
    ready: dict[int, list[Node]] = {}
    for root in roots:
        last = max((place[n] for n in topological([root]) if isinstance(n, Variable) and n in place), default=-1)
        ready.setdefault(last, []).append(root)
    explicit: frozenset[Node] = frozenset()
    present = list(topological([*roots, *standins.values()]))
    uses = Counter(child for node in present for child in node.children)
    uses.update([*roots, *standins.values()])
    while True:
        builder = make(sizes, standins, full, explicit)
        for name, shape in full.items():
            builder.draft.input(name, shape)
        builder.present, builder.uses = set(present), uses
        try:
            for root in ready.get(-1, ()):
                builder.build(root)
            for variable, position in place.items():
                builder.build(variable)
                for root in ready.get(position, ()):
                    builder.build(root)
            return builder
        except ExplicitInverse as needed:
            explicit |= {builder.inverted[needed.slot]}


def _is_inverse(node: Node) -> bool:
    return isinstance(node, Apply) and node.operation.name == "inv" and len(node.axes) == 2


def _power(number: float, exponent: Rational) -> float:
    if exponent == 1:
        return number
    if number == 0 and exponent < 0:
        return math.inf
    if number < 0 and not isinstance(exponent, int):
        return math.nan
    try:
        power: float = number**exponent if isinstance(exponent, int) else number ** approximate(exponent)
    except OverflowError:
        return math.inf
    return power
