"""Factorisations by the LAPACK that NumPy brings with it; arrays are factored where they lie, row by row.

LAPACK reads a matrix column by column, so what it sees of an array is the transpose; it is told so when it solves.
The factors of a matrix have a row more, with the pivots; -1 there says that the factors are Cholesky's, which are tried
where a matrix is symmetric and its diagonal positive, since they cost half.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from pullback.backends.native import numpy_library
from pullback.planning.factoring import factored
from pullback.planning.steps import Plan, Step

_SPELLINGS = (("scipy_{}_64_", 8), ("{}_64_", 8), ("scipy_{}_", 4), ("{}_", 4))
_ROUTINES = ("getrf", "getrs", "getri", "potrf", "potrs", "potri")
_BLOCK = 64


class Lapack:
    """The routines for one type; ``width`` is that of their integers."""

    def __init__(self, routines: dict[str, Any], width: int) -> None:
        self.routines = routines
        self.whole = f"i{width}"

    def __call__(self, name: str, *given: Any) -> int:
        """Call a routine and return its last number; text, numbers and arrays are passed as Fortran has them.

        Numbers go as eight bytes, of which the first four are the same number on the machines that LAPACK comes for.
        """
        info = ctypes.c_int64(0)
        texts = [ctypes.c_size_t(1) for value in given if isinstance(value, bytes)]
        self.routines[name](*map(_passed, given), ctypes.byref(info), *texts)
        return info.value


def _passed(value: Any) -> Any:
    if isinstance(value, bytes):
        return value
    return ctypes.byref(ctypes.c_int64(value)) if isinstance(value, int) else ctypes.c_void_p(value.ctypes.data)


@lru_cache(maxsize=2)
def lapack(letter: str) -> Lapack | None:
    """The routines for ``s`` or ``d``; None where NumPy brings none that can be called and that work."""
    library = numpy_library()
    for spelling, width in _SPELLINGS if library is not None else ():
        try:
            found = {name: getattr(library, spelling.format(letter + name)) for name in _ROUTINES}
        except AttributeError:
            continue
        for routine in found.values():
            routine.restype = None
        made = Lapack(found, width)
        return made if _solves(made, letter) else None
    return None


def _solves(found: Lapack, letter: str) -> bool:
    """Whether a system that needs its rows exchanged comes out right."""
    import numpy as np

    dtype = np.dtype("f4" if letter == "s" else "f8")
    matrix, right = np.array([[0, 4, 1], [2, 1, 0], [1, 0, 1]], dtype), np.array([7, 3, 4], dtype)
    pivots = np.zeros(3, found.whole)
    failed = found("getrf", 3, 3, matrix, 3, pivots) or found("getrs", b"T", 3, 1, matrix, 3, pivots, right, 3)
    return not failed and bool(np.allclose(right, [1, 1, 3], 1e-5))


def with_factors(plan: Plan) -> Plan:
    """A plan in which matrices are factored once, if NumPy brings what that needs."""
    return factored(plan) if lapack("d") is not None and lapack("s") is not None else plan


def call(step: Step, inputs: Sequence[str], target: str) -> str:
    """The source of a call that writes to ``target``."""
    return f"{step.kind.replace(' ', '_')}({', '.join([*inputs, *map(repr, step.detail), target])})"


def factor(matrix: Any, out: Any) -> None:
    """Write the factors of a matrix to ``out``.

    Raises:
        LinAlgError: The matrix is singular.

    >>> import numpy as np
    >>> factors, solved = np.empty((3, 2)), np.empty(2)
    >>> factor(np.array([[0.0, 2.0], [1.0, 0.0]]), factors)
    >>> factored_solve(factors, np.array([4.0, 3.0]), False, solved)
    >>> solved
    array([3., 2.])
    """
    import numpy as np

    run, n = _routines(out), len(matrix)
    square = out[:n]
    square[...] = matrix
    if np.diagonal(matrix).min() > 0 and np.array_equal(matrix, matrix.T):
        if run("potrf", b"L", n, square, n) == 0:
            out[n] = -1
            return
        square[...] = matrix
    pivots = np.empty(n, run.whole)
    if run("getrf", n, n, square, n, pivots):
        raise np.linalg.LinAlgError("Singular matrix")
    out[n] = pivots


def factored_solve(factors: Any, right: Any, turned: bool, out: Any) -> None:
    """Solve for one right side, or for rows of them."""
    run, n = _routines(out), factors.shape[1]
    out[...] = right
    count = 1 if out.ndim == 1 else len(out)
    if _is_cholesky(factors):
        run("potrs", b"L", n, count, factors, n, out, n)
    else:
        run("getrs", b"N" if turned else b"T", n, count, factors, n, factors[n].astype(run.whole), out, n)


def factored_inv(factors: Any, out: Any) -> None:
    """Write the inverse."""
    import numpy as np

    run, n = _routines(out), factors.shape[1]
    out[...] = factors[:n]
    if _is_cholesky(factors):
        run("potri", b"L", n, out, n)
        out[...] = np.triu(out)
        out += np.triu(out, 1).T
    else:
        run("getri", n, out, n, factors[n].astype(run.whole), np.empty(_BLOCK * n, out.dtype), _BLOCK * n)


def factored_logdet(factors: Any, out: Any) -> None:
    """The logarithm of the determinant; NaN where that is not positive."""
    import numpy as np

    diagonal = _diagonal(factors)
    if _is_cholesky(factors):
        out[...] = 2 * np.log(diagonal).sum()
    else:
        out[...] = np.log(np.abs(diagonal)).sum() if _sign(factors, diagonal) > 0 else np.nan


def factored_det(factors: Any, out: Any) -> None:
    """The determinant."""
    import numpy as np

    diagonal = _diagonal(factors)
    with np.errstate(all="ignore"):
        if _is_cholesky(factors):
            out[...] = np.square(diagonal).prod()
        else:
            out[...] = np.abs(diagonal).prod() * _sign(factors, diagonal)


FUNCTIONS: dict[str, Callable[..., None]] = {
    function.__name__: function for function in (factor, factored_solve, factored_inv, factored_logdet, factored_det)
}
"""What ``call`` calls."""


def _diagonal(factors: Any) -> Any:
    n = factors.shape[1]
    return factors.reshape(-1)[: n * n : n + 1]


def _is_cholesky(factors: Any) -> bool:
    return bool(factors[-1, 0] == -1)


def _sign(factors: Any, diagonal: Any) -> int:
    """The sign of the determinant: of the diagonal, and of the exchanges of rows."""
    import numpy as np

    exchanged = np.count_nonzero(factors[-1] != np.arange(1, len(diagonal) + 1))
    return -1 if (exchanged + np.count_nonzero(diagonal < 0)) % 2 else 1


def _routines(array: Any) -> Lapack:
    found = lapack("s" if array.dtype.itemsize == 4 else "d")
    assert found is not None
    return found
