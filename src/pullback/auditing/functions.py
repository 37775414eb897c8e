"""What people put for the derivative of a function: activations, softmax, norms, inverses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

from pullback.auditing.building import applied, called, flip, is_square, minus, over_last, plus, spread, times
from pullback.calculus.rules import pull_back
from pullback.tensor.add import scaled
from pullback.tensor.axes import broadcast, ones
from pullback.tensor.node import Apply, Node
from pullback.tensor.product import permuted, power, product

Make = Callable[[Node, Node], Node]

_SHARPNESS = 0.7
"""What is said of one function by name goes before what may be said of any formula."""
_SAID = {"max2": "max", "min2": "min"}


def slips_of_function(node: Apply, position: int) -> Iterator[tuple[str, Make, float, Mapping[str, str]]]:
    """The slips at one function: a key, what is put, how likely it is, and what fills the sentence."""
    name = node.operation.name
    said = {"function": _SAID.get(name, name)}
    if node.arguments[position].axes == node.axes:
        yield "derivative_missing", lambda c, g: g, 1.1, said
        yield "argument_for_derivative", lambda c, g: times(g, node.arguments[position]), 2.6, said
        yield "value_for_derivative", lambda c, g: times(g, node), 1.8, said
    if node.operation.entrywise and len(node.arguments) == 1:
        yield "at_output", lambda c, g: pull_back(applied(node, node), 0, g), 1.6, said
        yield "divided", lambda c, g: _divided(c, g), 2.8, said
    for key, make, rank in _SPECIAL.get(name, ()):
        yield key, lambda c, g, make=make: make(node, c, g), _SHARPNESS * rank, said  # type: ignore[misc]


def opened(node: Apply) -> Node | None:
    """A function that is a product of x and a function of x, written out: its two terms can go wrong on their own."""
    x = node.arguments[0]
    if node.operation.name == "silu":
        return times(x, called("sigmoid", x))
    if node.operation.name == "gelu":
        return times(x, _normal(x))
    return None


def _divided(contribution: Node, cotangent: Node) -> Node:
    labels = range(len(cotangent.axes))
    return product([(cotangent, labels, 2), (contribution, labels, -1)], labels)


def _other_axis(p: Node, g: Node) -> Node:
    """Softmax's correction summed over the other axis of a batch."""
    if len(p.axes) < 2:
        return times(p, g)
    labels = list(range(len(p.axes)))
    kept = [k for k in labels if k != len(labels) - 2]
    total = broadcast(product([(p, labels, 1), (g, labels, 1)], kept), p.axes, kept)
    return times(p, minus(g, total))


def _without_keepdims(p: Node, g: Node) -> Node:
    """Softmax's correction, one number a row, spread over the columns: what NumPy does without keepdims."""
    if not is_square(p):
        return times(p, g)
    total = over_last(times(p, g))
    return times(p, minus(g, permuted(total, flip(total))))


def _normal(x: Node) -> Node:
    """(1 + erf(x / sqrt 2)) / 2."""
    labels = range(len(x.axes))
    half = product([(scaled(Fraction(1, 2), product([], ())), (), Fraction(1, 2)), (x, labels, 1)], labels)
    return scaled(Fraction(1, 2), plus(1, called("erf", half)))


def _slope(x: Node) -> Node:
    s = called("sigmoid", x)
    return times(x, times(s, minus(1, s)))


def _as(node: Apply, name: str) -> Apply:
    result = called(name, *node.arguments)
    assert isinstance(result, Apply)
    return result


def _between(node: Apply, g: Node) -> Node:
    """-inv(A) g inv(A), without the transposes."""
    rank = len(node.axes)
    lead = list(range(rank - 2))
    a, b, c, d = range(rank, rank + 4)
    parts = [(node, [*lead, a, b], 1), (g, [*lead, b, c], 1), (node, [*lead, c, d], 1)]
    return scaled(-1, product(parts, [*lead, a, d]))


def _one_side(node: Apply, g: Node, left: bool) -> Node:
    """-inv(A)' g or -g inv(A)': one of the two inverses forgotten."""
    rank = len(node.axes)
    lead = list(range(rank - 2))
    a, b, c = range(rank, rank + 3)
    factors = [(node, [*lead, b, a], 1), (g, [*lead, b, c], 1)]
    if not left:
        factors = [(g, [*lead, a, b], 1), (node, [*lead, c, b], 1)]
    return scaled(-1, product(factors, [*lead, a, c]))


def _scaled_by(g: Node, matrix: Node) -> Node:
    lead = list(range(len(g.axes)))
    labels = range(len(matrix.axes))
    return product([(g, lead, 1), (matrix, labels, 1)], labels)


def _turned_inverse(node: Apply) -> Node:
    return permuted(called("inv", node.arguments[0]), flip(node.arguments[0]))


_Special = tuple[str, Callable[[Apply, Node, Node], Node], float]
_SPECIAL: dict[str, tuple[_Special, ...]] = {
    "tanh": (
        ("at_input", lambda n, c, g: times(g, minus(1, power(n.arguments[0], 2))), 1.6),
        ("square_missing", lambda n, c, g: times(g, minus(1, n)), 1.7),
        ("one_plus", lambda n, c, g: times(g, plus(1, power(n, 2))), 1.8),
        ("one_missing", lambda n, c, g: times(g, scaled(-1, power(n, 2))), 1.8),
        ("other_activation", lambda n, c, g: times(g, times(n, minus(1, n))), 1.9),
    ),
    "sigmoid": (
        ("at_input", lambda n, c, g: times(g, times(n.arguments[0], minus(1, n.arguments[0]))), 1.6),
        ("sigmoid_half", lambda n, c, g: times(g, minus(1, n)), 1.7),
        ("sigmoid_half", lambda n, c, g: times(g, n), 1.3),
        ("one_plus", lambda n, c, g: times(g, times(n, plus(1, n))), 1.4),
        ("other_activation", lambda n, c, g: times(g, minus(1, power(n, 2))), 1.9),
    ),
    "relu": (
        ("mask_by_gradient", lambda n, c, g: times(g, called("step", g)), 1.6),
        ("mask_both", lambda n, c, g: times(c, called("step", g)), 1.7),
        ("leak", lambda n, c, g: times(g, pull_back(_as(n, "leaky_relu"), 0, ones(g.axes))), 1.8),
        ("mask_turned", lambda n, c, g: minus(g, c), 1.8),
    ),
    "leaky_relu": (("leak_missing", lambda n, c, g: times(g, called("step", n.arguments[0])), 1.6),),
    "abs": (("mask_turned", lambda n, c, g: times(g, called("step", n.arguments[0])), 1.9),),
    "erf": (("constant_missing", lambda n, c, g: times(g, called("exp", scaled(-1, power(n.arguments[0], 2)))), 1.8),),
    "gelu": (
        ("product_rule", lambda n, c, g: times(g, _normal(n.arguments[0])), 1.7),
        ("product_rule", lambda n, c, g: minus(c, times(g, _normal(n.arguments[0]))), 1.9),
    ),
    "silu": (
        ("product_rule", lambda n, c, g: times(g, called("sigmoid", n.arguments[0])), 1.7),
        ("product_rule", lambda n, c, g: times(g, _slope(n.arguments[0])), 1.9),
    ),
    "softplus": (
        ("inner_sign", lambda n, c, g: times(g, called("sigmoid", scaled(-1, n.arguments[0]))), 1.8),
        ("softplus_exp", lambda n, c, g: times(g, called("exp", n.arguments[0])), 1.8),
    ),
    "exp": (("exp_input", lambda n, c, g: times(g, n.arguments[0]), 1.6),),
    "log": (("reciprocal_missing", lambda n, c, g: times(g, n.arguments[0]), 1.8),),
    "sin": (("derivative_sign", lambda n, c, g: scaled(-1, c), 0.3),),
    "cos": (("derivative_sign", lambda n, c, g: scaled(-1, c), 0.3),),
    "softmax": (
        ("softmax_diagonal", lambda n, c, g: times(g, times(n, minus(1, n))), 1.4),
        ("softmax_half", lambda n, c, g: times(g, n), 1.4),
        ("log_softmax", lambda n, c, g: minus(g, times(n, over_last(g))), 1.6),
        ("softmax_not_weighted", lambda n, c, g: times(n, minus(g, over_last(g))), 1.7),
        ("softmax_axis", lambda n, c, g: _other_axis(n, g), 1.6),
        ("softmax_keepdims", lambda n, c, g: _without_keepdims(n, g), 1.6),
        ("softmax_sign", lambda n, c, g: times(n, plus(g, over_last(times(n, g)))), 1.8),
        ("softmax_factor", lambda n, c, g: minus(g, over_last(times(n, g))), 1.8),
        ("softmax_off_diagonal", lambda n, c, g: scaled(-1, times(n, over_last(times(n, g)))), 1.8),
    ),
    "logsumexp": (
        ("weights_missing", lambda n, c, g: spread(g, n.arguments[0].axes), 1.6),
        (
            "exp_not_normalised",
            lambda n, c, g: times(spread(g, n.arguments[0].axes), called("exp", n.arguments[0])),
            1.8,
        ),
    ),
    "max": (("max_to_all", lambda n, c, g: spread(g, n.arguments[0].axes), 1.6),),
    "inv": (
        ("inverse_transposes", lambda n, c, g: _between(n, g), 1.7),
        ("inverse_like_number", lambda n, c, g: scaled(-1, times(g, power(n, 2))), 1.8),
        ("inverse_once", lambda n, c, g: _one_side(n, g, True), 1.9),
        ("inverse_once", lambda n, c, g: _one_side(n, g, False), 1.9),
    ),
    "logdet": (("inverse_missing", lambda n, c, g: _scaled_by(g, n.arguments[0]), 1.8),),
    "det": (("determinant_missing", lambda n, c, g: _scaled_by(g, _turned_inverse(n)), 1.7),),
}
