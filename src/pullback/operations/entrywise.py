"""Functions of single numbers, with derivatives at the kinks as the conventions fix them."""

from __future__ import annotations

from typing import Any

from pullback.operations import rewrites
from pullback.operations.entry import Entry, entrywise


def _numpy(name: str) -> Any:
    def value(*arrays: Any) -> Any:
        import numpy

        return getattr(numpy, name)(*arrays)

    return value


def _sigmoid(x: Any) -> Any:
    import numpy as np

    small = np.exp(-np.abs(x)) if not np.iscomplexobj(x) else np.exp(np.where(x.real < 0, x, -x))
    return np.where(np.real(x) < 0, small, 1) / (1 + small)


def _softplus(x: Any) -> Any:
    import numpy as np

    if np.iscomplexobj(x):
        return np.where(x.real > 0, x, 0) + np.log(1 + np.exp(np.where(x.real > 0, -x, x)))
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _erf(x: Any) -> Any:
    from pullback.operations.special import erf

    return erf(x)


def _gelu(x: Any) -> Any:
    from pullback.operations.special import erf

    return x * (1 + erf(x / 2**0.5)) / 2


def _above(x: Any) -> Any:
    import numpy as np

    return (np.real(x) > 0).astype(np.asarray(x).dtype)


def _select(condition: Any, a: Any, b: Any) -> Any:
    import numpy as np

    return np.where(condition != 0, a, b)


def _sign(x: Any) -> Any:
    import numpy as np

    return np.sign(np.real(x)).astype(np.asarray(x).dtype)


def _power(x: Any, p: Any) -> Any:
    import numpy as np

    with np.errstate(all="ignore"):
        return np.power(x, p)


ENTRIES: tuple[Entry, ...] = (
    entrywise(
        "exp",
        _numpy("exp"),
        "g exp(x)",
        exact={0: 1},
        positive=True,
        rewrite=rewrites.exp,
        below_one=rewrites.logistic,
        normalised=rewrites.share,
        halves=rewrites.hyperbolic,
    ),
    entrywise("log", _numpy("log"), "g / x", domain="positive", exact={1: 0}, rewrite=rewrites.log),
    entrywise(
        "sin",
        _numpy("sin"),
        "g cos(x)",
        exact={0: 0},
        rewrite=rewrites.odd("sin"),
        parity=-1,
        meets={"cos": rewrites.quotient("tan")},
    ),
    entrywise("cos", _numpy("cos"), "-g sin(x)", exact={0: 1}, rewrite=rewrites.even("cos"), parity=1),
    entrywise("tan", _numpy("tan"), "g (1 + tan(x)^2)", exact={0: 0}, rewrite=rewrites.odd("tan"), parity=-1),
    entrywise("atan", _numpy("arctan"), "g / (1 + x^2)", exact={0: 0}, rewrite=rewrites.odd("atan"), parity=-1),
    entrywise(
        "sinh",
        _numpy("sinh"),
        "g cosh(x)",
        exact={0: 0},
        rewrite=rewrites.odd("sinh"),
        parity=-1,
        meets={"cosh": rewrites.quotient("tanh")},
    ),
    entrywise(
        "cosh", _numpy("cosh"), "g sinh(x)", exact={0: 1}, positive=True, rewrite=rewrites.even("cosh"), parity=1
    ),
    entrywise("tanh", _numpy("tanh"), "g (1 - tanh(x)^2)", exact={0: 0}, rewrite=rewrites.odd("tanh"), parity=-1),
    entrywise(
        "sigmoid",
        _sigmoid,
        "g sigmoid(x) (1 - sigmoid(x))",
        positive=True,
        meets={"exp": rewrites.opposite},
        complement=True,
    ),
    entrywise("softplus", _softplus, "g sigmoid(x)", positive=True),
    entrywise(
        "relu",
        lambda x: x * _above(x),
        "g step(x)",
        exact={0: 0, 1: 1},
        positive=True,
        meets={"step": rewrites.absorbed},
    ),
    entrywise("leaky_relu", lambda x: x * (0.01 + 0.99 * _above(x)), "g (0.01 + 0.99 step(x))", exact={0: 0}),
    entrywise("step", _above, "0", exact={0: 0, 1: 1}, positive=True, idempotent=True),
    entrywise(
        "abs",
        lambda x: x * _sign(x),
        "g sign(x)",
        exact={0: 0, 1: 1},
        positive=True,
        parity=1,
        meets={"sign": rewrites.argument},
        rewrite=rewrites.abs,
    ),
    entrywise("sign", _sign, "0", exact={0: 0, 1: 1}, rewrite=rewrites.sign, parity=-1),
    entrywise("erf", _erf, "g 2 / sqrt(pi()) exp(-x^2)", exact={0: 0}, rewrite=rewrites.odd("erf"), parity=-1),
    entrywise("gelu", _gelu, "g ((1 + erf(x / sqrt(2))) / 2 + x exp(-x^2 / 2) / sqrt(2 pi()))", exact={0: 0}),
    entrywise("silu", lambda x: x * _sigmoid(x), "g sigmoid(x) (1 + x (1 - sigmoid(x)))", exact={0: 0}),
    entrywise(
        "where",
        _select,
        {"c": "0", "a": "g where(c, 1, 0)", "b": "g where(c, 0, 1)"},
    ),
    entrywise(
        "power",
        _power,
        {"x": "g p power(x, p - 1)", "p": "g power(x, p) log(x)"},
        domain="positive",
        rewrite=rewrites.power_of,
        raised=rewrites.raised,
    ),
)
"""``max`` and ``min`` of two are with the reductions, which share their names."""
