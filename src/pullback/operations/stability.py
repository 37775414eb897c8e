"""What is computed otherwise than it is written: forms that read well, but overflow on the way.

Most such forms have a better one that reads as well, and the graph holds that (see ``rewrites``). For
these the better one is longer, and its derivatives too: log(cosh(x)), whose derivative is tanh(x). So values are
computed by the longer form, and derivatives go from the logarithm straight to x, past what overflows.
"""

from __future__ import annotations

from collections.abc import Sequence

from pullback.operations.table import TABLE
from pullback.tensor.add import add, scaled
from pullback.tensor.apply import apply
from pullback.tensor.node import Apply, Node, Operation, Product, Sum, topological
from pullback.tensor.product import number_of, product
from pullback.tensor.substitute import Lifted, substitute_all


def stable(roots: Sequence[Node]) -> list[Node]:
    """Give graphs of the same values that do not overflow where these are finite."""
    nodes = list(roots)
    while better := _better(nodes):  # again for what lies inside of what was replaced
        nodes = [result.node for result in substitute_all(nodes, better)]
    return nodes


def passing(node: Node) -> tuple[Node, Node] | None:
    """For a node whose parts overflow, what is inside of these, and the entrywise derivative by that."""
    found = _scaled_log_cosh(node)
    if found is None:
        return None
    factor, inner = found
    return inner, scaled(factor, apply(_operation("tanh"), [inner]))


def _better(roots: Sequence[Node]) -> dict[Node, Lifted]:
    """The nodes that have a better form, with that."""
    better: dict[Node, Lifted] = {}
    for node in topological(roots):
        found = _scaled_log_cosh(node)
        if found is not None:
            factor, inner = found
            better[node] = Lifted(scaled(factor, _log_cosh(inner)))
    return better


def _scaled_log_cosh(node: Node) -> tuple[int, Node] | None:
    """A number and u where the node is that number times log(cosh(u)): log(1 - tanh(u)^2) is -2 times that."""
    if not isinstance(node, Apply) or node.operation.name != "log":
        return None
    (argument,) = node.arguments
    if isinstance(argument, Apply) and argument.operation.name == "cosh":
        return 1, argument.arguments[0]
    inner = _one_minus_square_of_tanh(argument) if isinstance(argument, Sum) else None
    return None if inner is None else (-2, inner)


def _log_cosh(u: Node) -> Node:
    """U + softplus(-2 u) - log(2)."""
    labels = range(len(u.axes))
    two = apply(_operation("log"), [scaled(2, product([], ()))])
    spread = product([(two, (), 1)], labels, dict(enumerate(u.axes)))
    return add([(1, u), (1, apply(_operation("softplus"), [scaled(-2, u)])), (-1, spread)], u.axes)


def _one_minus_square_of_tanh(node: Sum) -> Node | None:
    if len(node.terms) != 2:
        return None
    (one, square) = sorted(node.terms, key=lambda term: number_of(term.node) is None)
    if number_of(one.node) != 1 or (one.coefficient, square.coefficient) != (1, -1):
        return None
    if not isinstance(square.node, Product) or len(square.node.factors) != 1:
        return None
    factor, indices, exponent = square.node.factors[0]
    plain = exponent == 2 and indices == square.node.output
    return factor.arguments[0] if plain and isinstance(factor, Apply) and factor.operation.name == "tanh" else None


def _operation(name: str) -> Operation:
    primitive = TABLE[name].primitive
    assert primitive is not None
    return primitive.operation
