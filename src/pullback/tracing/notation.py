"""A program that was read from a function, written in the notation, so that it can be derived step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pullback.dimension import ONE
from pullback.errors import PullbackError
from pullback.lifting.lift import Speller
from pullback.lowering.program import Input, Statement, lower_program
from pullback.syntax import tree
from pullback.syntax.forms import children, rebuild
from pullback.syntax.names import normalise

_LETTERS = "ijklpq"
MOST_STATEMENTS = 400
"""Longer programs are not written out."""


def written(inputs: Mapping[str, Input], statements: Sequence[Statement], source: str) -> tree.Program:
    """The statements as text trees; no statements at all where that does not read as the same program."""
    nothing = tree.Program((), (), None, source)
    if len(statements) > MOST_STATEMENTS:
        return nothing
    shapes: dict[str, Any] = {name: entry.shape for name, entry in inputs.items()}
    long = {n: e.shape for n, e in inputs.items() if len(e.shape) > 2 and any(axis is ONE for axis in e.shape)}
    bindings = []
    try:
        for statement in statements:
            name = normalise(statement.name or "y")
            spelled = Speller(shapes).spell_out(statement.local)
            bindings.append(tree.Binding(name, _with_all_axes(spelled, long)))
            shapes[name] = _inner(statement.shape)
        parsed = tree.Program(tuple(bindings), (), None, source)
        given = {name: entry.shape for name, entry in inputs.items()}
        facts = {name: entry.properties for name, entry in inputs.items() if entry.properties}
        read = lower_program(parsed, given, facts)
    except (PullbackError, AssertionError, KeyError, IndexError, ValueError):
        return nothing
    same = all(_inner(r.shape) == _inner(s.shape) for r, s in zip(read.statements, statements, strict=True))
    return parsed if same else nothing


def _with_all_axes(spelled: tree.Syntax, long: Mapping[str, Sequence[Any]]) -> tree.Syntax:
    """Indices for the axes of length one, which graphs do not have, at the inputs that have them."""
    if not long:
        return spelled

    def walk(node: tree.Syntax) -> tree.Syntax:
        if isinstance(node, tree.Indexed) and isinstance(node.operand, tree.Name) and node.operand.identifier in long:
            return tree.Indexed(node.operand, _filled(long[node.operand.identifier], node.indices))
        if isinstance(node, tree.Name) and node.identifier in long:
            shape = long[node.identifier]
            letters = tuple(_LETTERS[: sum(axis is not ONE for axis in shape)])
            whole = tree.Indexed(node, _filled(shape, letters))
            return tree.Comprehension(letters, whole) if letters else whole
        return rebuild(node, [walk(part) for part in children(node)])

    return walk(spelled)


def _filled(shape: Sequence[Any], indices: Sequence[str]) -> tuple[str, ...]:
    given, free = iter(indices), iter("zyxwvu")
    return tuple(next(free) if axis is ONE else next(given) for axis in shape)


def _inner(shape: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(axis for axis in shape if axis is not ONE)
