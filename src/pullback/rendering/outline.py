"""The steps with their numbers (1, 1.1, 2 …) at a level of detail: what every renderer walks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pullback.derivation.steps import Detail, Step

HEADINGS = frozenset({"given", "forward", "backward", "result", "result.one", "check", "check.failed"})
COLLAPSIBLE = frozenset({"statement", "operand"})


@dataclass(frozen=True, slots=True)
class Item:
    """A step as it is to be shown: how deep it stands, its number where it has one, what is below it."""

    step: Step
    depth: int
    label: str
    items: tuple[Item, ...]

    @property
    def shows_lines(self) -> bool:
        """Whether its own lines are shown; those of an operand are its last line said before, so folded away."""
        return self.step.kind != "operand" or not self.items


def outline(steps: Sequence[Step], detail: Detail) -> tuple[Item, ...]:
    """Choose what is shown."""
    return tuple(_items(steps, detail, 0, ""))


def _items(steps: Sequence[Step], detail: Detail, depth: int, label: str) -> Iterator[Item]:
    count = 0
    for step in steps:
        if not step.shown(detail) and depth:
            continue
        here = f"{label}{count + 1}"
        items = tuple(_items(step.steps, detail, depth + 1, f"{here}."))
        if depth == 0 and step.steps and not items and not step.lines and not step.kind.startswith("check"):
            continue
        count += 1
        yield Item(step, depth, here, items)
