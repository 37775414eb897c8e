"""How the signs of a derivation look: entries, partial derivatives and differentials beside the notation.

The printer of the notation decides where parentheses go; the styles here add to its own how an entry
``w_12`` and a derivative ``dL/dy`` are written in plain text, Unicode, LaTeX and MathML.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pullback.derivation.formula import DIFFERENTIAL, EXTENT, LITERAL, PARTIAL, PLACE, TOTAL
from pullback.syntax.forms import fold, rebuild
from pullback.syntax.names import latex_name, unicode_name
from pullback.syntax.printer import ATOM, EXPECTATION, FRACTION, PRODUCT, SUM, UNARY, Piece, Style, _Layout
from pullback.syntax.styles.latex import Latex
from pullback.syntax.styles.mathml import MathML
from pullback.syntax.styles.text import PlainText, UnicodeText
from pullback.syntax.tree import Call, Chain, Negate, Syntax

_OPEN, _CLOSE = "\x01", "\x02"
"""Around a quotient in a line of text: they become parentheses if something is multiplied to it."""

_LOWER = {c: s for c, s in zip("0123456789aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)}
_RAISED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True))
_LOWERED_NAME = re.compile(r"([^\W\d_]+)([₀-₉]+)$")
_LATEX_NAME = re.compile(r"(.+)_\{([^{}]+|\\mathrm\{[^{}]*\})\}$")
_MATHML_NAME = re.compile(r"<msub>(<mi>[^<]*</mi>)(<m[in]>[^<]*</m[in]>)</msub>$")
_E_NOTATION = re.compile(r"(.*)e([+-])0*(\d+)$")


class BoardPlain(PlainText):
    """Plain text: ``dL/dy_1``, ``w_12``."""

    sign = "d"
    dot = " * "
    times = " x "

    def group(self, piece: Piece) -> str:
        """Put parentheses around."""
        return f"({_bare(piece.text)})"

    def call(self, node: Call, arguments: list[Piece]) -> Piece:
        """Write derivatives, differentials and numbers; else as the notation does."""
        if node.function == PARTIAL:
            above, below = (_bare(a.text) if a.level >= ATOM else f"({_bare(a.text)})" for a in arguments)
            return Piece(f"{_OPEN}{self.sign}{above}/{self.sign}{below}{_CLOSE}", FRACTION, node)
        if node.function == DIFFERENTIAL:
            return Piece(f"d{arguments[0].text}", ATOM, node)
        if node.function == LITERAL:
            return _number(node.arguments[0].identifier, node)  # type: ignore[union-attr]
        if node.function == TOTAL:
            body = arguments[0]
            inside = body.text if body.level >= PRODUCT else self.group(body)
            return Piece(self.total(inside, tuple(a.text for a in arguments[1:])), EXPECTATION, node)
        if node.function == PLACE:
            inside = ", ".join(a.text for a in arguments)
            return Piece(inside if len(arguments) == 1 else f"({inside})", ATOM, node)
        if node.function == EXTENT:
            return Piece(self.times.join(_bare(a.text) for a in arguments), SUM, node)
        return super().call(node, [Piece(_bare(a.text), a.level, a.node, a.negative, a.numeric) for a in arguments])

    def total(self, body: str, indices: tuple[str, ...]) -> str:
        """Write a sum over indices."""
        return f"sum_{_joined(indices)} {body}"

    def product(self, left: Piece, operator: str, right: Piece) -> Piece:
        """Write one factor more; quotients of derivatives stand in parentheses, all but the last."""
        closes = _closed(left.text)
        text = right.text
        if right.text.startswith(_OPEN) and closes.endswith(")") and left.text.endswith((_CLOSE, ")")):
            text = _closed(text)
        if operator == "*" and right.numeric:
            return Piece(closes + self.dot + text, left.level, right.node, left.negative, left.numeric)
        made = super().product(Piece(closes, left.level, left.node), operator, Piece(text, right.level, right.node))
        joined = made.text
        if operator == "*" and closes.endswith(")") and text.startswith("(") and left.text.endswith((_CLOSE, ")")):
            joined = closes + text
        return Piece(joined, made.level, made.node, left.negative, left.numeric)

    def indexed(self, operand: str, indices: tuple[str, ...]) -> str:
        """Write an entry."""
        return f"{operand}_{_joined(indices)}"

    def document(self, text: str) -> str:
        """Give the finished text."""
        return _bare(text)


class BoardUnicode(BoardPlain, UnicodeText):
    """Unicode: ``∂L/∂y₁``, ``w₁₂``; the entries of W1 are ``w⁽¹⁾₁₂``."""

    sign = "∂"
    dot = "·"
    times = " × "

    def call(self, node: Call, arguments: list[Piece]) -> Piece:
        """Write what the board has signs for; the number π has one too."""
        if node.function == "pi" and not arguments:
            return Piece("π", ATOM, node)
        return super().call(node, arguments)

    def total(self, body: str, indices: tuple[str, ...]) -> str:
        """Write a sum over indices."""
        if all(len(i) == 1 and i in _LOWER for i in indices):
            return f"Σ{''.join(_LOWER[i] for i in indices)} {body}"
        return f"Σ_{_joined(indices)} {body}"

    def indexed(self, operand: str, indices: tuple[str, ...]) -> str:
        """Write an entry."""
        if operand.startswith(f"({self.sign}"):
            return f"{operand}_{_joined(tuple(map(unicode_name, indices)))}"
        name = _LOWERED_NAME.match(operand)
        if name is not None:
            raised = "".join(_RAISED[c] for c in name[2])
            operand = f"{name[1]}⁽{raised}⁾"
        if all(c in _LOWER for index in indices for c in index) and all(len(i) == 1 for i in indices):
            return operand + "".join(_LOWER[c] for index in indices for c in index)
        return f"{operand}_{_joined(indices)}"


class BoardLatex(Latex):
    """LaTeX."""

    def call(self, node: Call, arguments: list[Piece]) -> Piece:
        """Write derivatives, differentials and numbers; else as the notation does."""
        if node.function == PARTIAL:
            above, below = (a.text if a.level >= ATOM else rf"\left({a.text}\right)" for a in arguments)
            return Piece(rf"\frac{{\partial {above}}}{{\partial {below}}}", FRACTION, node)
        if node.function == DIFFERENTIAL:
            return Piece(rf"\mathrm{{d}}{arguments[0].text}", ATOM, node)
        if node.function == LITERAL:
            piece = _number(node.arguments[0].identifier, node)  # type: ignore[union-attr]
            return Piece(_latex_number(piece.text), piece.level, node, piece.negative, piece.numeric)
        if node.function == TOTAL:
            body = arguments[0]
            inside = body.text if body.level >= PRODUCT else self.group(body)
            return Piece(rf"\sum_{{{','.join(a.text for a in arguments[1:])}}} {inside}", EXPECTATION, node)
        if node.function == PLACE:
            inside = ", ".join(a.text for a in arguments)
            return Piece(inside if len(arguments) == 1 else f"({inside})", ATOM, node)
        if node.function == EXTENT:
            return Piece(r" \times ".join(a.text for a in arguments), SUM, node)
        return super().call(node, arguments)

    def indexed(self, operand: str, indices: tuple[str, ...]) -> str:
        """Write an entry."""
        if operand.startswith(r"\left(\frac{\partial") and len(indices) == 1:
            inside = operand.removeprefix(r"\left(").removesuffix(r"\right)")
            return rf"\left.{inside}\right|_{{{latex_name(indices[0])}}}"
        name = _LATEX_NAME.match(operand)
        below = _joined(indices, braces=False)
        if name is not None and operand.count("_") == 1:
            return f"{{{name[1]}^{{({name[2]})}}_{{{below}}}}}"
        return f"{{{operand}}}_{{{below}}}" if "^" in operand else f"{operand}_{{{below}}}"


class BoardMathML(MathML):
    """MathML."""

    def call(self, node: Call, arguments: list[Piece]) -> Piece:
        """Write derivatives, differentials and numbers; else as the notation does."""
        if node.function == PARTIAL:
            above, below = (f"<mrow><mo>∂</mo>{a.text}</mrow>" for a in arguments)
            return Piece(f"<mfrac>{above}{below}</mfrac>", FRACTION, node)
        if node.function == DIFFERENTIAL:
            return Piece(f'<mrow><mi mathvariant="normal">d</mi>{arguments[0].text}</mrow>', ATOM, node)
        if node.function == LITERAL:
            piece = _number(node.arguments[0].identifier, node)  # type: ignore[union-attr]
            return Piece(mathml_number(piece.text), piece.level, node, piece.negative, piece.numeric)
        if node.function == TOTAL:
            body = arguments[0]
            inside = body.text if body.level >= PRODUCT else self.group(body)
            below = "<mo>,</mo>".join(a.text for a in arguments[1:])
            return Piece(f"<mrow><munder><mo>∑</mo><mrow>{below}</mrow></munder>{inside}</mrow>", EXPECTATION, node)
        if node.function == PLACE:
            inside = "<mo>,</mo>".join(a.text for a in arguments)
            fenced = f'<mrow><mo stretchy="false">(</mo>{inside}<mo stretchy="false">)</mo></mrow>'
            return Piece(inside if len(arguments) == 1 else fenced, ATOM, node)
        if node.function == EXTENT:
            return Piece(f"<mrow>{'<mo>×</mo>'.join(a.text for a in arguments)}</mrow>", SUM, node)
        return super().call(node, arguments)

    def indexed(self, operand: str, indices: tuple[str, ...]) -> str:
        """Write an entry."""
        parts = [f"<mn>{i}</mn>" if i.isdigit() else self.name(i) for i in indices]
        comma = any(len(i) > 1 for i in indices)
        below = ("<mo>,</mo>" if comma else "").join(parts)
        if len(parts) > 1:
            below = f"<mrow>{below}</mrow>"
        name = _MATHML_NAME.match(operand)
        if name is not None:
            raised = f"<mrow><mo>(</mo>{name[2]}<mo>)</mo></mrow>"
            return f"<msubsup>{name[1]}{below}{raised}</msubsup>"
        return f"<msub><mrow>{operand}</mrow>{below}</msub>"

    def document(self, text: str) -> str:
        """Give the inside of the element; a line puts it together with other parts."""
        return f"<mrow>{text}</mrow>"


STYLES: dict[str, Style] = {
    "plain": BoardPlain(),
    "unicode": BoardUnicode(),
    "latex": BoardLatex(),
    "mathml": BoardMathML(),
}


@lru_cache(maxsize=8192)
def write(tree: Syntax, style: str) -> str:
    r"""Print an expression of the board.

    >>> from pullback.derivation.formula import entry, partial
    >>> from pullback.syntax.tree import Name
    >>> tree = partial(Name("L"), entry("w", (1, 2)))
    >>> write(tree, "plain"), write(tree, "unicode"), write(tree, "latex")
    ('dL/dw_12', '∂L/∂w₁₂', '\\frac{\\partial L}{\\partial w_{12}}')
    """
    writer = STYLES[style]
    settled = _settled_before_bars if writer.fractions else _settled
    return writer.document(_Layout(writer).text(fold(tree, settled)))


def _settled_before_bars(node: Syntax, parts: list[Syntax]) -> Syntax:
    """The same where quotients have bars: a minus stands before the bar."""
    made = rebuild(node, parts)
    if isinstance(made, Negate) and isinstance(made.operand, Chain) and made.operand.operators[-1] == "/":
        return made
    return _settled(node, parts)


def _settled(node: Syntax, parts: list[Syntax]) -> Syntax:
    """Let a minus before a product stand at its first factor, where it needs no parentheses."""
    made = rebuild(node, parts)
    if isinstance(made, Negate) and isinstance(made.operand, Chain) and not made.operand.is_sum:
        first, *rest = made.operand.operands
        return Chain((first.operand if isinstance(first, Negate) else Negate(first), *rest), made.operand.operators)
    return made


def _bare(text: str) -> str:
    return text.replace(_OPEN, "").replace(_CLOSE, "")


def _closed(text: str) -> str:
    return text.replace(_OPEN, "(").replace(_CLOSE, ")")


def _joined(indices: tuple[str, ...], braces: bool = True) -> str:
    if all(len(i) == 1 for i in indices):
        return "".join(indices)
    inside = ",".join(indices)
    return f"{{{inside}}}" if braces and len(indices) > 1 else inside


def _number(text: str, node: Call) -> Piece:
    negative = text.startswith("-")
    return Piece(text, UNARY if negative else ATOM, node, negative=negative, numeric=not negative)


def _latex_number(text: str) -> str:
    found = _E_NOTATION.match(text)
    if found is not None:
        return rf"{found[1]} \cdot 10^{{{'-' if found[2] == '-' else ''}{found[3]}}}"
    return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}.get(text, text)


def mathml_number(text: str) -> str:
    """A number, its power of ten raised."""
    minus = "<mo>−</mo>" if text.startswith("-") else ""
    text = text.removeprefix("-")
    found = _E_NOTATION.match(text)
    if found is not None:
        power = f"<mo>−</mo><mn>{found[3]}</mn>" if found[2] == "-" else f"<mn>{found[3]}</mn>"
        return f"<mrow>{minus}<mn>{found[1]}</mn><mo>·</mo><msup><mn>10</mn><mrow>{power}</mrow></msup></mrow>"
    shown = {"inf": "∞", "nan": "NaN"}.get(text, text)
    return f"<mrow>{minus}<mn>{shown}</mn></mrow>" if minus else f"<mn>{shown}</mn>"
