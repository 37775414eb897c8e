"""Presentation MathML Core, as browsers draw it without any library."""

from __future__ import annotations

import re
from html import escape
from typing import ClassVar

from pullback.syntax.names import GREEK
from pullback.syntax.printer import ATOM, FRACTION, POWER, PRODUCT, Piece, Style
from pullback.syntax.tree import Call

_APPLY = "<mo>&#x2061;</mo>"
_TIMES = "<mo>&#x2062;</mo>"
_BEFORE_CALL = '<mo lspace="0.17em">&#x2062;</mo>'
"""Between a factor and the name of a function, as LaTeX spaces them."""
_NAME = re.compile(r"([^\W\d_]+?)(?:_?([0-9]+)|_(\w+))?")
_TALL = ("<mfrac", "<mtable", "<munder", "<mover", "<msqrt")
"""What parentheses have to grow with."""
_FILLED = {"ones": "1", "eye": "I", "zeros": "0"}


class MathML:
    """Well-formed XML; every construct is one element, so that attributes can be put on it."""

    fractions = True
    powers = True
    operators: ClassVar[dict[str, str]] = {".*": "⊙", "./": "⊘", "kron": "⊗"}

    def group(self, piece: Piece) -> str:
        """Put parentheses around."""
        return _fenced("(", piece.text, ")")

    def number(self, digits: str) -> str:
        """Write an unsigned decimal."""
        return f"<mn>{digits}</mn>"

    def name(self, identifier: str) -> str:
        """Write a name, digits and subscripts below the line."""
        parts = _NAME.fullmatch(identifier)
        if parts is None:
            return f"<mi>{escape(identifier)}</mi>"
        stem, digits, rest = parts.groups()
        base = f"<mi>{escape(GREEK.get(stem, stem))}</mi>"
        if digits:
            return f"<msub>{base}<mn>{digits}</mn></msub>"
        return f"<msub>{base}<mi>{escape(GREEK.get(rest, rest))}</mi></msub>" if rest else base

    def negate(self, operand: str) -> str:
        """Write a minus before."""
        return f'<mrow><mo form="prefix">−</mo>{operand}</mrow>'

    def transpose(self, operand: Piece) -> str:
        """Write a transpose."""
        return f"<msup>{self._base(operand)}<mo>⊤</mo></msup>"

    def power(self, base: Piece, power: Piece, entrywise: bool) -> str:
        """Write a power; an entrywise one is marked with a circle."""
        raised = f"<mrow>{'<mo>∘</mo>' if entrywise else ''}{power.text}</mrow>"
        return f"<msup>{self._base(base)}{raised}</msup>"

    def _base(self, piece: Piece) -> str:
        return self.group(piece) if piece.level == POWER else piece.text

    def sum(self, left: str, operator: str, right: str) -> str:
        """Write one term more."""
        return f"{left}<mo>{'−' if operator == '-' else operator}</mo>{right}"

    def product(self, left: Piece, operator: str, right: Piece) -> Piece:
        """Write one factor more."""
        if operator == "/":
            return Piece(f"<mfrac>{_row(left)}{_row(right)}</mfrac>", FRACTION, right.node)
        sign = "<mo>·</mo>" if right.numeric else _BEFORE_CALL if isinstance(right.node, Call) else _TIMES
        joint = sign if operator == "*" else f"<mo>{self.operators[operator]}</mo>"
        return Piece(left.text + joint + right.text, PRODUCT, right.node, left.negative, left.numeric)

    def call(self, node: Call, arguments: list[Piece]) -> Piece:
        """Write a function applied."""
        return Piece(_call(node.function, arguments), ATOM, node)

    def indexed(self, operand: str, indices: tuple[str, ...]) -> str:
        """Write an entry."""
        return f"<msub>{operand}{self._list(indices)}</msub>"

    def comprehension(self, indices: tuple[str, ...], body: str) -> str:
        """Write a tensor by its entries, with its axes below the bracket."""
        return f"<msub>{_fenced('[', body, ']')}{self._list(indices)}</msub>"

    def _list(self, indices: tuple[str, ...]) -> str:
        return f"<mrow>{'<mo>,</mo>'.join(map(self.name, indices))}</mrow>"

    def expectation(self, variable: str, mean: str, covariance: str, body: str) -> str:
        """Write a mean over a Gaussian vector."""
        law = f"<mi>N</mi>{_APPLY}{_fenced('(', f'{mean}<mo>,</mo>{covariance}', ')')}"
        return f"<msub><mi>𝔼</mi><mrow>{self.name(variable)}<mo>∼</mo>{law}</mrow></msub>{body}"

    def document(self, text: str) -> str:
        """Give the finished element of one expression."""
        return f'<math display="block"><mrow>{text}</mrow></math>'

    def program(self, lines: list[tuple[str | None, str]]) -> str:
        """Give the statements as rows of a table."""
        rows = "".join(
            f"<mtr><mtd>{f'{name}<mo>=</mo>' if name else ''}</mtd><mtd><mrow>{value}</mrow></mtd></mtr>"
            for name, value in lines
        )
        return f'<math display="block"><mtable>{rows}</mtable></math>'


def _row(piece: Piece) -> str:
    return f"<mrow>{piece.text}</mrow>"


def _fenced(opener: str, inside: str, closer: str) -> str:
    # A browser leaves room for the tallest form of what may stretch, even where nothing is tall.
    still = "" if any(tag in inside for tag in _TALL) else ' stretchy="false"'
    return (
        f'<mrow><mo form="prefix" fence="true"{still}>{opener}</mo>{inside}'
        f'<mo form="postfix" fence="true"{still}>{closer}</mo></mrow>'
    )


def _call(function: str, arguments: list[Piece]) -> str:
    inside = "<mo>,</mo>".join(a.text for a in arguments)
    if function in _FILLED and arguments:
        below = "<mo>×</mo>".join(a.text for a in arguments)
        sign = "mn" if _FILLED[function].isdigit() else "mi"
        return f"<msub><{sign}>{_FILLED[function]}</{sign}><mrow>{below}</mrow></msub>"
    if len(arguments) == 1:
        if function == "abs":
            return _fenced("|", inside, "|")
        if function == "norm":
            return _fenced("‖", inside, "‖")
        if function == "norm1":
            return f"<msub>{_fenced('‖', inside, '‖')}<mn>1</mn></msub>"
        if function == "sqrt":
            return f"<msqrt>{inside}</msqrt>"
    if function == "pi" and not arguments:
        return '<mi mathvariant="normal">π</mi>'
    name = {"sigmoid": "σ", "logdet": "log det"}.get(function, function)
    return f"<mrow><mi>{escape(name)}</mi>{_APPLY}{_fenced('(', inside, ')')}</mrow>"


STYLES: dict[str, Style] = {"mathml": MathML()}
