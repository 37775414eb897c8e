"""The steps of a derivation, and what is said beside them. No words: a kind is the key of a message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pullback.derivation.formula import Line
from pullback.syntax.tree import Syntax

Detail = Literal["brief", "normal", "full"]
DETAILS: tuple[Detail, ...] = ("brief", "normal", "full")


@dataclass(frozen=True, slots=True)
class Key:
    """A word of the language: the key of a message without parameters."""

    key: str


@dataclass(frozen=True, slots=True)
class Keys:
    """Words of the language, listed."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of something, each axis a number or a symbol; () is a scalar."""

    axes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """What something is: a vector of length 3, a matrix of size m × n."""

    shape: Shape


Parameter = str | int | float | Syntax | Line | Key | Keys | Shape | Thing


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule that a step applies.

    ``name`` is an entry of the table of operations where ``is_entry``, else one of the rules of calculus
    that the graph is made of: product, sum, name, constant. ``pullback`` is what the entry says g becomes.
    """

    name: str
    is_entry: bool = False
    pullback: tuple[tuple[str, str], ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a sentence by its key, lines on the board below it, and the steps that it consists of."""

    kind: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    rule: Rule | None = None
    steps: tuple[Step, ...] = ()
    detail: Detail = "normal"
    """The least detail at which the step is shown; its parents are shown with less."""

    def walk(self) -> Iterator[Step]:
        """This step and all below it, in reading order."""
        yield self
        for step in self.steps:
            yield from step.walk()

    def shown(self, detail: Detail) -> bool:
        """Whether the step is shown at a level of detail."""
        return DETAILS.index(self.detail) <= DETAILS.index(detail)
