"""Arrays in NumPy's own file format: the header is looked at before anything is loaded; no pickles."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy_format

from pullback.errors import ValuesError
from pullback.values.files import LARGEST_ARRAY, Array, as_floats


def read_npy(path: Path, option: str) -> Array:
    """Read one array from a .npy file.

    Raises:
        ValuesError: Not such a file, cut short, not of numbers, pickled, or above 2 GB.
    """
    with path.open("rb") as file:
        shape, dtype = _header(file, path, option)
        if dtype.hasobject:
            raise ValuesError(
                f"{option}: {path} holds Python objects (a pickle), which are not loaded",
                hint="save an array of numbers: numpy.save(path, array.astype(float))",
            )
        needed = math.prod(shape) * dtype.itemsize
        if math.prod(shape) * 8 > LARGEST_ARRAY:
            raise ValuesError(f"{option}: {path} has {_times(shape)} entries, more than 2 GB as float64")
        left = path.stat().st_size - file.tell()
        if left < needed:
            raise ValuesError(
                f"{option}: {path} is cut short: {_times(shape)} entries of {dtype} "
                f"take {needed} bytes, {left} are there"
            )
        file.seek(0)
        try:
            array = np.load(file, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValuesError(f"{option}: {path} can't be read as an array: {error}") from None
    return as_floats(array, path, option)


def _header(file: BinaryIO, path: Path, option: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    try:
        version = npy_format.read_magic(file)
        if version == (1, 0):
            shape, _, dtype = npy_format.read_array_header_1_0(file)
        else:
            shape, _, dtype = npy_format.read_array_header_2_0(file)
    except (ValueError, EOFError, UnicodeDecodeError):
        raise ValuesError(
            f"{option}: {path} is not a .npy file", hint="write one with numpy.save(path, array)"
        ) from None
    if any(length < 0 for length in shape):
        raise ValuesError(f"{option}: {path} is not a .npy file: its shape is {shape}")
    return shape, dtype


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1"
