"""Smaller programs that fail the same way: parts are replaced by simpler ones of the same shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from pullback.syntax.tree import (
    Binding,
    Call,
    Chain,
    Comprehension,
    Indexed,
    Name,
    Negate,
    Number,
    Power,
    Syntax,
    Transpose,
)
from tests.engine.arrays import Array
from tests.engine.checking import Case
from tests.engine.reference import Reference
from tests.strategies import Made, names_of, spell_program

MOST_TRIED = 400


def smaller(made: Made, fails: Callable[[Made], bool]) -> Made:
    """Shrink greedily."""
    tried = 0
    going = True
    while going and tried < MOST_TRIED:
        going = False
        for candidate in candidates(made):
            tried += 1
            if tried > MOST_TRIED:
                break
            try:
                failed = fails(candidate)
            except Exception:
                failed = False
            if failed:
                made, going = candidate, True
                break
    return made


def candidates(made: Made) -> Iterator[Made]:
    if made.literal:
        yield rebuilt(replace(made, literal=frozenset()), made.bindings)
    bindings = made.bindings
    for k in range(len(bindings) - 1):
        yield rebuilt(made, bindings[k + 1 :] if k == 0 else bindings[:k] + bindings[k + 1 :])
    for k, binding in enumerate(bindings):
        if binding.name is not None and k < len(bindings) - 1:
            gone = tuple(
                Binding(b.name, put(b.value, binding.name, binding.value)) for b in (*bindings[:k], *bindings[k + 1 :])
            )
            yield rebuilt(made, gone)
        for tree in variants(binding.value, shapes_of(made, k)):
            yield rebuilt(made, (*bindings[:k], Binding(binding.name, tree), *bindings[k + 1 :]))


def rebuilt(made: Made, bindings: tuple[Binding, ...]) -> Made:
    bindings = (*bindings[:-1], Binding(None, bindings[-1].value))
    numbers = {name: made.sizes[name] for name in made.literal}
    text = spell_program(bindings, numbers, lambda n: 0)
    used = {name for binding in bindings for name in names_of(binding.value)}
    shapes = {name: shape for name, shape in made.shapes.items() if name in used}
    assume = {name: word for name, word in made.assume.items() if name in used}
    return replace(made, bindings=bindings, text=text, shapes=shapes, assume=assume)


def put(tree: Syntax, name: str, value: Syntax) -> Syntax:
    if tree == Name(name):
        return value
    for k, part in enumerate(parts(tree)):
        changed = put(part, name, value)
        if changed is not part:
            tree = with_part(tree, k, changed)
    return tree


def shapes_of(made: Made, upto: int) -> Callable[[Syntax], tuple[int, ...] | None]:
    values = Case(made).values
    names: dict[str, Array] = dict(values)
    try:
        for binding in made.bindings[:upto]:
            names[binding.name or ""] = Reference(made.sizes).value(binding.value, names)
    except Exception:
        return lambda tree: None

    def shape(tree: Syntax) -> tuple[int, ...] | None:
        try:
            with np.errstate(all="ignore"):
                return Reference(made.sizes).value(tree, names).shape
        except Exception:
            return None

    return shape


def parts(tree: Syntax) -> tuple[Syntax, ...]:
    match tree:
        case Negate(operand) | Transpose(operand) | Indexed(operand):
            return (operand,)
        case Power(base, exponent):
            return (base, exponent)
        case Chain(operands) | Call(_, operands):
            return operands
        case Comprehension(_, body):
            return (body,)
    return ()


def with_part(tree: Syntax, k: int, part: Syntax) -> Syntax:
    match tree:
        case Negate():
            return Negate(part)
        case Transpose():
            return Transpose(part)
        case Indexed(_, indices):
            return Indexed(part, indices)
        case Power(base, exponent, entrywise):
            return Power(part, exponent, entrywise) if k == 0 else Power(base, part, entrywise)
        case Chain(operands, operators):
            return Chain((*operands[:k], part, *operands[k + 1 :]), operators)
        case Call(function, arguments):
            return Call(function, (*arguments[:k], part, *arguments[k + 1 :]))
        case Comprehension(indices, _):
            return Comprehension(indices, part)
    raise AssertionError("no parts")


def descendants(tree: Syntax) -> Iterator[Syntax]:
    for part in parts(tree):
        yield part
        yield from descendants(part)


def variants(tree: Syntax, shape: Callable[[Syntax], tuple[int, ...] | None]) -> Iterator[Syntax]:
    here = shape(tree)
    if here is not None:
        for inner in descendants(tree):
            if shape(inner) == here and inner != tree:
                yield inner
        if isinstance(tree, Chain) and len(tree.operands) > 2:
            for k in range(len(tree.operands)):
                at = max(k - 1, 0)
                operators = tree.operators[:at] + tree.operators[at + 1 :]
                fewer = Chain(tree.operands[:k] + tree.operands[k + 1 :], operators)
                if shape(fewer) == here:
                    yield fewer
    for k, part in enumerate(parts(tree)):
        for changed in variants(part, shape):
            yield with_part(tree, k, changed)
    if isinstance(tree, Number) and tree.value not in (0, 1, 2):
        yield Number(type(tree.value)(2))
