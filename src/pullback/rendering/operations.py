"""The table of operations as people read it: what each one means, and what it makes of a gradient that comes back.

The page docs/operations.md is written by ``page``; the steps of a derivation name these entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pullback.derivation.formula import Line, Sign, entry, equation, total
from pullback.derivation.record import Record
from pullback.derivation.scalars import times
from pullback.operations import entrywise, linear_algebra, reductions
from pullback.operations.entry import Definition, Einsum, Entry
from pullback.operations.table import CONSTRUCTORS, FUNCTIONS, HIDDEN, SHORTHANDS, TABLE
from pullback.rendering.latex_math import allowed, formula
from pullback.rendering.symbols import write
from pullback.syntax.parser import parse_expression
from pullback.syntax.tree import Call, Indexed, Name, Syntax

_GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("Entry by entry", entrywise.ENTRIES),
    ("Reductions", reductions.ENTRIES),
    ("Linear algebra", linear_algebra.ENTRIES),
    ("Shorthands", SHORTHANDS),
)
_BUILT: dict[str, str] = {
    "eye": "`eye(n)` is the identity matrix of n rows.",
    "ones": "`ones(n)` is a column of ones, `ones(m, n)` a matrix of ones.",
    "zeros": "`zeros(n)` is a column of zeros, `zeros(m, n)` a matrix of zeros.",
    "size": "`size(x)` is the number of entries of x; `size(A, rows)` is the number of rows of A.",
    "pi": "`pi()` is the number π.",
    "vec": "`vec(A)` stacks the columns of A; g goes back as the matrix that it is stacked from.",
    "kron": "`kron(A, B)`, also written A ⊗ B, is the block matrix of the blocks a_ij B.",
    "reshape": "`reshape(x, m, n)` fills an m × n matrix column by column; g goes back in the old shape.",
    "concat": "`concat(a, b)` puts one after the other; g goes back in the parts that it was put together from.",
    "slice": "`slice(x, k, n)` is the n entries after the first k; g goes back with zeros around it.",
}
"""What is made or moved rather than computed; see ``pullback.lowering.forms``."""

_MOST_AXES = 2
"""Sums over more axes go without saying."""


@dataclass(frozen=True, slots=True)
class Described:
    """An entry, described: what it means, and for each argument what g becomes."""

    name: str
    meanings: tuple[Line, ...]
    passes: tuple[tuple[str, Line], ...]
    source: str


def described(name: str) -> Described | None:
    """Describe an entry; None for what is made or moved.

    >>> found = described("exp")
    >>> found.passes[0][0], write(found.passes[0][1].parts[-1], "plain")
    ('x', 'g exp(x)')
    """
    found = TABLE.get(name)
    if found is None:
        return None
    meanings: list[Line] = []
    passes: list[tuple[str, Line]] = []
    for meaning in found.meanings:
        if isinstance(meaning, Definition):
            # What a reduction makes of a single number goes without saying.
            if meaning.ranks is None or any(meaning.ranks):
                meanings.append(equation(_applied(found), _read(meaning.text)))
        elif isinstance(meaning, Einsum):
            if max(meaning.ranks) <= _MOST_AXES:
                meanings.append(_einsum(found, meaning))
        else:
            passes += [
                (parameter, Line((Name("g"), Sign("→"), _read(form))))
                for parameter, form in meaning.pullbacks.items()
                if form != "?"
            ]
    if found.written:
        meanings.append(equation(_applied(found), _read(found.written)))
    return Described(name, tuple(dict.fromkeys(meanings)), tuple(dict.fromkeys(passes)), found.source)


def _read(text: str) -> Syntax:
    return parse_expression(text, FUNCTIONS | HIDDEN)


def _applied(found: Entry) -> Syntax:
    return Call(found.name, tuple(map(Name, found.parameters)))


def _einsum(found: Entry, rule: Einsum) -> Line:
    """``tr(A) = sum_i A_ii``."""
    factors = [entry(name, axes) for name, axes in zip(found.parameters, rule.inputs, strict=False)]
    inner = list(dict.fromkeys(axis for axes in rule.inputs for axis in axes if axis not in rule.output))
    left: Syntax = _applied(found)
    if rule.output:
        left = Indexed(left, tuple(rule.output))
    return equation(left, total(times(factors), inner))


def used(record: Record) -> list[Described]:
    """The entries that the steps of a derivation name, in the order of the steps."""
    rules = [inner.rule for step in record.steps for inner in step.walk() if inner.rule is not None]
    names = dict.fromkeys(rule.name for rule in rules if rule.is_entry)
    return [found for name in names if (found := described(name)) is not None]


# the page


def page() -> str:
    """Write docs/operations.md."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# The table of operations"
    yield ""
    yield (
        "What every function of the notation means, and what it makes of the gradient g of its result: *g → …* is\n"
        "the gradient of the argument. Where the meaning is a formula, it is differentiated as that formula; where\n"
        "none is given, it is NumPy's function of that name. `make docs` writes this page from the table itself."
    )
    for title, entries in _GROUPS:
        yield ""
        yield f"## {title}"
        for found in entries:
            if found.name not in HIDDEN:
                yield from _entry(found.name)
    yield ""
    yield "## Made and moved"
    yield ""
    yield "No derivative is needed for these: constants have none, and what only moves entries moves g back."
    for name in CONSTRUCTORS:
        yield ""
        yield f"### {name}"
        yield ""
        yield _BUILT[name]


def _entry(name: str) -> Iterator[str]:
    found = described(name)
    assert found is not None
    yield ""
    yield f"### {name}"
    yield ""
    for meaning in found.meanings:
        yield f"- means $`{allowed(formula(meaning))}`$"
    several = len({parameter for parameter, _ in found.passes}) > 1
    for parameter, line in found.passes:
        to = f"to {parameter}: " if several else ""
        yield f"- {to}$`{allowed(formula(line))}`$, in the notation `{write(line.parts[-1], 'plain')}`"
    if found.source:
        yield f"- {found.source}"
