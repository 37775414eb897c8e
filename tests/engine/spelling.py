"""A speller of programs, by the precedence in notation.md; it shares nothing with the package's printer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

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
from tests.engine.generation import Below

SUM, PRODUCT, MINUS, POSTFIX, ATOM = range(5)


def spell(tree: Syntax, below: Below = lambda _: 0) -> str:
    """Spell a tree; ``below`` chooses among ways to write the same."""
    return _Spelling(below).text(tree, SUM)


@dataclass
class _Spelling:
    below: Below

    def text(self, tree: Syntax, least: int) -> str:
        text, level = self.plain(tree)
        return f"({text})" if level < least else text

    def plain(self, tree: Syntax) -> tuple[str, int]:
        match tree:
            case Number(value):
                if value.denominator == 1:
                    return str(value.numerator), ATOM
                return f"{float(value)}", ATOM
            case Name(identifier):
                return identifier, ATOM
            case Negate(operand):
                return "-" + self.text(operand, POSTFIX), MINUS
            case Transpose(operand):
                return self.text(operand, ATOM if isinstance(operand, Power) else POSTFIX) + self.turn(), POSTFIX
            case Power(base, exponent, entrywise):
                sign = " .^ " if entrywise else "^"
                raised = self.text(exponent, ATOM)
                if isinstance(exponent, Negate) and isinstance(exponent.operand, Number):
                    raised = f"-{self.text(exponent.operand, ATOM)}"
                return f"{self.text(base, ATOM)}{sign}{raised}", POSTFIX
            case Chain(operands, operators) if tree.is_sum:
                parts = [self.text(operands[0], SUM)]
                for operator, operand in zip(operators, operands[1:], strict=True):
                    parts.append(f" {operator} {self.text(operand, PRODUCT)}")
                return "".join(parts), SUM
            case Chain(operands, operators):
                text = self.text(operands[0], PRODUCT)
                for operator, operand in zip(operators, operands[1:], strict=True):
                    right = self.text(operand, POSTFIX)
                    text += self.between(operator, operands[0], right) + right
                return text, PRODUCT
            case Call(function, arguments):
                return f"{function}({', '.join(self.text(a, SUM) for a in arguments)})", ATOM
            case Indexed(operand, indices):
                return f"{self.text(operand, ATOM)}[{','.join(indices)}]", ATOM
            case Comprehension(indices, body):
                return f"[{','.join(indices)}: {self.text(body, SUM)}]", ATOM
        raise AssertionError("expectations are not generated")

    def turn(self) -> str:
        return ("'", "'", "'", "ᵀ", "^T")[self.below(5)]

    def between(self, operator: str, first: Syntax, right: str) -> str:
        if operator == "kron":
            return " ⊗ "
        if operator != "*":
            return f" {operator} "
        if right[0].isdigit() or right[0] == "[":
            return " * "
        return (" ", " ", " ", " * ", " @ ", "·")[self.below(6)] if right[0].isalpha() else " "


def spell_program(bindings: Sequence[Binding], literal: dict[str, int], below: Below) -> str:
    """Spell statements, dimensions that are numbers as these."""
    lines = []
    for binding in bindings:
        text = spell(with_lengths(binding.value, literal), below)
        lines.append(f"{binding.name} = {text}" if binding.name is not None else text)
    return "\n".join(lines)


def with_lengths(tree: Syntax, literal: dict[str, int]) -> Syntax:
    """Put numbers for dimension names."""
    match tree:
        case Name(identifier) if identifier in literal:
            return Number(Fraction(literal[identifier]))
        case Negate(operand):
            return Negate(with_lengths(operand, literal))
        case Transpose(operand):
            return Transpose(with_lengths(operand, literal))
        case Power(base, exponent, entrywise):
            return Power(with_lengths(base, literal), with_lengths(exponent, literal), entrywise)
        case Chain(operands, operators):
            return Chain(tuple(with_lengths(o, literal) for o in operands), operators)
        case Call(function, arguments):
            return Call(function, tuple(with_lengths(a, literal) for a in arguments))
        case Indexed(operand, indices):
            return Indexed(with_lengths(operand, literal), indices)
        case Comprehension(indices, body):
            return Comprehension(indices, with_lengths(body, literal))
    return tree


def names_of(tree: Syntax) -> set[str]:
    """All names in a tree, those of dimensions too."""
    match tree:
        case Name(identifier):
            return {identifier}
        case Negate(operand) | Transpose(operand) | Indexed(operand):
            return names_of(operand)
        case Power(base, exponent):
            return names_of(base) | names_of(exponent)
        case Chain(operands) | Call(_, operands):
            return {name for operand in operands for name in names_of(operand)}
        case Comprehension(_, body):
            return names_of(body)
    return set()
