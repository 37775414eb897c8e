"""The whole table, by name."""

from __future__ import annotations

from pullback.operations import entrywise, linear_algebra, reductions
from pullback.operations.entry import Entry, definition

SHORTHANDS: tuple[Entry, ...] = (
    definition("sqrt", "x", "x .^ (1/2)", domain={"x": "positive"}),
    definition("square", "x", "x .^ 2"),
)

CONSTRUCTORS = ("eye", "ones", "zeros", "size", "pi", "vec", "kron", "reshape", "concat", "slice")
"""Functions whose arguments or shapes are more than an entry can say; see ``pullback.lowering.forms``."""

TABLE: dict[str, Entry] = {
    entry.name: entry for entry in (*entrywise.ENTRIES, *reductions.ENTRIES, *linear_algebra.ENTRIES, *SHORTHANDS)
}

HIDDEN = frozenset({"power"})
"""Entries that have a notation of their own."""

FUNCTIONS = frozenset(TABLE) - HIDDEN | frozenset(CONSTRUCTORS)
"""The reserved function names of the language."""
