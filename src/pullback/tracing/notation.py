"""A program that was read from a function, written in the notation, so that it can be derived step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pullback.dimension import ONE
from pullback.errors import PullbackError
from pullback.lifting.lift import Speller
from pullback.lowering.program import Input, Statement, lower_program
from pullback.syntax import tree
from pullback.syntax.names import normalise

MOST_STATEMENTS = 400
"""Longer programs are not written out."""


def written(inputs: Mapping[str, Input], statements: Sequence[Statement], source: str) -> tree.Program:
    """The statements as text trees; no statements at all where that does not read as the same program."""
    nothing = tree.Program((), (), None, source)
    if len(statements) > MOST_STATEMENTS:
        return nothing
    shapes: dict[str, Any] = {name: entry.shape for name, entry in inputs.items()}
    bindings = []
    try:
        for statement in statements:
            name = normalise(statement.name or "y")
            bindings.append(tree.Binding(name, Speller(shapes).spell_out(statement.local)))
            shapes[name] = _inner(statement.shape)
        parsed = tree.Program(tuple(bindings), (), None, source)
        given = {name: entry.shape for name, entry in inputs.items()}
        facts = {name: entry.properties for name, entry in inputs.items() if entry.properties}
        read = lower_program(parsed, given, facts)
    except (PullbackError, AssertionError, KeyError, IndexError, ValueError):
        return nothing
    same = all(_inner(r.shape) == _inner(s.shape) for r, s in zip(read.statements, statements, strict=True))
    return parsed if same else nothing


def _inner(shape: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(axis for axis in shape if axis is not ONE)
