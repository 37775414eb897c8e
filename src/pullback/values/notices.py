"""What people should know about values that are allowed but rarely meant: NaN and infinities."""

from __future__ import annotations

import numpy as np

from pullback.values.files import Array


def notices(name: str, array: Array) -> list[str]:
    """Say how many NaN and infinite entries a value has and where the first one is.

    >>> notices("W", np.array([[1.0, np.nan], [np.nan, 2.0]]))
    ['value W has 2 NaN entries, the first in row 1, column 2']
    >>> notices("x", np.array([1.0, 2.0]))
    []
    """
    said = []
    for found, what in ((np.isnan(array), "NaN"), (np.isinf(array), "infinite")):
        count = int(found.sum())
        if count:
            entries = "entry" if count == 1 else "entries"
            first = np.unravel_index(int(np.argmax(found)), array.shape) if array.ndim else ()
            place = _place(tuple(int(k) for k in first), only=count == 1)
            said.append(
                f"value {name} has {count} {what} {entries}{place}" if array.ndim else f"value {name} is {what}"
            )
    return said


def _place(at: tuple[int, ...], *, only: bool) -> str:
    if len(at) == 2:
        where = f"in row {at[0] + 1}, column {at[1] + 1}"
    else:
        where = f"at position {', '.join(str(k + 1) for k in at)}"
    return f", {where}" if only else f", the first {where}"
