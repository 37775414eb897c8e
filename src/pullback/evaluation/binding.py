"""Values for the inputs: checked against their shapes, all disagreements said at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pullback.dimension import ONE, Dimension
from pullback.errors import ValuesError
from pullback.evaluation.arrays import as_array, by_name
from pullback.evaluation.properties import contradiction
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
        keep_type: Keep complex and float32 arrays as they are (else all become float64), and take declared
            properties for granted.

    Raises:
        ValuesError: Something is missing, unknown, no array of real numbers, of another size, or contradicts a
            declared property.
    """
    fitting = _Fitting(inputs, {n for entry in inputs.values() for axis in entry.shape for n in axis.names})
    fitting.take(by_name(values), dimensions, keep_type)
    fitting.fit()
    wanted = {variable.name: variable for variable in needed}
    fitting.require(wanted)
    if not keep_type and not fitting.problems:
        fitting.check_properties()
    sizes = fitting.sizes(dimensions)
    if fitting.problems:
        hints = (_shapes_hint(inputs), batch_hint(inputs, fitting.doubtful))
        raise ValuesError(_listed(fitting.problems), hint="\n".join(filter(None, hints)))
    squeezed = {}
    for name, variable in wanted.items():
        array = fitting.arrays[name]
        kept = [n for n, axis in zip(array.shape, inputs[name].shape, strict=True) if axis is not ONE]
        squeezed[variable] = array.reshape(kept)
    return Bound(squeezed, sizes)


class _Fitting:
    """Arrays beside the shapes of their inputs; dimensions remember who spoke for them."""

    def __init__(self, inputs: Mapping[str, Input], lengths: set[str]) -> None:
        self.inputs, self.lengths = inputs, lengths
        self.solver = Solver(least=0)
        self.arrays: dict[str, Any] = {}
        self.problems: list[str] = []
        self.spoken: dict[str, list[str]] = {}
        self.open: dict[Dimension, str] = {}
        """Lengths that are known although the names in them are not, and what says so."""
        self.doubtful: list[str] = []
        """Inputs with one row a sample whose values do not fit."""

    def take(self, values: Mapping[str, Any], dimensions: Sequence[str], keep_type: bool) -> None:
        """Read what is given: arrays for inputs, whole numbers for dimensions."""
        lengths = {*self.lengths, *dimensions}
        for given, value in values.items():
            name = normalise(given)
            if name in self.inputs:
                entry = self.inputs[name]
                self.arrays[name] = _settled(entry, as_array(given, value, keep_type))
            elif name not in lengths:
                near = get_close_matches(given, [*(entry.name for entry in self.inputs.values()), *lengths], n=1)
                self.problems.append(f"{given} is not an input" + (f"; did you mean {near[0]}?" if near else ""))
            elif (size := _whole(value)) is None:
                self.problems.append(f"{given} is a dimension; its value must be a whole number from 0")
            else:
                self.solver.unify(Dimension.of(name), Dimension.of(size))
                self.spoken[name] = [f"it is given as {size}"]

    def fit(self) -> None:
        """Compare all arrays with their inputs: plain lengths first, then products and sums as they become known."""
        open_axes: list[tuple[Input, Dimension, int]] = []
        for name, entry in self.inputs.items():
            if name not in self.arrays:
                continue
            shape = self.arrays[name].shape
            if len(shape) != len(entry.shape):
                self.problems.append(f"{entry.name} is {_say(entry.shape)}, but its value is {_described(shape)}")
                self.doubtful += [name] if entry.batched else []
                continue
            open_axes += [(entry, axis, length) for axis, length in zip(entry.shape, shape, strict=True)]
        open_axes.sort(key=lambda part: part[1].name is None)
        while True:
            left = [part for part in open_axes if not self.settles(*part)]
            if len(left) == len(open_axes):
                break
            open_axes = left
        for entry, axis, length in open_axes:
            here = self.solver.resolve(axis)
            before = self.open.setdefault(here, f"{axis} is {length} in {entry.name}")
            if not before.startswith(f"{axis} is {length} in "):
                self.problems.append(f"{axis} is {length} in {entry.name}, but {before}")

    def settles(self, entry: Input, axis: Dimension, length: int) -> bool:
        """Compare one axis; False where it can't be done yet."""
        here = self.solver.resolve(axis)
        if _undetermined(here):
            return False
        if self.solver.unify(here, Dimension.of(length)) and self.none_negative(axis):
            for name in axis.names:
                self.spoken.setdefault(name, []).append(f"{length} in {entry.name}")
        elif axis.number is not None:
            value = " x ".join(map(str, self.arrays[normalise(entry.name)].shape))
            self.problems.append(f"{entry.name} is {_say(entry.shape)}, but its value is {value}")
        else:
            said = " and ".join(dict.fromkeys(s for name in sorted(axis.names) for s in self.spoken.get(name, [])))
            known = here.number
            if axis.name is None and known is not None:
                said = f"{known} by the other values" + (f" ({said})" if said else "")
            self.problems.append(f"{axis} is {length} in {entry.name}" + (f", but {said}" if said else ""))
            self.doubtful += [normalise(entry.name)] if entry.batched and axis is entry.shape[0] else []
        return True

    def none_negative(self, axis: Dimension) -> bool:
        known = [self.solver.resolve(Dimension.of(name)).number for name in axis.names]
        return all(number is None or number >= 0 for number in known)

    def require(self, wanted: Mapping[str, Variable]) -> None:
        """Name what has no value and needs one."""
        for name, variable in wanted.items():
            if name not in self.arrays:
                shape = self.inputs[name].shape if name in self.inputs else variable.axes
                spelled = self.inputs[name].name if name in self.inputs else name
                self.problems.append(f"{spelled} has no value; it is {_say(shape)}")

    def check_properties(self) -> None:
        """Name the values that contradict what the program counts on."""
        for name, array in self.arrays.items():
            entry = self.inputs[name]
            found = contradiction(entry.properties, array) if entry.properties else ""
            if found:
                self.problems.append(f"{entry.name} is {found}")

    def sizes(self, dimensions: Sequence[str]) -> dict[str, int]:
        """The sizes of all dimension names that are known; those that must be and are not become problems."""
        sizes: dict[str, int] = {}
        for name in dict.fromkeys([*dimensions, *sorted(self.lengths)]):
            number = self.solver.resolve(Dimension.of(name)).number
            if number is not None:
                sizes[name] = number
            elif name in dimensions and not self.problems:
                self.problems.append(self.unsaid(name))
        return sizes

    def unsaid(self, name: str) -> str:
        """Say that a dimension has no size, and what is known of it."""
        for axis, said in self.open.items():
            if name in axis.names:
                others = " and ".join(sorted(axis.names))
                return f"{said}, which does not say what {others} {_are(axis.names)}; give {name} a value too"
        return f"the dimension {name} has no size; give a value that has it, or {name} itself"


def batch_hint(inputs: Mapping[str, Input], doubtful: Collection[str]) -> str:
    """Say which inputs have one row a sample, and how one that should not is shared; nothing where none is doubtful."""
    if not doubtful:
        return ""
    batched = [entry for entry in inputs.values() if entry.batched]
    lead = batched[0].shape[0]
    names = [entry.name for entry in batched if normalise(entry.name) in doubtful]
    many = len(names) > 1
    said = f"{' and '.join(names)} {'are' if many else 'is'} one vector per sample because of batch {lead}"
    rest = [entry.name for entry in batched if entry.name not in names] or names[:1]
    if len(batched) == 1:
        return f"{said}: a value has a row for each"
    whole = next(entry for entry in batched if entry.name == rest[0])
    return (
        f"{said}; to share {'them' if many else 'it'} between samples, name the others, as in "
        f"batch {lead} over {', '.join(rest)}: …, or declare {whole.name} : ({', '.join(map(str, whole.shape))})"
    )


def _are(names: Collection[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _undetermined(axis: Dimension) -> bool:
    """Whether a length is made of unknown ones so that one number does not settle it: m n, but not 2 n + 1."""
    return len(axis.names) > 1 or any(len(monomial) > 1 for monomial, _ in axis.terms)


def _whole(value: Any) -> int | None:
    import numpy as np

    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        return None
    return int(value) if value >= 0 else None


def _settled(entry: Input, array: Any) -> Any:
    """One number in brackets may stand for a scalar, an n x 1 matrix for a vector of n."""
    if not entry.shape and array.size == 1:
        return array.reshape(())
    return array[:, 0] if len(entry.shape) == 1 and array.ndim == 2 and array.shape[1] == 1 else array


def _listed(problems: Sequence[str]) -> str:
    return problems[0] if len(problems) == 1 else "the values do not fit:\n  " + "\n  ".join(problems)


def _described(shape: tuple[int, ...]) -> str:
    axes = {0: "a scalar", 1: "a vector", 2: "a matrix"}.get(len(shape), f"an array of {len(shape)} axes")
    return axes + (f" of {' x '.join(map(str, shape))}" if shape else "")


def _say(shape: tuple[Dimension, ...]) -> str:
    if not shape:
        return "a scalar"
    kind = {1: "a vector of", 2: "a matrix"}.get(len(shape), "a tensor")
    return f"{kind} {' x '.join(map(str, shape))}"


def _shapes_hint(inputs: Mapping[str, Input]) -> str:
    shown = ", ".join(f"{i.name} {' x '.join(map(str, i.shape)) or 'scalar'}" for i in inputs.values())
    return f"the inputs are: {shown}" if shown else ""
