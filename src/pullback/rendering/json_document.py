"""Derivations as JSON: all steps with their expressions in every notation, their numbers and sentences.

``derivation.schema.json`` beside this module describes the document; ``SCHEMA`` is its version, which
changes when a reader of the old one would go wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pullback.derivation.checking import Check
from pullback.derivation.formula import Big, Line, Matrix, Numbers, Part, Sign
from pullback.derivation.record import Record
from pullback.derivation.second import Second
from pullback.derivation.steps import Key, Keys, Parameter, Rule, Shape, Step, Thing
from pullback.rendering.mathml import label
from pullback.rendering.sentences import Speaker
from pullback.rendering.symbols import write
from pullback.syntax.tree import Syntax

SCHEMA = "pullback/derivation/1"


def render(record: Record, code: str) -> str:
    """Write the document."""
    return json.dumps(document(record, code), ensure_ascii=False, indent=1, allow_nan=False)


def document(record: Record, code: str) -> dict[str, Any]:
    """The document as plain data."""
    speaker = Speaker(code, label)
    request = record.request
    results = []
    for name, expression in record.results.items():
        entry: dict[str, Any] = {
            "variable": name,
            "shape": list(expression.shape),
            "plain": str(expression),
            "latex": expression.latex(),
        }
        if record.numbers is not None:
            entry["value"] = _numbers(record.numbers[name].tolist())
        results.append(entry)
    made: dict[str, Any] = {
        "schema": SCHEMA,
        "language": speaker.language.__name__.rpartition(".")[2],
        "method": record.method,
        "program": request.program.source,
        "output": request.names.output,
        "loss": request.names.loss,
        "upstream": None if request.is_loss else request.upstream_name,
        "results": results,
        "steps": [_step(step, speaker) for step in record.steps],
    }
    if record.check is not None:
        made["check"] = _check(record.check)
    if record.second is not None:
        made["second"] = _second(record.second, record.checked)
    return made


def _second(second: Second, checked: bool) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": second.kind,
        "wrt": list(second.wrt),
        "layout": second.layout,
        "shape": list(second.expression.shape),
        "plain": str(second.expression),
        "latex": second.expression.latex(),
    }
    if second.numbers is not None:
        made["value"] = _numbers(second.numbers.tolist())
    if checked and second.check is not None:
        made["check"] = _check(second.check)
    return made


def _check(check: Check) -> dict[str, Any]:
    return {
        "passed": check.passed,
        "worst": _number(check.worst),
        "variable": check.variable,
        "index": list(check.index),
        "derived": _number(check.derived),
        "measured": _number(check.measured),
        "entries": check.entries,
        "method": check.method,
        "draws": check.draws,
        "seed": check.seed,
        "at_values": check.at_values,
        "kinks": check.kinks,
        "undefined": check.undefined,
    }


def _step(step: Step, speaker: Speaker) -> dict[str, Any]:
    made: dict[str, Any] = {
        "kind": step.kind,
        "text": speaker.step(step),
        "detail": step.detail,
        "parameters": _parameters(step.parameters),
        "lines": [_line(board) for board in step.lines],
        "steps": [_step(inner, speaker) for inner in step.steps],
    }
    if step.rule is not None:
        made["rule"] = _rule(step.rule, speaker)
    return made


def _rule(rule: Rule, speaker: Speaker) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": rule.name,
        "text": speaker.rule(rule),
        "entry": rule.name if rule.is_entry else None,
    }
    if rule.pullback:
        made["pullback"] = dict(rule.pullback)
    if rule.source:
        made["source"] = rule.source
    return made


def _parameters(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    return {name: _parameter(value) for name, value in parameters.items()}


def _parameter(value: Parameter) -> Any:
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, Key):
        return {"key": value.key}
    if isinstance(value, Keys):
        return {"keys": list(value.keys)}
    if isinstance(value, Shape):
        return {"shape": list(value.axes)}
    if isinstance(value, Thing):
        return {"shape": list(value.shape.axes)}
    if isinstance(value, Line):
        return _line(value)
    return _expression(value)


def _line(board: Line) -> dict[str, Any]:
    return {"plain": label(board), "parts": [_part(part) for part in board.parts]}


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Sign):
        return {"type": "sign", "text": part.text}
    if isinstance(part, Matrix):
        return {
            "type": "matrix",
            "rows": [[None if cell is None else _expression(cell) for cell in row] for row in part.rows],
        }
    if isinstance(part, Numbers):
        return {"type": "numbers", "shape": list(part.shape), "values": [_number(value) for value in part.values]}
    if isinstance(part, Big):
        return {"type": "big", "shape": list(part.shape), "norm": _number(part.norm)}
    return _expression(part)


def _expression(tree: Syntax) -> dict[str, Any]:
    return {"type": "expression", **{style: write(tree, style) for style in ("plain", "unicode", "latex")}}


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _numbers(value: Any) -> Any:
    return [_numbers(item) for item in value] if isinstance(value, list) else _number(value)
