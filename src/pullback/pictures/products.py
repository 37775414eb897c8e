"""A closed form that is a product, as a tensor network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pullback.expression import Expression
from pullback.pictures.network import Network
from pullback.syntax.names import unicode_name
from pullback.tensor.node import Node, Product, Sum, Variable

MOST_FACTORS = 9
_LETTERS = "ijklpqrstuvab"
_NAMES = "ABCDEFGH"
_LONGEST, _LONGEST_NOTE = 16, 90
_RAISED = str.maketrans("-/0123456789", "⁻ᐟ⁰¹²³⁴⁵⁶⁷⁸⁹")


def network_of(title: str, expression: Expression, names: Mapping[str, str]) -> Network | None:
    """Give the network of a product; None of what is none, or has too many factors to see.

    Args:
        title: What it is called.
        expression: The closed form.
        names: What variables are called that have another name in it.
    """
    node = expression.node
    if isinstance(node, Sum) and len(node.terms) == 1:
        node = node.terms[0].node
    if not isinstance(node, Product) or not 2 <= len(node.factors) <= MOST_FACTORS:
        return None
    if len(node.dimensions) > len(_LETTERS):
        return None
    order = list(dict.fromkeys([*node.output, *range(len(node.dimensions))]))
    letter = {index: _LETTERS[k] for k, index in enumerate(order)}
    labels: dict[Node, str] = {}
    notes: list[str] = []
    factors = []
    for k in _in_a_row([f.indices for f in node.factors], node.output):
        factor = node.factors[k]
        if factor.node not in labels:
            labels[factor.node] = _label(expression, factor.node, names, notes)
        factors.append((labels[factor.node] + _raised(factor.exponent), tuple(letter[i] for i in factor.indices)))
    return Network(title, tuple(factors), tuple(letter[i] for i in node.output), tuple(notes))


def _label(expression: Expression, node: Node, names: Mapping[str, str], notes: list[str]) -> str:
    """What stands in the box: a name, a short formula, or a letter with a note."""
    if isinstance(node, Variable):
        return names.get(node.name, unicode_name(node.name))
    text = Expression(node, node.axes, expression.program, expression.extra).unicode().replace("\n", "; ")
    if len(text) <= _LONGEST:
        return text
    taken = {unicode_name(name) for name in expression.inputs}
    name = next((one for one in _NAMES[len(notes) :] if one not in taken), "…")
    notes.append(f"{name} = {text if len(text) <= _LONGEST_NOTE else text[: _LONGEST_NOTE - 1] + '…'}")
    return name


def _in_a_row(indices: Sequence[Sequence[int]], output: Sequence[int]) -> list[int]:
    """The factors from the one with the first index that is kept, each beside one that it shares an index with."""
    left = list(range(len(indices)))
    row: list[int] = []
    wanted = set(output[:1])
    while left:
        here = next((k for k in left if wanted & set(indices[k])), left[0])
        left.remove(here)
        row.append(here)
        wanted = set(indices[here])
    return row


def _raised(exponent: Any) -> str:
    return "" if exponent == 1 else str(exponent).translate(_RAISED)
