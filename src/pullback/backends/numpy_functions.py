"""The entrywise functions of plans, as NumPy source and as NumPy values."""

from __future__ import annotations

from typing import Any

UFUNCS = {
    "add": "add", "subtract": "subtract", "multiply": "multiply", "divide": "divide", "power": "power",
    "negative": "negative", "reciprocal": "reciprocal", "square": "square", "sqrt": "sqrt", "exp": "exp",
    "log": "log", "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh", "cosh": "cosh",
    "tanh": "tanh", "abs": "absolute", "sign": "sign", "maximum": "maximum", "minimum": "minimum",
}  # fmt: skip
"""Plan functions that are one ufunc."""

COMPARISONS = {"greater": "greater", "equal": "equal"}
"""Plan functions whose result is 0 or 1."""

RISKY = frozenset({"divide", "power", "reciprocal", "sqrt", "exp", "log", "log1p", "tan", "sinh", "cosh", "square"})
"""Functions at which NumPy would warn of infinities that the notation knows how to live with."""


def erf(x: Any) -> Any:
    """Compute erf entry by entry, by SciPy where that is there."""
    try:
        from scipy.special import erf as fast  # type: ignore[import-untyped]
    except ImportError:
        from pullback.operations.special import erf as fast
    return fast(x)


def where(condition: Any, a: Any, b: Any) -> Any:
    """Choose entries of a where the condition is not zero, else of b."""
    import numpy as np

    return np.where(condition != 0, a, b)


def table_value(name: str) -> Any:
    """The NumPy function of an operation of the table."""
    from pullback.operations.entry import Primitive
    from pullback.operations.table import TABLE

    for entry in TABLE.values():
        for meaning in entry.meanings:
            if isinstance(meaning, Primitive) and meaning.operation.name == name:
                return meaning.value
    raise LookupError(name)
