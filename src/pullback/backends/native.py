"""What is called directly: the BLAS that NumPy brings with it, and the C compiler of the system."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pullback.errors import PullbackError

NAMES = ("gemm", "gemv", "syrk")
_SPELLINGS = (("scipy_cblas_{}64_", 8), ("cblas_{}64_", 8), ("scipy_cblas_{}", 4), ("cblas_{}", 4))
_FLAGS = ("-O3", "-march=native", "-std=gnu11", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd", "-w")
VECTOR_LEVELS = (2, 1, 0)
"""How much of the mathematical library is declared to work on vectors; what the C library lacks fails to link."""


class Blas:
    """The addresses of BLAS routines, and how wide their integers are."""

    def __init__(self, addresses: dict[str, int], width: int) -> None:
        self.addresses = addresses
        self.width = width


@lru_cache(maxsize=1)
def numpy_library() -> ctypes.CDLL | None:
    """NumPy's own library, through which the routines are found that it uses."""
    import numpy as np

    inside = import_module("numpy._core" if int(np.__version__.split(".")[0]) >= 2 else "numpy.core")
    try:
        return ctypes.CDLL(inside._multiarray_umath.__file__)
    except (AttributeError, OSError):
        return None


@lru_cache(maxsize=1)
def blas() -> Blas | None:
    """The BLAS that NumPy uses, so that no second one competes for the processors; None where it can't be found."""
    import numpy as np

    library = numpy_library()
    if library is None:
        return None
    for spelling, width in _SPELLINGS:
        found: dict[str, int] = {}
        for letter in "sd":
            for name in NAMES:
                try:
                    routine = getattr(library, spelling.format(letter + name))
                except AttributeError:
                    break
                found[letter + name] = ctypes.cast(routine, ctypes.c_void_p).value or 0
        if len(found) == 2 * len(NAMES) and all(found.values()):
            made = Blas(found, width)
            return made if _multiplies(made, np) else None
    return None


def _multiplies(found: Blas, np: Any) -> bool:
    """Whether a product comes out right when called with integers of this width."""
    whole = ctypes.c_int64 if found.width == 8 else ctypes.c_int32
    real, pointer = ctypes.c_double, ctypes.c_void_p
    kind = ctypes.CFUNCTYPE(
        None, *[ctypes.c_int] * 3, *[whole] * 3, real, pointer, whole, pointer, whole, real, pointer, whole
    )
    a, b, c = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4), np.zeros((2, 4))
    kind(found.addresses["dgemm"])(
        101, 111, 111, 2, 4, 3, 1.0, a.ctypes.data, 3, b.ctypes.data, 4, 0.0, c.ctypes.data, 4
    )
    return bool(np.array_equal(c, a @ b))


@lru_cache(maxsize=1)
def data_offset() -> int | None:
    """Where an array object of NumPy keeps the address of its entries; None where that is not as it always was."""
    import numpy as np

    array = np.zeros(3)
    size = ctypes.sizeof(ctypes.c_void_p)
    offset = object.__basicsize__
    if ctypes.c_void_p.from_address(id(array) + offset).value != array.ctypes.data:
        return None
    flags = offset + 6 * size
    ours = ctypes.c_int.from_address(id(array) + flags).value
    theirs = ctypes.c_int.from_address(id(array[::2]) + flags).value
    return offset if ours & 0x501 == 0x501 and theirs & 0x1 == 0 else None


def compiler() -> str | None:
    """The C compiler of the system, by the usual names."""
    named = os.environ.get("CC")
    return next((path for name in (named, "cc", "gcc", "clang") if name and (path := shutil.which(name))), None)


def available() -> str | None:
    """Why plans can't be compiled here, or None where they can."""
    if os.name != "posix":
        return "this system has no C compiler that is called as cc"
    if compiler() is None:
        return "there is no C compiler (cc, gcc or clang)"
    if blas() is None:
        return "the BLAS routines that NumPy uses can't be found"
    if data_offset() is None:
        return "this NumPy keeps its arrays in another way"
    return None


@lru_cache(maxsize=128)
def load(source: str) -> ctypes.CDLL:
    """Compile C source and load it, once; the files are gone when this returns.

    Raises:
        PullbackError: The compiler does not take it.
    """
    path = compiler()
    assert path is not None
    said = ""
    with tempfile.TemporaryDirectory(prefix="pullback-") as place:
        file, library = Path(place, "plan.c"), Path(place, "plan.so")
        file.write_text(source, encoding="utf-8")
        for level in VECTOR_LEVELS:
            words = [path, *_FLAGS, f"-DVECTORS={level}", "-shared", "-fPIC", str(file), "-o", str(library)]
            done = subprocess.run([*words, *(["-lmvec"] if level else []), "-lm"], capture_output=True, text=True)
            if done.returncode == 0:
                try:
                    return ctypes.CDLL(str(library))
                except OSError as error:
                    said = str(error)
            else:
                said = done.stderr.strip()
    lines = [line for line in said.splitlines() if "error" in line] or said.splitlines() or ["it said nothing"]
    raise PullbackError(f"the C compiler failed: {lines[0][:200]}", hint='leave it to backend="numpy"')
