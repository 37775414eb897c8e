"""Points to compare derivatives at: random ones by domain, structured ones, and sizes that tell axes apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.lowering.program import Input

PRIMES = (3, 2, 5, 7, 11, 13, 17, 19)
"""Lengths given to dimension names: all different, so that a wrong axis shows in the shape."""

STRUCTURED = ("zeros", "ones", "repeated", "tiny", "huge")
_TINY, _HUGE = 1e-8, 1e3
_SQUARE = frozenset({"symmetric", "spd", "diagonal", "lower", "upper", "orthogonal", "invertible"})
DOMAINS = ("normal", "positive", "invertible", "definite")
"""What undeclared inputs are drawn from, in the order in which it is tried: the first where the value is finite."""


@dataclass(frozen=True)
class Point:
    """A named place with a value for every input and a size for every dimension name."""

    name: str
    values: Mapping[str, Any]
    sizes: Mapping[str, int]


def dimension_names(inputs: Mapping[str, Input], more: Iterable[str] = ()) -> list[str]:
    """List the dimension names of the inputs in the order in which they are met."""
    names = [name for entry in inputs.values() for axis in entry.shape for name in sorted(axis.names)]
    return list(dict.fromkeys([*names, *more]))


def prime_sizes(names: Iterable[str], turn: int = 0, lengths: Sequence[int] = PRIMES) -> dict[str, int]:
    """Give every dimension a length of its own; another ``turn`` gives others.

    >>> prime_sizes(["m", "n"]), prime_sizes(["m", "n"], 1)
    ({'m': 3, 'n': 2}, {'m': 2, 'n': 5})
    """
    names = list(names)
    return {name: _length(k + turn, lengths) for k, name in enumerate(names)}


def _length(position: int, lengths: Sequence[int]) -> int:
    return lengths[position] if position < len(lengths) else 23 + 2 * (position - len(lengths))


def draw(inputs: Mapping[str, Input], sizes: Mapping[str, int], rng: Any, domain: str = "normal") -> dict[str, Any]:
    """Draw a value for every input, each from the domain that its properties ask for.

    Args:
        inputs: The inputs with shapes and properties.
        sizes: A number for each dimension name.
        rng: A NumPy random generator.
        domain: What inputs without properties are drawn from.
    """
    return {name: _draw(entry, _lengths(entry, sizes), rng, domain) for name, entry in inputs.items()}


def structured(
    inputs: Mapping[str, Input], sizes: Mapping[str, int], kind: str, rng: Any, domain: str
) -> dict[str, Any]:
    """Give every input the structured value of this kind; declared structure (spd, orthogonal) is kept."""
    import numpy as np

    values = {}
    for name, entry in inputs.items():
        lengths = _lengths(entry, sizes)
        plain = _draw(entry, lengths, rng, domain)
        if kind in ("tiny", "huge"):
            scale = _TINY if kind == "tiny" else _HUGE
            values[name] = plain if "orthogonal" in entry.properties else plain * scale
        elif entry.properties & _SQUARE:
            values[name] = np.eye(lengths[0])
        elif kind == "repeated":
            values[name] = np.full(lengths, plain.reshape(-1)[0] if plain.size else 0.0)
        else:
            values[name] = np.full(lengths, 0.0 if kind == "zeros" and "positive" not in entry.properties else 1.0)
    return values


def _lengths(entry: Input, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(axis.evaluate(sizes) for axis in entry.shape)


def _draw(entry: Input, shape: tuple[int, ...], rng: Any, domain: str) -> Any:
    import numpy as np

    normal = np.asarray(rng.standard_normal(shape))
    facts = entry.properties
    square = len(shape) == 2 and shape[0] == shape[1]
    if "orthogonal" in facts:
        return np.linalg.qr(normal)[0]
    if "diagonal" in facts:
        return np.diag(rng.uniform(0.5, 2.0, shape[0]))
    if "spd" in facts or (square and domain == "definite" and not facts & _SQUARE):
        return normal @ normal.T / shape[0] + np.eye(shape[0])
    if "symmetric" in facts:
        return (normal + normal.T) / 2
    if facts & {"lower", "upper"}:
        low = np.tril(0.5 * normal, -1) + np.diag(rng.uniform(0.5, 2.0, shape[0]))
        return low if "lower" in facts else low.T
    if "invertible" in facts or (square and domain == "invertible" and not facts & _SQUARE):
        return 0.4 * normal + 1.5 * np.eye(shape[0])
    if "positive" in facts or domain != "normal":
        return np.asarray(rng.uniform(0.5, 2.0, shape))
    return normal
