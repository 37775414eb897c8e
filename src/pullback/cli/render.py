"""Closed forms as text in the formats of ``--format``."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from pullback.expression import Expression, Results
from pullback.syntax.names import latex_name, normalise, unicode_name
from pullback.syntax.printer import StyleName, show

SCHEMA = 1


@dataclass(slots=True)
class Result:
    """One closed form: the derivative of ``of`` by the inputs ``wrt``, with its numbers where there are any."""

    wrt: tuple[str, ...]
    of: str
    expression: Expression
    value: Any = None

    @property
    def label(self) -> str:
        """``dL/dW``, and ``d2L/dxdy`` for a second derivative."""
        if len(self.wrt) == 1:
            return f"d{self.of}/d{self.wrt[0]}"
        return f"d2{self.of}/{''.join(f'd{name}' for name in self.wrt)}"


def as_text(result: Result, style: str) -> str:
    """Write one closed form alone."""
    text = result.expression.show(_STYLES[style])
    return text if style == "html" else _wrapped(text, style)


def labelled_text(results: list[Result], style: str) -> str:
    """Write closed forms, one a line after its label; the parts that they share are named once, before them."""
    expressions = {str(number): result.expression for number, result in enumerate(results)}
    spelled = Results(expressions, {name: name for name in expressions}).spelled
    notation = _STYLES[style]
    lines = [f"{_name(binding.name or '', style)} = {show(binding.value, notation)}" for binding in spelled.where]
    for result, tree in zip(results, spelled.results, strict=True):
        lines.append(f"{_label(result, style)} = {show(tree, notation)}")
    return "\n".join(_wrapped(line, style) for line in lines)


def as_json(command: str, program: str, results: list[Result]) -> str:
    """Write closed forms as JSON; numbers that JSON has no word for are the strings NaN, Infinity, -Infinity."""
    entries: list[dict[str, object]] = []
    for result in results:
        expression = result.expression
        entry: dict[str, object] = {
            "name": result.label,
            "wrt": list(result.wrt),
            "text": str(expression),
            "unicode": expression.unicode(),
            "latex": expression.latex(),
            "shape": [_length(length) for length in expression.shape],
            "is_matrix_form": expression.is_matrix_form,
        }
        if result.value is not None:
            entry["value"] = _plain(result.value.tolist())
        entries.append(entry)
    document = {"schema": SCHEMA, "command": command, "program": program, "results": entries}
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)


_STYLES: dict[str, StyleName] = {
    "terminal": "plain",
    "unicode": "unicode",
    "latex": "latex",
    "markdown": "latex",
    "html": "mathml",
}


def _wrapped(text: str, style: str) -> str:
    if style == "markdown":
        from pullback.rendering.markdown import displayed

        return displayed(text)
    return f"<p>{text}</p>" if style == "html" else text


def _name(name: str, style: str) -> str:
    if style in ("latex", "markdown"):
        return latex_name(normalise(name))
    return unicode_name(normalise(name)) if style in ("unicode", "html") else name


def _label(result: Result, style: str) -> str:
    """``dL/dW`` in a style, ``d2L/dxdy`` for a second derivative."""
    twice = len(result.wrt) > 1
    if style in ("latex", "markdown"):
        below = r"\,".join(rf"\partial {_name(name, style)}" for name in result.wrt)
        return rf"\frac{{\partial{'^2' if twice else ''} {result.of}}}{{{below}}}"
    if style in ("unicode", "html"):
        below = "".join(f"∂{_name(name, style)}" for name in result.wrt)
        return f"∂{'²' if twice else ''}{result.of}/{below}"
    return result.label


def _length(length: object) -> int | str:
    return length if isinstance(length, int) else str(length)


def _plain(entry: Any) -> Any:
    """Replace what JSON can't say in nested lists of floats."""
    if isinstance(entry, list):
        return [_plain(item) for item in entry]
    if math.isfinite(entry):
        return entry
    return "NaN" if math.isnan(entry) else ("Infinity" if entry > 0 else "-Infinity")
