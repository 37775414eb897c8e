"""Dimensions: whole numbers that may be symbolic, such as ``n``, ``3`` or ``m n + 1``.

A dimension is a polynomial with integer coefficients over dimension names, interned, so equal
dimensions are one object and compare by identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from weakref import WeakValueDictionary

Monomial = tuple[str, ...]


class Dimension:
    """The length of an axis.

    >>> Dimension.of("n") * 2 + 1
    Dimension(1 + 2 n)
    >>> Dimension.of("n") is Dimension.of("n")
    True
    """

    __slots__ = ("__weakref__", "_text", "name", "names", "number", "terms")
    _interned: ClassVar[WeakValueDictionary[tuple[tuple[Monomial, int], ...], Dimension]] = WeakValueDictionary()
    terms: tuple[tuple[Monomial, int], ...]
    number: int | None
    """The value of a dimension that is a plain number, else None."""
    name: str | None
    """The name of a dimension that is a plain name, else None."""
    names: frozenset[str]
    """The names that occur in it."""
    _text: str

    @staticmethod
    def of(value: int | str | Dimension) -> Dimension:
        """Make a dimension of a number or a name; a dimension passes through."""
        if isinstance(value, Dimension):
            return value
        if isinstance(value, str):
            return Dimension._intern({(value,): 1})
        return Dimension._intern({(): value})

    @staticmethod
    def _intern(terms: Mapping[Monomial, int]) -> Dimension:
        key = tuple(sorted((m, c) for m, c in terms.items() if c))
        found = Dimension._interned.get(key)
        if found is None:
            found = object.__new__(Dimension)
            found._describe(key)
            found = Dimension._interned.setdefault(key, found)
        return found

    def __add__(self, other: Dimension | int) -> Dimension:
        terms = dict(self.terms)
        for monomial, coefficient in Dimension.of(other).terms:
            terms[monomial] = terms.get(monomial, 0) + coefficient
        return Dimension._intern(terms)

    def __sub__(self, other: Dimension | int) -> Dimension:
        return self + Dimension.of(other) * -1

    def __mul__(self, other: Dimension | int) -> Dimension:
        terms: dict[Monomial, int] = {}
        for left, a in self.terms:
            for right, b in Dimension.of(other).terms:
                monomial = tuple(sorted(left + right))
                terms[monomial] = terms.get(monomial, 0) + a * b
        return Dimension._intern(terms)

    def _describe(self, terms: tuple[tuple[Monomial, int], ...]) -> None:
        """Fill in what is asked for all the time."""
        self.terms = terms
        monomial, coefficient = terms[0] if terms else ((), 0)
        single = len(terms) <= 1
        self.number = coefficient if single and not monomial else None
        self.name = monomial[0] if single and coefficient == 1 and len(monomial) == 1 else None
        self.names = frozenset(name for monomial, _ in terms for name in monomial)
        self._text = _spelled(terms)

    def substitute(self, sizes: Mapping[str, Dimension]) -> Dimension:
        """Replace names by dimensions; names that are not in the mapping stay."""
        if self.names.isdisjoint(sizes):
            return self
        total = Dimension.of(0)
        for monomial, coefficient in self.terms:
            term = Dimension.of(coefficient)
            for name in monomial:
                term = term * sizes.get(name, Dimension.of(name))
            total = total + term
        return total

    def evaluate(self, sizes: Mapping[str, int]) -> int:
        """Compute its value; raises KeyError with the name that has no size."""
        total = 0
        for monomial, coefficient in self.terms:
            term = coefficient
            for name in monomial:
                term *= sizes[name]
            total += term
        return total

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Dimension({self})"

    def __reduce__(self) -> tuple[object, ...]:
        return (_restore, (self.terms,))


def _spelled(terms: tuple[tuple[Monomial, int], ...]) -> str:
    shown = ""
    for monomial, coefficient in sorted(terms, key=lambda term: (term[1] < 0, term)):
        size = abs(coefficient)
        factors = list(monomial) if size == 1 and monomial else [str(size), *monomial]
        sign = (" - " if coefficient < 0 else " + ") if shown else ("-" if coefficient < 0 else "")
        shown += sign + " ".join(factors)
    return shown or "0"


def _restore(terms: tuple[tuple[Monomial, int], ...]) -> Dimension:
    return Dimension._intern(dict(terms))


ONE = Dimension.of(1)
