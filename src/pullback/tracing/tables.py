"""Linear maps along one axis that are a constant table: running sums, gaps between entries."""

from __future__ import annotations

from typing import Any

from pullback.tracing import ops
from pullback.tracing.tape import Recording, Value, refuse


def along_axis(recording: Recording, value: Value, axis: int, table: Any, stem: str, step: str) -> Value:
    """Multiply a table (out, in) with a value along one axis."""
    labels = list(range(value.rank))
    output = [value.rank if k == axis else k for k in labels]
    constant = recording.constant(table, stem)
    return ops.contract([(constant, [value.rank, axis], 1), (value, labels, 1)], output, step)


def running_sum(recording: Recording, value: Value, axis: int, backwards: bool = False) -> Value:
    """The sums of the entries up to each, or from each on."""
    import numpy as np

    length = value.shape[axis].number
    if length is None:
        raise refuse("a running sum over a symbolic length", hint="give its size as a number")
    if length == 1:
        return value
    table = np.tril(np.ones((length, length)))
    return along_axis(recording, value, axis, table.T if backwards else table, "L", "running sum")


def with_gaps(recording: Recording, value: Value, axis: int, step: int) -> Value:
    """Zeros between the entries along an axis, as a transposed convolution has them."""
    import numpy as np

    if step == 1:
        return value
    count = value.shape[axis].number or 0
    table = np.zeros(((count - 1) * step + 1, count))
    table[::step] = np.eye(count)
    return along_axis(recording, value, axis, table, "D", "gaps")
