"""Convolutions and pooling as sums over indices, with constant tables of zeros and ones for the shifts.

``y[b,o,t] = sum over i, j, p of x[b,i,p] w[o,i,j] S[t,j,p]``, where S[t,j,p] is one where the kernel's place j
at the output's place t lies on the input's place p. So the derivatives are sums over indices with the same
table, for any stride, padding and dilation; a transposed convolution exchanges t and p.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pullback.dimension import ONE, Dimension
from pullback.tracing import ops
from pullback.tracing.tape import Recording, Shape, Value, refuse

MOST_ENTRIES = 4_000_000
_BATCH, _GROUP, _OUT, _IN = 0, 1, 2, 3
_PLACES, _KERNEL, _INPUT = 10, 30, 50


@dataclass(frozen=True)
class Window:
    """How a kernel moves along one axis: its length, step, dilation, and the zeros before and after."""

    length: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    def count(self, size: int) -> int:
        """How many places it has on an axis."""
        return (size + self.before + self.after - self.dilation * (self.length - 1) - 1) // self.stride + 1

    def spread(self, count: int, more: int = 0) -> int:
        """The length of the axis that a transposed convolution makes of so many places."""
        return (count - 1) * self.stride - self.before - self.after + self.dilation * (self.length - 1) + 1 + more

    def table(self, count: int, size: int) -> Any:
        """One at [t, j, p] where place j of the kernel at its step t lies on p."""
        import numpy as np

        if count * self.length * size > MOST_ENTRIES:
            raise refuse(f"a kernel of {self.length} over {size} entries", hint="try it at a smaller size")
        table = np.zeros((count, self.length, size))
        for t in range(count):
            for j in range(self.length):
                p = t * self.stride + j * self.dilation - self.before
                if 0 <= p < size:
                    table[t, j, p] = 1.0
        return table

    @property
    def is_plain(self) -> bool:
        """Whether it is one entry that goes over all."""
        return self.length == 1 and self.stride == 1 and self.before == 0 and self.after == 0


def convolution(
    recording: Recording,
    x: Value,
    w: Value,
    windows: Sequence[Window],
    groups: int = 1,
    more: Sequence[int] | None = None,
) -> Value:
    """Convolve ``x`` (batch, channels, places…) with ``w``.

    Args:
        recording: Where the tables are kept.
        x: The input.
        w: The kernel: (out, in / groups, places…); transposed, (in, out / groups, places…).
        windows: One for each axis of places.
        groups: Into how many independent groups the channels fall.
        more: For a transposed convolution, the entries to add at the end of each axis; None for a plain one.
    """
    space = len(windows)
    sizes = [_number(a) for a in x.shape[2:]]
    if more is None:
        counts = [window.count(size) for window, size in zip(windows, sizes, strict=True)]
        if any(count < 1 for count in counts):
            raise refuse("a kernel that is longer than its input")
    else:
        counts = [window.spread(size, extra) for window, size, extra in zip(windows, sizes, more, strict=True)]
    x_labels, w_labels = [_BATCH, _IN], [_OUT, _IN] if more is None else [_IN, _OUT]
    out = [_BATCH, _OUT]
    if groups > 1:
        x, w = _grouped(x, groups, 1), _grouped(w, groups, 0)
        x_labels, w_labels, out = [_BATCH, _GROUP, _IN], [_GROUP, *w_labels], [_BATCH, _GROUP, _OUT]
    parts: list[tuple[Value, Sequence[int], int]] = []
    for k, window in enumerate(windows):
        place, kernel, source = _PLACES + k, _KERNEL + k, _INPUT + k
        if window.is_plain:
            source = place
        elif more is None:
            parts.append((recording.constant(window.table(counts[k], sizes[k]), "S"), [place, kernel, source], 1))
        else:
            parts.append((recording.constant(window.table(sizes[k], counts[k]), "S"), [source, kernel, place], 1))
        x_labels.append(source)
        w_labels.append(kernel)
        out.append(place)
    y = ops.contract([(x, x_labels, 1), (w, w_labels, 1), *parts], out, "convolution")
    if groups > 1:
        y = ops.reshape(y, (y.shape[0], y.shape[1] * y.shape[2], *y.shape[3:]))
    assert y.rank == 2 + space
    return y


def _grouped(value: Value, groups: int, axis: int) -> Value:
    inner = Dimension.of(_number(value.shape[axis]) // groups)
    return ops.reshape(value, (*value.shape[:axis], Dimension.of(groups), inner, *value.shape[axis + 1 :]))


def pooled(recording: Recording, x: Value, windows: Sequence[Window], largest: bool) -> Value:
    """The mean, or the maximum, over the places of a kernel along the last axes."""
    first = x.rank - len(windows)
    if largest and any(window.before or window.after for window in windows):
        raise refuse("a maximum over padded entries")
    kernel: list[int] = []
    labels = list(range(x.rank))
    parts: list[tuple[Value, Sequence[int], int]] = [(x, labels, 1)]
    out = list(range(first))
    for k, window in enumerate(windows):
        size = _number(x.shape[first + k])
        table = window.table(window.count(size), size)
        place = _PLACES + k
        out.append(place)
        if largest:
            parts.append((recording.constant(table, "S"), [place, _KERNEL + k, first + k], 1))
            kernel.append(_KERNEL + k)
        else:
            parts.append((recording.constant(table.sum(1) / window.length, "A"), [place, first + k], 1))
    y = ops.contract(parts, [*out, *kernel], "pooling")
    if not largest:
        return y
    count = 1
    for window in windows:
        count *= window.length
    return ops.along("max", ops.reshape(y, (*y.shape[: len(out)], Dimension.of(count))), len(out), False)


def with_bias(y: Value, b: Value | None) -> Value:
    """Add one number to each channel."""
    if b is None:
        return y
    shape: Shape = tuple(b.shape[0] if k == 1 else ONE for k in range(y.rank))
    return ops.add(y, ops.reshape(b, shape))


def _number(axis: Dimension) -> int:
    if axis.number is None:
        raise refuse("a convolution over a symbolic length")
    return axis.number
