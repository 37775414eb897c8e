"""Numbers on which a file checks itself: the same in every language, from a formula that any of them has.

The k-th number is ``center + spread * sin(k * k)``. Centre and spread are chosen when the file is written, so that
the program and its derivatives are finite there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

from pullback.dimension import Dimension
from pullback.emission.drafting import Drawn
from pullback.emission.subject import Subject
from pullback.errors import PullbackError, ValuesError
from pullback.evaluation.arrays import as_array
from pullback.evaluation.binding import bind
from pullback.evaluation.interpreter import interpret
from pullback.lowering.dimensions import Solver
from pullback.syntax.names import normalise
from pullback.tensor.node import Variable, topological

_RANGES = ((0.8, 0.5), (0.0, 1.0), (0.3, 0.2), (2.0, 0.5), (0.0, 0.1))
_SMALLEST, _SIZES = 2, 4
_MOST_LITERAL = 400
STRUCTURES = ("spd", "orthogonal", "diagonal", "lower", "upper", "symmetric")
"""Properties that an input gets from a free matrix, the first that it has."""


@dataclass(frozen=True)
class Given:
    """An input on which a file checks itself: its extent, where its numbers start, and what makes it of them.

    ``literal`` are nested lists of its numbers, where they were given.
    """

    name: str
    extent: tuple[int, ...]
    first: int
    structure: str | None
    square: bool
    positive: bool
    literal: Any = None


@dataclass(frozen=True)
class Sample:
    """All inputs, the numbers of the dimensions, and the range of the numbers."""

    given: tuple[Given, ...]
    sizes: dict[str, int]
    center: float
    spread: float
    finite: bool
    expected: tuple[float, ...] = ()


def numbers(drawn: Drawn) -> dict[str, int]:
    """Small numbers for the dimensions, neighbours different; those of given values where there are some."""
    sizes = {name: _SMALLEST + (k + 1) % _SIZES for k, name in enumerate(sorted(drawn.sizes))}
    inputs = drawn.subject.task.inputs
    solver = Solver(least=0)
    for key, value in drawn.values.items():
        if key not in inputs:
            solver.unify(Dimension.of(key), Dimension.of(value))
            continue
        for axis, length in zip(inputs[key].shape, value.shape, strict=True):
            solver.unify(axis, Dimension.of(length))
    known = {name: solver.resolve(Dimension.of(name)).number for name in sizes}
    return {name: size if known[name] is None else int(known[name] or 0) for name, size in sizes.items()}


def arrays(subject: Subject, values: Mapping[str, Any]) -> dict[str, Any]:
    """Given values as arrays that fit the inputs, by key; and lengths, by the name of the dimension.

    Raises:
        ValuesError: They do not fit, or are more than belong into a file.
    """
    if not values:
        return {}
    inputs = subject.task.inputs
    given = [inputs[normalise(name)].variable for name in values if normalise(name) in inputs]
    found = bind(inputs, values, given, ()).arrays
    for variable, array in found.items():
        if array.size > _MOST_LITERAL:
            raise ValuesError(
                f"{inputs[variable.name].name} has {array.size} entries, more than belong into source",
                hint=f"give at most {_MOST_LITERAL}, or leave the values out: the file draws its own",
            )
    lengths = {name: int(value) for name, value in values.items() if normalise(name) not in inputs}
    shaped = {v.name: a.reshape(as_array(v.name, values[_spelled(v.name, values)]).shape) for v, a in found.items()}
    return shaped | lengths


def _spelled(key: str, values: Mapping[str, Any]) -> str:
    return next(name for name in values if normalise(name) == key)


def sample(drawn: Drawn) -> Sample:
    """Choose numbers on which everything is finite, if that can be."""
    sizes = numbers(drawn)
    given: list[Given] = []
    first = 1
    for key, entry in drawn.subject.task.inputs.items():
        extent = tuple(axis.evaluate(sizes) for axis in entry.shape)
        structure = next((s for s in STRUCTURES if s in entry.properties), None)
        square = len(extent) == 2 and extent[0] == extent[1] and extent[0] > 1
        literal = drawn.values[key].tolist() if key in drawn.values else None
        structure = structure if square else None
        if literal is not None and structure == "spd":
            structure = "symmetric"
        positive = "positive" in entry.properties
        given.append(Given(drawn.names[key], extent, first, structure, square, positive, literal))
        first += prod(extent)
    for center, spread in _RANGES:
        found = Sample(tuple(given), sizes, center, spread, True)
        results = _evaluated(drawn, found)
        if results is not None:
            return Sample(tuple(given), sizes, center, spread, True, results)
    return Sample(tuple(given), sizes, *_RANGES[0], False)


def values(found: Sample) -> dict[str, Any]:
    """The numbers themselves, as NumPy arrays."""
    return {given.name: _value(given, found) for given in found.given}


def _value(given: Given, found: Sample) -> Any:
    import numpy as np

    if given.literal is not None:
        return structured(given, np.array(given.literal, dtype=np.float64))
    count = prod(given.extent)
    free = found.center + found.spread * np.sin(np.arange(given.first, given.first + count) ** 2.0).reshape(
        given.extent
    )
    return structured(given, free)


def structured(given: Given, free: Any) -> Any:
    """A free matrix made into one of the structure that the input has."""
    import numpy as np

    if not given.square:
        return 0.3 + free**2 if given.positive and given.literal is None else free
    n = given.extent[0]
    free = free if given.literal is not None else free / n + np.eye(n)
    made: dict[str, Callable[[], Any]] = {
        "spd": lambda: free @ free.T,
        "orthogonal": lambda: np.linalg.qr(free)[0],
        "diagonal": lambda: np.diag(np.diag(free)),
        "lower": lambda: np.tril(free),
        "upper": lambda: np.triu(free),
        "symmetric": lambda: (free + free.T) / 2,
    }
    return made[given.structure]() if given.structure else free


def _evaluated(drawn: Drawn, found: Sample) -> tuple[float, ...] | None:
    """A number for each result, by the plain interpreter of graphs; None where something is not finite."""
    import numpy as np

    task = drawn.subject.task
    named = values(found)
    given = {task.inputs[key].name: named[own] for key, own in drawn.names.items()}
    sizes = {name: found.sizes[name] for name in drawn.sizes}
    independent = drawn.subject.independent
    needed = [n for n in topological(independent) if isinstance(n, Variable)]
    lengths = {name: found.sizes[name] for name in _loose(drawn)}
    try:
        bound = bind(task.inputs, {**given, **lengths}, needed, sorted(sizes))
        results = interpret(independent, bound.arrays, bound.sizes)
    except (PullbackError, np.linalg.LinAlgError, ValueError):
        return None
    shapes = [tuple(axis.evaluate(sizes) for axis in node.axes) for node in independent]
    checks = tuple(checksum(np.broadcast_to(r, shape)) for r, shape in zip(results, shapes, strict=True))
    return checks if all(map(isfinite, checks)) else None


def _loose(drawn: Drawn) -> set[str]:
    return {dimension for dimension, size in drawn.sizes.items() if size in drawn.loose}


def checksum(array: Any) -> float:
    """The sum of the entries, the k-th times cos(k)."""
    import numpy as np

    flat = np.asarray(array, dtype=np.float64).reshape(-1)
    return float(flat @ np.cos(np.arange(flat.size)))
