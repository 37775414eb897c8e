"""What a check found, as data; truthy where everything agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pullback.checking.words import say


@dataclass(frozen=True, slots=True)
class Entry:
    """One compared entry: what was derived beside what was measured, and the difference that is allowed."""

    variable: str
    index: tuple[int, ...]
    derived: float
    measured: float
    allowed: float
    point: str

    @property
    def difference(self) -> float:
        """The distance of the two; infinite where only one of them is a number."""
        import math

        if not (math.isfinite(self.derived) and math.isfinite(self.measured)):
            return 0.0 if not math.isfinite(self.derived) and not math.isfinite(self.measured) else math.inf
        return abs(self.derived - self.measured)

    @property
    def excess(self) -> float:
        """The difference in units of what is allowed: above one is wrong."""
        return self.difference / self.allowed

    @property
    def place(self) -> str:
        """The entry as it is written, counted from one: ``W[2, 1]``."""
        if not self.index:
            return self.variable
        return f"{self.variable}[{', '.join(str(k + 1) for k in self.index)}]"


@dataclass(frozen=True)
class Report:
    """The outcome of a check.

    Attributes:
        subject: What was checked, on one line.
        worst: The entry that disagrees most, by what is allowed; None where nothing could be compared.
        entries: How many entries were compared.
        points: At which points, by name, with the number of entries at each.
        excluded: Why entries or points were left out, each with its count.
        method: ``complex step`` or ``central differences``.
        relative: The relative tolerance.
        order: 1 for gradients, 2 for second derivatives too.
        failures: The entries that disagree, the worst first.
        notes: What else is to be said.
        language: Of ``str()``.
        by_hand: Whether the gradients were written by a person.
        shapes: Gradients of a wrong shape: that of the variable, and theirs.
        spoilt: Whether the backward pass changes its arguments in place.
        single: Whether the forward pass computes in single precision.
    """

    subject: str
    worst: Entry | None
    entries: int
    points: Mapping[str, int]
    excluded: Mapping[str, int]
    method: str
    relative: float
    order: int = 1
    failures: tuple[Entry, ...] = ()
    notes: tuple[str, ...] = field(default=())
    language: str = "en"
    by_hand: bool = False
    shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
    spoilt: bool = False
    single: bool = False

    @property
    def right(self) -> bool:
        """Whether every compared entry agrees, and there was one."""
        return self.worst is not None and self.worst.excess <= 1 and not self.shapes and not self.spoilt

    def __bool__(self) -> bool:
        return self.right

    def show(self, language: str | None = None) -> str:
        """Say it in a language."""
        lang = language or self.language
        if self.worst is None and not self.shapes:
            lines = [say(lang, "check.nothing", subject=self.subject)]
        else:
            lines = [say(lang, "check.right" if self.right else "check.wrong", subject=self.subject)]
            lines += ["  " + say(lang, "check.shape", name=name, wanted=wanted, found=found)
                      for name, (wanted, found) in self.shapes.items()]  # fmt: skip
        if self.worst is not None:
            worst = self.worst
            lines.append("  " + say(
                lang,
                "check.worst.by_hand" if self.by_hand else "check.worst",
                place=worst.place,
                point=_point(lang, worst.point),
                derived=f"{worst.derived:.12g}",
                measured=f"{worst.measured:.12g}",
                difference=f"{worst.difference:.1e}",
                allowed=f"{worst.allowed:.1e}",
            ))  # fmt: skip
        for failure in self.failures[1:4]:
            lines.append("  " + say(
                lang,
                "check.also.by_hand" if self.by_hand else "check.also",
                place=failure.place,
                point=_point(lang, failure.point),
                derived=f"{failure.derived:.6g}",
                measured=f"{failure.measured:.6g}",
            ))  # fmt: skip
        where = ", ".join(f"{_point(lang, name)} ({count})" for name, count in self.points.items())
        if self.entries:
            lines.append("  " + say(lang, "check.compared", count=self.entries, points=where))
        key = "check.tolerance.complex" if self.method == "complex step" else "check.tolerance.differences"
        key = "check.tolerance.single" if self.single else key
        lines.append("  " + say(lang, key, relative=f"{self.relative:.0e}"))
        if self.order == 2:
            lines.append("  " + say(lang, "check.second"))
        for reason, count in self.excluded.items():
            lines.append("  " + say(lang, "check.excluded", reason=_reason(lang, reason), count=count))
        lines += [f"  {note}" for note in self.notes]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.show()


def _point(language: str, name: str) -> str:
    stem, _, rest = name.partition(" ")
    return f"{say(language, f'point.{stem}')} {rest}".rstrip()


def _reason(language: str, reason: str) -> str:
    kind, _, rest = reason.partition(": ")
    if kind == "kink":
        return say(language, "reason.kink", kink=rest)
    return say(language, f"reason.{kind}", point=_point(language, rest) if rest else "")
