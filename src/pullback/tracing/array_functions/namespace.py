"""The array-API namespace of traced arrays, as ``x.__array_namespace__()`` gives it."""

from __future__ import annotations

import math
from typing import Any

from pullback.dimension import Dimension
from pullback.tracing import ops
from pullback.tracing.array import Array, Length
from pullback.tracing.array_functions import entrywise, linear, moving, reducing
from pullback.tracing.array_functions.registry import FUNCTIONS as FUNCTIONS
from pullback.tracing.array_functions.registry import Function
from pullback.tracing.tape import Recording, refuse

_ = entrywise, linear, moving, reducing


class Namespace:
    """The array-API namespace of traced arrays, as ``x.__array_namespace__()`` gives it."""

    pi, e, inf = math.pi, math.e, math.inf
    float64 = "float64"

    def __init__(self, recording: Recording, prefix: str = "") -> None:
        self._recording, self._prefix = recording, prefix

    @property
    def linalg(self) -> Namespace:
        """The linear algebra functions."""
        return Namespace(self._recording, "linalg.")

    def __getattr__(self, name: str) -> Function:
        found = FUNCTIONS.get(self._prefix + name)
        if found is None:
            raise refuse(f"the array function {self._prefix}{name}")
        return found

    def ones(self, shape: Any, **_: Any) -> Array:
        """Ones."""
        return self.full(shape, 1)

    def zeros(self, shape: Any, **_: Any) -> Array:
        """Zeros."""
        return self.full(shape, 0)

    def full(self, shape: Any, number: Any, **_: Any) -> Array:
        """A tensor of one number."""
        lengths = [shape] if isinstance(shape, int | Length) else list(shape)
        axes = tuple(n.axis if isinstance(n, Length) else Dimension.of(n) for n in lengths)
        return Array(ops.filled(number, axes), self._recording)

    def arange(self, *bounds: Any, **_: Any) -> Array:
        """Numbers in order."""
        import numpy as np

        if any(isinstance(bound, Length) for bound in bounds):
            raise refuse("arange of a symbolic length")
        return Array(self._recording.constant(np.arange(*bounds, dtype=np.float64)), self._recording)

    def eye(self, count: Any, **_: Any) -> Array:
        """The identity."""
        import numpy as np

        if isinstance(count, Length):
            raise refuse("eye of a symbolic length")
        return Array(self._recording.constant(np.eye(count)), self._recording)
