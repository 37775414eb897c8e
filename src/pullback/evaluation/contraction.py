"""One product of arrays over labels, two factors at a time, the cheapest pair first."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from pullback.tensor.node import Rational, approximate

Operand = tuple[Any, tuple[int, ...]]


def contract(
    factors: Sequence[tuple[Any, Sequence[int], Rational]],
    output: Sequence[int],
    lengths: Sequence[int],
    dtype: Any,
) -> Any:
    """Compute a product: labels that are not in ``output`` are summed over.

    A label that is in the output twice makes a diagonal; one that is on no factor, repeated entries.
    """
    import numpy as np

    operands: list[Operand] = [(raised(array, exponent), tuple(labels)) for array, labels, exponent in factors]
    used = {label for _, labels in operands for label in labels}
    for label in set(range(len(lengths))) - used - set(output):
        operands.append((np.asarray(lengths[label], dtype=dtype), ()))
    kept = list(dict.fromkeys(label for label in output if label in used))
    result, labels = _reduce(operands, kept, lengths)
    return _spread(np.asarray(result, dtype=np.result_type(result, dtype)), labels, output, lengths)


def raised(array: Any, exponent: Rational) -> Any:
    """Raise entries to a power, the frequent ones without ``power``."""
    import numpy as np

    if exponent == 1:
        return array
    if exponent == 2:
        return array * array
    if exponent == -1:
        return 1 / array
    if exponent * 2 == 1:
        return np.sqrt(array)
    if exponent * 2 == -1:
        return 1 / np.sqrt(array)
    if isinstance(exponent, int) and 0 <= exponent < 2**31:
        return array**exponent
    return np.power(array, approximate(exponent))


def _reduce(operands: list[Operand], kept: list[int], lengths: Sequence[int]) -> Operand:
    import numpy as np

    if not operands:
        return np.asarray(1.0), ()
    while len(operands) > 2:
        first, second = _cheapest(operands, kept, lengths)
        pair = [operands[first], operands[second]]
        rest = [operand for k, operand in enumerate(operands) if k not in (first, second)]
        alive = set(kept).union(*(labels for _, labels in rest))
        wanted = [label for label in dict.fromkeys((*pair[0][1], *pair[1][1])) if label in alive]
        operands = [*rest, _einsum(pair, wanted)]
    return _einsum(operands, kept)


def _cheapest(operands: list[Operand], kept: list[int], lengths: Sequence[int]) -> tuple[int, int]:
    """Choose the pair whose result is smallest beside what goes into it."""
    best: tuple[float, int, int] | None = None
    for i in range(len(operands)):
        for j in range(i + 1, len(operands)):
            a, b = set(operands[i][1]), set(operands[j][1])
            if not (a & b) and a and b and len(operands) > 2 and best is not None:
                continue
            others = set(kept).union(*(labels for k, (_, labels) in enumerate(operands) if k not in (i, j)))
            result = prod(lengths[label] for label in (a | b) & others)
            gain = result - prod(lengths[x] for x in a) - prod(lengths[x] for x in b)
            cost = gain + (0 if a & b or not a or not b else 1e18)
            if best is None or cost < best[0]:
                best = (cost, i, j)
    assert best is not None
    return best[1], best[2]


def _einsum(operands: list[Operand], wanted: list[int]) -> Operand:
    import numpy as np

    number = {label: k for k, label in enumerate(dict.fromkeys(x for _, labels in operands for x in labels))}
    arguments: list[Any] = []
    for array, labels in operands:
        arguments += [array, [number[label] for label in labels]]
    out = [number[label] for label in wanted]
    return np.einsum(*arguments, out, optimize=len(operands) > 1), tuple(wanted)


def _spread(array: Any, labels: tuple[int, ...], output: Sequence[int], lengths: Sequence[int]) -> Any:
    """Repeat along labels that are on no factor, and put diagonals where a label is there twice."""
    import numpy as np

    distinct = list(dict.fromkeys(output))
    position = {label: k for k, label in enumerate(labels)}
    array = array.transpose([position[label] for label in distinct if label in position])
    array = array.reshape([lengths[label] if label in position else 1 for label in distinct])
    array = np.broadcast_to(array, [lengths[label] for label in distinct])
    if len(distinct) == len(output):
        return array
    result = np.zeros([lengths[label] for label in output], dtype=array.dtype)
    index = tuple(np.arange(lengths[label]).reshape([-1 if d == label else 1 for d in distinct]) for label in output)
    result[index] = array
    return result
