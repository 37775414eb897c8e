"""Arrays of real numbers from whatever Python objects people give, or a word on why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

from pullback.errors import ValuesError
from pullback.lowering.given import kind
from pullback.syntax.names import normalise


def by_name(values: object, what: str = "values") -> dict[str, Any]:
    """Read a mapping from names, each given once.

    Raises:
        ValuesError: It is something else.

    >>> by_name({"x": 1})
    {'x': 1}
    """
    hint = f'such as {what}={{"x": [1, 2]}}'
    if not isinstance(values, Mapping):
        raise ValuesError(f"{what} is a mapping from names, not {kind(values)}", hint=hint)
    spelled: dict[str, str] = {}
    for name in values:
        if not isinstance(name, str):
            raise ValuesError(f"{what} is a mapping from names, and {name!r} is no name", hint=hint)
        other = spelled.setdefault(normalise(name), name)
        if other != name:
            raise ValuesError(f"{other} and {name} are one name, and both have a value", hint="leave one of them")
    return dict(values)


def as_array(name: str, value: Any, keep_type: bool = False) -> Any:
    """Make an array of numbers; whole numbers become float64.

    Args:
        name: Whose value it is, for the message.
        value: A number, nested lists, or an array of any library that NumPy can read.
        keep_type: Keep complex and float32 arrays as they are (else all become float64).

    Raises:
        ValuesError: It holds something else than real numbers, or hides some of them.
    """
    import numpy as np

    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValuesError(f"{name} has masked entries", hint="fill them, as in x.filled(numpy.nan)")
    try:
        array = np.asarray(value.detach() if hasattr(value, "detach") else value)
    except Exception as error:
        raise ValuesError(f"{name} is not an array of numbers: {_reason(error)}") from None
    if array.dtype.kind == "O":
        array = _of_objects(name, value, array)
    if array.dtype.kind not in "biufc":
        raise ValuesError(f"{name} is not an array of numbers: its type is {array.dtype}")
    if keep_type and array.dtype.kind in "fc":
        return array
    if array.dtype.kind == "c":
        raise ValuesError(f"{name} is complex; pullback derives over the real numbers")
    with np.errstate(over="ignore"):
        return array.astype(np.float64, copy=False)


def _reason(error: Exception) -> str:
    if "inhomogeneous" in str(error):
        return "its rows are of different lengths"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _of_objects(name: str, value: Any, array: Any) -> Any:
    """Fractions, decimals and large whole numbers of Python are numbers too."""
    import numpy as np

    if array.ndim == 0 and not isinstance(array.item(), Real | Decimal):
        hint = "write .toarray()" if hasattr(value, "toarray") else "give a number, a list of numbers or an array"
        raise ValuesError(f"{name} is not an array of numbers, but {kind(value)}", hint=hint)
    for entry in array.flat:
        if not isinstance(entry, Real | Decimal):
            raise ValuesError(f"{name} is not an array of numbers: {kind(entry)} is in it")
    try:
        return array.astype(np.float64)
    except (OverflowError, ValueError):
        raise ValuesError(f"{name} has a number that is too large for float64") from None
