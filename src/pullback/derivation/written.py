"""Entries of an operation on whole vectors, written out as its entry in the table says: exp(z_1) / (exp(z_1) + …)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from pullback.derivation.scalars import over, plus, times
from pullback.operations.table import FUNCTIONS, TABLE
from pullback.syntax.parser import parse_expression
from pullback.syntax.tree import Call, Chain, Name, Syntax

Values = list[Syntax] | Syntax
"""The entries of a vector, or a scalar."""


def is_written(operation: str) -> bool:
    """Whether the table says how the entries of an operation are written."""
    return operation in TABLE and bool(TABLE[operation].written)


def written_out(operation: str, entries: Sequence[Syntax], place: tuple[int, ...]) -> Syntax:
    """Write one entry of an operation applied to a vector of entries.

    >>> from pullback.syntax.printer import show
    >>> show(written_out("softmax", [Name("a"), Name("b")], (0,)))
    'exp(a) / (exp(a) + exp(b))'
    """
    found = _values(_form(operation), list(entries))
    return found[place[0]] if isinstance(found, list) else found


@cache
def _form(operation: str) -> Syntax:
    return parse_expression(TABLE[operation].written, FUNCTIONS)


def _values(tree: Syntax, x: list[Syntax]) -> Values:
    if isinstance(tree, Name):
        return x
    if isinstance(tree, Call):
        inner = _values(tree.arguments[0], x)
        if tree.function == "sum":
            return plus(inner) if isinstance(inner, list) else inner
        if isinstance(inner, list):
            return [Call(tree.function, (entry,)) for entry in inner]
        return Call(tree.function, (inner,))
    assert isinstance(tree, Chain) and set(tree.operators) <= {"*", "/"}, "what the table writes is simple"
    made = _values(tree.operands[0], x)
    for operator, operand in zip(tree.operators, tree.operands[1:], strict=True):
        made = _joined(made, operator, _values(operand, x))
    return made


def _joined(left: Values, operator: str, right: Values) -> Values:
    if not isinstance(left, list) and not isinstance(right, list):
        return times([left, right]) if operator == "*" else over(left, [right])
    length = max(len(values) for values in (left, right) if isinstance(values, list))
    lefts = left if isinstance(left, list) else [left] * length
    rights = right if isinstance(right, list) else [right] * length
    joined = [_joined(a, operator, b) for a, b in zip(lefts, rights, strict=True)]
    return [entry for entry in joined if not isinstance(entry, list)]
