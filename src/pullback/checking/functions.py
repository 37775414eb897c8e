"""What each function of the notation is worth, over real or complex numbers, by its definition.

Written apart from the table of operations, so that a value here is a second opinion. Complex numbers
pass through all of them, so that a complex step (Squire and Trapp, SIAM Review 40 (1998) 110) gives
derivatives to the last digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]
_ERF_TERMS = 130
_ERF_FLAT = 6.0


def sigmoid(x: Any) -> Any:
    """Compute 1 / (1 + exp(-x)) without overflow."""
    import numpy as np

    small = np.exp(np.where(np.real(x) < 0, x, -x))
    return np.where(np.real(x) < 0, small, 1.0) / (1 + small)


def softplus(x: Any) -> Any:
    """Compute log(1 + exp(x)) without overflow."""
    import numpy as np

    small = np.exp(np.where(np.real(x) > 0, -x, x))
    tail = np.log1p(small) if not np.iscomplexobj(x) else np.log(1 + small)
    return np.where(np.real(x) > 0, x, 0) + tail


def erf(x: Any) -> Any:
    """Compute the error function by Kummer's series, whose terms all have one sign."""
    import numpy as np

    x = np.asarray(x)
    near = np.where(np.abs(np.real(x)) < _ERF_FLAT, x, 0)
    total = term = near + 0.0
    for k in range(1, _ERF_TERMS):
        term = term * (2 * near * near) / (2 * k + 1)
        total = total + term
    inside = 2 / math.sqrt(math.pi) * np.exp(-near * near) * total
    return np.where(np.abs(np.real(x)) < _ERF_FLAT, inside, np.sign(np.real(x)))


def cholesky(a: Any) -> Any:
    """Compute the lower factor of a symmetric matrix entry by entry."""
    import numpy as np

    if np.any(np.linalg.eigvalsh((np.real(a) + np.real(a).T) / 2) <= 0):
        raise np.linalg.LinAlgError("not positive definite")
    a = (a + a.T) / 2
    count = a.shape[0]
    low = np.zeros((count, count), dtype=np.result_type(a, float))
    for i in range(count):
        for j in range(i + 1):
            rest = a[i, j] - low[i, :j] @ low[j, :j]
            low[i, j] = np.sqrt(rest) if i == j else rest / low[j, j]
    return low


def expm(a: Any) -> Any:
    """Compute the matrix exponential by scaling, Taylor's series and squaring."""
    import numpy as np

    size = float(np.max(np.sum(np.abs(a), axis=0), initial=0.0))
    halvings = max(0, math.ceil(math.log2(size)) + 3) if size > 0 else 0
    small = a / 2.0**halvings
    total = term = np.eye(a.shape[0], dtype=np.result_type(a, float))
    for k in range(1, 18):
        term = term @ small / k
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total


def frechet(a: Any, e: Any) -> Any:
    """Compute the derivative of expm at a in the direction e, as a corner of a larger exponential."""
    import numpy as np

    count = a.shape[0]
    return expm(np.block([[a, e], [np.zeros_like(a), a]]))[:count, count:]


def logdet(a: Any) -> Any:
    """Compute the logarithm of a positive determinant; NaN elsewhere."""
    import numpy as np

    sign, size = np.linalg.slogdet(a)
    if not np.iscomplexobj(a):
        return np.where(sign > 0, size, np.nan)
    return np.where(np.real(sign) > 0, size + np.log(sign), np.nan)


def logsumexp(x: Any) -> Any:
    """Compute log(sum(exp(x))) with the largest entry taken out."""
    import numpy as np

    top = np.max(np.real(x))
    return np.log(np.sum(np.exp(x - top))) + top


def softmax(x: Any) -> Any:
    """Compute exp(x) / sum(exp(x)) with the largest entry taken out."""
    import numpy as np

    powers = np.exp(x - np.max(np.real(x)))
    return powers / np.sum(powers)


def cross_entropy(z: Any, t: Any) -> Any:
    """Compare logits with targets; of matrices, the mean over the rows."""
    import numpy as np

    if z.ndim == 2:
        return np.mean(np.asarray([cross_entropy(row, target) for row, target in zip(z, t, strict=True)]))
    return -np.sum(t * (z - logsumexp(z)))


def _numpy(name: str) -> Function:
    def value(x: Any) -> Any:
        import numpy

        return getattr(numpy, name)(x)

    return value


def _linear(name: str) -> Function:
    def value(a: Any) -> Any:
        import numpy

        return getattr(numpy.linalg, name)(a)

    return value


def _above(x: Any) -> Any:
    import numpy as np

    return np.where(np.real(x) > 0, 1.0, 0.0)


def _sign(x: Any) -> Any:
    import numpy as np

    return np.sign(np.real(x))


def _root(x: Any) -> Any:
    import numpy as np

    return np.where(np.real(x) < 0, np.nan, np.sqrt(x))


def _log(x: Any) -> Any:
    import numpy as np

    return np.where(np.real(x) < 0, np.nan, np.log(x))


KINKS = {"abs": 0.0, "sign": 0.0, "relu": 0.0, "leaky_relu": 0.0, "step": 0.0}
"""Functions of one number that have a kink or a jump, and where."""

ENTRYWISE: dict[str, Function] = {
    **{name: _numpy(name) for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "log": _log,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "relu": lambda x: x * _above(x),
    "leaky_relu": lambda x: x * (0.01 + 0.99 * _above(x)),
    "step": _above,
    "abs": lambda x: x * _sign(x),
    "sign": _sign,
    "erf": erf,
    "gelu": lambda x: x * (1 + erf(x / math.sqrt(2))) / 2,
    "silu": lambda x: x * sigmoid(x),
    "sqrt": _root,
    "square": lambda x: x * x,
}

WHOLE: dict[str, Function] = {
    "sum": _numpy("sum"),
    "mean": _numpy("mean"),
    "norm": lambda a: _root((a * a).sum()),
    "norm1": lambda a: (a * _sign(a)).sum(),
    "logsumexp": logsumexp,
    "softmax": softmax,
    "cross_entropy": cross_entropy,
    "tr": lambda a: a.trace() if a.ndim == 2 else a,
    "vec": lambda a: a.reshape(-1, order="F"),
}
"""Functions that take whole arrays, or a row or column of them."""

SQUARE: dict[str, Function] = {
    "inv": _linear("inv"),
    "det": _linear("det"),
    "logdet": logdet,
    "chol": cholesky,
    "expm": expm,
    "tril": _numpy("tril"),
}
"""Functions of a square matrix."""
