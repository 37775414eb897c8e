"""One product of arrays over labels, two factors at a time, the cheapest pair first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
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
    left = dict(enumerate(operands))
    holders: dict[int, set[int]] = {}
    for k, (_, labels) in left.items():
        for label in labels:
            holders.setdefault(label, set()).add(k)
    alive = set(kept)
    while len(left) > 2:
        pair = _cheapest(left, holders, alive, lengths)
        first, second = (left.pop(k) for k in pair)
        for label in {*first[1], *second[1]}:
            holders[label] -= {*pair}
        together = dict.fromkeys((*first[1], *second[1]))
        wanted = [label for label in together if label in alive or holders[label]]
        made = max(left) + 1 if left else 0
        left[made] = _einsum([first, second], wanted)
        for label in wanted:
            holders[label].add(made)
    return _einsum(list(left.values()), kept)


def _cheapest(
    operands: Mapping[int, Operand], holders: Mapping[int, set[int]], kept: set[int], lengths: Sequence[int]
) -> tuple[int, int]:
    """Choose the pair whose result is smallest beside what goes into it; what shares no label, only at need."""
    sizes = {k: prod(lengths[x] for x in set(labels)) for k, (_, labels) in operands.items()}
    best: tuple[float, int, int] | None = None
    for i, j in _pairs(operands, holders):
        a, b = set(operands[i][1]), set(operands[j][1])
        result = 1
        for label in a | b:
            if label in kept or len(holders[label]) > (label in a) + (label in b):
                result *= lengths[label]
        cost = result - sizes[i] - sizes[j]
        if best is None or cost < best[0]:
            best = (cost, i, j)
    if best is None:
        first, second, *_ = sorted(operands, key=lambda k: (sizes[k], k))
        return min(first, second), max(first, second)
    return best[1], best[2]


def _pairs(operands: Mapping[int, Operand], holders: Mapping[int, set[int]]) -> list[tuple[int, int]]:
    """The pairs that share a label, and those of a number with anything."""
    pairs: set[tuple[int, int]] = set()
    for held in holders.values():
        pairs.update(combinations(sorted(held), 2))
    for number in (k for k, (_, labels) in operands.items() if not labels):
        pairs.update((min(number, k), max(number, k)) for k in operands if k != number)
    return sorted(pairs)


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
