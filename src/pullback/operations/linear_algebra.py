"""Operations on matrices as wholes, and those that only move entries about."""

from __future__ import annotations

from typing import Any

from pullback.operations import rewrites
from pullback.operations.entry import Definition, Einsum, Entry, Value, definition, einsum, structured


def _linalg(name: str) -> Value:
    def value(*arrays: Any) -> Any:
        import numpy

        return getattr(numpy.linalg, name)(*arrays)

    return value


def _logdet(a: Any) -> Any:
    import numpy as np

    if np.iscomplexobj(a):
        return np.log(np.linalg.det(a))
    sign, value = np.linalg.slogdet(a)
    return np.where(sign > 0, value, np.nan)


def _chol(a: Any) -> Any:
    import numpy as np

    return np.linalg.cholesky((a + np.swapaxes(a, -1, -2)) / 2)


def _tril(a: Any) -> Any:
    import numpy as np

    return np.tril(a)


def _expm(a: Any) -> Any:
    from pullback.operations.exponential import expm

    return expm(a)


def _frechet(a: Any, e: Any) -> Any:
    from pullback.operations.exponential import frechet

    return frechet(a, e)


ENTRIES: tuple[Entry, ...] = (
    einsum("tr", "ii->", parameters=("A",)),
    einsum("diag", "i->ii", "ii->i"),
    einsum("outer", "i,j->ij", parameters=("x", "y")),
    einsum("dot", "i,i->", "ij,ij->", parameters=("x", "y")),
    structured(
        "inv",
        "(n,n)->(n,n)",
        _linalg("inv"),
        {"A": "-inv(A)' g inv(A)'"},
        also=(Definition("1 / A", (0,)),),
        domain="invertible",
        transposing=True,
        inverse=True,
        rewrite=rewrites.inv,
        source="Matrix Cookbook 59",
    ),
    definition("solve", "A b", "inv(A) b", domain={"A": "invertible", "b": "normal"}),
    structured(
        "det",
        "(n,n)->()",
        _linalg("det"),
        {"A": "g det(A) inv(A)'"},
        also=(Definition("A", (0,)),),
        domain="invertible",
        invariant=True,
        rewrite=rewrites.det,
        source="Matrix Cookbook 49",
    ),
    structured(
        "logdet",
        "(n,n)->()",
        _logdet,
        {"A": "g inv(A)'"},
        also=(Definition("log(A)", (0,)),),
        domain="spd",
        invariant=True,
        rewrite=rewrites.logdet,
        source="Matrix Cookbook 57",
    ),
    structured(
        "chol",
        "(n,n)->(n,n)",
        _chol,
        {
            "A": "1/2 inv(chol(A))' (tril(chol(A)' g) + tril(chol(A)' g)' - diag(diag(chol(A)' g))) inv(chol(A))",
        },
        also=(Definition("sqrt(A)", (0,)),),
        domain="spd",
        source="Murray, Differentiation of the Cholesky decomposition, arXiv:1602.07527, section 3",
    ),
    structured("tril", "(n,n)->(n,n)", _tril, {"A": "tril(g)"}, also=(Definition("A", (0,)),), rewrite=rewrites.tril),
    structured(
        "expm",
        "(n,n)->(n,n)",
        _expm,
        {"A": "frechet(A', g)"},
        also=(Definition("exp(A)", (0,)),),
        transposing=True,
        rewrite=rewrites.expm,
        source="Higham, Functions of Matrices, section 3.2",
    ),
    structured("frechet", "(n,n),(n,n)->(n,n)", _frechet, {"A": "?", "E": "frechet(A', g)"}, rewrite=rewrites.frechet),
)
_ = Einsum
