"""Rows, as papers mean them: x_i that is a vector is row i of a matrix X, and the softmax of a matrix is by rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from pullback.syntax import tree
from pullback.syntax.forms import children, fold, rebuild
from pullback.syntax.tree import Call, Indexed, Name, Syntax

WHOLE = ":"


def matrix_name(name: str) -> str:
    """Give the name of the matrix whose rows are x_i: the letter as a capital; a Greek one stays.

    >>> matrix_name("x"), matrix_name("x1"), matrix_name("mu"), matrix_name("x_test")
    ('X', 'X1', 'mu', 'X_test')
    """
    stem = name.split("_")[0].rstrip("0123456789")
    return name[0].upper() + name[1:] if len(stem) == 1 else name


def with_one_index(program: tree.Program) -> Iterator[str]:
    """Walk the names that have one index somewhere, as x_i."""
    todo: list[Syntax] = [binding.value for binding in program.bindings]
    while todo:
        node = todo.pop()
        if isinstance(node, Indexed) and isinstance(node.operand, Name) and len(node.indices) == 1:
            yield node.operand.identifier
        todo.extend(children(node))


def by_rows(program: tree.Program, calls: Collection[Call]) -> tree.Program:
    """Give the program with these calls written as what they are, row by row."""
    chosen = {id(call) for call in calls}

    def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
        made = rebuild(node, parts)
        if isinstance(made, Call) and id(node) in chosen:
            return Call(made.function, (*made.arguments, Name("rows", made.span)), made.span)
        return made

    return _folded(program, visit)


def renamed(program: tree.Program, names: Mapping[str, str], matrices: Collection[str]) -> tree.Program:
    """Give the program with names changed, and what has one index and is a matrix written as its row."""

    def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
        if isinstance(node, Name):
            return Name(names.get(node.identifier, node.identifier), node.span)
        made = rebuild(node, parts)
        if isinstance(made, Indexed) and isinstance(made.operand, Name) and len(made.indices) == 1:
            if made.operand.identifier in matrices:
                return Indexed(made.operand, (*made.indices, WHOLE), made.span)
        return made

    return _folded(program, visit)


def _folded(program: tree.Program, visit: Callable[[Syntax, list[Syntax]], Syntax]) -> tree.Program:
    bindings = tuple(
        tree.Binding(binding.name, fold(binding.value, visit), binding.span, binding.name_span)
        for binding in program.bindings
    )
    return tree.Program(bindings, program.declarations, program.batch, program.source)
