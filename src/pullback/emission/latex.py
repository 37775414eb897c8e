"""LaTeX: the closed forms, ready to be pasted."""

from __future__ import annotations

from pullback.emission.subject import Subject
from pullback.errors import UnsupportedError


def latex_source(subject: Subject) -> str:
    """The program and its derivatives as an aligned display."""
    lines = [_aligned(line) for line in subject.latex]
    if not lines:
        raise UnsupportedError("there is nothing to write in LaTeX")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\n"


def _aligned(line: str) -> str:
    return line.replace(" = ", " &= ", 1) if " = " in line else f"& {line}"
