"""Deep networks fold: where layer follows on layer of the same form, the first and the last are drawn.

Statements are of the same form if they are alike but for the numbers in their names: ``h_7 = tanh(W_7 h_6)`` is
``h_k = tanh(W_k h_k-1)``. A layer may be several statements.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pullback.pictures.graph import Vertex

FEWEST = 4
"""Layers of the same form that are folded."""
_LONGEST_LAYER = 6
_NUMBERED = re.compile(r"(?<=[^\W\d_])_?(\d+)\b|(?<=[^\W\d_])([₀-₉]+)")
_SMALL = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def fold(vertices: Sequence[Vertex]) -> list[Vertex]:
    """Give the vertices with the middle of every run of equal layers as one."""
    statements = [k for k, vertex in enumerate(vertices) if vertex.formula]
    kept = list(vertices)
    place = 0
    while place < len(statements):
        length, count = _run(vertices, statements, place)
        if count < FEWEST:
            place += 1
            continue
        middle = statements[place + length : place + length * (count - 1)]
        kept = _folded(kept, [vertices[k] for k in middle], count - 2)
        place += length * count
    return kept


def _run(vertices: Sequence[Vertex], statements: Sequence[int], place: int) -> tuple[int, int]:
    """How many statements a layer has that begins here, and how many layers like it follow on it."""
    best = (1, 1)
    for length in range(1, _LONGEST_LAYER + 1):
        first = [_form(vertices[k]) for k in statements[place : place + length]]
        if None in first or len(first) < length:
            break
        count = 1
        while [_form(vertices[k]) for k in statements[place + count * length :][:length]] == first:
            count += 1
        if count >= FEWEST and length * count > best[0] * best[1]:
            best = (length, count)
    return best


def _form(vertex: Vertex) -> str | None:
    """A statement with the numbers in its names told from its own; None where its name has none."""
    own = _NUMBERED.search(vertex.label)
    if own is None:
        return None
    base = _value(own)

    def relative(found: re.Match[str]) -> str:
        return f"<{_value(found) - base:+d}>"

    return _NUMBERED.sub(relative, f"{vertex.label} = {vertex.formula}")


def _value(found: re.Match[str]) -> int:
    return int((found[1] or found[2]).translate(_SMALL))


def _folded(vertices: Sequence[Vertex], middle: Sequence[Vertex], layers: int) -> list[Vertex]:
    """Put one vertex in the place of the middle of a run, and of the inputs that only it uses."""
    gone = {vertex.name for vertex in middle}
    others = {used for vertex in vertices if vertex.name not in gone for used in vertex.uses}
    used_there = {used for vertex in middle for used in vertex.uses}
    inputs = {v.name for v in vertices if not v.formula and v.name in used_there and v.name not in others}
    gone |= inputs
    name = f"{middle[0].name}…{middle[-1].name}"
    entering = tuple(dict.fromkeys(used for vertex in middle for used in vertex.uses if used not in gone))
    returned = middle[-1].gradient_label
    one = Vertex(
        name, f"{middle[0].label} … {middle[-1].label}", f"{layers} × ⋯", "", entering, gradient_label=returned
    )
    made: list[Vertex] = []
    for vertex in vertices:
        if vertex.name == middle[0].name:
            made.append(one)
        if vertex.name in gone:
            continue
        uses = tuple(dict.fromkeys(name if used in gone else used for used in vertex.uses))
        made.append(Vertex(vertex.name, vertex.label, vertex.shape, vertex.formula, uses, vertex.value,
                           vertex.gradient, vertex.gradient_label))  # fmt: skip
    return made
