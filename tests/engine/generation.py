"""Draws random well-typed programs, one expression of a given shape at a time.

Dimensions are names, the number one, or sums and products of two; ``Productions`` says what may stand
where an expression of some shape is wanted (see ``tests.engine.productions``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar

from pullback.syntax.tree import Binding, Call, Chain, Comprehension, Indexed, Name, Number, Power, Syntax, Transpose
from tests.engine.arrays import ENTRYWISE

T = TypeVar("T")
Dim = str | tuple["Dim", str, "Dim"]
"""A dimension: ``m``, ``1``, or a sum or product of two."""
Shape = tuple[Dim, ...]
Below = Callable[[int], int]

UNARY = tuple(name for name in ENTRYWISE if name not in ("log", "sqrt"))
UNARY_POSITIVE = ("log", "sqrt")
BASES = ("m", "n", "p")
LITERAL = os.environ.get("LITERAL") == "1"


@dataclass(frozen=True, repr=False)
class Made:
    """A program with all that is needed to run it."""

    bindings: tuple[Binding, ...]
    shapes: dict[str, Shape]
    assume: dict[str, str]
    sizes: dict[str, int]
    literal: frozenset[str]
    text: str
    seed: int

    def __repr__(self) -> str:
        return (
            f"Made({self.text!r}, shapes={self.declared}, assume={self.assume}, sizes={self.sizes}, seed={self.seed})"
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # for hypothesis

    def length(self, dim: Dim) -> int:
        if isinstance(dim, str):
            return int(dim) if dim.isdigit() else self.sizes[dim]
        left, operator, right = dim
        a, b = self.length(left), self.length(right)
        return a + b if operator == "+" else a * b

    @property
    def declared(self) -> dict[str, tuple[int | str, ...]]:
        """The shapes as ``pb.parse`` takes them."""
        return {name: tuple(self.axis(dim) for dim in shape) for name, shape in self.shapes.items()}

    def axis(self, dim: Dim) -> int | str:
        assert isinstance(dim, str), "inputs have plain dimensions"
        return int(dim) if dim.isdigit() else self.sizes[dim] if dim in self.literal else dim


@dataclass(frozen=True)
class Productions:
    """What an expression may be, by what is wanted; the simpler ones first."""

    scalar: Sequence[Callable[[Generator], Syntax]]
    vector: Sequence[Callable[[Generator, Dim], Syntax]]
    matrix: Sequence[Callable[[Generator, Dim, Dim], Syntax]]
    square: Sequence[Callable[[Generator, Dim], Syntax]]
    row: Sequence[Callable[[Generator, Dim], Syntax]]
    thin: Sequence[Callable[[Generator, Dim], Syntax]]


@dataclass
class Generator:
    """Draws programs."""

    below: Below
    rules: Productions
    shapes: dict[str, Shape] = field(default_factory=dict)
    assume: dict[str, str] = field(default_factory=dict)
    bound: list[tuple[str, Shape]] = field(default_factory=list)
    fuel: int = 0
    entries: bool = True

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def chance(self, one_in: int) -> bool:
        return self.below(one_in) == one_in - 1

    def base(self) -> Dim:
        return self.pick(BASES)

    # programs

    def program(self, fuel: int, scalar: bool = False) -> tuple[Binding, ...]:
        """Draw statements; ``fuel`` bounds the number of operations."""
        bindings: list[Binding] = []
        for k in range(self.pick((0, 0, 1, 2))):
            self.fuel = max(1, fuel // 3)
            shape = self.shape()
            name = ("h", "Z", "q")[k] if len(shape) != 2 else ("H", "Z", "Q")[k]
            value = self.expression(shape)
            bindings.append(Binding(name, value))
            self.bound.append((name, shape))
        self.fuel = fuel
        shape = () if scalar else self.shape()
        value = self.expression(shape)
        bindings.append(Binding("out" if self.chance(2) else None, value))
        return tuple(bindings)

    def shape(self) -> Shape:
        """Draw the shape of a result."""
        kind = self.below(12)
        if kind < 4:
            return ()
        if kind < 7:
            return (self.base(),)
        if kind < 10:
            return (self.base(), self.base())
        if kind == 10:
            return self.pick(((self.base(), "1"), ("1", self.base())))
        return self.pick((((self.base(), "*", self.base()),), ((self.base(), "+", self.base()),)))

    def expression(self, shape: Shape) -> Syntax:
        """Draw an expression of a shape."""
        if self.fuel <= 0:
            return self.leaf(shape)
        self.fuel -= 1
        if shape == ():
            return self.pick(self.rules.scalar)(self)
        if len(shape) == 1:
            return self.vector(shape[0])
        return self.matrix(shape[0], shape[1])

    def leaf(self, shape: Shape) -> Syntax:
        """Draw a variable, a bound name or something as simple."""
        fitting = [name for name, known in self.bound if known == shape]
        if fitting and self.chance(2):
            return Name(self.pick(fitting))
        if shape == ():
            kind = self.below(4)
            return self.number() if kind == 3 else self.variable((), ("c", "s", "alpha"))
        if len(shape) == 1:
            (n,) = shape
            if isinstance(n, str):
                return self.variable(shape, ("x", "y", "z", "b"))
            if n[1] == "+":
                return Call("concat", (self.leaf((n[0],)), self.leaf((n[2],))))
            return Call("vec", (self.leaf((n[2], n[0])),))
        m, n = shape
        if isinstance(m, str) and isinstance(n, str):
            if "1" in shape:
                return self.variable(shape, ("R", "r"))
            return self.variable(shape, ("A", "B", "X", "W1"))
        return Chain((self.leaf((m,)), Transpose(self.leaf((n,)))), ("*",)) if n != "1" else self.leaf((m,))

    def variable(self, shape: Shape, names: Sequence[str]) -> Syntax:
        """Draw a name that has this shape, or can have it."""
        words = {"m": "m", "n": "n", "p": "p", "1": "u"}
        for offset in range(8):
            stem = self.pick(names) if offset == 0 else f"{names[0]}{offset + 1}"
            for name in (stem, stem + "".join(words[d] for d in shape if isinstance(d, str))):
                if self.shapes.setdefault(name, shape) == shape:
                    return Name(name)
        raise AssertionError("no name is left")

    def number(self) -> Syntax:
        numerator, denominator = self.pick(((2, 1), (1, 1), (3, 1), (1, 2), (5, 4), (0, 1)))
        return Number(Fraction(numerator, denominator))

    # kinds of parts

    def scalar(self) -> Syntax:
        return self.expression(())

    def column(self, n: Dim) -> Syntax:
        return self.expression((n,))

    def array(self, m: Dim, n: Dim) -> Syntax:
        return self.expression((m, n))

    def small(self, shape: Shape) -> Syntax:
        """Draw something with entries between -1 and 1."""
        inner = self.expression(shape)
        return Call(self.pick(("sin", "tanh", "cos")), (inner,)) if self.chance(2) else inner

    def positive(self, shape: Shape) -> Syntax:
        """Draw something with positive entries."""
        kind = self.below(5)
        inner = self.expression(shape)
        if kind == 0:
            return Call("exp", (inner,))
        if kind == 1:
            return plus(Number(Fraction(1)), Power(inner, Number(Fraction(2)), True))
        if kind == 2:
            return Call(self.pick(("sigmoid", "softplus", "cosh")), (inner,))
        if kind == 3 and all(isinstance(d, str) for d in shape):
            letters = [d for d in shape if isinstance(d, str) and d != "1"]
            name = {0: "omega", 1: "w", 2: "V"}[len(shape)] + "".join(letters)
            name += "u" * sum(d == "1" for d in shape)
            self.shapes[name], self.assume[name] = shape, "positive"
            return Name(name)
        return plus(Call("square", (inner,)), Number(Fraction(1, 2)))

    def spd(self, n: Dim) -> Syntax:
        """Draw a positive definite matrix."""
        if isinstance(n, str) and self.chance(4):
            name = f"S{n}"
            self.shapes[name], self.assume[name] = (n, n), "spd"
            return Name(name)
        inner = self.small((self.base(), n))
        return plus(product(Transpose(inner), inner), Call("eye", (dim_tree(n),)))

    def regular(self, n: Dim) -> Syntax:
        """Draw a matrix that has an inverse."""
        kind = self.below(4)
        if kind == 0 and isinstance(n, str):
            name = f"K{n}"
            self.shapes[name], self.assume[name] = (n, n), "invertible"
            return Name(name)
        if kind == 1:
            eye = product(Number(Fraction(5)), Call("eye", (dim_tree(n),)))
            return plus(self.small((n, n)), eye)
        if kind == 2 and isinstance(n, str) and self.chance(2):
            word = self.pick(("lower", "upper", "diagonal", "orthogonal", "symmetric"))
            name = f"{word[0].upper()}{n}"
            self.shapes[name], self.assume[name] = (n, n), word
            return Name(name)
        return self.spd(n)

    # vectors and matrices

    def vector(self, n: Dim) -> Syntax:
        if not isinstance(n, str):
            return self.derived(n)
        return self.pick(self.rules.vector)(self, n)

    def derived(self, n: Dim) -> Syntax:
        """Draw a vector whose length is a sum or a product."""
        assert not isinstance(n, str)
        kind = self.below(4)
        if kind == 0:
            return plus(self.column(n), self.column(n))
        if kind == 1:
            return Call(self.pick(UNARY), (self.column(n),))
        if n[1] == "+":
            return Call("concat", (self.column(n[0]), self.column(n[2])))
        if kind == 2:
            return Call("vec", (self.array(n[2], n[0]),))
        return kronecker(self, self.column(n[0]), self.column(n[2]))

    def matrix(self, m: Dim, n: Dim) -> Syntax:
        if n == "1" and m == "1":
            return self.leaf(("1", "1"))
        if m == "1":
            return self.pick(self.rules.row)(self, n)
        if n == "1":
            return self.pick(self.rules.thin)(self, m)
        if m == n and self.chance(2):
            return self.pick(self.rules.square)(self, n)
        return self.pick(self.rules.matrix)(self, m, n)

    def entry_term(self, output: Sequence[tuple[str, Dim]]) -> Syntax:
        """Draw a product of entries that has every output index."""
        factors: list[Syntax] = []
        summed = self.base()
        last = ("l" if self.chance(6) else f"k{BASES.index(str(summed)) + 1}", summed) if self.chance(2) else None
        for k, (index, dim) in enumerate(output):
            follower = output[k + 1] if k + 1 < len(output) and self.chance(2) else last
            if follower is not None and self.chance(2):
                inner: Syntax = Indexed(self.array(dim, follower[1]), (index, follower[0]))
            else:
                inner = Indexed(self.column(dim), (index,))
            if self.chance(4):
                inner = Call(self.pick(("sin", "tanh", "exp")), (inner,))
            factors.append(inner)
        if last is not None and self.chance(2):
            factors.append(Indexed(self.column(last[1]), (last[0],)))
        if self.chance(5):
            factors.insert(0, self.number())
        return factors[0] if len(factors) == 1 else Chain(tuple(factors), ("*",) * (len(factors) - 1))

    def by_entries(self, output: Sequence[tuple[str, Dim]]) -> Syntax:
        """Draw a comprehension."""
        self.fuel -= 2
        terms = [self.entry_term(output) for _ in range(1 + self.below(2))]
        if len(output) == 1 and self.chance(4):
            row = Indexed(self.array(output[0][1], self.base()), (output[0][0], ":"))
            terms[0] = Call(self.pick(("norm", "logsumexp", "sum", "max")), (row,))
        body = terms[0] if len(terms) == 1 else Chain((terms[0], terms[1]), (self.pick(("+", "-")),))
        return Comprehension(tuple(index for index, _ in output), body)


def plus(a: Syntax, b: Syntax) -> Syntax:
    return Chain((a, b), ("+",))


def product(*parts: Syntax) -> Syntax:
    return Chain(parts, ("*",) * (len(parts) - 1))


def dim_tree(dim: Dim) -> Syntax:
    if isinstance(dim, str):
        return Number(Fraction(int(dim))) if dim.isdigit() else Name(dim)
    left, operator, right = dim
    return Chain((dim_tree(left), dim_tree(right)), (operator,))


def kronecker(g: Generator, a: Syntax, b: Syntax) -> Syntax:
    return Chain((a, b), ("kron",)) if g.chance(2) else Call("kron", (a, b))
