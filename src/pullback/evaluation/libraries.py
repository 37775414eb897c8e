"""Arrays of any library in, the same kind out: by DLPack, so that nothing on the same device is copied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pullback.errors import ValuesError

_SAME = {"jaxlib": "jax", "jax": "jax"}


@dataclass(frozen=True, slots=True)
class Library:
    """The library that arrays come from; ``example`` is one of its arrays, where it is not NumPy."""

    name: str
    example: Any = None

    def to_numpy(self, given: str, value: Any) -> Any:
        """Look at an array of the library as one of NumPy; what is no array of it passes through.

        Raises:
            ValuesError: It is not on the CPU, or its type has no like in NumPy.
        """
        import numpy as np

        if kind_of(value) in (None, "numpy"):
            return value
        try:
            return np.from_dlpack(value.detach() if hasattr(value, "detach") else value)
        except (RuntimeError, BufferError, TypeError) as problem:
            device = str(getattr(value, "device", "cpu"))
            if not device.lower().startswith(("cpu", "tfrt_cpu")) and "cpu" not in device.lower():
                message = f"{given} is on the device {device}; pullback computes on the CPU"
                raise ValuesError(message, hint="move it there first, or emit source for that device") from None
            try:
                return np.asarray(value)
            except (RuntimeError, TypeError, ValueError):
                raise ValuesError(f"{given} can't be looked at as an array of NumPy: {problem}") from None

    def from_numpy(self, value: Any) -> Any:
        """Hand results out as arrays of the library: one, a tuple of them, or a mapping."""
        if self.name == "numpy":
            return value
        if isinstance(value, tuple):
            return tuple(self.from_numpy(part) for part in value)
        if isinstance(value, dict):
            return {name: self.from_numpy(part) for name, part in value.items()}
        return self._wrapped(value)

    def _wrapped(self, value: Any) -> Any:
        import numpy as np

        value = np.asarray(value)
        if self.name == "torch":
            import torch

            return torch.from_numpy(value if value.flags.writeable else value.copy())
        if self.name == "jax":
            import jax

            return jax.numpy.asarray(value.astype(jax.dtypes.canonicalize_dtype(value.dtype), copy=False))
        return self.example.__array_namespace__().from_dlpack(value)

    def holds(self, dtype: Any) -> bool:
        """Whether its arrays can have this type: JAX has no float64 unless that is switched on."""
        if self.name != "jax":
            return True
        import jax

        return bool(jax.dtypes.canonicalize_dtype(dtype) == dtype)


def kind_of(value: Any) -> str | None:
    """The name of the library of an array; None for numbers, lists and what else has no library."""
    kind = type(value)
    if not hasattr(kind, "__dlpack__"):
        return None
    root = kind.__module__.partition(".")[0]
    return _SAME.get(root, root)


def library_of(values: Mapping[str, Any]) -> Library:
    """The one library of all arrays among the values; numbers and lists go with any.

    Raises:
        ValuesError: The arrays are of several libraries.

    >>> import numpy as np
    >>> library_of({"x": np.ones(2), "c": 3.0}).name
    'numpy'
    """
    first: dict[str, str] = {}
    for name, value in values.items():
        kind = kind_of(value)
        if kind is not None and not (kind == "numpy" and getattr(value, "ndim", 1) == 0):
            first.setdefault(kind, name)
    if len(first) > 1:
        (one, a), (two, b) = list(first.items())[:2]
        message = f"{a} is an array of {one}, but {b} one of {two}; give all in one library"
        raise ValuesError(message, hint=f"for example by {two}'s from_dlpack({a}), which copies nothing")
    library = next(iter(first), "numpy")
    return Library(library, None if library == "numpy" else values[first[library]])
