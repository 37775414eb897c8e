"""What a claim may take for granted: right only where probabilities sum to one, a matrix is symmetric and so on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CLOSE = 1e-6
_TELLING = ("sums_to_one", "rows_sum_to_one", "columns_sum_to_one", "symmetric")
"""Properties of example values that are no accident."""


@dataclass(frozen=True)
class Condition:
    """A property of one input: how to give it to a drawn value, and how likely it is to be taken for granted."""

    key: str
    name: str
    impose: Callable[[Any], Any]
    rank: float

    def met(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The input with the property, by its name."""
        return {self.name: self.impose(values[self.name])}

    def holds(self, value: Any) -> bool:
        """Whether a value has it."""
        import numpy as np

        return bool(np.allclose(self.impose(value), value, rtol=_CLOSE, atol=_CLOSE))


def _sums_to_one(axis: int | None) -> Callable[[Any], Any]:
    def impose(value: Any) -> Any:
        import numpy as np

        total = np.sum(value, axis=axis, keepdims=True)
        if np.all(value >= 0):
            return value / np.maximum(total, 1e-12)
        # signs are kept as they are: positive entries would be a property of their own
        return value + (1 - total) / (value.size if axis is None else value.shape[axis])

    return impose


def _symmetric(value: Any) -> Any:
    return (value + value.T) / 2


def _orthogonal(value: Any) -> Any:
    import numpy as np

    factor, rest = np.linalg.qr(value)
    return factor * np.where(np.diag(rest) < 0, -1.0, 1.0)


def _unit(value: Any) -> Any:
    import numpy as np

    return value / max(float(np.linalg.norm(value)), 1e-12)


def _centred(value: Any) -> Any:
    return value - value.mean()


def conditions(values: Mapping[str, Any], free: Sequence[str]) -> Iterator[Condition]:
    """What may be taken for granted of the inputs; ``free`` are those that have no declared structure."""
    for name in free:
        value = values[name]
        if value.ndim == 1 or (value.ndim == 2 and 1 in value.shape):
            yield Condition("sums_to_one", name, _sums_to_one(None), 1.65)
            yield Condition("unit", name, _unit, 2.4)
            yield Condition("centred", name, _centred, 2.6)
        elif value.ndim == 2:
            yield Condition("rows_sum_to_one", name, _sums_to_one(1), 1.65)
            yield Condition("columns_sum_to_one", name, _sums_to_one(0), 1.66)
            if value.shape[0] == value.shape[1]:
                yield Condition("symmetric", name, _symmetric, 2.2)
                yield Condition("orthogonal", name, _orthogonal, 2.3)


def alike(examples: Mapping[str, Any], free: Sequence[str]) -> list[Condition]:
    """What example values have in common with few others: probabilities that sum to one, symmetric matrices."""
    known = [name for name in free if name in examples]
    found: dict[str, Condition] = {}
    for condition in conditions(examples, known):
        if condition.key in _TELLING and condition.name not in found and condition.holds(examples[condition.name]):
            found[condition.name] = condition
    return list(found.values())
