"""What a backward pass gives, read as one array for each input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pullback.errors import ValuesError
from pullback.syntax.names import normalise

_LEADS = ("dL_d", "dL/d", "grad_", "d_", "d")


def gradients_of(result: Any, names: Sequence[str], free: Sequence[str] | None = None) -> dict[str, Any]:
    """Read a mapping, or one gradient an input in order; None is no gradient.

    Args:
        result: What the backward pass gives.
        names: The inputs, in order.
        free: Those that are differentiated by; a sequence may be of these alone.

    Raises:
        ValuesError: There are more or fewer gradients than inputs, or one is no array of real numbers.
    """
    free = list(names) if free is None else list(free)
    if isinstance(result, Mapping):
        unknown = [name for name in result if _input_of(name, names) is None]
        if unknown:
            raise ValuesError(
                f"the backward pass gives a gradient for {unknown[0]}, which is not an input",
                hint=f"the inputs are: {', '.join(names)}",
            )
        pairs = [(_input_of(name, names) or "", part) for name, part in result.items()]
    else:
        parts = list(result) if isinstance(result, tuple | list) else [result]
        if len(parts) not in (len(names), len(free)):
            raise ValuesError(
                f"the backward pass gives {len(parts)} gradient(s) for {len(names)} inputs: {', '.join(names)}",
                hint="give one for each input, in order (None for none), or a mapping from name to gradient",
            )
        pairs = list(zip(names if len(parts) == len(names) else free, parts, strict=True))
    return {name: as_numbers(part, f"the gradient of {name}") for name, part in pairs if part is not None}


def _input_of(name: Any, names: Sequence[str]) -> str | None:
    """``W``, ``dW``, ``dL_dW`` and ``grad_W`` all mean W."""
    for lead in ("", *_LEADS):
        key = normalise(str(name)[len(lead) :]) if str(name).startswith(lead) else ""
        if key in names:
            return key
    return None


def as_numbers(thing: Any, what: str) -> Any:
    """An array of float64.

    Raises:
        ValuesError: It is none.
    """
    import numpy as np

    try:
        array = np.asarray(thing)
        if array.dtype.kind in "biuf":
            return np.array(array, dtype=np.float64)
        if array.dtype.kind == "c" and not np.any(array.imag):
            return np.array(array.real, dtype=np.float64)
        said = f"an array of {array.dtype}"
    except (ValueError, TypeError):
        said = f"a {type(thing).__name__}"
    raise ValuesError(f"{what} is {said}, not an array of real numbers")
