"""Audits of a backward pass written in Python beside a forward pass written in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pullback.auditing.report import Report
from pullback.checking.words import say
from pullback.errors import ShapeError, UnsupportedError
from pullback.lowering.given import Shapes
from pullback.tracing.read import read_layer


def audit_python(
    source: Any,
    claims: Any,
    *,
    values: Any,
    shapes: Shapes | None,
    seed: int,
    lang: str,
) -> Report:
    """Read the forward pass and judge the backward pass; what can't be read is judged by numbers alone.

    Raises:
        UnsupportedError: There is no backward pass.
    """
    from pullback.auditing.audit import audit_program
    from pullback.auditing.measured import audit_by_numbers

    if isinstance(source, tuple) and len(source) == 2 and claims is None:
        source, claims = source
    layer = read_layer(source, claims if callable(claims) else None, values, shapes)
    if isinstance(claims, Mapping):
        return audit_program(layer.program(), claims, seed=seed, lang=lang)
    if layer.backward is None:
        raise UnsupportedError("there is no backward pass to audit", hint="give audit(forward, backward)")
    try:
        program = layer.program()
    except (UnsupportedError, ShapeError) as error:
        note = say(lang, "audit.unread", reason=error.message)
        return audit_by_numbers(layer, layer.backward, seed=seed, lang=lang, note=note)
    arguments = [name for name, path in program.leaves if not path]
    examples = dict(zip(arguments, layer.examples, strict=False))
    return audit_program(program, layer.backward, values=program.state, examples=examples, seed=seed, lang=lang)
