"""What is said of a program beside its text: shapes, properties and batches, read or refused by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from operator import index
from typing import Any, NoReturn

from pullback.dimension import Dimension
from pullback.errors import NotationError, PullbackError, ShapeError
from pullback.syntax.names import normalise
from pullback.syntax.parser import PROPERTIES, parse_expression
from pullback.syntax.tree import Chain, Name, Number, Power, Syntax

Shapes = Mapping[str, Sequence[int | str | Dimension] | int | str]
"""What ``shapes=`` takes: dimensions by the name of the input, one alone for a vector."""
Properties = Mapping[str, str | Iterable[str]]
"""What ``assume=`` takes: properties by the name of the input."""

LONGEST = 2**63 - 1
_HIGHEST_POWER = 8
_A_DIMENSION = "a dimension is a whole number from 1, a name, or made of them, such as 2 n or m + 1"


def read_shapes(shapes: object) -> dict[str, tuple[Dimension, ...]]:
    """Read shapes by the name of the input.

    A shape is a sequence of dimensions; one dimension alone is a vector of that length.

    Raises:
        NotationError: What is given is no mapping of names.
        ShapeError: Something is no shape.

    >>> read_shapes({"A": ("m + 1", 3), "x": 3, "c": ()})
    {'A': (Dimension(1 + m), Dimension(3)), 'x': (Dimension(3),), 'c': ()}
    """
    return {normalise(name): read_shape(name, given) for name, given in _by_name(shapes, "shapes", '{"A": ("m", 3)}')}


def read_properties(assume: object) -> dict[str, frozenset[str]]:
    """Read properties by the name of the input: words in one text, or several texts.

    Raises:
        NotationError: Something is no property.

    >>> sorted(read_properties({"A": "spd, diagonal"})["A"])
    ['diagonal', 'spd']
    """
    result = {}
    for name, given in _by_name(assume, "assume", '{"A": "spd"}'):
        parts = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
        words = [w for part in parts for w in (part.replace(",", " ").split() if isinstance(part, str) else [part])]
        for word in words:
            if word not in PROPERTIES:
                hint = f"the properties are: {', '.join(PROPERTIES)}"
                raise NotationError(f"{_shown(word)} is not a property", hint=hint)
        result[normalise(name)] = frozenset(words)
    return result


def read_batch(batch: object) -> int | str:
    """Read the size of a batch axis: a whole number or a name.

    Raises:
        ShapeError: It is neither.
    """
    size = _dimension("batch", batch)
    found = size.number if size.number is not None else size.name
    if found is None:
        raise ShapeError(f"the batch axis can't be {size} long", hint="its size is a whole number or a name")
    return found


def refuse_misspelt(
    given: Mapping[str, object], known: Collection[str], inputs: Collection[str], source: str = ""
) -> None:
    """Refuse what looks like a misspelt input, and what names nothing in the program at all.

    One table of shapes may serve several programs: a name that is in the table and not in this program says
    nothing of it. But a name that is near to an input without an entry, or a table without one name of the program,
    is a mistake.

    Args:
        given: What is said, by name.
        known: All names that the text uses.
        inputs: Those of its inputs.
        source: The text.

    Raises:
        NotationError: With the nearest name.
    """
    strangers = [name for name in given if name not in known]
    for name in strangers:
        if any(near not in given for near in get_close_matches(name, inputs, n=3)):
            refuse_stranger(name, inputs, source)
    if strangers and inputs and len(strangers) == len(given):
        refuse_stranger(strangers[0], inputs, source)


def refuse_stranger(name: str, known: Iterable[str], source: str = "") -> NoReturn:
    """Say that the program does not have a name, with the nearest one that it has."""
    known = list(known)
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"its names are: {', '.join(known) or 'none'}"
    raise NotationError(
        f"{name} is given a shape or a property, but the program has no {name}", source=source, hint=hint
    )


def _by_name(given: object, what: str, example: str) -> list[tuple[str, Any]]:
    if not isinstance(given, Mapping):
        raise NotationError(f"{what} is a mapping from names, not {kind(given)}", hint=f"such as {what}={example}")
    for name in given:
        if not isinstance(name, str):
            message = f"{what} is a mapping from names, and {_shown(name)} is no name"
            raise NotationError(message, hint=f"such as {what}={example}")
    return list(given.items())


def read_shape(name: str, given: object) -> tuple[Dimension, ...]:
    """Read one shape; ``name`` is whose, for the message."""
    if hasattr(given, "dtype") and hasattr(given, "shape") and getattr(given, "shape", None) != ():
        raise ShapeError(f"the shape of {name} is given as an array", hint="give its .shape")
    if isinstance(given, tuple | list):
        return tuple(_dimension(f"the shape of {name}", axis) for axis in given)
    if isinstance(given, Iterable) and not isinstance(given, str):
        message = f"the shape of {name} is a sequence of dimensions, not {kind(given)}"
        raise ShapeError(message, hint='write ("m", "n"), (3,) or ()')
    return (_dimension(f"the shape of {name}", given),)


def _dimension(where: str, given: object) -> Dimension:
    if isinstance(given, Dimension):
        return given
    found = _read(given) if isinstance(given, str) else _whole(given)
    if found is None or (found.number is not None and not 0 < found.number <= LONGEST):
        raise ShapeError(f"{where}: {_shown(given)} is not a dimension", hint=_A_DIMENSION)
    return found


def _whole(given: object) -> Dimension | None:
    try:
        return None if isinstance(given, bool) else Dimension.of(index(given))  # type: ignore[arg-type]
    except TypeError:
        return None


def _read(text: str) -> Dimension | None:
    try:
        return _value(parse_expression(text, ()))
    except PullbackError:
        return None


def _value(tree: Syntax) -> Dimension | None:
    match tree:
        case Name(identifier):
            return Dimension.of(identifier)
        case Number(value) if value.denominator == 1 and value.numerator <= LONGEST:
            return Dimension.of(value.numerator)
        case Power(base, Number(value), entrywise=False) if value.denominator == 1 and 0 < value <= _HIGHEST_POWER:
            return _folded([base] * int(value), ["*"] * (int(value) - 1))
        case Chain(operands, operators) if set(operators) <= {"+", "-", "*"}:
            return _folded(operands, operators)
    return None


def _folded(operands: Iterable[Syntax], operators: Iterable[str]) -> Dimension | None:
    total: Dimension | None = None
    for operator, operand in zip(["+", *operators], operands, strict=True):
        part = _value(operand)
        if part is None:
            return None
        if total is None:
            total = part
        else:
            total = total * part if operator == "*" else total + part if operator == "+" else total - part
    return total


def kind(given: object) -> str:
    """Say what a Python object is.

    >>> kind(3), kind([]), kind(None)
    ('an int', 'a list', 'None')
    """
    name = type(given).__name__
    return "None" if given is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _shown(given: object) -> str:
    text = given if isinstance(given, str) and given.strip() else repr(given)
    return text if len(text) <= 60 else f"{text[:57]}…"
