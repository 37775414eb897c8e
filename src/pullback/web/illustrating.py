"""The pictures of an answer; one that can't be drawn is left out."""

from __future__ import annotations

from typing import Any

from pullback.derivation.record import Record
from pullback.expression import Expression


def pictures(record: Record, second: Expression | None, lang: str) -> dict[str, Any]:
    """Draw what can be drawn."""
    return {}
