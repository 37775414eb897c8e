"""Values for the inputs: checked against their shapes, all disagreements said at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pullback.dimension import ONE, Dimension
from pullback.errors import ValuesError
from pullback.lowering.dimensions import Solver
from pullback.lowering.program import Input
from pullback.syntax.names import normalise
from pullback.tensor.node import Variable


@dataclass(frozen=True, slots=True)
class Bound:
    """Arrays for variables (without axes of length one) and sizes for dimension names."""

    arrays: dict[Variable, Any]
    sizes: dict[str, int]


def bind(
    inputs: Mapping[str, Input],
    values: Mapping[str, Any],
    needed: Iterable[Variable],
    dimensions: Sequence[str],
    keep_type: bool = False,
) -> Bound:
    """Fit values to inputs.

    Args:
        inputs: All inputs that may be given, by normalised name.
        values: Array-likes by name; a dimension may be given as a whole number.
        needed: The variables without which nothing can be computed.
        dimensions: The dimension names that must have a size.
        keep_type: Keep complex and float32 arrays as they are (else all become float64).

    Raises:
        ValuesError: Something is missing, unknown, no array of numbers, or of another size.
    """
    import numpy as np

    problems: list[str] = []
    solver = Solver(least=0)
    spoken: dict[str, list[str]] = {}
    arrays: dict[str, Any] = {}
    lengths = {n for entry in inputs.values() for axis in entry.shape for n in axis.names} | set(dimensions)
    for given, value in values.items():
        name = normalise(given)
        if name in inputs:
            arrays[name] = as_array(given, value, keep_type)
        elif given not in lengths:
            near = get_close_matches(given, [*(entry.name for entry in inputs.values()), *lengths], n=1)
            problems.append(f"{given} is not an input" + (f"; did you mean {near[0]}?" if near else ""))
        elif isinstance(value, int | np.integer) and not isinstance(value, bool):
            solver.unify(Dimension.of(given), Dimension.of(int(value)))
        else:
            problems.append(f"{given} is a dimension; its value must be a whole number")
    plain_first = sorted(arrays, key=lambda n: any(len(axis.terms) > 1 for axis in inputs[n].shape))
    for name in plain_first:
        arrays[name] = _settled(inputs[name], arrays[name])
        problems += _fit(inputs[name], arrays[name].shape, solver, spoken)
    wanted = {variable.name: variable for variable in needed}
    for name, variable in wanted.items():
        if name not in arrays:
            shape = inputs[name].shape if name in inputs else variable.axes
            problems.append(f"{inputs[name].name if name in inputs else name} has no value; it is {_say(shape)}")
    sizes: dict[str, int] = {}
    if not problems:
        for name in dimensions:
            number = solver.resolve(Dimension.of(name)).number
            if number is None:
                problems.append(f"the dimension {name} has no size; give a value that has it, or {name} itself")
            else:
                sizes[name] = number
    if problems:
        message = problems[0] if len(problems) == 1 else "the values do not fit:\n  " + "\n  ".join(problems)
        raise ValuesError(message, hint=_shapes_hint(inputs))
    for name in {n for entry in inputs.values() for axis in entry.shape for n in axis.names}:
        number = solver.resolve(Dimension.of(name)).number
        if number is not None:
            sizes.setdefault(name, number)
    squeezed = {}
    for name, variable in wanted.items():
        kept = tuple(n for n, axis in zip(arrays[name].shape, _padded(inputs, name), strict=True) if axis is not ONE)
        squeezed[variable] = arrays[name].reshape(kept)
    return Bound(squeezed, sizes)


def _padded(inputs: Mapping[str, Input], name: str) -> tuple[Dimension, ...]:
    return inputs[name].shape


def as_array(name: str, value: Any, keep_type: bool = False) -> Any:
    """Make an array of numbers; whole numbers become float64."""
    import numpy as np

    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise ValuesError(f"{name} is not an array of numbers: {error}") from None
    if array.dtype.kind not in "biufc":
        raise ValuesError(f"{name} is not an array of numbers: its type is {array.dtype}")
    if keep_type and array.dtype.kind in "fc":
        return array
    if array.dtype.kind == "c":
        raise ValuesError(f"{name} is complex; pullback derives over the real numbers")
    return array.astype(np.float64, copy=False)


def _settled(entry: Input, array: Any) -> Any:
    """One number in brackets may stand for a scalar, an n x 1 matrix for a vector of n."""
    if not entry.shape and array.size == 1:
        return array.reshape(())
    return array[:, 0] if len(entry.shape) == 1 and array.ndim == 2 and array.shape[1] == 1 else array


def _fit(entry: Input, shape: tuple[int, ...], solver: Solver, spoken: dict[str, list[str]]) -> list[str]:
    """Compare one array with its input; dimensions remember who spoke for them."""
    if len(shape) != len(entry.shape):
        axes = {0: "a scalar", 1: "a vector", 2: "a matrix"}.get(len(shape), f"an array of {len(shape)} axes")
        size = f" of {' x '.join(map(str, shape))}" if shape else ""
        return [f"{entry.name} is {_say(entry.shape)}, but its value is {axes}{size}"]
    problems = []
    for axis, length in zip(entry.shape, shape, strict=True):
        before = solver.resolve(axis).number
        if solver.unify(axis, Dimension.of(length)) and before in (None, length):
            for name in axis.names:
                spoken.setdefault(name, []).append(f"{length} in {entry.name}")
        elif axis.number is not None:
            problems.append(f"{entry.name} is {_say(entry.shape)}, but its value is {' x '.join(map(str, shape))}")
        else:
            said = " and ".join(dict.fromkeys(s for name in sorted(axis.names) for s in spoken.get(name, [])))
            known = solver.resolve(axis).number
            if axis.name is None and known is not None:
                said = f"{known} by the other values" + (f" ({said})" if said else "")
            problems.append(f"{axis} is {length} in {entry.name}" + (f", but {said}" if said else ""))
    return problems


def _say(shape: tuple[Dimension, ...]) -> str:
    if not shape:
        return "a scalar"
    kind = {1: "a vector of", 2: "a matrix"}.get(len(shape), "a tensor")
    return f"{kind} {' x '.join(map(str, shape))}"


def _shapes_hint(inputs: Mapping[str, Input]) -> str:
    shown = ", ".join(f"{i.name} {' x '.join(map(str, i.shape)) or 'scalar'}" for i in inputs.values())
    return f"the inputs are: {shown}" if shown else ""
