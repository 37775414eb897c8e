"""What every kind of file shares: is it there, is it a file, is it small enough, is it text."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pullback.errors import ValuesError

Array = NDArray[np.float64]

LARGEST_ARRAY = 2 * 1024**3
LARGEST_TEXT = 256 * 1024**2


def check_readable(path: Path, option: str) -> None:
    """Refuse what is missing, no regular file, or not ours to read.

    Raises:
        ValuesError: With the path and the reason.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        hint = f"there is no folder {path.parent}" if not path.parent.is_dir() else "check the name"
        raise ValuesError(f"{option}: no file {path}", hint=hint) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValuesError(f"{option}: {path} can't be read: {reason}") from None
    if stat.S_ISDIR(mode):
        raise ValuesError(f"{option}: {path} is a folder, not a file", hint="name a .npy, .csv or .json file")
    if not stat.S_ISREG(mode):
        raise ValuesError(f"{option}: {path} is not a regular file")
    if not os.access(path, os.R_OK):
        raise ValuesError(f"{option}: {path} can't be read: permission denied")


def read_text(path: Path, option: str) -> str:
    """Read a file as UTF-8 text of bounded size.

    Raises:
        ValuesError: Too large, or not text (with the offset of the first bad byte).
    """
    size = path.stat().st_size
    if size > LARGEST_TEXT:
        raise ValuesError(
            f"{option}: {path} has {size / 1024**2:.0f} MB; text files are read up to {LARGEST_TEXT // 1024**2} MB",
            hint="save it as .npy, with numpy.save",
        )
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text(path, option, data, error.start) from None
    if "\0" in text:
        raise _not_text(path, option, data, data.index(0))
    return text


def as_floats(array: NDArray[Any], path: Path, option: str) -> Array:
    """Make float64 of an array of real numbers or truth values.

    Raises:
        ValuesError: Another kind of entries, said by name.
    """
    if array.dtype.kind not in "biuf":
        raise ValuesError(
            f"{option}: {path} holds entries of type {array.dtype}, not real numbers",
            hint="save an array of floats or integers",
        )
    return np.asarray(array, dtype=np.float64)


def _not_text(path: Path, option: str, data: bytes, offset: int) -> ValuesError:
    return ValuesError(
        f"{option}: {path} is not text: byte 0x{data[offset]:02x} at offset {offset}",
        hint="a NumPy array is read from a file that ends in .npy" if data[:6] == b"\x93NUMPY" else "save it as UTF-8",
    )
