"""Tensor networks: a product as boxes joined by the indices that they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot

from pullback.pictures.svg import ACCENT, SOFT, document, element, text, width

_HIGH, _BETWEEN, _GAP = 34.0, 62.0, 14.0
_BOLD = 1.1


@dataclass(frozen=True, slots=True)
class Network:
    """A product: what it gives, its factors with the indices of their axes, and the indices that are left."""

    title: str
    factors: tuple[tuple[str, tuple[str, ...]], ...]
    output: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What letters stand for that factors too long for a box were given."""


def draw_networks(networks: Sequence[Network], title: str) -> str:
    """Draw products one below the other."""
    parts: list[str] = []
    wide, top = 0.0, 6.0
    left = max(width(f"{network.title} =", 14 * _BOLD) for network in networks) + 12
    for network in networks:
        drawn, right, bottom = _drawn(network, left, top)
        parts += drawn
        wide, top = max(wide, right), bottom + _GAP
    return document(parts, wide + 8, top - _GAP + 8, title)


def _drawn(network: Network, left: float, top: float) -> tuple[list[str], float, float]:
    """Draw one product; give where it ends."""
    boxes: list[tuple[float, float]] = []
    x = left + 36
    for label, _ in network.factors:
        wide = max(36.0, width(label, 14 * _BOLD) + 20)
        boxes.append((x, wide))
        x += wide + _BETWEEN
    holders: dict[str, list[int]] = {}
    for k, (_, indices) in enumerate(network.factors):
        for index in dict.fromkeys(indices):
            holders.setdefault(index, []).append(k)
    above, below = _room(holders, network, len(boxes))
    y = top + above + _HIGH / 2
    parts = [text(f"{network.title} =", 8, y + 5, 14, anchor="start", weight="600")]
    lanes: dict[tuple[int, int], int] = {}
    open_count = dict.fromkeys(range(len(boxes)), 0)
    for index, where in holders.items():
        is_open = index in network.output
        if len(where) == 1 and is_open:
            parts += _open(boxes, where[0], open_count, index, y)
        elif len(where) == 1:
            parts += _loop(boxes[where[0]], index, y)
        elif len(where) == 2 and not is_open:
            parts += _joined(boxes, (where[0], where[1]), lanes, index, y)
        else:
            parts += _hub(boxes, where, index, is_open, y)
    for (start, wide), (label, _) in zip(boxes, network.factors, strict=True):
        parts.append(element("rect", x=start, y=y - _HIGH / 2, width=wide, height=_HIGH, rx=9, fill="#fff",
                             stroke=ACCENT, class_="box given"))  # fmt: skip
        parts.append(text(label, start + wide / 2, y + 5, 14, ACCENT, class_="strong", weight="600"))
    right, bottom = x - _BETWEEN + 44, y + _HIGH / 2 + below
    for note in network.notes:
        bottom += 18
        parts.append(text(note, left, bottom, 12, SOFT, "start", "soft"))
        right = max(right, left + width(note, 12))
    return parts, right, bottom


def _room(holders: Mapping[str, Sequence[int]], network: Network, count: int) -> tuple[float, float]:
    """How much is drawn above and below the row of boxes."""
    above = below = 8.0
    opened = dict.fromkeys(range(count), 0)
    for index, where in holders.items():
        is_open = index in network.output
        if len(where) == 1 and is_open:
            opened[where[0]] += 1
            at_an_end = where[0] in (0, count - 1) and opened[where[0]] <= (2 if count == 1 else 1)
            below = below if at_an_end else max(below, 34.0)
        elif len(where) == 1:
            above = max(above, 40.0)
        elif len(where) == 2 and not is_open:
            near = where[1] == where[0] + 1
            above = max(above, 8.0 if near else 52.0)
            below = max(below, 8.0 if near else 52.0)
        else:
            below = max(below, 48.0 if is_open else 34.0)
    pairs = [tuple(where) for index, where in holders.items() if len(where) == 2 and index not in network.output]
    if len(set(pairs)) < len(pairs):
        above, below = max(above, 52.0), max(below, 60.0)
    return above, below


def _wire(d: str) -> str:
    return element("path", d=d, fill="none", stroke=SOFT, class_="wire", stroke_width=1.8)


def _named(index: str, x: float, y: float) -> str:
    return text(index, x, y, 12, SOFT, class_="soft", style="italic")


def _open(boxes: Sequence[tuple[float, float]], k: int, count: dict[int, int], index: str, y: float) -> list[str]:
    """A line that ends in the air: outwards at the ends of the row, downwards inside it."""
    left, wide = boxes[k]
    turn = count[k]
    count[k] += 1
    if k == 0 and turn == 0:
        return [_wire(f"M{left - 30:.1f} {y:.1f}H{left:.1f}"), _named(index, left - 20, y - 6)]
    if k == len(boxes) - 1 and turn == (1 if k == 0 else 0):
        right = left + wide
        return [_wire(f"M{right:.1f} {y:.1f}H{right + 30:.1f}"), _named(index, right + 20, y - 6)]
    x = left + wide / 2 + 14 * (turn - 1)
    return [_wire(f"M{x:.1f} {y:.1f}V{y + 44:.1f}"), _named(index, x + 9, y + 40)]


def _loop(box: tuple[float, float], index: str, y: float) -> list[str]:
    """An index of one factor alone that is summed: it meets a vector of ones."""
    x = box[0] + box[1] / 2
    dot = element("circle", cx=x, cy=y - 40, r=4, fill=SOFT, class_="soft")
    return [_wire(f"M{x:.1f} {y:.1f}V{y - 40:.1f}"), dot, _named(index, x + 10, y - 28)]


def _joined(
    boxes: Sequence[tuple[float, float]], pair: tuple[int, int], lanes: dict[tuple[int, int], int], index: str, y: float
) -> list[str]:
    a, b = pair
    lane = lanes.get(pair, 0)
    lanes[pair] = lane + 1
    x1, x2 = boxes[a][0] + boxes[a][1] / 2, boxes[b][0] + boxes[b][1] / 2
    if b == a + 1 and lane == 0:
        middle = (boxes[a][0] + boxes[a][1] + boxes[b][0]) / 2
        return [_wire(f"M{x1:.1f} {y:.1f}H{x2:.1f}"), _named(index, middle, y - 6)]
    rise = 44 + 14 * lane if (b - a + lane) % 2 else -44
    d = f"M{x1:.1f} {y:.1f}C{x1:.1f} {y - rise:.1f} {x2:.1f} {y - rise:.1f} {x2:.1f} {y:.1f}"
    return [_wire(d), _named(index, (x1 + x2) / 2, y - rise * 0.75 - 5)]


def _hub(boxes: Sequence[tuple[float, float]], where: Sequence[int], index: str, is_open: bool, y: float) -> list[str]:
    """An index that more than two share, or that two share and that is kept: a dot that all lines lead to."""
    centres = [boxes[k][0] + boxes[k][1] / 2 for k in where]
    x, top = sum(centres) / len(centres), y + 40
    parts = []
    for centre in centres:
        reach = hypot(centre - x, top - y)
        parts.append(_wire(f"M{centre:.1f} {y:.1f}Q{centre:.1f} {top:.1f} {x:.1f} {top:.1f}" if reach else ""))
    parts.append(element("circle", cx=x, cy=top, r=4, fill=SOFT, class_="soft"))
    if is_open:
        parts.append(_wire(f"M{x:.1f} {top:.1f}V{top + 22:.1f}"))
    return [*parts, _named(index, x + 10, top + 16)]
