"""What both translators need: a case's program as syntax trees, and what to say where there is no translation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from typing import Any

from pullback.operations.table import FUNCTIONS
from pullback.syntax.names import normalise
from pullback.syntax.parser import parse_program
from pullback.syntax.tree import Call, Name, Number, Program, Syntax
from tests.corpus.loading import Case


class Inexpressible(Exception):
    """The library has no way of writing this; the message is the reason."""


@dataclass(frozen=True)
class Derived:
    """What a library answers: one result for each of the case's, and what was done to get it.

    ``forward`` is the translated program, whose value is compared with the case's too.
    """

    results: dict[str, Any]
    forward: Any = None
    note: str = ""


def library(name: str) -> Any:
    """A peer library, imported when it is needed: the tests are collected without any of them."""
    return import_module(name)


def program(case: Case) -> Program:
    """The forward pass as syntax trees."""
    if case.structured:
        raise Inexpressible("a derivative by the free entries of a structured matrix")
    return parse_program(case.program, FUNCTIONS)


def inputs(case: Case) -> dict[str, tuple[int | str, ...]]:
    """The inputs' axes, by the names that the trees use."""
    return {normalise(name): shape for name, shape in case.shapes.items()}


def along(call: Call) -> tuple[list[Syntax], str]:
    """A call's arguments, without the word ``rows`` or ``columns`` that may end them; and that word."""
    *first, last = call.arguments
    if first and isinstance(last, Name) and last.identifier in ("rows", "columns"):
        return first, last.identifier
    return list(call.arguments), ""


def squared(base: Syntax, exponent: Syntax) -> Syntax | None:
    """The argument of ``norm(x)^2``, which nobody writes with a square root."""
    if (
        isinstance(base, Call)
        and base.function == "norm"
        and len(base.arguments) == 1
        and exponent == Number(Fraction(2))
    ):
        return base.arguments[0]
    return None
