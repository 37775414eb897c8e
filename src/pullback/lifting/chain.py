"""Products of matrices as chains that can be read in both directions.

A chain reads from a row index to a column index. Turning it round reverses it and transposes each
operand; both spellings of every operand are kept, so that the one with fewer transposes can be chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import wraps
from itertools import groupby
from typing import Any, TypeVar, cast

from pullback.errors import UnsupportedError
from pullback.lifting.alphabet import natural
from pullback.syntax.forms import decimal
from pullback.syntax.tree import Call, Chain, Comprehension, Indexed, Name, Negate, Number, Power, Syntax, Transpose
from pullback.tensor.node import Rational

Result = TypeVar("Result")
_MOST_BITS = 1328
"""Numbers of more than 400 digits are not read."""
_LONG = 10**16
_MOST_DERIVED = 9


@dataclass(frozen=True, slots=True)
class Operand:
    """A matrix, column or row in a chain, spelled as it is and transposed."""

    tree: Syntax
    turned: Syntax

    def turn(self) -> Operand:
        """Read it in the other direction."""
        return Operand(self.turned, self.tree)


Reading = tuple[Operand, ...]


def turn(reading: Reading) -> Reading:
    """Read a chain in the other direction."""
    return tuple(operand.turn() for operand in reversed(reading))


def operand(tree: Syntax, symmetric: bool = False) -> Operand:
    """Make an operand of a tree."""
    return Operand(tree, tree if symmetric else transpose(tree))


def transpose(tree: Syntax) -> Syntax:
    """The transpose of a tree, a double one dropped, a minus left in front."""
    if isinstance(tree, Negate):
        return Negate(transpose(tree.operand))
    if isinstance(tree, Call) and tree.function == "eye":
        return tree
    return tree.operand if isinstance(tree, Transpose) else Transpose(tree)


def juxtapose(trees: Sequence[Syntax]) -> Syntax:
    """Multiply trees by juxtaposition, chains joined where that reads the same."""
    operands: list[Syntax] = []
    for k, tree in enumerate(trees):
        plain = isinstance(tree, Chain) and set(tree.operators) == {"*"}
        if plain and isinstance(tree, Chain) and k == 0:
            operands += tree.operands
        else:
            operands.append(tree)
    return operands[0] if len(operands) == 1 else Chain(tuple(operands), ("*",) * (len(operands) - 1))


def read(reading: Reading) -> Syntax:
    """Spell a chain, equal matrices in a row as a power."""
    trees = [item.tree for item in reading]
    runs = [list(run) for _, run in groupby(trees, key=text)]
    return juxtapose([run[0] if len(run) == 1 else _matrix_power(run[0], len(run)) for run in runs])


def _matrix_power(tree: Syntax, times: int) -> Syntax:
    """Raise a matrix to a whole number; a power of a transpose is the transpose of a power."""
    if isinstance(tree, Transpose):
        return Transpose(_matrix_power(tree.operand, times))
    if isinstance(tree, Power) and not tree.entrywise and isinstance(tree.exponent, Number):
        return Power(tree.base, Number(tree.exponent.value * times))
    return Power(tree, Number(Fraction(times)))


def entrywise(trees: Sequence[tuple[Syntax, Rational]]) -> Syntax:
    """Multiply entry by entry, divisors last: ``x .* y ./ z``."""
    above = [(tree, e) for tree, e in trees if e > 0]
    below = [(tree, -e) for tree, e in trees if e < 0]
    operands: list[Syntax] = [raised(tree, e, entrywise=True) for tree, e in above] or [Number(Fraction(1))]
    operators = [".*"] * (len(operands) - 1)
    for tree, e in below:
        operands.append(raised(tree, e, entrywise=True))
        operators.append("./")
    return operands[0] if len(operands) == 1 else Chain(tuple(operands), tuple(operators))


def raised(tree: Syntax, exponent: Rational, entrywise: bool) -> Syntax:
    """Raise a tree to a number; a half is a root."""
    if exponent == 1:
        return tree
    if Fraction(exponent).denominator == 2 and (root := _norm_of(tree)) is not None:
        return raised(root, 2 * exponent, entrywise)
    if exponent == Fraction(1, 2):
        return Call("sqrt", (tree,))
    return Power(tree, _beside_power_of_ten(exponent) or number(exponent), entrywise)


def _beside_power_of_ten(value: Rational) -> Syntax | None:
    """A long exponent that was derived down from a short one: 1e20 - 1."""
    whole = Fraction(value)
    if whole < _LONG or whole.denominator != 1 or "e" in (decimal(whole) or ""):
        return None
    for step in range(1, _MOST_DERIVED):
        if "e" in (decimal(whole + step) or ""):
            return Chain((number(whole + step), Number(Fraction(step))), ("-",))
    return None


def _norm_of(tree: Syntax) -> Syntax | None:
    """The norms of rows or columns, of the sums of their squares."""
    match tree:
        case Call("sum", (Power(base, Number(value), True), Name() as axis)) if value == 2:
            return Call("norm", (base, axis))
    return None


def number(value: Rational) -> Syntax:
    """Spell a number: a short decimal as it is, another fraction as a quotient."""
    value = Fraction(value)
    if value < 0:
        return Negate(number(-value))
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
        raise UnsupportedError(
            "a number in the result has hundreds of digits",
            hint="call the numbers by a name, and give them as values",
        )
    if value.denominator == 1:
        return Number(value)
    if value.denominator < 10 or (decimal(value) is None and not _is_decimal(value)):
        return Chain((Number(Fraction(value.numerator)), Number(Fraction(value.denominator))), ("/",))
    return Number(value)


def settle_minus(tree: Syntax) -> Syntax:
    """Put the minus of a product on its first factor, where it needs no parentheses."""
    if isinstance(tree, Negate) and isinstance(tree.operand, Chain) and not tree.operand.is_sum:
        first, *rest = tree.operand.operands
        if not (isinstance(first, Chain) and first.is_sum):
            return Chain((settle_minus(Negate(first)), *rest), tree.operand.operators)
    return tree


def signed(tree: Syntax) -> tuple[int, Syntax]:
    """Take the minus off a tree, wherever it was put."""
    if isinstance(tree, Negate):
        return -1, tree.operand
    if isinstance(tree, Chain) and not tree.is_sum:
        sign, first = signed(tree.operands[0])
        return sign, tree if sign > 0 else Chain((first, *tree.operands[1:]), tree.operators)
    return 1, tree


def _is_decimal(value: Fraction) -> bool:
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1 and len(str(value.denominator)) <= 7


class _Memory:
    """Remembers a measure of trees by identity; the trees are kept alive while it does."""

    def __init__(self, limit: int = 100_000) -> None:
        self.limit = limit
        self.held: dict[int, tuple[Syntax, Any]] = {}

    def __call__(self, measure: Callable[[Syntax], Result]) -> Callable[[Syntax], Result]:
        """Make the measure remember."""

        @wraps(measure)
        def remembered(tree: Syntax) -> Result:
            found = self.held.get(id(tree))
            if found is not None and found[0] is tree:
                return cast("Result", found[1])
            value = measure(tree)
            if len(self.held) > self.limit:
                self.held.clear()
            self.held[id(tree)] = (tree, value)
            return value

        return remembered


@_Memory()
def text(tree: Syntax) -> str:
    """A short text that sorts trees the same way every time."""
    match tree:
        case Name(identifier):
            return identifier
        case Number(value):
            return str(value)
        case Negate(inner):
            return f"-{text(inner)}"
        case Transpose(inner):
            return f"{text(inner)}'"
        case Power(base, exponent):
            return f"{text(base)}^{text(exponent)}"
        case Chain(operands, operators):
            return f"({text(operands[0])}{''.join(o + text(t) for o, t in zip(operators, operands[1:], strict=True))})"
        case Call(function, arguments):
            return f"{function}({','.join(map(text, arguments))})"
        case Indexed(inner, indices):
            return f"{text(inner)}[{','.join(indices)}]"
        case Comprehension(indices, body):
            return f"[{','.join(indices)}:{text(body)}]"
    return repr(tree)


@_Memory()
def names_of(tree: Syntax) -> frozenset[str]:
    """The names in a tree."""
    match tree:
        case Name(identifier):
            return frozenset({identifier})
        case Negate(inner) | Transpose(inner) | Indexed(inner) | Comprehension(_, inner):
            return names_of(inner)
        case Power(base, exponent):
            return names_of(base) | names_of(exponent)
        case Chain(operands) | Call(_, operands):
            return frozenset().union(*map(names_of, operands))
    return frozenset()


def shorter(first: Syntax, second: Syntax, favoured: Syntax | None = None) -> Syntax:
    """Of two spellings, the shorter one.

    Of equally long ones the favoured, then that with the transpose outside, then by text.
    """
    ranks = [(weight(tree), tree is not favoured, not isinstance(tree, Transpose)) for tree in (first, second)]
    if ranks[0] != ranks[1]:
        return first if ranks[0] < ranks[1] else second
    return first if natural(text(first)) <= natural(text(second)) else second


def transposes(tree: Syntax) -> int:
    """How many transposes a tree has."""
    return text(tree).count("'")


@_Memory()
def weight(tree: Syntax) -> int:
    """The cost of a printed tree: names, numbers, functions and powers count one, each transpose too."""
    match tree:
        case Name() | Number():
            return 1
        case Negate(inner):
            return weight(inner)
        case Transpose(inner):
            return 1 + weight(inner)
        case Power(base, exponent):
            return weight(base) + weight(exponent)
        case Chain(operands):
            return sum(weight(inner) for inner in operands)
        case Call(_, arguments):
            return 1 + sum(weight(inner) for inner in arguments)
    return 10 + len(getattr(tree, "indices", ())) + weight(getattr(tree, "body", None) or tree.operand)  # type: ignore[union-attr]
