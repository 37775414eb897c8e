"""Einstein summation by letters, as NumPy, PyTorch and JAX write it."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.errors import ShapeError
from pullback.tracing import ops
from pullback.tracing.tape import Value


def einsum(text: str, *values: Value) -> Value:
    """Einstein summation by letters.

    Raises:
        ShapeError: The letters do not fit the arrays.
    """
    text = text.replace(" ", "")
    left, arrow, right = text.partition("->")
    if not arrow:
        right = "".join(sorted(c for c in set(left) - {",", "."} if left.count(c) == 1))
        right = f"...{right}" if "..." in left else right
    if "..." in text:
        left, right = _spelled_out(left, right, values)
    for letters, value in zip(left.split(","), values, strict=False):
        if len(letters) != value.rank:
            raise ShapeError(f"einsum {text!r}: {letters} stands for an array of {value.rank} axes")
    if left.count(",") + 1 != len(values):
        raise ShapeError(f"einsum {text!r} is given {len(values)} arrays")
    parts = [(value, [ord(c) for c in letters], 1) for letters, value in zip(left.split(","), values, strict=True)]
    return ops.contract(parts, [ord(c) for c in right], "einsum")


def _spelled_out(left: str, right: str, values: Sequence[Value]) -> tuple[str, str]:
    """The letters of an einsum with those that an ellipsis stands for."""
    parts = left.split(",")
    counts = [v.rank - len(p.replace("...", "")) for p, v in zip(parts, values, strict=True)]
    free = list(map(chr, range(ord("α"), ord("α") + max(counts, default=0))))
    spelled = [p.replace("...", "".join(free[len(free) - n :])) for p, n in zip(parts, counts, strict=True)]
    return ",".join(spelled), right.replace("...", "".join(free))
