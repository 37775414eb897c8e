"""Syntax trees to text, in four styles, with only the parentheses that are needed.

What is printed (except MathML) reads back to the same tree in its ``canonical`` form, a power of ten in LaTeX
to the same number. A style says how each construct looks; this module decides where parentheses go, once for
all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from typing import Literal, Protocol

from pullback.errors import NotationError
from pullback.syntax.forms import decimal, exponent, fold, literal
from pullback.syntax.tree import (
    Binding,
    Call,
    Chain,
    Comprehension,
    Expectation,
    Indexed,
    Name,
    Negate,
    Number,
    Power,
    Syntax,
    Transpose,
)

StyleName = Literal["plain", "unicode", "latex", "mathml"]
STYLES: tuple[StyleName, ...] = ("plain", "unicode", "latex", "mathml")

SUM, EXPECTATION, PRODUCT, UNARY, FRACTION, POWER, ATOM = range(7)
"""How tightly a text holds together, loosest first."""

MOST_TIGHT = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """A printed part: its text, how tightly it holds together, and what is visible at its ends."""

    text: str
    level: int
    node: Syntax
    negative: bool = False
    """Whether it begins with a minus."""
    numeric: bool = False
    """Whether it begins with a digit."""


class Style(Protocol):
    """How each construct looks; operands come with the parentheses that they need."""

    fractions: bool
    """Whether a quotient is a fraction bar, which needs no parentheses above or below."""
    powers: bool
    """Whether a very large number is a product with a power of ten, rather than 1e20."""

    def group(self, piece: Piece) -> str:
        """Put parentheses around."""

    def number(self, digits: str) -> str:
        """Write an unsigned decimal."""

    def name(self, identifier: str) -> str:
        """Write a name."""

    def negate(self, operand: str) -> str:
        """Write a minus before."""

    def transpose(self, operand: Piece) -> str:
        """Write a transpose."""

    def power(self, base: Piece, power: Piece, entrywise: bool) -> str:
        """Write a power; the exponent comes without parentheses."""

    def sum(self, left: str, operator: str, right: str) -> str:
        """Write one term more."""

    def product(self, left: Piece, operator: str, right: Piece) -> Piece:
        """Write one factor more; the right one holds together as an operand."""

    def call(self, node: Call, arguments: list[Piece]) -> Piece:
        """Write a function applied."""

    def indexed(self, operand: str, indices: tuple[str, ...]) -> str:
        """Write an entry."""

    def comprehension(self, indices: tuple[str, ...], body: str) -> str:
        """Write a tensor by its entries."""

    def expectation(self, variable: str, mean: str, covariance: str, body: str) -> str:
        """Write a mean over a Gaussian vector."""

    def document(self, text: str) -> str:
        """Give the finished text of one expression."""

    def program(self, lines: list[tuple[str | None, str]]) -> str:
        """Give the finished text of statements: name and value."""


def show(tree: Syntax, style: StyleName = "plain") -> str:
    """Print an expression.

    >>> from pullback.syntax.parser import parse_expression
    >>> tree = parse_expression("1/2 * (((A)+A')) * x .^ (2)", ())
    >>> show(tree)
    "1/2 (A + A') x.^2"
    >>> show(tree, "unicode")
    '1/2 (A + Aᵀ) x.^2'
    """
    writer = style_of(style)
    return writer.document(_Layout(writer).text(tree))


def _scientific(digits: str, negative: bool) -> Syntax:
    """Say 1.5e-8 as a product with a power of ten."""
    mantissa, _, power = digits.partition("e")
    tree: Syntax = Power(Number(Fraction(10)), Number(Fraction(power)))
    if mantissa != "1":
        tree = Chain((Number(Fraction(mantissa)), tree), ("*",))
    return Negate(tree) if negative else tree


def show_program(bindings: Iterable[Binding], style: StyleName = "plain") -> str:
    """Print statements, one a line.

    >>> from pullback.syntax.parser import parse_program
    >>> print(show_program(parse_program("h=W*x;h'*h", ()).bindings))
    h = W x
    h' h
    """
    writer = style_of(style)
    layout = _Layout(writer)
    return writer.program([(b.name and writer.name(b.name), layout.text(b.value)) for b in bindings])


def style_of(style: StyleName) -> Style:
    """Give the writer of a style, loaded when it is first asked for."""
    if style not in STYLES:
        raise NotationError(f"{style!r} is not a style", hint=f"the styles are: {', '.join(STYLES)}")
    module = import_module("pullback.syntax.styles." + ("text" if style in ("plain", "unicode") else style))
    writer: Style = module.STYLES[style]
    return writer


class _Layout:
    """Where parentheses go."""

    def __init__(self, style: Style) -> None:
        self.style = style

    def text(self, tree: Syntax) -> str:
        return fold(tree, self._piece).text

    def _at(self, piece: Piece, level: int) -> str:
        return piece.text if piece.level >= level else self.style.group(piece)

    def _grouped(self, piece: Piece, level: int) -> Piece:
        if piece.level >= level:
            return piece
        return Piece(self.style.group(piece), ATOM, piece.node)

    def _piece(self, node: Syntax, parts: list[Piece]) -> Piece:
        style = self.style
        match node:
            case Number():
                return self._number(node)
            case Name():
                return Piece(style.name(node.identifier), ATOM, node)
            case Negate():
                if style.powers and isinstance(node.operand, Number) and parts[0].level == PRODUCT:
                    return Piece(style.negate(parts[0].text), PRODUCT, node, negative=True)
                return Piece(style.negate(self._at(parts[0], UNARY)), UNARY, node, negative=True)
            case Transpose():
                return Piece(style.transpose(self._grouped(parts[0], POWER)), POWER, node, numeric=parts[0].numeric)
            case Power():
                return self._power(node, parts)
            case Chain():
                return self._sum(node, parts) if node.is_sum else self._product(node, parts)
            case Call():
                return style.call(node, parts)
            case Indexed():
                return Piece(style.indexed(self._at(parts[0], ATOM), node.indices), ATOM, node)
            case Comprehension():
                return Piece(style.comprehension(node.indices, parts[0].text), ATOM, node)
            case Expectation():
                mean, covariance, body = parts
                text = style.expectation(node.variable, mean.text, covariance.text, self._at(body, PRODUCT))
                return Piece(text, EXPECTATION, node)

    def _number(self, node: Number) -> Piece:
        digits = decimal(abs(node.value))
        if digits is None:
            return fold(literal(node.value), self._piece)
        if "e" in digits and self.style.powers:
            return fold(_scientific(digits, node.value < 0), self._piece)
        text = self.style.number(digits)
        if node.value < 0:
            return Piece(self.style.negate(text), UNARY, node, negative=True)
        return Piece(text, ATOM, node, numeric=True)

    def _power(self, node: Power, parts: list[Piece]) -> Piece:
        base, power = parts
        is_tower = isinstance(node.base, Power)
        base = self._grouped(base, ATOM if is_tower else POWER)
        number = exponent(node.exponent)
        if number is not node.exponent:
            power = self._number(number) if isinstance(number, Number) else power
        return Piece(self.style.power(base, power, node.entrywise), POWER, node, numeric=base.numeric)

    def _sum(self, node: Chain, parts: list[Piece]) -> Piece:
        first = parts[0]
        texts = [first.text]
        for operator, part in zip(node.operators, parts[1:], strict=True):
            loose = part.level == SUM or part.negative
            texts.append(self.style.sum("", operator, self.style.group(part) if loose else part.text))
        return Piece("".join(texts), SUM, node, first.negative, first.numeric)

    def _product(self, node: Chain, parts: list[Piece]) -> Piece:
        bar = self.style.fractions
        left = parts[0] if bar and node.operators[0] == "/" else self._grouped(parts[0], PRODUCT)
        for k, (operator, part) in enumerate(zip(node.operators, parts[1:], strict=True)):
            right = part if bar and operator == "/" else self._grouped(part, FRACTION)
            made = self.style.product(left, operator, right)
            so_far = Chain(node.operands[: k + 2], node.operators[: k + 1]) if k < 1 else node
            left = Piece(made.text, made.level, so_far, made.negative, made.numeric)
        return left


def is_plain_number(node: Syntax) -> bool:
    """Tell a number literal that is written without a sign or a quotient."""
    return isinstance(node, Number) and node.value >= 0 and decimal(node.value) is not None


def is_number_quotient(node: Syntax) -> bool:
    """Tell a quotient of number literals, which is written tight: ``1/2``."""
    if isinstance(node, Negate):
        node = node.operand
    if isinstance(node, Number):
        return True
    return (
        isinstance(node, Chain)
        and len(node.operators) < MOST_TIGHT
        and set(node.operators) == {"/"}
        and all(is_plain_number(n) for n in node.operands)
    )
