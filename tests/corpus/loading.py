"""Read the corpus, draw values for a case, and differentiate its forward value with JAX.

The cases are in the ``*.toml`` files beside this module; README.md says what each field means. Nothing
here imports pullback: the derivatives that pullback is held against are JAX's, in float64, of an
expression that says the forward pass a second time.
"""

from __future__ import annotations

import ast
import math
import tomllib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg  # type: ignore[import-untyped]
from numpy.typing import NDArray

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]

Array = NDArray[np.float64]
Kind = Literal["gradient", "jacobian", "hessian", "backward"]
FOLDER = Path(__file__).parent
KINDS = ("gradient", "jacobian", "hessian", "backward")


@dataclass(frozen=True)
class Case:
    """One derivative: the program, what is asked of it, the forms that are right, and the proof."""

    id: str
    title: str
    source: str
    kind: Kind
    program: str
    shapes: dict[str, tuple[int | str, ...]]
    oracle: str
    file: str = ""
    latex: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    assume: dict[str, str] = field(default_factory=dict)
    domain: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    wrt: tuple[str, ...] = ()
    structured: bool = False
    upstream: str = ""
    has_matrix_form: bool = True
    forms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    check: dict[str, str] = field(default_factory=dict)

    @property
    def results(self) -> tuple[str, ...]:
        """What the answers are called: the inputs of a backward pass, else one answer without a name."""
        return self.wrt if self.kind == "backward" else ("",)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an input in numbers."""
        return tuple(self.sizes[d] if isinstance(d, str) else d for d in self.shapes[name])


def _by_name(value: Any, sequence: bool) -> dict[str, Any]:
    table = value if isinstance(value, dict) else {"": value}
    return {name: tuple(one) if sequence else one for name, one in table.items()}


def _case(raw: dict[str, Any], file: str) -> Case:
    raw = dict(raw, file=file)
    raw["shapes"] = {name: tuple(dims) for name, dims in raw["shapes"].items()}
    wrt = raw.get("wrt", ())
    raw["wrt"] = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    raw["forms"] = _by_name(raw.get("forms", {}), sequence=True)
    raw["check"] = _by_name(raw.get("check", {}), sequence=False)
    return Case(**raw)


@lru_cache(maxsize=1)
def cases() -> tuple[Case, ...]:
    """Every case of every file, in order."""
    found: list[Case] = []
    for path in sorted(FOLDER.glob("*.toml")):
        with path.open("rb") as stream:
            found += [_case(raw, path.stem) for raw in tomllib.load(stream)["case"]]
    return tuple(found)


def _draw(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    normal = rng.standard_normal(shape)
    match kind:
        case "normal":
            return normal
        case "small":
            return 0.3 * normal
        case "large":
            return 1e4 * normal
        case "positive":
            return rng.uniform(0.5, 2.0, shape)
        case "unit":
            return rng.uniform(0.1, 0.9, shape)
        case "probability":
            return rng.dirichlet(np.full(shape[-1], 3.0), shape[:-1])
        case "onehot":
            return np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])]
        case "binary":
            return (rng.random(shape) < 0.6).astype(np.float64)
        case "sign":
            return np.where(rng.random(shape) < 0.5, -1.0, 1.0)
        case "count":
            return rng.integers(0, 6, shape).astype(np.float64)
        case "symmetric":
            return (normal + normal.T) / 2
        case "spd":
            return normal @ normal.T / shape[0] + np.eye(shape[0])
        case "invertible":
            return 0.4 * normal + 1.5 * np.eye(shape[0])
        case "diagonal":
            return np.diag(rng.uniform(0.5, 2.0, shape[0]))
        case "lower":
            return np.tril(0.5 * normal, -1) + np.diag(rng.uniform(0.5, 2.0, shape[0]))
        case "orthogonal":
            return np.linalg.qr(normal)[0]
    raise ValueError(f"no domain is called {kind!r}")


def draw(case: Case, seed: int = 0) -> dict[str, Array]:
    """Values for every input of a case, each from its domain: the same for the same seed."""
    rng = np.random.default_rng([seed, zlib.crc32(case.id.encode())])
    return {
        name: np.asarray(_draw(case.domain.get(name, case.assume.get(name, "normal")), case.shape(name), rng))
        for name in case.shapes
    }


def draw_upstream(case: Case, values: Mapping[str, Array], seed: int = 0) -> Array:
    """An upstream gradient of the output's shape."""
    rng = np.random.default_rng([seed, 1, zlib.crc32(case.id.encode())])
    return np.asarray(rng.standard_normal(np.shape(output(case, values))))


@cache
def _compiled(source: str) -> tuple[Any, Any]:
    tree = ast.parse(source.strip())
    last = tree.body.pop()
    if not isinstance(last, ast.Expr):
        raise ValueError(f"the last line must be an expression: {source!r}")
    return compile(tree, "<corpus>", "exec"), compile(ast.Expression(last.value), "<corpus>", "eval")


def _softmax(x: Array, axis: int = -1) -> Array:
    grown = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return np.asarray(grown / np.sum(grown, axis=axis, keepdims=True))


def _logsumexp(x: Array, axis: int | None = None) -> Array:
    return np.asarray(np.logaddexp.reduce(x.reshape(-1) if axis is None else x, axis=0 if axis is None else axis))


def _sigmoid(x: Array) -> Array:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))


_erf = np.vectorize(math.erf, otypes=[float])
_IN_JAX = {"jnp": jnp, "jax": jax, "__builtins__": {"__import__": __import__}}
_IN_NUMPY: dict[str, Any] = {
    "jnp": np,
    "jax": SimpleNamespace(
        nn=SimpleNamespace(
            sigmoid=_sigmoid,
            softmax=_softmax,
            softplus=lambda x: np.logaddexp(0, x),
            silu=lambda x: x * _sigmoid(x),
            gelu=lambda x, approximate: x * (1 + _erf(x / math.sqrt(2))) / 2,
            leaky_relu=lambda x, slope: np.where(x >= 0, x, slope * x),
            log_softmax=lambda x, axis=-1: x - np.expand_dims(np.logaddexp.reduce(x, axis=axis), axis),
        ),
        scipy=SimpleNamespace(
            special=SimpleNamespace(erf=_erf, logsumexp=_logsumexp), linalg=SimpleNamespace(expm=scipy.linalg.expm)
        ),
    ),
    "__builtins__": {},
}


def evaluate(source: str, names: Mapping[str, Any], numpy: bool = False) -> Any:
    """Evaluate a few lines of JAX over names; the last line is the value.

    With ``numpy`` the same lines run in NumPy, which needs no compiling and has nothing of JAX in it.
    """
    statements, value = _compiled(source)
    scope = {**(_IN_NUMPY if numpy else _IN_JAX), **names}
    exec(statements, scope)
    return eval(value, scope)


def forward(case: Case) -> Callable[[Mapping[str, Any]], Any]:
    """The forward pass of a case by its oracle, for JAX to differentiate."""
    return lambda values: evaluate(case.oracle, {**case.sizes, **values})


def output(case: Case, values: Mapping[str, Array]) -> Array:
    """The forward value of a case by its oracle, in NumPy."""
    return np.asarray(evaluate(case.oracle, {**case.sizes, **values}, numpy=True))


def _structured(gradient: Any, structure: str) -> Any:
    """Restrict a gradient to the free entries of a structured matrix (The Matrix Cookbook, section 2.8)."""
    match structure:
        case "symmetric" | "spd":
            return gradient + gradient.T - jnp.diag(jnp.diag(gradient))
        case "diagonal":
            return jnp.diag(jnp.diag(gradient))
    raise ValueError(f"no structured derivative for {structure!r}")


def reference(case: Case, values: Mapping[str, Array], upstream: Array | None = None) -> dict[str, Array]:
    """What is right, by JAX: one array for each of the case's results."""
    function = forward(case)
    inputs = {name: jnp.asarray(value) for name, value in values.items()}

    def of(*some: Any) -> Any:
        return function({**inputs, **dict(zip(case.wrt, some, strict=True))})

    at = [inputs[name] for name in case.wrt]
    if case.kind == "backward":
        if upstream is None:
            raise ValueError(f"{case.id}: a backward pass needs an upstream gradient")
        pulled = jax.jit(lambda g, *at: jax.vjp(of, *at)[1](g))(jnp.asarray(upstream), *at)
        return {name: np.asarray(array) for name, array in zip(case.wrt, pulled, strict=True)}
    if case.kind == "hessian":
        result = jax.jit(jax.jacobian(jax.grad(of, argnums=0), argnums=len(at) - 1))(*at)
    elif case.kind == "jacobian":
        result = jax.jit(jax.jacobian(of))(*at)
    else:
        result = jax.jit(jax.grad(of))(*at)
    if case.structured:
        result = _structured(result, case.assume[case.wrt[0]])
    return {"": np.asarray(result)}


def error(found: Any, right: Any) -> float:
    """The largest difference, relative to the size of what is right; infinite where the shapes differ."""
    found, right = np.asarray(found, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if found.shape != right.shape:
        return math.inf
    if found.size == 0:
        return 0.0
    difference = float(np.max(np.abs(found - right)))
    return difference / max(1.0, float(np.max(np.abs(right)))) if math.isfinite(difference) else math.inf
