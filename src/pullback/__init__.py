"""pullback: the derivation compiler for backprop.

Write the forward pass as on a board; get the backward pass in closed matrix form, every step of the
way to it, a proof that it is right, and code that runs it.

>>> import pullback as pb
>>> print(pb.backward("y = W x + b"))
dL/dW = g x'
dL/dx = W' g
dL/db = g

Names are loaded when they are first used, so that ``import pullback`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pullback.auditing.audit import audit as audit
    from pullback.checking.check import check as check
    from pullback.compiling import compile_program as compile  # noqa: F401
    from pullback.compressed.deriving import gauss_newton as gauss_newton
    from pullback.compressed.deriving import hessian_operator as hessian_operator
    from pullback.compressed.deriving import hessian_product as hessian_product
    from pullback.compressed.deriving import jacobian_operator as jacobian_operator
    from pullback.compressed.deriving import jacobian_per_sample as jacobian_per_sample
    from pullback.deriving import backward as backward
    from pullback.deriving import gradient as gradient
    from pullback.deriving import hessian as hessian
    from pullback.deriving import jacobian as jacobian
    from pullback.deriving import parse as parse
    from pullback.emission.emitting import emit_program as emit  # noqa: F401
    from pullback.errors import NotationError as NotationError
    from pullback.errors import PullbackError as PullbackError
    from pullback.errors import ShapeError as ShapeError
    from pullback.errors import UnsupportedError as UnsupportedError
    from pullback.errors import ValuesError as ValuesError
    from pullback.expression import Expression as Expression
    from pullback.expression import Results as Results
    from pullback.lowering.program import Program as Program
    from pullback.pictures.picture import picture as picture
    from pullback.rendering.derivation import Derivation as Derivation
    from pullback.rendering.derivation import derive as derive
    from pullback.tracing.from_sympy import from_sympy as from_sympy
    from pullback.tracing.jax import from_jax as from_jax
    from pullback.tracing.to_sympy import to_sympy as to_sympy
    from pullback.tracing.torch import from_torch as from_torch
    from pullback.tracing.trace import trace as trace

__version__ = "0.1.0"

_MODULES = {
    "backward": "deriving",
    "compile": "compiling:compile_program",
    "emit": "emission.emitting:emit_program",
    "check": "checking.check",
    "audit": "auditing.audit",
    "trace": "tracing.trace",
    "from_torch": "tracing.torch",
    "from_jax": "tracing.jax",
    "from_sympy": "tracing.from_sympy",
    "to_sympy": "tracing.to_sympy",
    "gauss_newton": "compressed.deriving",
    "hessian_operator": "compressed.deriving",
    "hessian_product": "compressed.deriving",
    "jacobian_operator": "compressed.deriving",
    "jacobian_per_sample": "compressed.deriving",
    "gradient": "deriving",
    "hessian": "deriving",
    "jacobian": "deriving",
    "parse": "deriving",
    "picture": "pictures.picture",
    "derive": "rendering.derivation",
    "Derivation": "rendering.derivation",
    "Expression": "expression",
    "Results": "expression",
    "Program": "lowering.program",
    "PullbackError": "errors",
    "NotationError": "errors",
    "ShapeError": "errors",
    "UnsupportedError": "errors",
    "ValuesError": "errors",
}
"""Where each public name lives; the imports above say the same to type checkers."""

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module 'pullback' has no attribute {name!r}")
    place, _, attribute = module.partition(":")
    value = getattr(import_module(f"pullback.{place}"), attribute or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
