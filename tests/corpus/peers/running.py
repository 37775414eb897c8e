"""Libraries that differentiate a program by running it: PyTorch, JAX and HIPS autograd.

They are given the lines of the case's oracle, with the names of their own functions behind those of ``jnp`` and
``jax``; what a library does not have under any name raises Inexpressible. Their answer is an array, so none of
them gives a closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.corpus import loading
from tests.corpus.loading import Array, Case
from tests.corpus.peers.reading import Inexpressible, library

RUNNING = ("PyTorch", "JAX", "autograd")
Values = Mapping[str, Array]


class _Names(SimpleNamespace):
    """Functions by name; one that is not among them is what the library does not have."""

    def __getattr__(self, name: str) -> Any:
        raise Inexpressible(name)


def _power(multiply: Callable[[Any, Any], Any], matrix: Any, exponent: int) -> Any:
    result = matrix
    for _ in range(exponent - 1):
        result = multiply(result, matrix)
    return result


def _torch_names() -> dict[str, Any]:
    torch = library("torch")
    own = torch.nn.functional

    def number(x: Any) -> Any:
        return torch.as_tensor(x, dtype=torch.float64)

    def of_one(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, *more, **named: function(number(x), *more, **named)

    linalg = _Names(
        norm=lambda x, axis=None: torch.linalg.vector_norm(x, dim=axis),
        **{name: getattr(torch.linalg, name) for name in "inv det slogdet solve matrix_power cholesky".split()},
    )
    jnp = _Names(
        **{name: of_one(getattr(torch, name)) for name in "sum mean trace log exp sqrt tanh cosh sin abs diag".split()},
        **{name: getattr(torch, name) for name in "outer kron vdot".split()},
        max=torch.amax,
        maximum=lambda a, b: torch.maximum(number(a), number(b)),
        eye=lambda n: torch.eye(n, dtype=torch.float64),
        ones=lambda *shape: torch.ones(*shape, dtype=torch.float64),
        concatenate=torch.cat,
        linalg=linalg,
    )
    nn = _Names(
        sigmoid=torch.sigmoid,
        softplus=own.softplus,
        silu=own.silu,
        gelu=lambda x, approximate: own.gelu(x),
        leaky_relu=own.leaky_relu,
        softmax=lambda x, axis=-1: torch.softmax(x, axis),
        log_softmax=lambda x, axis=-1: torch.log_softmax(x, axis),
    )
    special = _Names(
        erf=torch.erf, logsumexp=lambda x, axis=None: torch.logsumexp(x, list(range(x.ndim)) if axis is None else axis)
    )
    scipy = _Names(special=special, linalg=_Names(expm=torch.linalg.matrix_exp))
    return {"jnp": jnp, "jax": _Names(nn=nn, scipy=scipy)}


def _autograd_names() -> dict[str, Any]:
    numpy, special = library("autograd.numpy"), library("autograd.scipy.special")
    linalg = _Names(
        **{name: getattr(numpy.linalg, name) for name in "norm inv det slogdet solve cholesky".split()},
        matrix_power=lambda a, k: _power(numpy.dot, a, k),
    )
    same = "sum mean trace log exp sqrt tanh cosh sin abs diag outer kron max maximum eye ones concatenate".split()
    jnp = _Names(**{name: getattr(numpy, name) for name in same}, vdot=numpy.dot, linalg=linalg)
    nn = _Names(
        sigmoid=special.expit,
        softplus=lambda x: numpy.logaddexp(0, x),
        silu=lambda x: x * special.expit(x),
        gelu=lambda x, approximate: x * (1 + special.erf(x / 2**0.5)) / 2,
        leaky_relu=lambda x, slope: numpy.where(x >= 0, x, slope * x),
        softmax=lambda x, axis=-1: numpy.exp(x - special.logsumexp(x, axis=axis, keepdims=True)),
        log_softmax=lambda x, axis=-1: x - special.logsumexp(x, axis=axis, keepdims=True),
    )
    return {"jnp": jnp, "jax": _Names(nn=nn, scipy=_Names(special=special, linalg=_Names()))}


def _of(case: Case, names: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    statements, value = loading._compiled(case.oracle)

    def of(values: Mapping[str, Any]) -> Any:
        scope = {**names, **case.sizes, **values}
        exec(statements, scope)
        return eval(value, scope)

    return of


def _by_torch(case: Case, values: Values, upstream: Array | None) -> dict[str, Any]:
    torch = library("torch")
    of = _of(case, _torch_names())
    inputs = {name: torch.as_tensor(value, dtype=torch.float64) for name, value in values.items()}
    at = tuple(inputs[name] for name in case.wrt)

    def some(*moved: Any) -> Any:
        return of({**inputs, **dict(zip(case.wrt, moved, strict=True))})

    _demand_forward(case, values, some(*at))
    if case.kind == "backward":
        _, found = torch.autograd.functional.vjp(some, at, torch.as_tensor(upstream), strict=True)
        return dict(zip(case.wrt, found, strict=True))
    if case.kind == "hessian":
        return {"": torch.autograd.functional.hessian(some, at)[0][-1]}
    return {"": torch.autograd.functional.jacobian(some, at)[0]}


def _by_autograd(case: Case, values: Values, upstream: Array | None) -> dict[str, Any]:
    autograd, numpy = library("autograd"), library("autograd.numpy")
    of = _of(case, _autograd_names())
    at = [values[name] for name in case.wrt]

    def some(*moved: Any) -> Any:
        return of({**values, **dict(zip(case.wrt, moved, strict=True))})

    def weighed(*moved: Any) -> Any:
        return numpy.sum(upstream * some(*moved))

    _demand_forward(case, values, some(*at))
    if case.kind == "backward":
        return {name: autograd.grad(weighed, k)(*at) for k, name in enumerate(case.wrt)}
    if case.kind == "hessian":
        return {"": autograd.jacobian(autograd.grad(some, 0), len(at) - 1)(*at)}
    if case.kind == "jacobian":
        return {"": autograd.jacobian(some, 0)(*at)}
    return {"": autograd.grad(some, 0)(*at)}


def _by_jax(case: Case, values: Values, upstream: Array | None) -> dict[str, Any]:
    return dict(loading.reference(case, values, upstream))


def _demand_forward(case: Case, values: Values, found: Any) -> None:
    """Raise where the names were not translated rightly: the fault would be ours."""
    if not loading.error(np.asarray(found), loading.output(case, values)) < 1e-8:
        raise AssertionError(f"{case.id} runs wrongly: {found}")


def run(case: Case, system: str, values: Values, upstream: Array | None) -> dict[str, Array]:
    """The case's derivatives at some values.

    Raises:
        Inexpressible: The library has not what the program needs.
    """
    if case.structured:
        raise Inexpressible("a derivative by the free entries of a structured matrix")
    by = {"PyTorch": _by_torch, "JAX": _by_jax, "autograd": _by_autograd}[system]
    return {name: np.asarray(array) for name, array in by(case, values, upstream).items()}
