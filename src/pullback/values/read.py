"""One value, wherever it is written: the front of this sub-package."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pullback.errors import ValuesError
from pullback.values.delimited import read_csv
from pullback.values.files import Array, check_readable
from pullback.values.inline import read_inline
from pullback.values.nested import read_json
from pullback.values.npy import read_npy

_READERS = {".npy": read_npy, ".csv": read_csv, ".json": read_json}


def read_value(text: str, option: str = "value") -> Array:
    """Read an array of float64 from what was written, or from the file that it names.

    ``1 2 3`` is a vector (3,), ``1 2 3; 4 5 6`` a matrix (2, 3), ``[[1, 2], [3, 4]]`` a matrix (2, 2),
    ``5`` a scalar (). A text that ends in .npy, .csv or .json is a file.

    Args:
        text: What was written.
        option: What the messages call it, such as ``--value W``.

    Raises:
        ValuesError: Not a number, rows of different lengths, no entries, or a file that can't be read.

    >>> read_value("1 2 3; 4 5 6")
    array([[1., 2., 3.],
           [4., 5., 6.]])
    """
    path = Path(text.strip())
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        return read_inline(text, option)
    check_readable(path, option)
    try:
        array = reader(path, option)
    except OSError as error:
        raise ValuesError(f"{option}: {path} can't be read: {error.strerror or error}") from None
    except MemoryError:
        raise ValuesError(f"{option}: {path} does not fit in memory") from None
    if array.size == 0:
        raise ValuesError(f"{option}: {path} has no entries", hint="an array needs at least one number")
    return array


def fit(array: Array, axes: int) -> Array:
    """Read a row or a column as the vector that is asked for, and a vector as a row of a matrix.

    A table with one row or one column can't say whether it is a vector; the program can. What does not
    fit comes back as it was, so that the size check names it.

    Args:
        array: Any array.
        axes: How many axes the variable has.

    >>> fit(read_value("1; 2; 3"), 1).shape
    (3,)
    >>> fit(read_value("1 2 3"), 2).shape
    (1, 3)
    """
    if array.ndim == 2 and axes == 1 and 1 in array.shape:
        return array.reshape(-1)
    if array.ndim < axes <= 2:
        return array.reshape((1,) * (axes - array.ndim) + array.shape)
    if array.size == 1 and axes == 0:
        return np.asarray(array.reshape(()))
    return array
