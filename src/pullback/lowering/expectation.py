"""Expectations of polynomials over Gaussian vectors, by Isserlis' theorem.

The mean of a product of entries of x ~ N(mu, S) is a sum over all ways to pair some of them off: each
pair gives an entry of S, each one left over an entry of mu (Isserlis, Biometrika 12 (1918) 134; with a
mean, Matrix Cookbook 8.2). In the graph a pair is two factors x replaced by one factor S on their
indices, so the result is an ordinary graph, to be differentiated by mu, S or anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING

from pullback.dimension import Dimension
from pullback.errors import UnsupportedError
from pullback.lowering.value import Value
from pullback.syntax.tree import Expectation, Number
from pullback.tensor.add import add, zeros
from pullback.tensor.node import Apply, Node, Product, Rational, Sum, Variable, make_variable, topological
from pullback.tensor.product import product

if TYPE_CHECKING:
    from pullback.lowering.expressions import Environment, Lowering

_HIGHEST_DEGREE = 8
_MOST_MONOMIALS = 512

Labelled = tuple[Node, tuple[int, ...], Rational]
Monomial = tuple[Rational, list[Labelled]]


def expectation(lowering: Lowering, tree: Expectation, names: Environment) -> Value:
    """Lower ``E[x ~ N(mu, S)] body``."""
    context = lowering.context
    mean = lowering.lower(tree.mean, names)
    covariance = lowering.lower(tree.covariance, names)
    if isinstance(tree.mean, Number) and tree.mean.value == 0 and covariance.rank == 2:
        origin = covariance.shape[:1]
        mean = Value(origin, lambda: zeros(context.axes(origin)), tree.mean.span)
    if mean.rank != 1 or covariance.rank != 2:
        hint = "write zeros(n) for a mean of zero, eye(n) for a covariance of one"
        raise context.mismatch("N takes a mean vector and a covariance matrix", [mean, covariance], hint)
    length = mean.shape[0]
    if not all(context.solver.unify(axis, length) for axis in covariance.shape):
        raise context.mismatch("the covariance must be square, of the length of the mean", [mean, covariance])
    name = f"random {tree.variable}"
    drawn = Value((length,), lambda: make_variable(name, context.axes((length,))), tree.span)
    body = lowering.lower(tree.body, {**names, tree.variable: drawn})

    def make() -> Node:
        vector = drawn.node()
        assert isinstance(vector, Variable)
        try:
            return _Gaussian(vector, mean.node(), covariance.node()).expect(body.node())
        except UnsupportedError as error:
            raise lowering.unsupported(error.message, tree.span, error.hint) from None

    return Value(body.shape, make, tree.span)


class _Gaussian:
    def __init__(self, vector: Variable, mean: Node, covariance: Node) -> None:
        self.vector, self.mean, self.covariance = vector, mean, covariance
        self.fresh = count(1)
        self.lengths: dict[int, Dimension] = {}

    def depends(self, node: Node) -> bool:
        return any(inner is self.vector for inner in topological([node]))

    def expect(self, node: Node) -> Node:
        """The mean of every entry of a polynomial in the vector."""
        labels = tuple(self.label(axis) for axis in node.axes)
        terms: list[tuple[Rational, Node]] = []
        for number, (coefficient, factors) in enumerate(self.monomials(node, labels)):
            if number >= _MOST_MONOMIALS:
                raise UnsupportedError(f"the expectation has more than {_MOST_MONOMIALS} terms")
            random = [place[0] for inner, place, _ in factors if inner is self.vector]
            rest = [factor for factor in factors if factor[0] is not self.vector]
            if len(random) > _HIGHEST_DEGREE:
                raise UnsupportedError(f"expectations are derived up to degree {_HIGHEST_DEGREE}")
            for pairs, single in pairings(random):
                moments: list[Labelled] = [(self.covariance, pair, 1) for pair in pairs]
                moments += [(self.mean, (label,), 1) for label in single]
                here = {label for _, place, _ in (*rest, *moments) for label in place} | set(labels)
                lengths = {label: self.lengths[label] for label in here}
                terms.append((coefficient, product([*rest, *moments], labels, lengths)))
        return add(terms, node.axes)

    def label(self, axis: Dimension) -> int:
        fresh = next(self.fresh)
        self.lengths[fresh] = axis
        return fresh

    def monomials(self, node: Node, labels: tuple[int, ...]) -> Iterator[Monomial]:
        """Multiply out until the vector stands only as a factor of its own."""
        if node is self.vector or not self.depends(node):
            yield 1, [(node, labels, 1)]
        elif isinstance(node, Sum):
            for coefficient, term in node.terms:
                for inner, factors in self.monomials(term, labels):
                    yield coefficient * inner, factors
        elif isinstance(node, Product):
            yield from self.of_product(node, labels)
        else:
            assert isinstance(node, Apply)
            name = node.operation.name
            message = f"the expectation of {name} of a Gaussian vector is not derived; only polynomials are"
            raise UnsupportedError(message)

    def of_product(self, node: Product, labels: tuple[int, ...]) -> Iterator[Monomial]:
        place: dict[int, int] = {}
        ties: list[Labelled] = []
        for index, label in zip(node.output, labels, strict=True):
            if index in place:
                delta = product([], (0, 0), {0: node.dimensions[index]})
                ties.append((delta, (place[index], label), 1))
            else:
                place[index] = label
        for index, axis in enumerate(node.dimensions):
            if index not in place:
                place[index] = self.label(axis)
        choices: list[list[Monomial]] = []
        for factor, indices, exponent in node.factors:
            here = tuple(place[i] for i in indices)
            if not self.depends(factor):
                choices.append([(1, [(factor, here, exponent)])])
            elif not isinstance(exponent, int) or exponent < 0:
                raise UnsupportedError(f"the expectation of a power {exponent} is not derived; only polynomials are")
            else:
                choices += [list(self.monomials(factor, here)) for _ in range(exponent)]
        yield from self.combined(choices, ties)

    def combined(self, choices: Sequence[list[Monomial]], start: list[Labelled]) -> Iterator[Monomial]:
        if not choices:
            yield 1, list(start)
            return
        for coefficient, factors in choices[0]:
            for other, rest in self.combined(choices[1:], start):
                yield coefficient * other, [*factors, *rest]


def pairings(items: Sequence[int]) -> Iterator[tuple[list[tuple[int, int]], list[int]]]:
    """All ways to pair some of the items off, with those left over.

    >>> [(pairs, single) for pairs, single in pairings([1, 2])]
    [([], [1, 2]), ([(1, 2)], [])]
    """
    if not items:
        yield [], []
        return
    first, rest = items[0], items[1:]
    for pairs, single in pairings(rest):
        yield pairs, [first, *single]
    for k, partner in enumerate(rest):
        for pairs, single in pairings([*rest[:k], *rest[k + 1 :]]):
            yield [(first, partner), *pairs], single
