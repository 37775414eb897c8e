"""Which names of a program are inputs, and what its text says of dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Set

from pullback.errors import NotationError, Place, Span
from pullback.operations.table import FUNCTIONS
from pullback.syntax.forms import children
from pullback.syntax.parser import is_latex
from pullback.syntax.tree import (
    Call,
    Chain,
    Comprehension,
    Expectation,
    Indexed,
    Name,
    Negate,
    Power,
    Program,
    Syntax,
    Transpose,
)

_DIMENSIONS_FROM = {"eye": 0, "ones": 0, "zeros": 0, "reshape": 1, "slice": 1}
"""For functions that take dimensions: the first argument that is one."""
_AXES = ("rows", "columns")


def find_inputs(
    program: Program, known: set[str], lengths: Set[str] = frozenset()
) -> tuple[dict[str, Span], frozenset[str]]:
    """List the inputs with their first place, and the names that the text uses as dimensions.

    ``known`` are names declared elsewhere to be variables, ``lengths`` to be dimensions.
    Raises NotationError where a name is used before the statement that binds it.
    """
    declared = {d.name for d in program.declarations if d.shape is not None} | known
    dimensions = {axis for d in program.declarations for axis in d.shape or () if isinstance(axis, str)}
    bound_later = {b.name: b for b in program.bindings if b.name is not None}
    for binding in program.bindings:
        dimensions.update(name for name, _ in _dimension_names(binding.value))
    dimensions |= lengths
    dimensions -= declared | set(bound_later)
    inputs: dict[str, Span] = {}
    bound: set[str] = set()
    for binding in program.bindings:
        for name, span in names_in(binding.value):
            if name in bound or name in inputs or name in dimensions:
                continue
            is_greek_pi = name == "pi" and is_latex(program.source)
            if name in FUNCTIONS and name not in declared and name not in bound_later and not is_greek_pi:
                called = f"{name}()" if name == "pi" else f"{name}(…)"
                raise NotationError(
                    f"{name} is the name of a function",
                    source=program.source,
                    places=(Place(span),),
                    hint=f"write {called}; or declare it, {name} : scalar, if it is a variable",
                )
            if name in bound_later:
                later = bound_later[name]
                raise NotationError(
                    f"{name} is used before it is bound",
                    source=program.source,
                    places=(Place(span, "used here"), Place(later.name_span, "bound here")),
                    hint="move the statement that binds it up, or rename one of the two",
                )
            inputs[name] = span
        if binding.name is not None:
            bound.add(binding.name)
    return inputs, frozenset(dimensions)


def covariances(tree: Syntax) -> Iterator[str]:
    """Walk the names that stand for the covariance of a Gaussian vector, which is symmetric."""
    match tree:
        case Expectation(_, _, covariance, body):
            if isinstance(covariance, Name):
                yield covariance.identifier
            yield from covariances(body)
        case Negate(operand) | Transpose(operand) | Indexed(operand):
            yield from covariances(operand)
        case Power(base, exponent):
            yield from covariances(base)
            yield from covariances(exponent)
        case Comprehension(_, body):
            yield from covariances(body)
        case Chain(operands) | Call(_, operands):
            for operand in operands:
                yield from covariances(operand)


def mentioned(tree: Syntax) -> Iterator[str]:
    """Walk all names, whatever they stand for: values, lengths, rows and columns."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, Name):
            yield node.identifier
        stack += children(node)


def names_in(tree: Syntax) -> Iterator[tuple[str, Span]]:
    """Walk the names that stand for values, in the order in which they are read."""
    match tree:
        case Name(identifier, span):
            yield identifier, span
        case Negate(operand) | Transpose(operand) | Indexed(operand):
            yield from names_in(operand)
        case Power(base, exponent):
            yield from names_in(base)
            yield from names_in(exponent)
        case Chain(operands):
            for operand in operands:
                yield from names_in(operand)
        case Comprehension(_, body):
            yield from names_in(body)
        case Expectation(variable, mean, covariance, body):
            yield from names_in(mean)
            yield from names_in(covariance)
            yield from ((name, span) for name, span in names_in(body) if name != variable)
        case Call():
            for argument in _value_arguments(tree):
                yield from names_in(argument)


def _value_arguments(tree: Call) -> tuple[Syntax, ...]:
    arguments = tree.arguments[: _DIMENSIONS_FROM.get(tree.function)]
    if tree.function in _DIMENSIONS_FROM:
        return arguments
    if len(arguments) > 1 and isinstance(arguments[-1], Name) and arguments[-1].identifier in _AXES:
        arguments = arguments[:-1]
    if tree.function == "size" and len(tree.arguments) == 1 and isinstance(arguments[0], Name):
        return ()
    return arguments


def _dimension_names(tree: Syntax) -> Iterator[tuple[str, Span]]:
    """Walk the names that stand where a dimension is wanted."""
    match tree:
        case Negate(operand) | Transpose(operand) | Indexed(operand):
            yield from _dimension_names(operand)
        case Power(base, exponent):
            yield from _dimension_names(base)
            yield from _dimension_names(exponent)
        case Chain(operands):
            for operand in operands:
                yield from _dimension_names(operand)
        case Comprehension(_, body) | Expectation(_, _, _, body):
            yield from _dimension_names(body)
        case Call(function, arguments):
            start = _DIMENSIONS_FROM.get(function, len(arguments))
            for argument in arguments[start:]:
                yield from _plain_names(argument)
            for argument in arguments[:start]:
                yield from _dimension_names(argument)


def _plain_names(tree: Syntax) -> Iterator[tuple[str, Span]]:
    match tree:
        case Name(identifier, span):
            yield identifier, span
        case Chain(operands):
            for operand in operands:
                yield from _plain_names(operand)
