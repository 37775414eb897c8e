"""Plain notation and Unicode: the text that the parser reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

from pullback.syntax.names import unicode_name
from pullback.syntax.printer import ATOM, PRODUCT, Piece, Style, is_number_quotient, is_plain_number
from pullback.syntax.tree import Call, Name, Number

_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ"
_TAIL_WORD = re.compile(rf"[^\W\d_{_RAISED}][^\W{_RAISED}]+$")
_LETTER_WITH_DIGITS = re.compile(r"[^\W\d_](?:[0-9₀-₉]*|_\w+)$")
_TAIL_LENGTH = 80
_SUPERSCRIPT = str.maketrans("0123456789-", _RAISED[:-1])


class PlainText:
    """Plain notation, as it is typed."""

    fractions = False
    powers = False
    transposed = "'"
    operators: ClassVar[dict[str, str]] = {".*": ".*", "./": "./", "/": "/", "kron": "⊗"}
    spell: Callable[[str], str] = staticmethod(str)

    def group(self, piece: Piece) -> str:
        """Put parentheses around."""
        return f"({piece.text})"

    def number(self, digits: str) -> str:
        """Write an unsigned decimal."""
        return digits

    def name(self, identifier: str) -> str:
        """Write a name."""
        return self.spell(identifier)

    def negate(self, operand: str) -> str:
        """Write a minus before."""
        return f"-{operand}"

    def transpose(self, operand: Piece) -> str:
        """Write a transpose."""
        return operand.text + self.transposed

    def power(self, base: Piece, power: Piece, entrywise: bool) -> str:
        """Write a power; a number with its sign, a name or a call needs no parentheses."""
        is_number = isinstance(power.node, Number) and not power.text.count("/")
        is_name = isinstance(power.node, Name) and not power.text.startswith("T")
        bare = is_number or is_name or (isinstance(power.node, Call) and power.text.endswith(")"))
        return base.text + (".^" if entrywise else "^") + (power.text if bare else f"({power.text})")

    def sum(self, left: str, operator: str, right: str) -> str:
        """Write one term more."""
        return f"{left} {operator} {right}"

    def product(self, left: Piece, operator: str, right: Piece) -> Piece:
        """Write one factor more; a product is a space wherever that reads the same."""
        if operator == "*":
            joint = " * " if right.numeric or (right.text[0] == "(" and _could_be_called(left.text)) else " "
        elif operator == "/" and is_plain_number(right.node) and is_number_quotient(left.node):
            joint = "/"
        else:
            joint = f" {self.operators[operator]} "
        return Piece(left.text + joint + right.text, PRODUCT, right.node, left.negative, left.numeric)

    def call(self, node: Call, arguments: list[Piece]) -> Piece:
        """Write a function applied."""
        return Piece(f"{node.function}({', '.join(a.text for a in arguments)})", ATOM, node)

    def indexed(self, operand: str, indices: tuple[str, ...]) -> str:
        """Write an entry."""
        return f"{operand}[{','.join(map(self.spell, indices))}]"

    def comprehension(self, indices: tuple[str, ...], body: str) -> str:
        """Write a tensor by its entries."""
        return f"[{','.join(map(self.spell, indices))}: {body}]"

    def expectation(self, variable: str, mean: str, covariance: str, body: str) -> str:
        """Write a mean over a Gaussian vector."""
        return f"E[{self.spell(variable)} ~ N({mean}, {covariance})] {body}"

    def document(self, text: str) -> str:
        """Give the finished text of one expression."""
        return text

    def program(self, lines: list[tuple[str | None, str]]) -> str:
        """Give the statements, one a line."""
        return "\n".join(value if name is None else f"{name} = {value}" for name, value in lines)


class UnicodeText(PlainText):
    """Notation with the symbols of mathematics."""

    transposed = "ᵀ"
    operators: ClassVar[dict[str, str]] = {".*": "⊙", "./": "⊘", "/": "/", "kron": "⊗"}
    spell = staticmethod(unicode_name)

    def power(self, base: Piece, power: Piece, entrywise: bool) -> str:
        """Write a power with raised digits where it is a whole number."""
        if not entrywise and isinstance(power.node, Number) and power.node.value.denominator == 1:
            return base.text + power.text.translate(_SUPERSCRIPT)
        return super().power(base, power, entrywise)

    def call(self, node: Call, arguments: list[Piece]) -> Piece:
        """Write a function applied; norms and absolute values stand between bars."""
        if len(arguments) == 1 and node.function in ("norm", "norm1", "abs"):
            inner = arguments[0].text
            if "‖" not in inner and "|" not in inner:
                bar = "|" if node.function == "abs" else "‖"
                return Piece(bar + inner + bar + ("₁" if node.function == "norm1" else ""), ATOM, node)
        return super().call(node, arguments)


def _could_be_called(text: str) -> bool:
    """Tell whether a parenthesis after the text could be taken for a function's."""
    tail = text[-_TAIL_LENGTH:]
    word = _TAIL_WORD.search(tail)
    return word is not None and _LETTER_WITH_DIGITS.fullmatch(word.group()) is None


STYLES: dict[str, Style] = {"plain": PlainText(), "unicode": UnicodeText()}
