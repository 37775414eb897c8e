"""The matrix exponential and its directional derivative."""

from __future__ import annotations

from typing import Any

# numerator coefficients of the [13/13] Pade approximant: Higham, SIAM J. Matrix Anal. Appl. 26 (2005) 1179
_PADE = (
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
    670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
)  # fmt: skip
_THETA = 5.371920351148152


def expm(a: Any) -> Any:
    """Compute the exponential of square matrices (..., n, n) by scaling and squaring."""
    import numpy as np

    a = np.asarray(a)
    norm = float(np.max(np.sum(np.abs(a), axis=-2), initial=0.0))
    if not np.isfinite(norm):
        return np.full_like(a, np.nan)
    squarings = max(0, int(np.ceil(np.log2(norm / _THETA)))) if norm > _THETA else 0
    a = a / 2.0**squarings
    eye = np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape)
    even, odd, power, square = _PADE[0] * eye, _PADE[1] * eye, eye, a @ a
    for k in range(2, 14, 2):
        power = power @ square
        even = even + _PADE[k] * power
        if k + 1 < 14:
            odd = odd + _PADE[k + 1] * power
    odd = a @ odd
    result = np.linalg.solve(even - odd, even + odd)
    for _ in range(squarings):
        result = result @ result
    return result


def frechet(a: Any, e: Any) -> Any:
    """Compute the derivative of expm at ``a`` in the direction ``e``: a corner of a larger exponential."""
    import numpy as np

    n = a.shape[-1]
    a, e = np.broadcast_arrays(a, e)
    block = np.zeros((*a.shape[:-2], 2 * n, 2 * n), dtype=np.result_type(a, e))
    block[..., :n, :n] = block[..., n:, n:] = a
    block[..., :n, n:] = e
    return expm(block)[..., :n, n:]
