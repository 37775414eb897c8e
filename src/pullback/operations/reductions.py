"""Operations that make fewer numbers of many; ``rows`` and ``columns`` repeat them over a matrix."""

from __future__ import annotations

from typing import Any

from pullback.operations import rewrites
from pullback.operations.entry import Definition, Entry, Primitive, Value, definition, einsum, structured
from pullback.tensor.node import Operation, Signature


def _over_last(name: str) -> Value:
    def value(x: Any) -> Any:
        import numpy

        return getattr(numpy, name)(x, axis=-1)

    return value


def _logsumexp(x: Any) -> Any:
    import numpy as np

    top = np.max(np.real(x), axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    return np.log(np.sum(np.exp(x - top), axis=-1)) + top[..., 0]


def _softmax(x: Any) -> Any:
    import numpy as np

    powers = np.exp(x - np.max(np.real(x), axis=-1, keepdims=True))
    return powers / np.sum(powers, axis=-1, keepdims=True)


def _hardmax(x: Any) -> Any:
    import numpy as np

    real = np.real(x)
    top = (real == np.max(real, axis=-1, keepdims=True)).astype(np.asarray(x).dtype)
    return top / np.sum(top, axis=-1, keepdims=True)


def _largest(x: Any) -> Any:
    import numpy as np

    if np.iscomplexobj(x):
        return np.sum(x * _hardmax(x), axis=-1)
    return np.max(x, axis=-1)


def _of_two(name: str, sign: str) -> Primitive:
    def value(a: Any, b: Any) -> Any:
        import numpy as np

        if np.iscomplexobj(a) or np.iscomplexobj(b):
            return np.where((np.real(a) >= np.real(b)) == (name == "max"), a, b)
        return np.maximum(a, b) if name == "max" else np.minimum(a, b)

    pullbacks = {"a": f"g (1 {sign} sign(a - b)) / 2", "b": f"g (1 {sign} sign(b - a)) / 2"}
    return Primitive(Operation(f"{name}2", Signature(((), ()), ())), value, pullbacks)


ENTRIES: tuple[Entry, ...] = (
    Entry("sum", ("x",), (Definition("x", (0,)), *einsum("", "i->", "ij->", "ijk->", "ijkl->").meanings)),
    definition("mean", "x", ("x", (0,)), "sum(x) / size(x)"),
    definition("norm", "x", "sqrt(sum(x .^ 2))"),
    definition("norm1", "x", "sum(abs(x))"),
    structured(
        "logsumexp",
        "(n)->()",
        _logsumexp,
        {"x": "g softmax(x)"},
        also=(Definition("x", (0,)), Definition("logsumexp(vec(x))", (2,))),
        written="log(sum(exp(x)))",
    ),
    structured(
        "softmax",
        "(n)->(n)",
        _softmax,
        {"x": "softmax(x) .* (g - g' softmax(x))"},
        also=(Definition("1", (0,)),),
        positive=True,
        distribution=True,
        written="exp(x) / sum(exp(x))",
    ),
    structured(
        "max",
        "(n)->()",
        _largest,
        {"x": "g hardmax(x)"},
        also=(Definition("x", (0,)), Definition("max(vec(x))", (2,)), _of_two("max", "+")),
    ),
    Entry(
        "min",
        ("x",),
        (Definition("x", (0,)), Definition("-max(-x)", (1,)), Definition("-max(-x)", (2,)), _of_two("min", "-")),
    ),
    structured(
        "hardmax",
        "(n)->(n)",
        _hardmax,
        {"x": "zeros(size(x))"},
        also=(Definition("1", (0,)),),
        positive=True,
        distribution=True,
    ),
    definition("mse", "a b", "mean((a - b) .^ 2)"),
    definition(
        "cross_entropy",
        "z t",
        ("sum(t) logsumexp(z) - t' z", (1, 1)),
        ("(sum(t, rows)' logsumexp(z, rows) - sum(t .* z)) / size(z, rows)", (2, 2)),
    ),
)
"""``cross_entropy(z, t)`` takes logits and a target distribution; of matrices, the mean over the rows.

``hardmax`` is the limit of softmax at low temperature: 1 at the largest entry, shared evenly at a tie.
"""
_ = rewrites
