"""Functions that a library lacks, as a file defines them for itself; ``np`` stands for the library's module."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_COMMON = {
    "logdet": '''
def logdet(a):
    """The logarithm of the determinant; NaN where that is not positive."""
    sign, value = np.linalg.slogdet(a)
    return np.where(sign > 0, value, np.nan)
''',
    "cholesky": '''
def cholesky(a):
    """The lower triangular L with L L' = a, of the symmetric part of a."""
    return np.linalg.cholesky((a + np.swapaxes(a, -1, -2)) / 2)
''',
    "hardmax": '''
def hardmax(x, axis=-1):
    """1 at the largest entry, shared evenly at a tie: the derivative of max."""
    top = (x == np.max(x, axis=axis, keepdims=True)).astype(x.dtype)
    return top / np.sum(top, axis=axis, keepdims=True)
''',
}

_NUMPY = _COMMON | {
    "sigmoid": '''
def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    return np.exp(-np.logaddexp(0, -x))
''',
    "softmax": '''
def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)), without overflow."""
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)
''',
    "logsumexp": '''
def logsumexp(x, axis=-1):
    """log(sum(exp(x))), without overflow."""
    return np.logaddexp.reduce(x, axis=axis)
''',
    "erf": '''
def erf(x):
    """The error function, which NumPy lacks."""
    x = np.asarray(x)
    return np.vectorize(math.erf, otypes=[x.dtype])(x)
''',
    "gelu": '''
def gelu(x):
    """x times the normal distribution function of x."""
    return x * (1 + erf(x / math.sqrt(2))) / 2
''',
    "expm": '''
def expm(a):
    """The matrix exponential by scaling and squaring, with a Pade approximant of degree 13."""
    halvings = max(0, int(np.ceil(np.log2(max(np.linalg.norm(a, 1), 1e-9) / 5))))
    a = a / 2**halvings
    above = below = term = np.eye(len(a), dtype=a.dtype)
    for k in range(1, 14):
        term = a @ term * ((14 - k) / ((27 - k) * k))
        above, below = above + term, below + (-1) ** k * term
    value = np.linalg.solve(below, above)
    for _ in range(halvings):
        value = value @ value
    return value
''',
    "frechet": '''
def frechet(a, e):
    """The derivative of expm at a in the direction e: a corner of a larger exponential."""
    n = len(a)
    return expm(np.block([[a, e], [np.zeros_like(a), a]]))[:n, n:]
''',
}

_TORCH = {
    "step": '''
def step(x):
    """1 where x is positive, else 0: the derivative of relu."""
    return (x > 0).to(x.dtype)
''',
    "cholesky": '''
def cholesky(a):
    """The lower triangular L with L L' = a, of the symmetric part of a."""
    return torch.linalg.cholesky((a + a.mT) / 2)
''',
    "hardmax": '''
def hardmax(x, dim=-1):
    """1 at the largest entry, shared evenly at a tie: the derivative of max."""
    top = (x == torch.amax(x, dim=dim, keepdim=True)).to(x.dtype)
    return top / torch.sum(top, dim=dim, keepdim=True)
''',
    "frechet": '''
def frechet(a, e):
    """The derivative of the matrix exponential at a in the direction e: a corner of a larger one."""
    n = len(a)
    upper, lower = torch.cat([a, e], dim=1), torch.cat([torch.zeros_like(a), a], dim=1)
    return torch.linalg.matrix_exp(torch.cat([upper, lower]))[:n, n:]
''',
}

_JAX = {name: re.sub(r"\bnp\.", "jnp.", text) for name, text in _COMMON.items()}

DEFINITIONS: Mapping[str, Mapping[str, str]] = {"numpy": _NUMPY, "torch": _TORCH, "jax": _JAX}
"""For each library, the text of each function by its name."""


def needed(lines: Sequence[str], definitions: Mapping[str, str]) -> list[str]:
    """The definitions that lines of source call, each before those that call it."""
    found: dict[str, str] = {}

    def collect(text: str) -> None:
        for name, definition in definitions.items():
            if name not in found and re.search(rf"(?<![\w.]){name}\(", text):
                collect(definition.partition(":\n")[2])
                found[name] = definition.strip("\n")

    collect("\n".join(lines))
    return list(found.values())
