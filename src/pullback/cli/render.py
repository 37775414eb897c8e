"""Closed forms as text in the formats of ``--format``."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pullback.syntax.names import latex_name, unicode_name

if TYPE_CHECKING:
    import pullback as pb

SCHEMA = 1


@dataclass(slots=True)
class Result:
    """One closed form: the derivative of ``of`` by the inputs ``wrt``, with its numbers where there are any."""

    wrt: tuple[str, ...]
    of: str
    expression: pb.Expression
    value: Any = None

    @property
    def label(self) -> str:
        """``dL/dW``, and ``d2L/dxdy`` for a second derivative."""
        if len(self.wrt) == 1:
            return f"d{self.of}/d{self.wrt[0]}"
        return f"d2{self.of}/{''.join(f'd{name}' for name in self.wrt)}"


def as_text(results: list[Result], style: str, *, labelled: bool) -> str:
    """Write closed forms, one a line, each after its label where ``labelled``."""
    return "\n".join(_WRITERS[style](result, labelled) for result in results)


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


def _plain_text(result: Result, labelled: bool) -> str:
    return f"{result.label} = {result.expression}" if labelled else str(result.expression)


def _unicode(result: Result, labelled: bool) -> str:
    text = result.expression.unicode()
    if not labelled:
        return text
    below = "".join(f"∂{unicode_name(name)}" for name in result.wrt)
    return f"∂{'²' if len(result.wrt) > 1 else ''}{result.of}/{below} = {text}"


def _latex(result: Result, labelled: bool) -> str:
    text = result.expression.latex()
    if not labelled:
        return text
    below = r"\,".join(rf"\partial {latex_name(name)}" for name in result.wrt)
    return rf"\frac{{\partial{'^2' if len(result.wrt) > 1 else ''} {result.of}}}{{{below}}} = {text}"


def _markdown(result: Result, labelled: bool) -> str:
    return f"$$\n{_latex(result, labelled)}\n$$"


def _html(result: Result, labelled: bool) -> str:
    mathml = result.expression.mathml()
    return f"<p>{_unicode_label(result)} = {mathml}</p>" if labelled else mathml


def _unicode_label(result: Result) -> str:
    return f"∂{result.of}/{''.join(f'∂{unicode_name(name)}' for name in result.wrt)}"


_WRITERS = {"terminal": _plain_text, "unicode": _unicode, "latex": _latex, "markdown": _markdown, "html": _html}


def _length(length: object) -> int | str:
    return length if isinstance(length, int) else str(length)


def _plain(entry: Any) -> Any:
    """Replace what JSON can't say in nested lists of floats."""
    if isinstance(entry, list):
        return [_plain(item) for item in entry]
    if math.isfinite(entry):
        return entry
    return "NaN" if math.isnan(entry) else ("Infinity" if entry > 0 else "-Infinity")
