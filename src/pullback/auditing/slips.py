"""Slips: what people put at one step of a reverse pass in place of what is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from pullback.auditing.building import flip, is_square, swap, times
from pullback.auditing.functions import slips_of_function
from pullback.auditing.stages import Stage, contributions, through_factor
from pullback.auditing.wording import Wording
from pullback.calculus.rules import pull_back
from pullback.tensor.add import scaled, zeros
from pullback.tensor.axes import ones
from pullback.tensor.node import Apply, Node, Product, Rational, Sum, Variable, topological
from pullback.tensor.product import permuted, product

Make = Callable[[Node, Node], Node]
"""The contribution and the cotangent in, the mistaken contribution out."""

_POWER_SIGNS = ("^", "**", "square", "norm", "mse", "sqrt", "var", "std", "power")
_LONGEST_FRACTION = 1000


@dataclass(frozen=True, eq=False)
class Slip:
    """One mistake at one place; ``rank`` orders what explains equally well, the smaller the more likely."""

    key: str
    stage: Stage
    node: Node
    position: int
    make: Make
    rank: float
    fields: dict[str, str] = field(default_factory=dict)

    def __call__(self, stage: Stage, node: Node, position: int, contribution: Node, cotangent: Node) -> Node | None:
        """Put the mistaken contribution where this slip is; None elsewhere."""
        if stage is not self.stage or node is not self.node or position != self.position:
            return None
        return self.make(contribution, cotangent)


def slips(stages: Sequence[Stage], wanted: set[str], wording: Wording) -> Iterator[Slip]:
    """All slips of a program."""
    names = wanted | {stage.name for stage in stages}
    named = wanted | {stage.name for stage in stages if stage.given}
    every = {v for stage in stages for v in topological([stage.local]) if isinstance(v, Variable)}
    for stage in stages:
        active: set[Node] = set()
        for node in topological([stage.local]):
            if (isinstance(node, Variable) and node.name in names) or any(c in active for c in node.children):
                active.add(node)
        place = _Place(stage, active, every, named, wanted, wording)
        for node in topological([stage.local]):
            if node in active and not isinstance(node, Variable):
                yield from place.at(node)


@dataclass(frozen=True)
class _Place:
    """One step: which of its nodes lead to a variable, and what else could be put in by mistake."""

    stage: Stage
    active: set[Node]
    every: set[Variable]
    named: set[str]
    inputs: set[str]
    wording: Wording

    def slip(self, node: Node, position: int, key: str, make: Make, rank: float, **fields: str) -> Slip:
        return Slip(key, self.stage, node, position, make, rank, fields)

    def at(self, node: Node) -> Iterator[Slip]:
        trial = contributions(node, ones(node.axes), self.active)
        for position, part, contribution in trial:
            yield from self._general(node, position, part, contribution)
            if isinstance(node, Apply):
                yield from self._of_function(node, position)
            if isinstance(node, Product):
                yield from self._of_product(node, position)
            if isinstance(node, Sum) and node.terms[position].coefficient not in (1, -1):
                number = say_number(node.terms[position].coefficient)
                yield self.slip(node, position, "coefficient", lambda c, g: g, 0.35, number=number)
            yield from self._other_values(node, position, contribution)

    def _general(self, node: Node, at: int, part: Node, contribution: Node) -> Iterator[Slip]:
        plain = plainly(part)
        rank = 2.0
        if isinstance(plain, Variable) and plain.name in self.named:
            rank = 1.8 if plain.name in self.inputs else 1.7
        where = self.wording.of(plain)
        yield self.slip(node, at, "path", lambda c, g: zeros(c.axes), rank, part=where)
        yield self.slip(node, at, "sign", lambda c, g: scaled(-1, c), 1.9 if _turns_sign(node, at) else 2.0)
        if not isinstance(node, Sum):
            yield self.slip(node, at, "upstream", lambda c, g: _again(node, at, ones(g.axes)), 3.5)
        if is_square(contribution):
            yield self.slip(node, at, "transpose", lambda c, g: permuted(c, flip(c)), 2.5, part=where)

    def _of_function(self, node: Apply, at: int) -> Iterator[Slip]:
        for key, make, rank, fields in slips_of_function(node, at):
            yield self.slip(node, at, key, make, rank, **fields)

    def _other_values(self, node: Node, at: int, contribution: Node) -> Iterator[Slip]:
        """One value taken for another of the same shape."""
        for used in {v for v in topological([contribution]) if isinstance(v, Variable)}:
            for other in sorted(self.every - {used}, key=lambda v: v.name):
                if other.axes == used.axes:
                    names = {"right": self.wording.name(used.name), "used": self.wording.name(other.name)}
                    rank = 3.2 if other.name in self.named else 3.4

                    def make(c: Node, g: Node, used: Variable = used, other: Variable = other) -> Node:
                        return swap(c, used, other)

                    yield self.slip(node, at, "other_value", make, rank, **names)

    def _of_product(self, node: Product, at: int) -> Iterator[Slip]:
        """What goes wrong with the other factors of a product, and with an exponent."""
        _, indices, exponent = node.factors[at]
        if exponent != 1:
            yield from self._of_power(node, at, exponent)
        for k, other in enumerate(node.factors):
            if k == at:
                continue
            if isinstance(other.node, Product) and not other.node.factors and not other.indices:
                yield self._count(node, at, k)
                continue
            kept = {i for j, f in enumerate(node.factors) if j != k for i in f.indices} | set(node.output)
            if set(other.indices) <= kept or all(i in node.output or i in indices for i in other.indices):
                key = "factor" if other.exponent > 0 else "divisor"
                part = self._power(other.node, abs(Fraction(other.exponent)))
                yield self.slip(node, at, key, _without(node, at, k), 1.72, part=part)
            own = node.factors[at].node
            plain = other.exponent == 1 and exponent == 1
            if plain and other.indices == indices and other.node.axes == own.axes:
                fields = {"own": self.wording.of(own), "other": self.wording.of(other.node)}
                yield self.slip(node, at, "own_factor", _instead(node, at, k), 2.3, **fields)
            if len(other.indices) == 2 and other.node.axes[0] is other.node.axes[1]:
                part = self.wording.of(other.node)
                twice = sum(factor.node is own for factor in node.factors) > 1
                rank = 2.3 if twice else 2.0
                yield self.slip(node, at, "transpose_other", _turned(node, at, k), rank, part=part)
        if len(node.output) == 2 and node.axes[0] is node.axes[1]:
            yield self.slip(node, at, "transpose_upstream", lambda c, g: through_factor(node, at, g, turned=-1), 2.2)

    def _count(self, node: Product, at: int, k: int) -> Slip:
        """A number of entries: what a mean divides by, or its root as in attention."""
        other = node.factors[k]
        assert isinstance(other.node, Product)
        length = str(other.node.dimensions[0]) if other.node.dimensions else ""
        if other.exponent == -1:
            return self.slip(node, at, "mean_as_sum", _without(node, at, k), 0.3, n=length)
        root = "sqrt({})" if abs(other.exponent) == Fraction(1, 2) else "{}"
        key = "factor" if other.exponent > 0 else "divisor"
        return self.slip(node, at, key, _without(node, at, k), 0.45, part=root.format(length))

    def _other_front(self, node: Product, at: int, exponent: Rational, other: Rational) -> Slip:
        amount = Fraction(other) / Fraction(exponent)
        fields = {"power": say_number(exponent), "found": say_number(other)}
        return self.slip(node, at, "power_other_factor", lambda c, g: scaled(amount, c), 0.4, **fields)

    def _of_power(self, node: Product, at: int, exponent: Rational) -> Iterator[Slip]:
        base = node.factors[at].node
        seen = any(sign in self.stage.text for sign in _POWER_SIGNS)
        if exponent != -1:
            whole = Fraction(exponent).denominator == 1 or "sqrt" in self.stage.text or "^" in self.stage.text
            key = "power_factor" if seen else "twice"
            fields = {"power": say_number(exponent), "part": self.wording.of(base)}
            amount = 1 / Fraction(exponent)
            yield self.slip(node, at, key, lambda c, g: scaled(amount, c), 0.3 if whole else 0.6, **fields)
            for other in {exponent - 1, exponent + 1} - {1} if exponent > 1 and seen else ():
                yield self._other_front(node, at, exponent, other)
        else:
            yield self.slip(node, at, "quotient_sign", lambda c, g: scaled(-1, c), 0.3)
            yield self.slip(node, at, "quotient_square", lambda c, g: _raised(node, at, g, 1), 2.0)
        if exponent > 1:
            fields = {"power": say_number(exponent - 1), "part": self.wording.of(base)}
            yield self.slip(node, at, "power_not_lowered", lambda c, g: _raised(node, at, g, 1), 2.0, **fields)
        if base.axes == node.axes:
            part = self._power(base, exponent)
            yield self.slip(node, at, "inner_missing", lambda c, g: g, 2.9, part=part)

    def _power(self, node: Node, exponent: Rational) -> str:
        labels = range(len(node.axes))
        return self.wording.of(product([(node, labels, exponent)], labels, dict(enumerate(node.axes))))


def say_number(number: Rational) -> str:
    """A number as people write it: a fraction where that is short."""
    fraction = Fraction(number)
    return str(fraction) if fraction.denominator < _LONGEST_FRACTION else f"{float(fraction):.6g}"


def plainly(node: Node) -> Node:
    """What is repeated or turned by a node that does no more than that."""
    while isinstance(node, Product) and len(node.factors) == 1 and node.factors[0].exponent == 1:
        if not set(node.factors[0].indices) <= set(node.output):
            break
        node = node.factors[0].node
    return node


def _turns_sign(node: Node, at: int) -> bool:
    if isinstance(node, Sum):
        return node.terms[at].coefficient < 0
    return isinstance(node, Product) and node.factors[at].exponent < 0


def _again(node: Node, position: int, cotangent: Node) -> Node:
    if isinstance(node, Apply):
        return pull_back(node, position, cotangent)
    assert isinstance(node, Product)
    return through_factor(node, position, cotangent)


def _without(node: Product, position: int, k: int) -> Make:
    return lambda c, g: through_factor(node, position, g, without=k)


def _turned(node: Product, position: int, k: int) -> Make:
    return lambda c, g: through_factor(node, position, g, turned=k)


def _instead(node: Product, position: int, k: int) -> Make:
    """The factor itself in place of the other one: d(u v) by u taken as u."""
    own = node.factors[position]

    def make(_: Node, g: Node) -> Node:
        return times(through_factor(node, position, g, without=k), own.node)

    return make


def _raised(node: Product, position: int, cotangent: Node, by: int) -> Node:
    """The contribution with the power of its own factor off by one: d(1/x) taken as -1/x."""
    contribution = through_factor(node, position, cotangent)
    factor = node.factors[position].node
    labels = range(len(contribution.axes))
    return product([(contribution, labels, 1), (factor, labels, by)], labels)
