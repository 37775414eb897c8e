"""The computation graph: values forward, and below them the gradients that come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.pictures.layers import layers
from pullback.pictures.svg import ACCENT, RETURNED, SOFT, document, element, short, text, width

_LARGEST = 4
_LINE, _PAD, _GAP, _BETWEEN = 16.0, 10.0, 22.0, 64.0
_NARROWEST = 64.0
_BOLD = 1.1
_WIDEST = 1800.0
"""Columns beyond this go on in another row below."""
_BETWEEN_ROWS = 56.0
_NEAR = 4
"""How many columns back a better place for a break is looked for."""


@dataclass(frozen=True, slots=True)
class Vertex:
    """An input or a statement, with its numbers where they are known."""

    name: str
    label: str
    shape: str = ""
    formula: str = ""
    uses: tuple[str, ...] = ()
    value: Any = None
    gradient: Any = None
    gradient_label: str = ""


@dataclass(slots=True)
class _Box:
    vertex: Vertex
    rows: list[tuple[str, str]]
    wide: float
    high: float
    x: float = 0.0
    y: float = 0.0


def draw_graph(vertices: Sequence[Vertex], title: str = "computation graph") -> str:
    """Draw the graph; ``vertices`` in an order in which each is after all that it uses."""
    boxes = {vertex.name: _box(vertex) for vertex in vertices}
    columns = layers([v.name for v in vertices], {v.name: v.uses for v in vertices})
    wide, high = _place(columns, boxes)
    parts = [_arrowheads()]
    for vertex in vertices:
        for used in vertex.uses:
            parts += _edge(boxes[used], boxes[vertex.name], vertex.gradient is not None or bool(vertex.gradient_label))
    for box in boxes.values():
        parts += _drawn(box)
    return document(parts, wide, high, title)


def _box(vertex: Vertex) -> _Box:
    head = f"{vertex.label} = {vertex.formula}" if vertex.formula else vertex.label
    rows = [("head", head)]
    if vertex.shape:
        rows.append(("shape", vertex.shape))
    rows += [("value", row) for row in number_rows(vertex.value)]
    if vertex.gradient_label:
        rows.append(("back", vertex.gradient_label))
        rows += [("back-value", row) for row in number_rows(vertex.gradient)]
    widths = (width(said, 14 * _BOLD if kind == "head" else 12) for kind, said in rows)
    wide = max(_NARROWEST, *widths) + 2 * _PAD
    return _Box(vertex, rows, wide, len(rows) * _LINE + _PAD)


def number_rows(array: Any) -> list[str]:
    """A small array row by row; a larger one by its norm."""
    if array is None:
        return []
    import numpy as np

    numbers = np.asarray(array, dtype=np.float64)
    if numbers.ndim == 0:
        return [short(float(numbers))]
    if numbers.ndim > 2 or max(numbers.shape) > _LARGEST:
        return [f"‖·‖ = {short(float(np.linalg.norm(numbers)))}"]
    rows = numbers.reshape(1, -1) if numbers.ndim == 1 else numbers
    shown = ["  ".join(short(float(v)) for v in row) for row in rows]
    # Vectors are columns; lying down, they are transposed.
    return [f"[{row}]{'ᵀ' if numbers.ndim == 1 else ''}" for row in shown]


def _place(columns: Sequence[Sequence[str]], boxes: Mapping[str, _Box]) -> tuple[float, float]:
    """Put the columns side by side, in as many rows as that takes; give the size of it all."""
    wide, top = 0.0, 4.0
    for row in _rows(columns, boxes):
        heights = [sum(boxes[n].high for n in column) + _GAP * (len(column) - 1) for column in row]
        high = max(heights, default=0.0)
        x = 4.0
        for column, own in zip(row, heights, strict=True):
            across = _across(column, boxes)
            y = top + (high - own) / 2
            for name in column:
                box = boxes[name]
                box.x, box.y = x + (across - box.wide) / 2, y
                y += box.high + _GAP
            x += across + _BETWEEN
        wide = max(wide, x - _BETWEEN)
        top += high + _BETWEEN_ROWS
    return wide + 4.0, top - _BETWEEN_ROWS + 4.0


def _across(column: Sequence[str], boxes: Mapping[str, _Box]) -> float:
    return max(boxes[name].wide for name in column)


def _rows(columns: Sequence[Sequence[str]], boxes: Mapping[str, _Box]) -> list[Sequence[Sequence[str]]]:
    """Break the columns where a row gets too wide, at the place near its end that the fewest edges cross."""
    column_of = {name: k for k, column in enumerate(columns) for name in column}
    spans = [(column_of[used], column_of[n]) for n, box in boxes.items() for used in box.vertex.uses]
    rows: list[Sequence[Sequence[str]]] = []
    first, wide = 0, 0.0
    for k, column in enumerate(columns):
        wide += _across(column, boxes) + _BETWEEN
        if wide <= _WIDEST or k == first:
            continue
        places = range(k, max(first, k - _NEAR), -1)
        cut = min(places, key=lambda place: sum(start < place <= end for start, end in spans))
        rows.append(columns[first:cut])
        first, wide = cut, sum(_across(c, boxes) + _BETWEEN for c in columns[cut : k + 1])
    return [*rows, columns[first:]]


def _arrowheads() -> str:
    def head(name: str, colour: str, kind: str) -> str:
        path = element("path", d="M0 0 8 4 0 8z", fill=colour, class_=kind)
        return element(
            "marker", path, id=name, viewBox="0 0 8 8", refX=7, refY=4, markerWidth=7, markerHeight=7,
            orient="auto-start-reverse",
        )  # fmt: skip

    return element("defs", head("pb-on", SOFT, "soft") + head("pb-back", RETURNED, "back-text"))


def _edge(start: _Box, end: _Box, has_gradient: bool) -> list[str]:
    drawn = [element("path", d=_path(start, end, -4), fill="none", stroke=SOFT, class_="wire", stroke_width=1.5,
                     marker_end="url(#pb-on)")]  # fmt: skip
    if has_gradient and start.vertex.gradient_label:
        drawn.append(element("path", d=_path(start, end, 5), fill="none", stroke=RETURNED, class_="returned",
                             stroke_width=1.5, stroke_dasharray="5 3", marker_start="url(#pb-back)"))  # fmt: skip
    return drawn


def _path(start: _Box, end: _Box, shift: float) -> str:
    """A curve to the right; to another row, down between the rows."""
    x1, x2 = start.x + start.wide, end.x
    y1, y2 = start.y + start.high / 2 + shift, end.y + end.high / 2 + shift
    if x2 > x1:
        bend = max(24.0, (x2 - x1) / 2)
        return f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    x1, x2 = start.x + start.wide / 2 + shift, end.x + end.wide / 2 + shift
    y1, y2 = start.y + start.high, end.y
    half = (y2 - y1) / 2
    return f"M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + half:.1f} {x2:.1f} {y2 - half:.1f} {x2:.1f} {y2:.1f}"


def _drawn(box: _Box) -> list[str]:
    given = not box.vertex.uses
    frame = element(
        "rect", x=box.x, y=box.y, width=box.wide, height=box.high, rx=8, fill="#fff",
        stroke=ACCENT if given else SOFT, class_="box given" if given else "box",
    )  # fmt: skip
    parts = [frame]
    middle = box.x + box.wide / 2
    looks = {
        "head": (14.0, ACCENT, "strong", "600"),
        "shape": (11.0, SOFT, "soft", ""),
        "value": (12.0, "#333b4a", "soft", ""),
        "back": (12.0, RETURNED, "back-text", "600"),
        "back-value": (12.0, RETURNED, "back-text", ""),
    }
    for k, (kind, said) in enumerate(box.rows):
        size, fill, class_, weight = looks[kind]
        parts.append(text(said, middle, box.y + (k + 1) * _LINE, size, fill, "middle", class_, weight))
    return parts
