"""``pullback emit``: source text on standard output, or in a file."""

from __future__ import annotations

from typing import Any

from pullback.emission.emitting import emit_program


def emitted(program: Any, target: str, wrt: tuple[str, ...] = (), upstream: str = "g") -> str:
    """The source of a program with its backward pass; what the command prints."""
    return emit_program(program, target, list(wrt) or None, upstream)
