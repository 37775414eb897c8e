"""Slips: what people put at one step of a reverse pass in place of what is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from pullback.auditing.stages import Stage, contributions, through_factor
from pullback.calculus.rules import pull_back
from pullback.operations.table import TABLE
from pullback.tensor.add import add, scaled, zeros
from pullback.tensor.apply import apply
from pullback.tensor.axes import broadcast, ones
from pullback.tensor.node import Apply, Node, Product, Sum, Variable, topological
from pullback.tensor.product import permuted, power, product
from pullback.tensor.substitute import Lifted, substitute

Make = Callable[[Node, Node], Node]
"""The contribution and the cotangent in, the mistaken contribution out."""


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


def times(left: Node, right: Node) -> Node:
    """Entry by entry."""
    labels = range(len(left.axes))
    return product([(left, labels, 1), (right, labels, 1)], labels)


def called(name: str, *arguments: Node) -> Node:
    """Apply an operation of the table."""
    primitive = TABLE[name].primitive
    assert primitive is not None
    return apply(primitive.operation, arguments)


def minus(left: Node | int, right: Node) -> Node:
    """Subtract; a number is that many ones."""
    first = scaled(left, ones(right.axes)) if isinstance(left, int) else left
    return add([(1, first), (-1, right)], right.axes)


def over_last(node: Node) -> Node:
    """Sum over the last axis and repeat."""
    labels = list(range(len(node.axes)))
    total = product([(node, labels, 1)], labels[:-1])
    return broadcast(total, node.axes, labels[:-1])


def slips(stages: Sequence[Stage], wanted: set[str], spelling: Callable[[str], str]) -> Iterator[Slip]:
    """All slips of a program."""
    names = wanted | {stage.name for stage in stages}
    every = {v for stage in stages for v in topological([stage.local]) if isinstance(v, Variable)}
    for stage in stages:
        active: set[Node] = set()
        for node in topological([stage.local]):
            if (isinstance(node, Variable) and node.name in names) or any(c in active for c in node.children):
                active.add(node)
        for node in topological([stage.local]):
            if node in active and not isinstance(node, Variable):
                yield from _at(stage, node, active, every, spelling)


def _at(
    stage: Stage, node: Node, active: set[Node], every: set[Variable], spelling: Callable[[str], str]
) -> Iterator[Slip]:
    trial = contributions(node, ones(node.axes), active)
    for position, part, contribution in trial:
        where = _say(part, spelling)

        def slip(key: str, make: Make, rank: float, at: int = position, **fields: str) -> Slip:
            return Slip(key, stage, node, at, make, rank, fields)

        yield slip(
            "path_of_sum" if isinstance(node, Sum) else "path",
            lambda c, g: zeros(c.axes),
            1.9 if isinstance(node, Sum) else 3.0,
            part=where,
        )
        yield slip("sign", lambda c, g: scaled(-1, c), 2.0)
        if not isinstance(node, Sum):
            yield slip(
                "upstream",
                lambda c, g, k=position, n=node: _again(n, k, ones(g.axes)),  # type: ignore[misc]
                3.5,
            )
        if _square(contribution):
            yield slip("transpose", lambda c, g: permuted(c, _flip(c)), 2.5, part=where)
        if isinstance(node, Apply):
            yield from _of_function(stage, node, position)
        if isinstance(node, Product):
            yield from _of_product(stage, node, position, spelling)
        if isinstance(node, Sum) and node.terms[position].coefficient not in (1, -1):
            yield slip("coefficient", lambda c, g: g, 0.35, number=str(node.terms[position].coefficient))
        for used in {v for v in topological([contribution]) if isinstance(v, Variable)}:
            for other in sorted(every - {used}, key=lambda v: v.name):
                if other.axes == used.axes:
                    yield slip(
                        "other_value",
                        lambda c, g, u=used, o=other: _swap(c, u, o),  # type: ignore[misc]
                        3.2,
                        right=spelling(used.name),
                        used=spelling(other.name),
                    )


def _say(node: Node, spelling: Callable[[str], str]) -> str:
    found = [v.name for v in topological([node]) if isinstance(v, Variable)]
    return spelling(found[0]) if len(found) == 1 else ", ".join(spelling(name) for name in found[:3])


def _again(node: Node, position: int, cotangent: Node) -> Node:
    if isinstance(node, Apply):
        return pull_back(node, position, cotangent)
    assert isinstance(node, Product)
    return through_factor(node, position, cotangent)


def _swap(node: Node, used: Variable, other: Variable) -> Node:
    return substitute(node, {used: Lifted(other)}).node


def _square(node: Node) -> bool:
    return len(node.axes) >= 2 and node.axes[-1] is node.axes[-2]


def _flip(node: Node) -> list[int]:
    rank = len(node.axes)
    return [*range(rank - 2), rank - 1, rank - 2]


def _of_function(stage: Stage, node: Apply, position: int) -> Iterator[Slip]:
    """What is put for the derivative of a function."""
    name = node.operation.name
    x = node.arguments[position]

    def slip(key: str, make: Make, rank: float, **fields: str) -> Slip:
        return Slip(key, stage, node, position, make, rank, {"function": name, **fields})

    same = x.axes == node.axes
    if same:
        yield slip("derivative_missing", lambda c, g: g, 1.5)
        yield slip("value_for_derivative", lambda c, g: times(g, node), 2.4)
    if node.operation.entrywise and len(node.arguments) == 1:
        yield slip("at_output", lambda c, g: pull_back(_applied(node, node), 0, g), 1.6)
        yield slip(
            "divided",
            lambda c, g: product([(g, range(len(g.axes)), 2), (c, range(len(g.axes)), -1)], range(len(g.axes))),
            2.8,
        )
    for key, make, rank in _SPECIAL.get(name, ()):
        yield slip(key, lambda c, g, make=make: make(node, c, g), _SHARPNESS * rank)  # type: ignore[misc]


def _applied(node: Apply, argument: Node) -> Apply:
    result = apply(node.operation, [argument])
    assert isinstance(result, Apply)
    return result


def _spread(scalar: Node, axes: Any) -> Node:
    return broadcast(scalar, axes, range(len(scalar.axes)))


def _other_axis(p: Node, g: Node) -> Node:
    """Softmax's correction summed over the other axis of a batch."""
    if len(p.axes) < 2:
        return times(p, g)
    labels = list(range(len(p.axes)))
    kept = [k for k in labels if k != len(labels) - 2]
    total = broadcast(product([(p, labels, 1), (g, labels, 1)], kept), p.axes, kept)
    return times(p, minus(g, total))


_SHARPNESS = 0.7
"""What is said of one function by name goes before what may be said of any formula."""
_Special = tuple[str, Callable[[Apply, Node, Node], Node], float]
_SPECIAL: dict[str, tuple[_Special, ...]] = {
    "tanh": (
        ("at_input", lambda n, c, g: times(g, minus(1, power(n.arguments[0], 2))), 1.6),
        ("square_missing", lambda n, c, g: times(g, minus(1, n)), 1.7),
        ("one_plus", lambda n, c, g: times(g, add([(1, ones(n.axes)), (1, power(n, 2))], n.axes)), 1.8),
        ("one_missing", lambda n, c, g: times(g, scaled(-1, power(n, 2))), 1.8),
    ),
    "sigmoid": (
        ("at_input", lambda n, c, g: times(g, times(n.arguments[0], minus(1, n.arguments[0]))), 1.6),
        ("sigmoid_half", lambda n, c, g: times(g, minus(1, n)), 1.7),
        ("one_plus", lambda n, c, g: times(g, times(n, add([(1, ones(n.axes)), (1, n)], n.axes))), 1.8),
    ),
    "relu": (
        ("mask_by_gradient", lambda n, c, g: times(g, called("step", g)), 1.6),
        ("mask_both", lambda n, c, g: times(c, called("step", g)), 1.7),
        ("leak", lambda n, c, g: times(g, pull_back(_as(n, "leaky_relu"), 0, ones(g.axes))), 1.8),
    ),
    "leaky_relu": (("leak_missing", lambda n, c, g: times(g, called("step", n.arguments[0])), 1.6),),
    "gelu": (
        ("product_rule", lambda n, c, g: times(g, _normal(n.arguments[0])), 1.7),
        ("product_rule", lambda n, c, g: minus(c, times(g, _normal(n.arguments[0]))), 1.9),
    ),
    "silu": (
        ("product_rule", lambda n, c, g: times(g, called("sigmoid", n.arguments[0])), 1.7),
        ("product_rule", lambda n, c, g: times(g, _slope(n.arguments[0])), 1.9),
    ),
    "softplus": (("inner_sign", lambda n, c, g: times(g, called("sigmoid", scaled(-1, n.arguments[0]))), 1.8),),
    "log": (("reciprocal_missing", lambda n, c, g: times(g, n.arguments[0]), 1.8),),
    "sin": (("derivative_sign", lambda n, c, g: scaled(-1, c), 0.3),),
    "cos": (("derivative_sign", lambda n, c, g: scaled(-1, c), 0.3),),
    "softmax": (
        ("softmax_diagonal", lambda n, c, g: times(g, times(n, minus(1, n))), 1.4),
        ("softmax_half", lambda n, c, g: times(g, n), 1.4),
        ("log_softmax", lambda n, c, g: minus(g, times(n, over_last(g))), 1.6),
        ("softmax_not_weighted", lambda n, c, g: times(n, minus(g, over_last(g))), 1.7),
        ("softmax_axis", lambda n, c, g: _other_axis(n, g), 1.6),
        ("softmax_sign", lambda n, c, g: times(n, add([(1, g), (1, over_last(times(n, g)))], g.axes)), 1.8),
        ("softmax_factor", lambda n, c, g: minus(g, over_last(times(n, g))), 1.8),
        ("softmax_off_diagonal", lambda n, c, g: scaled(-1, times(n, over_last(times(n, g)))), 1.8),
    ),
    "logsumexp": (
        ("weights_missing", lambda n, c, g: _spread(g, n.arguments[0].axes), 1.6),
        (
            "exp_not_normalised",
            lambda n, c, g: times(_spread(g, n.arguments[0].axes), called("exp", n.arguments[0])),
            1.8,
        ),
    ),
    "max": (("max_to_all", lambda n, c, g: _spread(g, n.arguments[0].axes), 1.6),),
    "inv": (
        ("inverse_transposes", lambda n, c, g: _between(n, g, False), 1.7),
        ("inverse_like_number", lambda n, c, g: scaled(-1, times(g, power(n, 2))), 1.8),
    ),
    "logdet": (("inverse_missing", lambda n, c, g: _scaled_by(g, n.arguments[0]), 1.8),),
    "det": (
        (
            "determinant_missing",
            lambda n, c, g: _scaled_by(g, permuted(called("inv", n.arguments[0]), _flip(n.arguments[0]))),
            1.7,
        ),
    ),
}


def _as(node: Apply, name: str) -> Apply:
    result = called(name, *node.arguments)
    assert isinstance(result, Apply)
    return result


def _normal(x: Node) -> Node:
    """(1 + erf(x / sqrt 2)) / 2."""
    half = product(
        [(scaled(Fraction(1, 2), product([], ())), (), Fraction(1, 2)), (x, range(len(x.axes)), 1)], range(len(x.axes))
    )
    return scaled(Fraction(1, 2), add([(1, ones(x.axes)), (1, called("erf", half))], x.axes))


def _slope(x: Node) -> Node:
    s = called("sigmoid", x)
    return times(x, times(s, minus(1, s)))


def _between(node: Apply, g: Node, turned: bool) -> Node:
    """-inv(A) g inv(A), without the transposes."""
    rank = len(node.axes)
    lead = list(range(rank - 2))
    a, b, c, d = range(rank, rank + 4)
    parts = [(node, [*lead, a, b], 1), (g, [*lead, b, c], 1), (node, [*lead, c, d], 1)]
    return scaled(-1, product(parts, [*lead, a, d]))


def _scaled_by(g: Node, matrix: Node) -> Node:
    lead = list(range(len(g.axes)))
    labels = range(len(matrix.axes))
    return product([(g, lead, 1), (matrix, labels, 1)], labels)


def _of_product(stage: Stage, node: Product, position: int, spelling: Callable[[str], str]) -> Iterator[Slip]:
    """What goes wrong with the other factors of a product."""

    def slip(key: str, make: Make, rank: float, **fields: str) -> Slip:
        return Slip(key, stage, node, position, make, rank, fields)

    _, indices, exponent = node.factors[position]
    if exponent not in (1, -1):
        yield slip("power_factor", lambda c, g: scaled(1 / Fraction(exponent), c), 0.3, power=str(exponent))
    if exponent == -1:
        yield slip("quotient_sign", lambda c, g: scaled(-1, c), 0.3)
        yield slip("quotient_square", lambda c, g: _raise(node, position, g, 1), 2.2)
    for k, other in enumerate(node.factors):
        if k == position:
            continue
        if isinstance(other.node, Product) and not other.node.factors and not other.indices:
            length = other.node.dimensions[0] if other.node.dimensions else None
            yield slip("mean_as_sum", _without(node, position, k), 0.3, n=str(length))
            continue
        kept = {i for j, f in enumerate(node.factors) if j != k for i in f.indices} | set(node.output)
        if set(other.indices) <= kept or all(i in node.output or i in indices for i in other.indices):
            yield slip("factor", _without(node, position, k), 2.4, part=_say(other.node, spelling))
        if len(other.indices) == 2 and other.node.axes[0] is other.node.axes[1]:
            yield slip(
                "transpose_other",
                _turned(node, position, k),
                2.0,
                part=_say(other.node, spelling),
            )
    if len(node.output) == 2 and node.axes[0] is node.axes[1]:
        yield slip("transpose_upstream", lambda c, g: through_factor(node, position, g, turned=-1), 2.2)


def _without(node: Product, position: int, k: int) -> Make:
    return lambda c, g: through_factor(node, position, g, without=k)


def _turned(node: Product, position: int, k: int) -> Make:
    return lambda c, g: through_factor(node, position, g, turned=k)


def _raise(node: Product, position: int, cotangent: Node, by: int) -> Node:
    """The contribution with the power of its own factor off by one: d(1/x) taken as -1/x."""
    contribution = through_factor(node, position, cotangent)
    factor = node.factors[position].node
    labels = range(len(contribution.axes))
    return product([(contribution, labels, 1), (factor, labels, by)], labels)
