"""Do values have the properties that the program counts on? Results are simplified by them, and wrong without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TOLERANCE = 1e-6
"""How far an entry may be off, relative to the largest: far above the noise of float32, far below a mistake."""


def contradiction(properties: frozenset[str], array: Any) -> str:
    """Say which entry of a value contradicts a declared property; empty where none does.

    NaN contradicts nothing. Leading axes are samples.

    >>> import numpy as np
    >>> contradiction(frozenset({"symmetric"}), np.array([[1.0, 2.0], [3.0, 4.0]]))
    'symmetric, but entry [1, 2] is 2 and entry [2, 1] is 3'
    >>> contradiction(frozenset({"diagonal"}), np.eye(2))
    ''
    """
    import numpy as np

    if not array.size:
        return ""
    with np.errstate(all="ignore"):
        for name, find in _CHECKS.items():
            if name in properties and (name == "positive" or array.ndim >= 2):
                found = find(array)
                if found:
                    return f"{name}, but {found}"
    return ""


def _off(gap: Any, scale: Any) -> tuple[int, ...] | None:
    """Where something that should be zero is not: the largest place."""
    import numpy as np

    gap = np.nan_to_num(np.abs(gap), nan=0.0, posinf=np.inf)
    finite = scale[np.isfinite(scale)]
    most = float(np.max(np.abs(finite), initial=0.0))
    place = np.unravel_index(int(np.argmax(gap)), gap.shape)
    return tuple(int(k) for k in place) if gap[place] > TOLERANCE * most else None


def _entry(array: Any, at: tuple[int, ...]) -> str:
    place = ", ".join(str(k + 1) for k in at)
    return f"entry [{place}] is {float(array[at]):.6g}" if at else f"it is {float(array):.6g}"


def _symmetric(array: Any) -> str:
    import numpy as np

    at = _off(array - np.swapaxes(array, -1, -2), array)
    if at is None:
        return ""
    low = (*at[:-2], min(at[-2:]), max(at[-2:]))
    return f"{_entry(array, low)} and {_entry(array, (*low[:-2], low[-1], low[-2]))}"


def _zero_where(mask: Callable[[Any], Any]) -> Callable[[Any], str]:
    """Entries that must be zero, picked out of the array by a function."""

    def find(array: Any) -> str:
        at = _off(mask(array), array)
        return "" if at is None else _entry(array, at)

    return find


def _above(array: Any) -> Any:
    import numpy as np

    return np.triu(array, 1)


def _below(array: Any) -> Any:
    import numpy as np

    return np.tril(array, -1)


def _beside(array: Any) -> Any:
    return _above(array) + _below(array)


def _orthogonal(array: Any) -> str:
    import numpy as np

    product = np.swapaxes(array, -1, -2) @ array
    at = _off(product - np.eye(array.shape[-1]), np.ones(1))
    return "" if at is None else f"entry [{', '.join(str(k + 1) for k in at)}] of A' A is {float(product[at]):.6g}"


def _definite(array: Any) -> str:
    import numpy as np

    lopsided = _symmetric(array)
    if lopsided or not np.all(np.isfinite(array)):
        return lopsided
    room = TOLERANCE * float(np.max(np.abs(array)))
    try:
        np.linalg.cholesky(array + 2 * room * np.eye(array.shape[-1]))
    except np.linalg.LinAlgError:
        smallest = float(np.min(np.linalg.eigvalsh(array)))
        return f"its smallest eigenvalue is {smallest:.6g}" if smallest < -room else ""
    return ""


def _invertible(array: Any) -> str:
    import numpy as np

    if not np.all(np.isfinite(array)):
        return ""
    return "its determinant is 0" if np.any(np.linalg.slogdet(array)[0] == 0) else ""


def _positive(array: Any) -> str:
    import numpy as np

    found = np.argwhere(array < -TOLERANCE * np.nanmax(np.abs(array), initial=0.0))
    return _entry(array, tuple(int(k) for k in found[0])) if len(found) else ""


_CHECKS: dict[str, Callable[[Any], str]] = {
    "diagonal": _zero_where(_beside),
    "lower": _zero_where(_above),
    "upper": _zero_where(_below),
    "symmetric": _symmetric,
    "spd": _definite,
    "orthogonal": _orthogonal,
    "invertible": _invertible,
    "positive": _positive,
}
