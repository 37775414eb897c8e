"""Arrays as nested lists: what a .json file holds."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from pullback.errors import ValuesError
from pullback.values.files import Array, read_text

_DEEPEST = 32
_SPECIAL = {"nan": math.nan, "infinity": math.inf, "-infinity": -math.inf, "inf": math.inf, "-inf": -math.inf}


def read_json(path: Path, option: str) -> Array:
    """Read one array from a JSON file of nested lists of numbers.

    ``NaN``, ``Infinity`` and ``-Infinity`` are read bare or as strings.

    Raises:
        ValuesError: Not JSON (with line and column), ragged, or an entry that is no number (with its indices).
    """
    where = f"{option}: {path}"
    text = read_text(path, option)
    if not text.strip():
        raise ValuesError(f"{where} is empty", hint="write nested lists, such as [[1, 2], [3, 4]]")
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValuesError(f"{where} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (RecursionError, ValueError):
        raise ValuesError(f"{where} is not an array: its lists are too deep or its numbers too long") from None
    shape = _shape(data, where)
    leaves: list[float] = []
    _collect(data, shape, (), leaves, where)
    return np.array(leaves, dtype=np.float64).reshape(shape)


def _shape(data: object, where: str) -> tuple[int, ...]:
    """The shape along the first entries; the rest is compared with it while it is collected."""
    shape: list[int] = []
    while isinstance(data, list):
        shape.append(len(data))
        if len(shape) > _DEEPEST:
            raise ValuesError(f"{where} has lists more than {_DEEPEST} deep")
        if not data:
            raise ValuesError(f"{where} has an empty list", hint="an array needs at least one number")
        data = data[0]
    return tuple(shape)


def _collect(data: object, shape: tuple[int, ...], at: tuple[int, ...], leaves: list[float], where: str) -> None:
    if len(at) == len(shape):
        leaves.append(_number(data, at, where))
        return
    if not isinstance(data, list):
        raise ValuesError(f"{where}{_entry(at)} is {_kind(data)} where its neighbours are lists")
    if len(data) != shape[len(at)]:
        raise ValuesError(
            f"{where}{_entry(at)} has {len(data)} entries where the first has {shape[len(at)]}",
            hint="every row of an array is of one length",
        )
    for k, item in enumerate(data):
        _collect(item, shape, (*at, k), leaves, where)


def _number(data: object, at: tuple[int, ...], where: str) -> float:
    if isinstance(data, bool) or not isinstance(data, int | float):
        special = _SPECIAL.get(data.lower()) if isinstance(data, str) else None
        if special is not None:
            return special
        hint = "write NaN for a missing number" if data is None else "write nested lists, such as [[1, 2], [3, 4]]"
        raise ValuesError(f"{where}{_entry(at)} is {_kind(data)}, not a number", hint=hint)
    try:
        return float(data)
    except OverflowError:
        raise ValuesError(f"{where}{_entry(at)} is too large for float64") from None


def _entry(at: tuple[int, ...]) -> str:
    return f", entry [{', '.join(map(str, at))}]" if at else ""


def _kind(data: object) -> str:
    if isinstance(data, bool):
        return "true" if data else "false"
    if data is None:
        return "null"
    if isinstance(data, str):
        return f'the text "{data[:40]}"'
    if isinstance(data, dict):
        return "an object"
    return "a list" if isinstance(data, list) else "a number"
