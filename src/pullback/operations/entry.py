"""What an entry of the table of operations is.

An entry says what a function of the notation means: an einsum, a definition in the notation itself, or
a primitive with its value, its derivative (again in the notation) and the points at which it is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pullback.tensor.node import Node, Operation, Rational, Signature

Value = Callable[..., Any]
Rewrite = Callable[[tuple[Node, ...]], Node | None]


@dataclass(frozen=True, slots=True)
class Einsum:
    """``tr`` is ``ii->``: letters for the axes of each argument, then for those of the result."""

    inputs: tuple[str, ...]
    output: str

    @staticmethod
    def of(text: str) -> Einsum:
        """Read ``i,j->ij``."""
        left, right = text.split("->")
        return Einsum(tuple(left.split(",")), right)

    @property
    def ranks(self) -> tuple[int, ...]:
        """The number of axes of each argument."""
        return tuple(len(axes) for axes in self.inputs)


@dataclass(frozen=True, slots=True)
class Definition:
    """``mse`` is ``mean((a - b).^2)``: the notation says it, for arguments of these ranks (None: any)."""

    text: str
    ranks: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Primitive:
    """What no einsum says. ``pullbacks`` gives, for each parameter, what g becomes."""

    operation: Operation
    value: Value
    pullbacks: Mapping[str, str]

    @property
    def ranks(self) -> tuple[int, ...]:
        """The number of core axes of each argument."""
        return tuple(len(core) for core in self.operation.signature.inputs)


Meaning = Einsum | Definition | Primitive


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation.

    ``domain`` names where each parameter is drawn from when the entry is tested (see
    ``pullback.checking.draw``); ``source`` says where its derivative can be read; ``written`` is how a
    derivation writes its entries out, for an operation on whole vectors that has simple ones.
    """

    name: str
    parameters: tuple[str, ...]
    meanings: tuple[Meaning, ...]
    domain: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    written: str = ""

    @property
    def primitive(self) -> Primitive | None:
        """The primitive among its meanings, if there is one."""
        return next((m for m in self.meanings if isinstance(m, Primitive)), None)


def entrywise(
    name: str,
    value: Value,
    pullback: str | Mapping[str, str],
    *,
    domain: str = "normal",
    exact: Mapping[Rational, Rational] | None = None,
    positive: bool = False,
    rewrite: Rewrite | None = None,
    source: str = "",
    **facts: Any,
) -> Entry:
    """Make the entry of a function of single numbers; one parameter is called x."""
    pullbacks = {"x": pullback} if isinstance(pullback, str) else dict(pullback)
    signature = Signature(((),) * len(pullbacks), ())
    operation = Operation(name, signature, exact=dict(exact or {}), positive=positive, rewrite=rewrite, **facts)
    meaning = Primitive(operation, value, pullbacks)
    return Entry(name, tuple(pullbacks), (meaning,), {p: domain for p in pullbacks}, source)


def structured(
    name: str,
    signature: str,
    value: Value,
    pullbacks: Mapping[str, str],
    *,
    also: tuple[Meaning, ...] = (),
    domain: str = "normal",
    source: str = "",
    written: str = "",
    **facts: Any,
) -> Entry:
    """Make the entry of an operation on whole vectors or matrices, with other meanings beside it."""
    operation = Operation(name, Signature.of(signature), **facts)
    meaning = Primitive(operation, value, dict(pullbacks))
    return Entry(name, tuple(pullbacks), (meaning, *also), {p: domain for p in pullbacks}, source, written)


def einsum(name: str, *rules: str, parameters: tuple[str, ...] = ("x",), source: str = "") -> Entry:
    """Make the entry of an operation that only moves and sums entries."""
    return Entry(name, parameters, tuple(Einsum.of(rule) for rule in rules), {p: "normal" for p in parameters}, source)


def definition(
    name: str,
    parameters: str,
    *texts: str | tuple[str, tuple[int, ...]],
    domain: Mapping[str, str] | None = None,
    source: str = "",
) -> Entry:
    """Make the entry of an operation that the notation can say; a text may hold for given ranks only."""
    names = tuple(parameters.split())
    meanings = tuple(Definition(t) if isinstance(t, str) else Definition(*t) for t in texts)
    return Entry(name, names, meanings, domain or {p: "normal" for p in names}, source)
