"""The syntax tree: what people read and write, before and after any mathematics.

Trees are immutable and compare by what they say, not by where they stood: spans are left out of
equality. The same classes hold what was parsed and what is to be printed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from pullback.errors import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Number:
    """A number literal, exact: ``0.1`` is 1/10."""

    value: Fraction
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a dimension or a bound name: ``x``, ``W1``, ``λ``."""

    identifier: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Negate:
    """Unary minus: looser than powers and the transpose, tighter than products."""

    operand: Syntax
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Transpose:
    """``x'``."""

    operand: Syntax
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Power:
    """``A^2``, ``A^-1`` (of a square matrix or a scalar); with ``entrywise``, ``x .^ p``."""

    base: Syntax
    exponent: Syntax
    entrywise: bool = False
    span: Span = field(default=NOWHERE, compare=False)


SUM_OPERATORS = ("+", "-")
PRODUCT_OPERATORS = ("*", "/", ".*", "./", "kron")


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands on one level of precedence, read from left to right.

    ``operators[k]`` stands between ``operands[k]`` and ``operands[k + 1]``. Either all of them are in
    ``SUM_OPERATORS`` or all are in ``PRODUCT_OPERATORS``; ``*`` is also juxtaposition, ``kron`` is ``⊗``.
    """

    operands: tuple[Syntax, ...]
    operators: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def is_sum(self) -> bool:
        """Tell a sum from a product."""
        return self.operators[0] in SUM_OPERATORS


@dataclass(frozen=True, slots=True)
class Call:
    """A reserved function applied: ``exp(x)``, ``sum(A, rows)``, ``norm(x)`` (also written ``‖x‖``)."""

    function: str
    arguments: tuple[Syntax, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Indexed:
    """One entry, inside a comprehension: ``A[i,j]``, ``(A x)[i]``."""

    operand: Syntax
    indices: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Comprehension:
    """A tensor written by its entries: ``[i,j,k: A[i,l] B[l,j] x[k]]``.

    The indices before the colon are its axes, in order. In the body, a sum of products of entries,
    an index that is not among them is summed over, each product on its own (Einstein's convention).
    """

    indices: tuple[str, ...]
    body: Syntax
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Expectation:
    """``E[x ~ N(mu, S)] body``: the mean of the body over a Gaussian vector."""

    variable: str
    mean: Syntax
    covariance: Syntax
    body: Syntax
    span: Span = field(default=NOWHERE, compare=False)


Syntax = Number | Name | Negate | Transpose | Power | Chain | Call | Indexed | Comprehension | Expectation


@dataclass(frozen=True, slots=True)
class Declaration:
    """``A : (n, n) symmetric``; shape None where only properties are given; ``f : entrywise``."""

    name: str
    shape: tuple[int | str, ...] | None
    properties: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Binding:
    """A statement ``name = value``; the name is None for a bare expression."""

    name: str | None
    value: Syntax
    span: Span = field(default=NOWHERE, compare=False)
    name_span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """``batch B: …`` or ``batch B over x, t: …``; ``over`` is empty where it is not said."""

    size: int | str
    over: tuple[str, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Program:
    """A whole program as it was written."""

    bindings: tuple[Binding, ...]
    declarations: tuple[Declaration, ...] = ()
    batch: Batch | None = None
    source: str = field(default="", compare=False)
