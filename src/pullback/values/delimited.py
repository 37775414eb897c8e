"""Tables of numbers as text: what a .csv file holds, whatever stands between its columns."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from pullback.errors import ValuesError
from pullback.values.files import Array, read_text

_SEPARATORS = ("\t", ";", ",")


def read_csv(path: Path, option: str) -> Array:
    """Read a table (rows, columns) from a .csv file.

    Columns stand apart by commas, semicolons, tabs or spaces, found out from the first line. Empty lines
    and lines that start with ``#`` are skipped. A line of column names is not guessed at: it is refused.

    Raises:
        ValuesError: With the row and column of what is no number, or the row that is too short or too long.
    """
    where = f"{option}: {path}"
    lines = [
        (number, line)
        for number, line in enumerate(read_text(path, option).splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise ValuesError(f"{where} is empty", hint="a table needs at least one number")
    separator = next((sign for sign in _SEPARATORS if sign in lines[0][1]), None)
    try:
        return np.loadtxt([line for _, line in lines], dtype=np.float64, delimiter=separator, comments=None, ndmin=2)
    except ValueError:
        return _read_slowly(lines, separator, where)


def _read_slowly(lines: list[tuple[int, str]], separator: str | None, where: str) -> Array:
    """Read cell by cell: quotes, a separator at the end of a line, and the place of what is wrong."""
    rows: list[list[float]] = []
    for number, line in lines:
        cells = _cells(line, separator)
        row = [_cell(cell, f"{where}, line {number}, column {k}", not rows) for k, cell in enumerate(cells, start=1)]
        if rows and len(row) != len(rows[0]):
            raise ValuesError(
                f"{where}, line {number} has {_entries(len(row))} where line {lines[0][0]} has {len(rows[0])}",
                hint="every row of a table is of one length",
            )
        rows.append(row)
    return np.array(rows, dtype=np.float64)


def _cells(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    cells = [cell.strip() for cell in line.split(separator)]
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells


def _cell(cell: str, where: str, first: bool) -> float:
    text = cell[1:-1] if len(cell) >= 2 and cell[0] == cell[-1] == '"' else cell
    try:
        if "_" in text:
            raise ValueError
        return float(text)
    except ValueError:
        pass
    if not text:
        raise ValuesError(f"{where} is empty", hint="write nan for a missing number")
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        hint = "write decimals with a point"
    elif first:
        hint = "a line of column names is not read: delete it, or start it with #"
    else:
        hint = "write nan for a missing number"
    raise ValuesError(f"{where}: {text[:40]!r} is not a number", hint=hint)


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
