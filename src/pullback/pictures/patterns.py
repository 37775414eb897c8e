"""Where a derivative is not zero: its entries as cells, in blocks by variable; and heat maps of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pullback.pictures.svg import SOFT, document, element, short, text, width

MOST_CELLS = 48
_CELL_LARGE, _CELL_SMALL = 36.0, 9.0
_MOST_LETTERS = 6
_NEGATIVE, _POSITIVE = "#2f6fd0", "#d9701a"


def _cell(rows: int, columns: int) -> float:
    most = max(rows, columns)
    return _CELL_LARGE if most <= 8 else max(_CELL_SMALL, 288 / most)


def _reduced(array: Any) -> Any:
    """At most so many rows and columns, each the largest entry of those that it stands for."""
    import numpy as np

    rows, columns = array.shape
    for axis, length in ((0, rows), (1, columns)):
        if length > MOST_CELLS:
            edges = np.linspace(0, length, MOST_CELLS + 1).astype(int)[:-1]
            array = np.maximum.reduceat(np.abs(array), edges, axis=axis)
    return array


def _cells(array: Any, x: float, y: float, size: float, scale: float, numbers: bool) -> list[str]:
    parts = []
    for i, row in enumerate(array):
        for j, value in enumerate(row):
            left, top = x + j * size, y + i * size
            number = float(value)
            look: dict[str, Any] = {"fill": "none"}
            if number:
                share = min(1.0, abs(number) / scale) if scale else 1.0
                sign = number < 0
                look = {"fill": _NEGATIVE if sign else _POSITIVE, "fill_opacity": 0.18 + 0.72 * share,
                        "class_": "negative" if sign else "positive"}  # fmt: skip
            parts.append(element("rect", x=left + 0.5, y=top + 0.5, width=size - 1, height=size - 1, rx=2, **look))
            said = f"{number:.2g}" if abs(number) < 100 else short(number)
            if numbers and size >= _CELL_LARGE and len(said) <= _MOST_LETTERS:
                parts.append(text(said, left + size / 2, top + size / 2 + 4, 11))
    frame = element("rect", x=x, y=y, width=size * len(array[0]), height=size * len(array), fill="none",
                    stroke=SOFT, class_="wire", rx=2)  # fmt: skip
    return [*parts, frame]


def draw_pattern(blocks: Sequence[tuple[str, Any]], left: str, title: str) -> str:
    """Draw blocks side by side: the derivative of ``left`` (its rows) by each named variable (its columns)."""
    import numpy as np

    reduced = [(name, _reduced(np.asarray(array))) for name, array in blocks if np.asarray(array).size]
    rows = len(reduced[0][1])
    columns = sum(array.shape[1] for _, array in reduced)
    size = _cell(rows, columns)
    scale = max((float(np.max(np.abs(array))) for _, array in reduced), default=1.0)
    x0 = width(left, 13) + 18
    x, parts = x0, []
    for name, array in reduced:
        wide = max(size * array.shape[1], width(name, 13))
        parts.append(text(name, x + size * array.shape[1] / 2, 16, 13, weight="600"))
        parts += _cells(array, x, 26, size, scale, numbers=True)
        x += wide + 8
    parts.append(text(left, x0 - 10, 26 + rows * size / 2 + 4, 13, anchor="end", weight="600"))
    filled = sum(int(np.count_nonzero(np.asarray(array))) for _, array in blocks)
    total = sum(int(np.asarray(array).size) for _, array in blocks)
    note = f"{filled} / {total} ≠ 0"
    high = 26 + rows * size
    parts.append(text(note, x0, high + 20, 12, SOFT, "start", "soft"))
    return document(parts, max(x, x0 + width(note, 12)) + 4, high + 28, title)


def draw_heat(arrays: Sequence[tuple[str, Any]], title: str) -> str:
    """Draw arrays side by side, each with its own scale."""
    import numpy as np

    x, high, parts = 4.0, 0.0, []
    for name, array in arrays:
        numbers = np.asarray(array, dtype=np.float64)
        table = _reduced(np.nan_to_num(numbers.reshape(-1, 1) if numbers.ndim < 2 else numbers))
        size = _cell(*table.shape)
        wide, tall = size * table.shape[1], size * table.shape[0]
        scale = float(np.max(np.abs(table))) if table.size else 1.0
        room = max(wide, width(name, 13))
        parts.append(text(name, x + room / 2, 16, 13, weight="600"))
        parts += _cells(table, x + (room - wide) / 2, 26, size, scale, numbers=True)
        x += room + 26
        high = max(high, tall)
    return document(parts, x - 22, high + 34, title)
