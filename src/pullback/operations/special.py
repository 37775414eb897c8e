"""The error function in float64, since NumPy has none."""

from __future__ import annotations

import math
from typing import Any


def erf(x: Any) -> Any:
    """Compute erf entry by entry, to the last digit that ``math.erf`` gives."""
    import numpy as np

    x = np.asarray(x)
    if np.iscomplexobj(x):
        # first order around the real axis, which is what a complex step asks for
        slope = 2 / math.sqrt(math.pi) * np.exp(-(x.real**2))
        return erf(x.real) + 1j * x.imag * slope
    return np.vectorize(math.erf, otypes=[x.dtype if x.dtype.kind == "f" else float])(x)
