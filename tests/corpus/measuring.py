"""What is right, without JAX: the oracle's own lines in NumPy over complex numbers, and differences.

JAX is what the corpus is judged by; this is what JAX is judged by. A first derivative is the imaginary part of
the value at ``x + i h`` for a tiny ``h``, which no subtraction spoils (the complex step); a second one is the
central difference of that, extrapolated to step zero by Richardson's rule. Nothing here differentiates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from pullback.checking import functions
from tests.corpus.loading import Array, Case, _compiled

STEP = 1e-30
FIRST, SECOND = 1e-10, 1e-8
"""How far JAX may be off, relative to the largest entry: what complex steps and differences of them are good for."""


def _real_sign(x: Any) -> Any:
    return np.sign(np.real(x))


def _larger(a: Any, b: Any) -> Any:
    return np.where(np.real(a) >= np.real(b), a, b)


def _largest(x: Any) -> Any:
    flat = np.reshape(x, -1)
    return flat[np.argmax(np.real(flat))]


def _logsumexp(x: Any, axis: int | None = None) -> Any:
    top = np.max(np.real(x), axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return np.reshape(total, ()) if axis is None else np.squeeze(total, axis)


def _slogdet(a: Any) -> tuple[Any, Any]:
    determinant = np.linalg.det(a)
    return np.sign(np.real(determinant)), np.log(determinant * np.sign(np.real(determinant)))


_LINALG = SimpleNamespace(
    norm=lambda x, axis=None: np.sqrt(np.sum(x * x, axis=axis)),
    inv=np.linalg.inv,
    det=np.linalg.det,
    slogdet=_slogdet,
    solve=np.linalg.solve,
    matrix_power=np.linalg.matrix_power,
    cholesky=functions.cholesky,
)
_SAME = "sum mean trace log exp sqrt tanh cosh sin diag outer kron eye ones concatenate".split()
_NAMES: dict[str, Any] = {
    "jnp": SimpleNamespace(
        **{name: getattr(np, name) for name in _SAME},
        linalg=_LINALG,
        abs=lambda x: x * _real_sign(x),
        maximum=_larger,
        max=_largest,
        vdot=lambda a, b: np.sum(a * b),
    ),
    "jax": SimpleNamespace(
        nn=SimpleNamespace(
            sigmoid=functions.sigmoid,
            softplus=functions.softplus,
            silu=lambda x: x * functions.sigmoid(x),
            gelu=lambda x, approximate: x * (1 + functions.erf(x / np.sqrt(2))) / 2,
            leaky_relu=lambda x, slope: np.where(np.real(x) >= 0, x, slope * x),
            softmax=lambda x, axis=-1: np.exp(x - np.expand_dims(_logsumexp(x, axis), axis)),
            log_softmax=lambda x, axis=-1: x - np.expand_dims(_logsumexp(x, axis), axis),
        ),
        scipy=SimpleNamespace(
            special=SimpleNamespace(erf=functions.erf, logsumexp=_logsumexp),
            linalg=SimpleNamespace(expm=functions.expm),
        ),
    ),
    "__builtins__": {},
}


def _value(case: Case, values: Mapping[str, Any]) -> Any:
    statements, value = _compiled(case.oracle)
    scope = {**_NAMES, **case.sizes, **values}
    exec(statements, scope)
    return np.asarray(eval(value, scope))


def _units(shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Array]]:
    for index in np.ndindex(*shape):
        unit = np.zeros(shape)
        unit[index] = 1.0
        yield index, unit


def _jacobian(case: Case, values: Mapping[str, Array], name: str) -> Array:
    """The output's axes, then the variable's."""
    parts = [
        np.imag(_value(case, {**values, name: values[name] + 1j * STEP * unit})) / STEP
        for _, unit in _units(np.shape(values[name]))
    ]
    found = np.stack(parts, axis=-1)
    return np.reshape(found, (*found.shape[:-1], *np.shape(values[name])))


def _richardson(function: Callable[[float], Array]) -> Array:
    """The derivative at zero: central differences at halved steps, each order of the error taken away in turn."""
    rows: list[list[Array]] = []
    for k in range(6):
        step = 0.02 / 2**k
        row = [(function(step) - function(-step)) / (2 * step)]
        for order, before in enumerate(rows[-1] if rows else [], 1):
            row.append(row[-1] + (row[-1] - before) / (4**order - 1))
        rows.append(row)
    best = min(range(1, len(rows)), key=lambda k: float(np.max(np.abs(rows[k][-1] - rows[k - 1][-1]))))
    return rows[best][-1]


def _hessian(case: Case, values: Mapping[str, Array]) -> Array:
    first, last = case.wrt[0], case.wrt[-1]
    parts = [
        _richardson(lambda t, unit=unit: _jacobian(case, {**values, last: values[last] + t * unit}, first))  # type: ignore[misc]
        for _, unit in _units(np.shape(values[last]))
    ]
    found = np.stack(parts, axis=-1)
    return np.reshape(found, (*np.shape(values[first]), *np.shape(values[last])))


def measured(case: Case, values: Mapping[str, Array], upstream: Array | None = None) -> dict[str, Array]:
    """The case's derivatives by numbers; not those by the free entries of a structured matrix."""
    if case.kind == "backward":
        assert upstream is not None
        return {n: np.tensordot(upstream, _jacobian(case, values, n), np.ndim(upstream)) for n in case.wrt}
    if case.kind == "hessian":
        return {"": _hessian(case, values)}
    return {"": _jacobian(case, values, case.wrt[0])}


def tolerance(case: Case) -> float:
    """How far two right answers may lie apart."""
    return SECOND if case.kind == "hessian" else FIRST
