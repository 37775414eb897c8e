"""Dimensions as numbers and as arguments, and sums over a dimension divided by it: means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from pullback.dimension import Dimension
from pullback.lifting.chain import juxtapose, text, transpose
from pullback.lifting.reduction import Network
from pullback.syntax.tree import Call, Chain, Name, Number, Power, Syntax, Transpose
from pullback.tensor.node import Factor, Product, Rational
from pullback.tensor.product import size_name

if TYPE_CHECKING:
    from pullback.lifting.lift import Speller


def as_means(
    speller: Speller, factors: Sequence[Factor], network: Network, core: Syntax | None
) -> tuple[list[tuple[Syntax, Rational]], Syntax | None]:
    """A sum over a dimension divided by its size is a mean."""
    scalars = list(network.scalars)
    sizes = [n for f in factors if f.exponent == -1 and (n := size_name(f.node)) is not None]
    if not sizes:
        return scalars, core
    summed = network.summed | _sums_of(speller, factors)
    for tree, exponent in list(scalars):
        over = summed.get(text(tree))
        if over is not None and _all_in(over, sizes) and (mean := _mean_of(tree, exponent)) is not None:
            _drop_sizes(speller, scalars, over, sizes)
            scalars[scalars.index((tree, exponent))] = (mean, 1)
            break
    if core is not None and text(core) in summed and _all_in(summed[text(core)], sizes):
        mean = _mean_of(core, 1)
        if mean is not None:
            _drop_sizes(speller, scalars, summed[text(core)], sizes)
            core = mean
    if isinstance(core, Chain) and set(core.operators) == {"*"}:
        core = Chain(tuple(_as_mean(speller, tree, scalars, summed, sizes) for tree in core.operands), core.operators)
    return _joint_sizes(speller, scalars, sizes), core


def _as_mean(
    speller: Speller,
    tree: Syntax,
    scalars: list[tuple[Syntax, Rational]],
    summed: Mapping[str, tuple[Dimension, ...]],
    sizes: list[str],
) -> Syntax:
    """A sum inside a product as the mean, where its size divides the product."""
    if isinstance(tree, Transpose):
        return transpose(_as_mean(speller, tree.operand, scalars, summed, sizes))
    over = summed.get(text(tree))
    mean = _mean_of(tree, 1) if over is not None and _all_in(over, sizes) else None
    if over is None or mean is None:
        return tree
    _drop_sizes(speller, scalars, over, sizes)
    return mean


def _joint_sizes(
    speller: Speller, scalars: list[tuple[Syntax, Rational]], sizes: list[str]
) -> list[tuple[Syntax, Rational]]:
    """Divide by the size of a matrix at once, not by its rows and its columns."""
    for key, shape in speller.shapes.items():
        if key in speller.present and len(shape) == 2 and _all_in(shape, sizes):
            _drop_sizes(speller, scalars, shape, sizes)
            scalars.append((Call("size", (Name(speller.spelling.get(key, key)),)), -1))
    return scalars


def _sums_of(speller: Speller, factors: Sequence[Factor]) -> dict[str, tuple[Dimension, ...]]:
    """What each scalar factor that is a sum is summed over, by its text."""
    found = {}
    for node, indices, _ in factors:
        if not indices and isinstance(node, Product) and node not in speller.names and len(node.factors) > 0:
            found[text(speller.scalar(node, 1)[0])] = node.dimensions
    return found


def _all_in(over: Sequence[Dimension], sizes: Sequence[str]) -> bool:
    left = list(sizes)
    for axis in over:
        if axis.name not in left:
            return False
        left.remove(axis.name)
    return True


def _drop_sizes(
    speller: Speller, scalars: list[tuple[Syntax, Rational]], over: Sequence[Dimension], sizes: list[str]
) -> None:
    for axis in over:
        assert axis.name is not None
        scalars.remove((size(speller, axis.name), -1))
        sizes.remove(axis.name)


def length(dimension: Dimension) -> Syntax:
    """Spell a dimension where the notation wants one."""
    operands: list[Syntax] = []
    operators: list[str] = []
    for monomial, coefficient in sorted(dimension.terms, key=lambda term: (term[1] < 0, len(term[0]) == 0, term)):
        factors: list[Syntax] = [Name(name) for name in monomial]
        if abs(coefficient) != 1 or not factors:
            factors.insert(0, Number(Fraction(abs(coefficient))))
        operators.append("-" if coefficient < 0 else "+")
        operands.append(juxtapose(factors))
    return operands[0] if len(operands) == 1 else Chain(tuple(operands), tuple(operators[1:]))


def size(speller: Speller, name: str) -> Syntax:
    """Spell a dimension as a number: by an input that has it, if there is one."""
    wanted = Dimension.of(name)
    for rank in (1, 2):
        for key, shape in speller.shapes.items():
            if key not in speller.present:
                continue
            shown = Name(speller.spelling.get(key, key))
            if rank == 1 and len(shape) == 1 and shape[0] is wanted:
                return Call("size", (shown,))
            if rank == 2 and len(shape) == 2 and wanted in shape:
                side = "rows" if shape[0] is wanted else "columns"
                return Call("size", (shown, Name(side)))
    return Call("size", (Name(name),))


def _mean_of(tree: Syntax, exponent: Rational) -> Syntax | None:
    """The mean of what a tree sums: a sum, or the square of a norm."""
    if not isinstance(tree, Call):
        return None
    if tree.function == "sum" and exponent == 1:
        return Call("mean", tree.arguments)
    if tree.function == "norm" and exponent == 2 and len(tree.arguments) == 1:
        return Call("mean", (Power(tree.arguments[0], Number(Fraction(2)), True),))
    return None
