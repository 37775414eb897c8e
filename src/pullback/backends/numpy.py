"""Plans run by NumPy."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from importlib import import_module
from typing import Any

from pullback.backends import factors
from pullback.backends.numpy_functions import erf, table_value, where
from pullback.backends.numpy_source import Writer
from pullback.errors import ValuesError
from pullback.planning.steps import Plan

Run = Callable[..., Any]


class NumpyProgram:
    """A plan specialised to a type and compiled; ``bind`` gives a thread its own buffers.

    The source is ours throughout: names of the program's inputs are in it as string literals only.
    """

    name = "numpy"

    def __init__(self, plan: Plan, dtype: Any, arrangement: str, reuse: bool) -> None:
        import numpy as np

        self.plan = plan = factors.with_factors(plan)
        self.dtype = np.dtype(dtype)
        self.source = Writer(plan, arrangement, reuse).write()
        self.code = compile(self.source.text, "<pullback plan>", "exec")

    def bind(self, miss: Run) -> Run:
        """Make buffers and the function that runs in them; ``miss`` takes arguments that do not fit."""
        import numpy as np

        source, dtype = self.source, self.dtype
        pool = [np.empty(length, dtype) for length in source.memory.lengths]
        limit = np.finfo(dtype).max
        scope: dict[str, Any] = {
            "A": np.ndarray, "D": dtype, "E": np.linalg.LinAlgError, "miss": miss, "failed": failed,
            "empty": np.empty, "zeros": np.zeros, "asarray": np.asarray, "copyto": _plain(np.copyto),
            "broadcast_to": np.broadcast_to, "einsum": np.einsum, "solve": solve, "matmul": np.matmul, "erf": erf,
            "where": where, "add_reduce": np.add.reduce, "maximum_reduce": np.maximum.reduce, "clip": clipping(),
            "LOW": np.array(-limit, dtype), "HIGH": np.array(limit, dtype), "scratch": np.empty(source.scratch, bool),
            **factors.FUNCTIONS,
        }  # fmt: skip
        for name in _UFUNC_NAMES:
            scope[name] = getattr(np, name)
        for name, (number, shape, value) in source.buffers.items():
            if number is not None:
                size = int(np.prod(shape, dtype=np.int64))
                scope[name] = pool[number][:size].reshape(shape)
            elif value is None:
                scope[name] = np.empty(shape, dtype)
            else:
                scope[name] = np.full(shape, value, dtype) if value else np.zeros(shape, dtype)
        for name, operation in source.operations.items():
            scope[name] = table_value(operation)
        for name, text in source.views:
            scope[name] = eval(text, scope)
        if source.risky:
            scope["enter"] = quiet_context(_BUFFER // dtype.itemsize if source.reuse else None)
        exec(self.code, scope)
        run: Run = scope["run"]
        return run


_UFUNC_NAMES = (
    "add subtract multiply divide power negative reciprocal square sqrt exp log log1p sin cos tan sinh cosh tanh "
    "absolute sign maximum minimum greater equal"
).split()


_BUFFER = 2048
"""Bytes that NumPy buffers at a time where nothing larger may be allocated; sums of few rows and a vector take as long,
large ones with fewer bytes less, but maxima more."""


def clipping() -> Any:
    """The ufunc behind ``np.clip``."""
    import numpy as np

    return import_module("numpy._core.umath" if int(np.__version__.split(".")[0]) >= 2 else "numpy.core.umath").clip


def _plain(function: Any) -> Any:
    """The function behind NumPy's dispatcher for array-likes of other libraries."""
    return getattr(function, "_implementation", function)


def quiet_context(buffer: int | None = None) -> Run:
    """A way to call a function in which NumPy does not warn of infinities, for a twentieth of a microsecond.

    ``buffer`` is how many entries NumPy buffers at a time where it repeats what is broadcast, 8192 if left to itself.
    """
    import numpy as np

    if int(np.__version__.split(".")[0]) < 2:

        def careful(function: Run, *arrays: Any) -> Any:
            with np.errstate(all="ignore"):
                return function(*arrays)

        return careful
    context = copy_context()
    context.run(np.seterr, all="ignore")
    if buffer is not None:
        context.run(np.setbufsize, buffer)
    return context.run


def solve(matrix: Any, right: Any) -> Any:
    """Solve A x = b."""
    import numpy as np

    return np.linalg.solve(matrix, right)


def failed(error: Exception) -> ValuesError:
    """What is said where a matrix is singular, or not positive definite where it must be."""
    return ValuesError(f"this can't be computed here: {str(error).lower()}")
