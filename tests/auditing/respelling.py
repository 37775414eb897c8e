"""Other ways to write a formula: identities applied at random places of its tree.

What comes out is compared with the formula by plain evaluation, so that only equal formulas are kept.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from pullback.checking.evaluator import Evaluator, UnfitError
from pullback.errors import PullbackError
from pullback.syntax.forms import children, rebuild
from pullback.syntax.printer import show
from pullback.syntax.tree import Call, Chain, Name, Negate, Number, Power, Syntax, Transpose

MOST_LETTERS = 220


def number(value: int) -> Number:
    return Number(Fraction(value))


def product(*operands: Syntax, by: str = "*") -> Syntax:
    return Chain(operands, (by,) * (len(operands) - 1))


def turned(node: Syntax) -> Syntax:
    return node.operand if isinstance(node, Transpose) else Transpose(node)


def alternatives(node: Syntax) -> Iterator[Syntax]:
    """Equal formulas for the top of a tree; some are equal only for some shapes."""
    match node:
        case Chain(operands, operators) if node.is_sum and len(operands) == 2:
            left, right = operands
            yield Chain((right, left), ("+",)) if operators == ("+",) else Negate(Chain((right, left), ("-",)))
        case Chain(operands, operators):
            yield from _of_product(operands, operators)
        case Power(base, Number(value), True) if value == 2:
            yield product(base, base, by=".*")
            yield Call("square", (base,))
        case Call(function, arguments):
            yield from _of_call(function, arguments)
        case Transpose(operand) if isinstance(operand, Name):
            yield Transpose(product(number(1), operand))
        case Number(value) if value != 0:
            yield Chain((product(number(3), node), number(3)), ("/",))


def _of_product(operands: tuple[Syntax, ...], operators: tuple[str, ...]) -> Iterator[Syntax]:
    kinds = set(operators)
    if kinds == {".*"}:
        yield Chain(operands[::-1], operators)
        if len(operands) == 2:
            yield product(Call("diag", (operands[0],)), operands[1])
    if kinds == {"*"}:
        yield Transpose(Chain(tuple(turned(o) for o in operands[::-1]), operators))
        if len(operands) > 2:
            yield product(operands[0], Chain(operands[1:], operators[1:]))
        if len(operands) == 2:
            yield Call("sum", (product(operands[0], Call("diag", (operands[1],))), Name("rows")))
    last, operator = operands[-1], operators[-1]
    if isinstance(last, Chain) and last.is_sum and operator in ("*", ".*"):
        first = Chain(operands[:-1], operators[:-1]) if len(operands) > 2 else operands[0]
        yield Chain(tuple(Chain((first, term), (operator,)) for term in last.operands), last.operators)
    if isinstance(operands[0], Chain) and operands[0].is_sum and operators[0] in ("*", ".*", "/", "./"):
        terms = tuple(Chain((term, *operands[1:]), operators) for term in operands[0].operands)
        yield Chain(terms, operands[0].operators)
    if operator == "/":
        yield product(Chain((number(1), last), ("/",)), *_before(operands, operators))


def _before(operands: tuple[Syntax, ...], operators: tuple[str, ...]) -> tuple[Syntax, ...]:
    return (Chain(operands[:-1], operators[:-1]),) if len(operands) > 2 else operands[:1]


def _of_call(function: str, arguments: tuple[Syntax, ...]) -> Iterator[Syntax]:
    z = arguments[0]
    exp, less = Call("exp", (z,)), Call("exp", (Negate(z),))
    if function == "sigmoid":
        yield Chain((number(1), Chain((number(1), less), ("+",))), ("./",))
        yield Chain((exp, Chain((number(1), exp), ("+",))), ("./",))
        yield Chain((number(1), Call("sigmoid", (Negate(z),))), ("-",))
    elif function == "tanh":
        yield Chain((Chain((exp, less), ("-",)), Chain((exp, less), ("+",))), ("./",))
        yield Chain((product(number(2), Call("sigmoid", (product(number(2), z),))), number(1)), ("-",))
        yield Chain((Call("sinh", (z,)), Call("cosh", (z,))), ("./",))
    elif function == "relu":
        yield product(z, Call("step", (z,)), by=".*")
        yield Call("max", (z, number(0)))
        yield Chain((Chain((z, Call("abs", (z,))), ("+",)), number(2)), ("/",))
    elif function == "step":
        yield Call("step", (Call("relu", (z,)),))
        yield Chain((Chain((number(1), Call("sign", (z,))), ("+",)), number(2)), ("/",))
    elif function == "softmax" and len(arguments) == 1:
        yield Chain((exp, Call("sum", (exp,))), ("/",))
        yield Call("exp", (Chain((z, Call("logsumexp", (z,))), ("-",)),))
    elif function == "mean" and len(arguments) == 1:
        yield Chain((Call("sum", (z,)), Call("size", (z,))), ("/",))
    elif function == "inv":
        yield Power(z, number(-1))
        yield Transpose(Call("inv", (Transpose(z),)))
    elif function == "norm" and len(arguments) == 1:
        yield Call("sqrt", (Call("sum", (Power(z, number(2), True),)),))


def places(tree: Syntax) -> Iterator[tuple[int, ...]]:
    """Every place in a tree, as the way to it."""
    yield ()
    fixed = isinstance(tree, Call) and tree.function in ("eye", "ones", "zeros", "size")
    for k, part in enumerate(() if fixed else children(tree)):
        if not (isinstance(part, Name) and part.identifier in ("rows", "columns")):
            for rest in places(part):
                yield (k, *rest)


def replaced(tree: Syntax, way: tuple[int, ...], change: int) -> Syntax | None:
    """The tree with an alternative at a place; None where there are not so many."""
    if not way:
        found = list(alternatives(tree))
        return found[change % len(found)] if found else None
    parts = list(children(tree))
    inner = replaced(parts[way[0]], way[1:], change)
    if inner is None:
        return None
    parts[way[0]] = inner
    return rebuild(tree, parts)


def respelled(
    tree: Syntax, values: Mapping[str, Any], sizes: Mapping[str, int], count: int, seed: int
) -> Iterator[str]:
    """Up to ``count`` other texts of the same value, each after one to three changes."""
    draw = random.Random(seed)
    wanted = Evaluator(sizes).value(tree, values)
    seen = {show(tree)}
    for _ in range(12 * count):
        changed = tree
        for _ in range(draw.randint(1, 3)):
            ways = [way for way in places(changed) if replaced(changed, way, 0) is not None]
            if not ways:
                break
            changed = replaced(changed, draw.choice(ways), draw.randrange(100)) or changed
        text = show(changed)
        if text in seen or len(text) > MOST_LETTERS:
            continue
        seen.add(text)
        try:
            with np.errstate(all="ignore"):
                value = Evaluator(sizes).value(changed, values)
        except (UnfitError, PullbackError, ValueError):
            continue
        if value.shape == wanted.shape and np.allclose(value, wanted, rtol=1e-9, atol=1e-11):
            count -= 1
            yield text
        if not count:
            return
