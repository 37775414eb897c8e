"""Numerator layout: closed forms transposed, the upstream gradient in them too."""

from __future__ import annotations

from pullback.dimension import ONE
from pullback.expression import Expression
from pullback.syntax.forms import fold, rebuild
from pullback.syntax.tree import Name, Syntax, Transpose
from pullback.tensor.product import transposed

LAYOUTS = ("denominator", "numerator")


def turned(expression: Expression) -> Expression | None:
    """The transpose; of a vector a row; None for what has more than two axes.

    >>> import pullback as pb
    >>> str(turned(pb.gradient("norm(A x - b)^2", "x")))
    "2 (A x - b)' A"
    """
    axes = expression.axes
    if len(axes) > 2:
        return None
    if not axes:
        return expression
    if len(axes) == 1:
        return Expression(expression.node, (ONE, *axes), expression.program, expression.extra)
    node = expression.node
    if len(node.axes) == 2:
        node = transposed(node)
    return Expression(node, (axes[1], axes[0]), expression.program, expression.extra)


def with_row(tree: Syntax, upstream: str) -> Syntax:
    """A transposed closed form in terms of the transposed upstream gradient: g' of before is g."""

    def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
        made = rebuild(node, parts)
        if isinstance(node, Name) and node.identifier == upstream:
            return Transpose(node)
        if isinstance(made, Transpose) and isinstance(made.operand, Transpose):
            return made.operand.operand
        return made

    return fold(tree, visit)
