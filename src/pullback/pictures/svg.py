"""Writing SVG: elements with escaped texts, sizes estimated from the letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from html import escape

_INDEX = re.compile(r"(?<![^\W_])([^\W\d_])_([^\W_ᵀ]+)")
SANS = "system-ui, 'Segoe UI', 'Noto Sans', 'Noto Sans KR', sans-serif"
INK, SOFT, ACCENT, RETURNED = "#1c2230", "#565e6e", "#1f4bb8", "#9a4a06"


def number(value: float) -> str:
    """A coordinate, as short as may be.

    >>> number(3.0), number(2.126)
    ('3', '2.13')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def element(name: str, inside: str = "", **attributes: str | float) -> str:
    """Write an element; ``class_`` and ``stroke_width`` are ``class`` and ``stroke-width``."""
    parts = [name]
    for key, value in attributes.items():
        text = value if isinstance(value, str) else number(value)
        parts.append(f'{key.rstrip("_").replace("_", "-")}="{escape(text, quote=True)}"')
    opening = " ".join(parts)
    return f"<{opening}>{inside}</{name}>" if inside else f"<{opening}/>"


def text(
    said: str, x: float, y: float, size: float = 13, fill: str = INK, anchor: str = "middle", class_: str = "",
    weight: str = "", style: str = "",
) -> str:  # fmt: skip
    """Write a text with its baseline at y."""
    more: dict[str, str | float] = {}
    if class_:
        more["class_"] = class_
    if weight:
        more["font_weight"] = weight
    if style:
        more["font_style"] = style
    colour = "currentColor" if fill == INK else fill
    return element(
        "text",
        _lowered(escape(said.replace("-", "−"))),
        x=x,
        y=y,
        font_size=size,
        fill=colour,
        text_anchor=anchor,
        **more,
    )


def _lowered(said: str) -> str:
    """What stands after the underscore of a letter goes below the line: W_q, but not leaky_relu."""
    return _INDEX.sub(r'\1<tspan dy="3" font-size="75%">\2</tspan><tspan dy="-3">&#8203;</tspan>', said)


def width(said: str, size: float = 13) -> float:
    """The width of a text, about."""
    total = 0.0
    for letter in said:
        if unicodedata.east_asian_width(letter) in "WF":
            total += 1.0
        elif letter in "il.,;:'|!() ":
            total += 0.34
        else:
            total += 0.62
    return total * size


def document(parts: Sequence[str], wide: float, high: float, title: str) -> str:
    """Put the parts into a picture with a title for readers that hear it."""
    inside = element("title", escape(title)) + "".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{number(wide)}" height="{number(high)}" '
        f'viewBox="0 0 {number(wide)} {number(high)}" font-family="{SANS}">{inside}</svg>'
    )


def short(value: float) -> str:
    """A number in few letters.

    >>> short(3.0), short(-0.12345), short(1234567.0), short(float("inf"))
    ('3', '-0.123', '1.2e+06', 'inf')
    """
    shown = f"{value:.3g}" if abs(value) < 1e5 else f"{value:.1e}"
    if "e" not in shown and "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown
