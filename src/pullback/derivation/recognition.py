"""Recognising the closed form: what its shape is called, and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pullback.derivation.formula import EQUALS, PARTIAL, Line, Numbers, Part, Sign, equation
from pullback.derivation.local import Closed
from pullback.derivation.readings import Readings, shown
from pullback.derivation.scalars import rounded
from pullback.derivation.steps import Parameter, Step
from pullback.syntax.tree import Call, Chain, Name, Negate, Syntax, Transpose
from pullback.tensor.node import Node, Product, Sum

_MOST_SHOWN = 5


def kind_of_matrix(tree: Syntax) -> str:
    """What the matrix of local partials is."""
    match tree:
        case Transpose(Name()):
            return "transpose"
        case Name():
            return "itself"
        case Call("eye", _):
            return "identity"
        case Call("diag", _):
            return "diagonal"
    return "matrix"


def kind_of_gradient(tree: Syntax, node: Node, lengths: Sequence[int]) -> str:
    """What a gradient is: the upstream one itself, its sum or copies, an outer, entrywise or matrix product."""
    axes = len(lengths)
    minus = isinstance(tree, Negate)
    if isinstance(tree, Negate):
        tree = tree.operand
    if isinstance(tree, Call) and tree.function == PARTIAL:
        return "negative" if minus else "same"
    if isinstance(tree, Call) and tree.function == "sum" and _is_gradient(tree.arguments[0]):
        axis = tree.arguments[-1]
        return f"summed.{axis.identifier}" if isinstance(axis, Name) else "summed"
    if isinstance(node, Sum) and len(node.terms) == 1:
        node = node.terms[0].node
    if isinstance(node, Product) and _is_copied(node):
        return "copied"
    if axes == 2 and isinstance(node, Product) and _is_outer(node):
        return "outer"
    if isinstance(tree, Chain) and not tree.is_sum:
        if set(tree.operators) <= {".*"}:
            return "hadamard"
        if set(tree.operators) <= {"*"} and axes == 2:
            return "product"
        if set(tree.operators) <= {"*"} and axes == 1 and isinstance(node, Product) and _is_summed(node):
            return "product.vector"
    return "form"


def is_summed(closed: Closed) -> bool:
    """Whether a gradient is the upstream one summed over what the operand was repeated along."""
    tree = closed.tree
    return isinstance(tree, Call) and tree.function == "sum" and _is_gradient(tree.arguments[0])


def _is_gradient(tree: Syntax) -> bool:
    return isinstance(tree, Call) and tree.function == PARTIAL


def _is_copied(node: Product) -> bool:
    """Whether the one factor of a product is the same along an axis of it."""
    if len(node.factors) != 1 or len(set(node.output)) != len(node.output):
        return False
    touched = set(node.factors[0].indices)
    return touched < set(node.output) and len(node.dimensions) == len(node.output)


def _is_summed(node: Product) -> bool:
    """Whether a product has an index that is summed over."""
    return len(node.dimensions) > len(set(node.output))


def _is_outer(node: Product) -> bool:
    """Whether nothing ties the two axes of a product together."""
    if len(node.output) != 2 or node.output[0] == node.output[1]:
        return False
    reached = {node.output[0]}
    grown = True
    while grown:
        grown = False
        for factor in node.factors:
            labels = set(factor.indices)
            if labels & reached and not labels <= reached:
                reached |= labels
                grown = True
    touched = {label for factor in node.factors for label in factor.indices}
    return node.output[1] not in reached and set(node.output) <= touched


def closed_lines(left: Syntax, closed: Closed) -> tuple[Line, ...]:
    """The closed form, the parts that it names before it."""
    where = [equation(Name(b.name or ""), b.value) for b in closed.where]
    return (*where, equation(left, closed.tree))


def numbers_step(left: Syntax, closed: Closed, readings: Readings) -> Step | None:
    """The closed form with numbers: each of its factors, then the result."""
    result = readings.of_expression(closed.expression)
    if result is None:
        return None
    parts = factors_shown(closed, readings)
    lines = []
    for binding in closed.where:
        value = readings.of_tree(binding.value, closed.where[: closed.where.index(binding)])
        if value is not None:
            lines.append(equation(Name(binding.name or ""), shown(value)))
    final = shown(result)
    body: list[Part] = [left, EQUALS]
    if parts and parts != [final]:
        body += [*parts, EQUALS]
    return Step("numbers", {}, (*lines, Line((*body, final))))


def factors_shown(closed: Closed, readings: Readings) -> list[Part]:
    """The numbers of what the closed form multiplies or adds; empty where they would not fit."""
    tree = closed.tree
    parts: list[Part] = []
    if isinstance(tree, Negate):
        parts.append(Sign("-"))
        tree = tree.operand
    if not isinstance(tree, Chain) or len(tree.operands) > _MOST_SHOWN or (parts and tree.is_sum):
        return []
    operators = ("", *tree.operators)
    plain = tree.is_sum or set(tree.operators) in ({"*"}, {".*"})
    if not plain:
        return []
    values = [readings.of_tree(operand, closed.where) for operand in tree.operands]
    scalars = [float(value) for value in values if value is not None and not value.ndim]
    if len(scalars) == len(values):
        return [Chain(tuple(map(rounded, scalars)), tree.operators)]
    for operator, value in zip(operators, values, strict=True):
        if value is None:
            return []
        part = shown(value)
        if not isinstance(part, Numbers) and value.ndim:
            return []
        if operator and operator != "*":
            parts.append(Sign(operator))
        elif operator and not isinstance(part, Numbers):
            parts.append(Sign("."))
        parts.append(part)
    return parts


def recognised(
    left: Syntax, closed: Closed, kind: str, parameters: Mapping[str, Parameter], before: tuple[Line, ...] = ()
) -> Step:
    """The step that names what was recognised, with the closed form below it."""
    return Step(kind, parameters, (*before, *closed_lines(left, closed)))
