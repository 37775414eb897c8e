"""The corpus through libraries that differentiate by running: ``python -m tests.checking.autodiff``.

JAX is what the corpus is judged by, so it is right by construction. PyTorch and HIPS autograd run the same
oracle with their own arrays; *can't express* is where the oracle uses a function that they do not have under
that name. None of the three gives a closed form.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.corpus import loading
from tests.corpus.loading import Array, Case

VERDICTS = ("right", "wrong", "can't express")
TOLERANCE = 1e-8


def _torch_names() -> dict[str, Any]:
    torch = import_module("torch")

    class Names:
        """``jnp.f`` as ``torch.f``, with NumPy's argument conventions where they differ."""

        linalg = torch.linalg

        def __getattr__(self, name: str) -> Any:
            special = {
                "array": lambda x: torch.as_tensor(x, dtype=torch.float64),
                "asarray": lambda x: torch.as_tensor(x, dtype=torch.float64),
                "ones": lambda *s: torch.ones(*s, dtype=torch.float64),
                "zeros": lambda *s: torch.zeros(*s, dtype=torch.float64),
                "eye": lambda n: torch.eye(n, dtype=torch.float64),
                "max": lambda x, axis=None: torch.amax(x) if axis is None else torch.amax(x, axis),
                "min": lambda x, axis=None: torch.amin(x) if axis is None else torch.amin(x, axis),
                "maximum": lambda a, b: torch.maximum(torch.as_tensor(a, dtype=torch.float64), b),
                "concatenate": lambda parts, axis=0: torch.cat(list(parts), dim=axis),
                "heaviside": lambda a, b: torch.heaviside(a, torch.as_tensor(b, dtype=torch.float64)),
            }
            return special[name] if name in special else getattr(torch, name)

    functional = torch.nn.functional
    nn = SimpleNamespace(
        **{name: getattr(functional, name) for name in ("relu", "sigmoid", "softplus", "silu")},
        gelu=lambda x, approximate=False: functional.gelu(x),
        leaky_relu=functional.leaky_relu,
        softmax=lambda x, axis=-1: torch.softmax(x, axis),
        log_softmax=lambda x, axis=-1: torch.log_softmax(x, axis),
    )
    special = SimpleNamespace(
        erf=torch.erf,
        logsumexp=lambda x, axis=None: torch.logsumexp(x, list(range(x.ndim)) if axis is None else axis),
    )
    scipy = SimpleNamespace(special=special, linalg=SimpleNamespace(expm=torch.linalg.matrix_exp))
    return {"jnp": Names(), "jax": SimpleNamespace(nn=nn, scipy=scipy)}


def _autograd_names() -> dict[str, Any]:
    numpy, special = import_module("autograd.numpy"), import_module("autograd.scipy.special")
    nn = SimpleNamespace(
        relu=lambda x: numpy.maximum(0, x),
        sigmoid=special.expit,
        softplus=lambda x: numpy.logaddexp(0, x),
        silu=lambda x: x * special.expit(x),
        gelu=lambda x, approximate=False: x * (1 + special.erf(x / 2**0.5)) / 2,
        leaky_relu=lambda x, slope: numpy.where(x >= 0, x, slope * x),
        softmax=lambda x, axis=-1: numpy.exp(x - special.logsumexp(x, axis=axis, keepdims=True)),
        log_softmax=lambda x, axis=-1: x - special.logsumexp(x, axis=axis, keepdims=True),
    )
    return {"jnp": numpy, "jax": SimpleNamespace(nn=nn, scipy=SimpleNamespace(special=special))}


def _run(case: Case, names: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Any]:
    statements, value = loading._compiled(case.oracle)

    def of(values: Mapping[str, Any]) -> Any:
        scope = {**names, **case.sizes, **values}
        exec(statements, scope)
        return eval(value, scope)

    return of


def by_torch(case: Case, values: Mapping[str, Array], upstream: Array | None) -> dict[str, Array]:
    """The case's derivatives by PyTorch."""
    torch = import_module("torch")
    of = _run(case, _torch_names())
    inputs = {name: torch.as_tensor(value, dtype=torch.float64) for name, value in values.items()}

    def some(*at: Any) -> Any:
        return of({**inputs, **dict(zip(case.wrt, at, strict=True))})

    at = tuple(inputs[name] for name in case.wrt)
    if case.kind == "backward":
        _, found = torch.autograd.functional.vjp(some, at, torch.as_tensor(upstream))
        return {name: part.numpy() for name, part in zip(case.wrt, found, strict=True)}
    if case.kind == "hessian":
        found = torch.autograd.functional.hessian(some, at)
        return {"": found[0][-1].numpy()}
    (found,) = torch.autograd.functional.jacobian(some, at)
    return {"": found.numpy()}


def by_autograd(case: Case, values: Mapping[str, Array], upstream: Array | None) -> dict[str, Array]:
    """The case's derivatives by HIPS autograd."""
    autograd, numpy = import_module("autograd"), import_module("autograd.numpy")
    of = _run(case, _autograd_names())

    def some(*at: Any) -> Any:
        return of({**values, **dict(zip(case.wrt, at, strict=True))})

    at = [values[name] for name in case.wrt]
    if case.kind == "backward":
        scalar = lambda *a: numpy.sum(upstream * some(*a))  # noqa: E731
        return {name: autograd.grad(scalar, k)(*at) for k, name in enumerate(case.wrt)}
    if case.kind == "hessian":
        return {"": autograd.jacobian(autograd.grad(some, 0), len(at) - 1)(*at)}
    return {"": autograd.jacobian(some, 0)(*at)}


def judge(case: Case, system: Callable[..., dict[str, Array]]) -> str:
    """One case through one library, at one draw."""
    values = loading.draw(case)
    upstream = loading.draw_upstream(case, values) if case.upstream else None
    right = loading.reference(case, values, upstream)
    try:
        found = system(case, values, upstream)
    except Exception:
        return "can't express"
    worst = max(loading.error(np.asarray(found[name]), right[name]) for name in right)
    return "right" if worst <= TOLERANCE else "wrong"


def main(arguments: list[str]) -> int:
    """Print the table."""
    chosen = [c for c in loading.cases() if not c.structured and (not arguments or c.id in arguments)]
    print(f"| {len(chosen)} cases | " + " | ".join(VERDICTS) + " | closed form |\n| --- |" + " ---: |" * 4)
    print(f"| JAX (the judge) | {len(chosen)} | 0 | 0 | no |")
    for name, system in (("PyTorch", by_torch), ("HIPS autograd", by_autograd)):
        verdicts = {case.id: judge(case, system) for case in chosen}
        count = Counter(verdicts.values())
        print(f"| {name} | " + " | ".join(str(count[v]) for v in VERDICTS) + " | no |")
        print(*(f"  wrong in {name}: {i}" for i, v in verdicts.items() if v == "wrong"), sep="\n", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
