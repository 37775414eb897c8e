"""LaTeX, as papers write it and as the LaTeX reader reads it."""

from __future__ import annotations

import re
from typing import ClassVar

from pullback.syntax.latex_tokens import ARGUMENTS
from pullback.syntax.names import latex_name
from pullback.syntax.printer import ATOM, FRACTION, POWER, PRODUCT, Piece, Style
from pullback.syntax.tree import Call, Name, Number

COMMANDS = frozenset("exp log sin cos tan sinh cosh tanh det max min".split())
"""Functions that are LaTeX commands of the same name."""

FILLED = {"ones": "1", "eye": "I", "zeros": "0"}
"""Constant arrays, written as a bold sign with the dimensions below."""

_READ_AS_CALL = re.compile(r"\\sigma$")
_NAME = re.compile(r"(?:^|[\s{-])(?:[A-Za-z]|\\[a-z]+)(?:_\{?\w+\}?)?$|\\mathit\{\w+\}$")
_ARGUMENT = re.compile(r"\\left\(" + ARGUMENTS.pattern)


class Latex:
    """LaTeX in mathematics mode, without the delimiters around it."""

    fractions = True
    powers = True
    operators: ClassVar[dict[str, str]] = {".*": r"\odot", "./": r"\oslash", "kron": r"\otimes"}

    def group(self, piece: Piece) -> str:
        """Put parentheses around."""
        return rf"\left({piece.text}\right)"

    def number(self, digits: str) -> str:
        """Write an unsigned decimal."""
        return digits

    def name(self, identifier: str) -> str:
        """Write a name."""
        return latex_name(identifier)

    def negate(self, operand: str) -> str:
        """Write a minus before."""
        return f"-{operand}"

    def transpose(self, operand: Piece) -> str:
        """Write a transpose; that of an inverse is one superscript."""
        if operand.level == POWER and operand.text.endswith("^{-1}"):
            return operand.text.removesuffix("^{-1}") + r"^{-\top}"
        return self._base(operand) + r"^\top"

    def power(self, base: Piece, power: Piece, entrywise: bool) -> str:
        """Write a power; an entrywise one is marked with a circle."""
        text = power.text
        if isinstance(power.node, Name) and text.startswith("T"):
            text = rf"\left({text}\right)"
        if entrywise:
            return self._base(base) + rf"^{{\circ {text}}}"
        short = len(text) == 1 and isinstance(power.node, Number)
        return self._base(base) + (f"^{text}" if short else f"^{{{text}}}")

    def _base(self, piece: Piece) -> str:
        ambiguous = piece.level == POWER or (isinstance(piece.node, Name) and piece.text == "e")
        return self.group(piece) if ambiguous else piece.text

    def sum(self, left: str, operator: str, right: str) -> str:
        """Write one term more."""
        return f"{left} {operator} {right}"

    def product(self, left: Piece, operator: str, right: Piece) -> Piece:
        """Write one factor more."""
        if operator == "/":
            return Piece(rf"\frac{{{left.text}}}{{{right.text}}}", FRACTION, right.node)
        joint = self.operators.get(operator, "")
        if operator == "*" and (
            right.numeric or (right.text.startswith(r"\left(") and _READ_AS_CALL.search(left.text[-80:]))
        ):
            joint = r"\cdot"
        elif not joint and _NAME.search(left.text[-80:]) and _ARGUMENT.match(right.text):
            joint = r"\,"
        text = f"{left.text} {joint} {right.text}" if joint else f"{left.text} {right.text}"
        return Piece(text, PRODUCT, right.node, left.negative, left.numeric)

    def call(self, node: Call, arguments: list[Piece]) -> Piece:
        """Write a function applied, in the way that it is usually written."""
        return Piece(self._call(node.function, arguments), ATOM, node)

    def _call(self, function: str, arguments: list[Piece]) -> str:
        inside = ", ".join(a.text for a in arguments)
        if function in FILLED and 1 <= len(arguments) <= 2 and all(_is_dimension(a) for a in arguments):
            return rf"\mathbf{{{FILLED[function]}}}_{{" + r" \times ".join(a.text for a in arguments) + "}"
        if len(arguments) == 1:
            if function in ("norm", "norm1") or (function == "abs" and inside == inside.lower()):
                bar = "|" if function == "abs" else r"\|"
                if "|" in inside:
                    return rf"\operatorname{{{function}}}\left({inside}\right)"
                return bar + inside + bar + ("_1" if function == "norm1" else "")
            if function == "sqrt":
                return rf"\sqrt{{{inside}}}"
        if function == "pi" and not arguments:
            return r"\mathrm{\pi}"
        return rf"{self._function(function)}\left({inside}\right)"

    def _function(self, function: str) -> str:
        if function == "sigmoid":
            return r"\sigma"
        if function == "logdet":
            return r"\log\det"
        if function in COMMANDS:
            return f"\\{function}"
        stem = function.rstrip("'")
        if len(stem) == 1 or stem != function:
            return latex_name(stem) + function[len(stem) :]
        return r"\operatorname{" + function.replace("_", r"\_") + "}"

    def indexed(self, operand: str, indices: tuple[str, ...]) -> str:
        """Write an entry."""
        base = operand if len(operand) == 1 or operand.endswith(r"\right)") else rf"\left({operand}\right)"
        return f"{base}_{{{','.join(i if i == ':' else latex_name(i) for i in indices)}}}"

    def comprehension(self, indices: tuple[str, ...], body: str) -> str:
        """Write a tensor by its entries, with its axes below the bracket."""
        return rf"\left[{body}\right]_{{{','.join(map(latex_name, indices))}}}"

    def expectation(self, variable: str, mean: str, covariance: str, body: str) -> str:
        """Write a mean over a Gaussian vector."""
        return rf"\mathbb{{E}}_{{{latex_name(variable)} \sim \mathcal{{N}}\left({mean}, {covariance}\right)}} {body}"

    def document(self, text: str) -> str:
        """Give the finished text of one expression."""
        return text

    def program(self, lines: list[tuple[str | None, str]]) -> str:
        """Give the statements aligned at their equals signs."""
        rows = [f"& {value}" if name is None else f"{name} &= {value}" for name, value in lines]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _is_dimension(piece: Piece) -> bool:
    return isinstance(piece.node, Name) or (isinstance(piece.node, Number) and piece.numeric)


STYLES: dict[str, Style] = {"latex": Latex()}
