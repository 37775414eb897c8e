"""LaTeX: the program and its closed forms, aligned at the signs of equality."""

from __future__ import annotations

from pullback.emission.drafting import Drawn


def latex_source(drawn: Drawn) -> str:
    """An ``align*`` environment; it needs amsmath, and stands outside of other mathematics."""
    subject = drawn.subject
    lines = [_aligned(line) for line in subject.latex]
    body = " \\\\\n".join("    " + line for line in lines)
    return f"% Derived by pullback; needs \\usepackage{{amsmath}}.\n\\begin{{align*}}\n{body}\n\\end{{align*}}\n"


def _aligned(line: str) -> str:
    return line.replace(" = ", " &= ", 1) if " = " in line else f"& {line}"
