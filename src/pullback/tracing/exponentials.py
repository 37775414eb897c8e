"""Softmax and log-sum-exp where they are written out: read as what they are, without the shift by a maximum.

``exp(x - max) / sum(exp(x - max))`` is softmax of x, and the shift, which only keeps numbers small, is no
part of its derivative. So the derivation is that of softmax, and what is computed from it is stable.
"""

from __future__ import annotations

from collections.abc import Sequence

from pullback.dimension import ONE
from pullback.tracing import ops
from pullback.tracing.tape import Value

_MASKED = -1e30
_REPEATING = ("broadcast", "unsqueeze", "squeeze", "reshape")


def divide(left: Value, right: Value) -> Value:
    """Divide; exponentials by their sum along an axis are softmax."""
    total = _bare(right)
    if left.step == "exp" and total.step == "sum" and _is_of(total, left):
        (axis,) = total.detail
        if _fits(right, left, axis):
            return softmax(left.arguments[0], axis)
    return ops.divide(left, right)


def log(value: Value) -> Value:
    """The logarithm; that of a sum of exponentials along an axis is log-sum-exp."""
    total = _bare(value)
    if total.step == "sum" and len(total.arguments) == 1 and len(total.detail or ()) == 1:
        (powers,) = total.arguments
        if powers.step == "exp" and powers.shape == powers.arguments[0].shape:
            (axis,) = total.detail
            found = logsumexp(powers.arguments[0], axis, total.rank == powers.rank)
            return found if value is total else ops.reshape(found, value.shape)
    return ops.entrywise("log", value)


def softmax(value: Value, axis: int) -> Value:
    """Softmax along an axis; a maximum that is subtracted makes no difference."""
    kept, _ = _unshifted(value, axis % value.rank)
    return ops.along("softmax", _finite(kept, axis % value.rank), axis)


def logsumexp(value: Value, axis: int, keep: bool) -> Value:
    """Log-sum-exp along an axis; a maximum that was subtracted is subtracted from the result."""
    axis %= value.rank
    kept, shifts = _unshifted(value, axis)
    result = ops.along("logsumexp", kept, axis, keep)
    for number, shift in shifts:
        shift = shift if keep or shift.rank < value.rank else ops.squeeze(shift, [axis])
        result = ops.linear([(1, result), (number, shift)])
    return result


def _finite(value: Value, axis: int) -> Value:
    """A large negative number for the minus infinity that a known mask puts in, where no row is all masked."""
    import numpy as np

    if value.step != "where" or not any(ops.known(v) == -ops.INFINITE for v in value.arguments[1:]):
        return value
    condition, yes, no = value.arguments
    if not isinstance(condition.array, np.ndarray):
        return value
    mask = condition.array if ops.known(no) == -ops.INFINITE else 1 - condition.array
    at = axis - (value.rank - mask.ndim)
    if at < 0 or not np.all(np.any(mask, axis=at)):
        return value
    yes, no = (ops.filled(_MASKED, v.shape) if ops.known(v) == -ops.INFINITE else v for v in (yes, no))
    return ops.where(condition, yes, no)


def _unshifted(value: Value, axis: int) -> tuple[Value, Sequence[tuple[ops.Number, Value]]]:
    """A value without the maxima that are subtracted from it and are the same all along an axis."""
    if value.step != "sum" or len(value.arguments) < 2:
        return value, ()
    terms = list(zip(value.detail, value.arguments, strict=True))
    shifts = [t for t in terms if _bare(t[1]).step == "max" and _is_even(t[1], value.rank, axis)]
    rest = [t for t in terms if not any(t is s for s in shifts)]
    if not shifts or not rest:
        return value, ()
    kept = rest[0][1] if len(rest) == 1 and rest[0][0] == 1 else ops.linear(rest)
    return (kept, shifts) if kept.shape == value.shape else (value, ())


def _is_even(value: Value, rank: int, axis: int) -> bool:
    """Whether a value that is broadcast to so many axes is the same all along one of them."""
    at = axis - (rank - value.rank)
    return at < 0 or value.shape[at] is ONE


def _bare(value: Value) -> Value:
    """What is only repeated, or given axes of length one."""
    while value.step in _REPEATING and len(value.arguments) == 1:
        inner = value.arguments[0]
        if value.step == "reshape" and [a for a in value.shape if a is not ONE] != [
            a for a in inner.shape if a is not ONE
        ]:
            break
        value = inner
    return value


def _is_of(total: Value, powers: Value) -> bool:
    """Whether a sum is over one axis of these powers."""
    one = total.arguments == (powers,) and len(total.detail or ()) == 1
    return one and powers.shape == powers.arguments[0].shape


def _fits(right: Value, left: Value, axis: int) -> bool:
    """Whether a sum stands beside the powers so that each is divided by the sum that it is in."""
    if right.rank == 0:
        return left.rank == 1
    kept = tuple(ONE if k == axis else a for k, a in enumerate(left.shape))
    return right.shape in (kept, left.shape) or (axis == 0 and right.shape == kept[1:] and left.shape[0] is not ONE)
