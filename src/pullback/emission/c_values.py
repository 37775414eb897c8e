"""Where the entries of a slot are, as C: in memory, or computed where they are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pullback.planning.steps import Extent

ATOM, SIGN, TIMES, PLUS, COMPARE, CHOICE = 9, 4, 3, 2, 1, 0
"""How tightly a text of C binds."""

Text = tuple[str, int]

FORMS: dict[str, tuple[str, int, tuple[int, ...]]] = {
    "add": ("{0} + {1}", PLUS, (PLUS, PLUS)), "subtract": ("{0} - {1}", PLUS, (PLUS, TIMES)),
    "multiply": ("{0} * {1}", TIMES, (TIMES, SIGN)), "divide": ("{0} / {1}", TIMES, (TIMES, SIGN)),
    "negative": ("-{0}", SIGN, (ATOM,)), "reciprocal": ("1 / {0}", TIMES, (SIGN,)), "copy": ("{0}", CHOICE, (CHOICE,)),
    "greater": ("{0} > {1}", COMPARE, (PLUS, PLUS)), "equal": ("{0} == {1}", COMPARE, (PLUS, PLUS)),
    "where": ("{0} != 0 ? {1} : {2}", CHOICE, (PLUS, PLUS, PLUS)),
    "power": ("pow({0}, {1})", ATOM, (CHOICE, CHOICE)), "square": ("square({0})", ATOM, (CHOICE,)),
    "abs": ("fabs({0})", ATOM, (CHOICE,)), "maximum": ("larger({0}, {1})", ATOM, (CHOICE, CHOICE)),
    "minimum": ("smaller({0}, {1})", ATOM, (CHOICE, CHOICE)), "atan": ("atan({0})", ATOM, (CHOICE,)),
    "finite": ("fmin(fmax({0}, -DBL_MAX), DBL_MAX)", ATOM, (CHOICE,)),
} | {name: (f"{name}({{0}})", ATOM, (CHOICE,)) for name in
     "exp log log1p sin cos tan sinh cosh tanh sqrt erf sign".split()}  # fmt: skip
"""Entrywise functions: the pattern, how tightly it binds, and how tightly its operands have to."""


def at_level(text: Text, level: int) -> str:
    """A text where only what binds at least so tightly may stand."""
    return text[0] if text[1] >= level else f"({text[0]})"


@dataclass(frozen=True, slots=True)
class Place:
    """Memory: a pointer, an offset and a stride for each axis, as C; a stride of "0" repeats."""

    pointer: str
    strides: tuple[str, ...]
    offset: str = ""

    @property
    def start(self) -> str:
        """A pointer to the first entry."""
        return f"{self.pointer} + {self.offset}" if self.offset else self.pointer


@dataclass(frozen=True, slots=True)
class Value:
    """A slot: its shape, the text of an entry at given indices, and its memory if it has some."""

    shape: Extent
    at: Callable[[Sequence[str]], Text]
    place: Place | None = None
    weight: int = 0
    constant: bool = False


def stored(shape: Extent, place: Place) -> Value:
    """A value in memory."""

    def at(indices: Sequence[str]) -> Text:
        terms = []
        for index, stride in zip(indices, place.strides, strict=True):
            if stride != "0" and index != "0":
                terms.append(index if stride == "1" else f"{_factor(index)} * {stride}")
        terms += [place.offset] if place.offset else []
        return f"{place.pointer}[{' + '.join(terms) or '0'}]", ATOM

    return Value(shape, at, place)


def number(value: float, shape: Extent = ()) -> Value:
    """The same number everywhere."""
    text = number_text(value)
    return Value(shape, lambda indices: text, constant=True)


def computed(function: str, given: Sequence[Value], shape: Extent) -> Value:
    """An entrywise function of values that are broadcast to a shape."""
    pattern, level, wanted = FORMS[function]
    if function == "multiply" and given[1].constant:
        given = given[::-1]

    def at(indices: Sequence[str]) -> Text:
        texts = [value.at(own_indices(value, indices, shape)) for value in given]
        if function == "copy":
            return texts[0]
        return pattern.format(*(at_level(t, w) for t, w in zip(texts, wanted, strict=True))), level

    return Value(shape, at, None, 1 + sum(value.weight for value in given))


def own_indices(value: Value, indices: Sequence[str], shape: Extent) -> list[str]:
    """The indices of a value that is broadcast to a shape."""
    if not value.shape:
        return []
    return ["0" if n == 1 else i for n, i in zip(value.shape, indices, strict=True)]


def permuted(value: Value, order: Sequence[int]) -> Value:
    """Axes in another order."""
    shape = tuple(value.shape[k] for k in order)
    if value.place is not None:
        return stored(shape, replace(value.place, strides=tuple(value.place.strides[k] for k in order)))
    back = {axis: k for k, axis in enumerate(order)}
    return Value(shape, lambda i: value.at([i[back[k]] for k in range(len(order))]), None, value.weight)


def squeezed_or_widened(value: Value, shape: Extent) -> Value | None:
    """Another shape where only axes of length one come or go; None where that is not all."""
    if [n for n in value.shape if n != 1] != [n for n in shape if n != 1]:
        return None
    live = [k for k, n in enumerate(shape) if n != 1]
    if value.place is not None:
        kept = iter([s for n, s in zip(value.shape, value.place.strides, strict=True) if n != 1])
        return stored(shape, replace(value.place, strides=tuple("0" if n == 1 else next(kept) for n in shape)))

    def at(indices: Sequence[str]) -> Text:
        rest = iter([indices[k] for k in live])
        return value.at(["0" if n == 1 else next(rest) for n in value.shape])

    return Value(shape, at, None, value.weight)


def expanded(value: Value, shape: Extent) -> Value:
    """Repeated along axes of length one."""
    if value.place is not None and value.shape:
        pairs = zip(value.shape, shape, value.place.strides, strict=True)
        return stored(shape, replace(value.place, strides=tuple("0" if m == 1 and n != 1 else s for m, n, s in pairs)))
    if value.place is not None:
        return stored(shape, replace(value.place, strides=("0",) * len(shape)))
    return Value(shape, lambda i: value.at(own_indices(value, i, shape)), None, value.weight)


def diagonal(value: Value, labels: Sequence[int]) -> Value:
    """The entries where axes of the same label have the same index."""
    order = list(dict.fromkeys(labels))
    shape = tuple(value.shape[list(labels).index(label)] for label in order)
    return Value(shape, lambda i: value.at([i[order.index(label)] for label in labels]), None, value.weight)


def part(value: Value, start: Any) -> Callable[[Extent], Value]:
    """Entries from ``start`` on along the last axis."""

    def shaped(shape: Extent) -> Value:
        if value.place is not None:
            steps = [value.place.offset] if value.place.offset else []
            steps += [f"{_factor(repr(start))} * {value.place.strides[-1]}"] if start else []
            return stored(shape, replace(value.place, offset=" + ".join(steps)))
        return Value(shape, lambda i: value.at([*i[:-1], _plus(i[-1], start)]), None, value.weight)

    return shaped


def _plus(index: str, start: Any) -> str:
    return index if not start else repr(start) if index == "0" else f"{index} + {start!r}"


def _factor(text: str) -> str:
    return text if text.replace("_", "").isalnum() else f"({text})"


def row_major(shape: Extent) -> tuple[str, ...]:
    """The strides of an array that lies in memory row by row."""
    found: list[str] = []
    for k in range(len(shape)):
        later = [_factor(repr(n)) for n in shape[k + 1 :] if n != 1]
        found.append("(" + " * ".join(later) + ")" if len(later) > 1 else later[0] if later else "1")
    return tuple(found)


def count(shape: Extent) -> str:
    """The number of entries, as C."""
    return " * ".join(_factor(repr(n)) for n in shape if n != 1) or "1"


def number_text(value: float) -> Text:
    """A number or its formula, as C."""
    import ast

    text = repr(value)
    if text.lstrip("-") in ("inf", "nan"):
        return text.replace("inf", "INFINITY").replace("nan", "NAN"), ATOM if text[0] != "-" else SIGN
    return _formula(ast.parse(text, mode="eval").body)


def _formula(tree: Any) -> Text:
    import ast

    if isinstance(tree, ast.Constant):
        value = tree.value
        return (repr(value) if isinstance(value, float) else f"{value!r}.0"), ATOM
    if isinstance(tree, ast.Name):
        return f"(real){tree.id}", SIGN
    if isinstance(tree, ast.UnaryOp):
        return f"-{at_level(_formula(tree.operand), ATOM)}", SIGN
    left, right = _formula(tree.left), _formula(tree.right)
    if isinstance(tree.op, ast.Pow):
        return f"pow({left[0]}, {right[0]})", ATOM
    sign, level = {ast.Add: ("+", PLUS), ast.Sub: ("-", PLUS), ast.Mult: ("*", TIMES), ast.Div: ("/", TIMES)}[
        type(tree.op)
    ]
    return f"{at_level(left, level)} {sign} {at_level(right, level + 1)}", level
