"""The order in which the factors of a product are contracted, two at a time.

Up to seven factors every order is weighed by dynamic programming over subsets; beyond that the cheapest
pair goes first. Cost is an estimate of time, not of operations: what goes through BLAS is some twenty times
cheaper a step than what goes through memory, and every kernel has a fixed price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import prod

Labels = frozenset[int]
_EXHAUSTIVE = 7
_KERNEL = 400.0
_BLAS = 1 / 12


def pair_cost(a: Labels, b: Labels, kept: Labels, lengths: Mapping[int, int]) -> float:
    """Estimate the time to contract two factors; ``kept`` are the labels that something else still needs."""
    result = (a | b) & kept
    shared = a & b
    gone = shared - kept
    moved = sum(prod(lengths[x] for x in part) for part in (a, b, result))
    if not gone:
        return _KERNEL + 1.5 * moved
    work = float(prod(lengths[x] for x in a | b))
    left, right = a - shared, b - shared
    if not left and not right:
        return _KERNEL + 1.5 * moved
    if shared & kept:
        return 2 * _KERNEL + moved + work * (_BLAS * 2 if left and right else 0.7)
    if not left or not right:
        return _KERNEL + moved + work / 4
    narrow = min(prod(lengths[x] for x in left), prod(lengths[x] for x in right), prod(lengths[x] for x in gone))
    return _KERNEL + moved + work * max(_BLAS, 0.7 / max(narrow, 1))


def contraction_order(factors: Sequence[Labels], output: Labels, lengths: Mapping[int, int]) -> list[tuple[int, int]]:
    """Give pairs of positions; each pair leaves the list and its product is put at the end.

    >>> contraction_order([frozenset({0, 1}), frozenset({1, 2}), frozenset({2})], frozenset({0}), {0: 50, 1: 50, 2: 50})
    [(1, 2), (0, 1)]
    """
    used = sorted({label for labels in factors for label in labels} | output)
    number = {label: k for k, label in enumerate(used)}
    return list(
        _order(
            tuple(frozenset(number[x] for x in labels) for labels in factors),
            frozenset(number[x] for x in output),
            tuple(lengths[x] for x in used),
        )
    )


@lru_cache(maxsize=4096)
def _order(factors: tuple[Labels, ...], output: Labels, lengths: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    sizes = dict(enumerate(lengths))
    if len(factors) <= 2:
        return ((0, 1),) if len(factors) == 2 else ()
    if len(factors) <= _EXHAUSTIVE:
        return tuple(_exhaustive(factors, output, sizes))
    return tuple(_greedy(list(factors), output, sizes))


def _exhaustive(factors: tuple[Labels, ...], output: Labels, lengths: Mapping[int, int]) -> list[tuple[int, int]]:
    count = len(factors)
    everything = (1 << count) - 1
    labels = [frozenset[int]()] * (everything + 1)
    for subset in range(1, everything + 1):
        low = subset & -subset
        labels[subset] = labels[subset ^ low] | factors[low.bit_length() - 1]
    open_labels = [labels[s] & (output | labels[everything ^ s]) for s in range(everything + 1)]
    best: dict[int, tuple[float, int]] = {1 << k: (0.0, 0) for k in range(count)}
    for subset in sorted(range(1, everything + 1), key=int.bit_count):
        if subset.bit_count() < 2:
            continue
        found: tuple[float, int] | None = None
        part = (subset - 1) & subset
        while part:
            rest = subset ^ part
            if part > rest:
                a = factors[part.bit_length() - 1] if part.bit_count() == 1 else open_labels[part]
                b = factors[rest.bit_length() - 1] if rest.bit_count() == 1 else open_labels[rest]
                cost = best[part][0] + best[rest][0] + pair_cost(a, b, open_labels[subset], lengths)
                if found is None or cost < found[0]:
                    found = (cost, part)
            part = (part - 1) & subset
        assert found is not None
        best[subset] = found
    pairs: list[tuple[int, int]] = []
    _unwind(everything, best, pairs, [1 << k for k in range(count)])
    return pairs


def _unwind(subset: int, best: Mapping[int, tuple[float, int]], pairs: list[tuple[int, int]], here: list[int]) -> None:
    """Write the tree of best splits as pairs of positions in the shrinking list ``here``."""
    if subset.bit_count() == 1:
        return
    part = best[subset][1]
    rest = subset ^ part
    _unwind(part, best, pairs, here)
    _unwind(rest, best, pairs, here)
    first, second = sorted((here.index(part), here.index(rest)))
    pairs.append((first, second))
    del here[second], here[first]
    here.append(subset)


def _greedy(factors: list[Labels], output: Labels, lengths: Mapping[int, int]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    while len(factors) > 1:
        best: tuple[float, int, int] | None = None
        for i in range(len(factors)):
            for j in range(i + 1, len(factors)):
                a, b = factors[i], factors[j]
                others = frozenset().union(output, *(f for k, f in enumerate(factors) if k not in (i, j)))
                grown = prod(lengths[x] for x in (a | b) & others)
                gain = grown - prod(lengths[x] for x in a) - prod(lengths[x] for x in b)
                cost = pair_cost(a, b, others, lengths) + 4.0 * gain + (0 if a & b or not a or not b else 1e12)
                if best is None or cost < best[0]:
                    best = (cost, i, j)
        assert best is not None
        _, i, j = best
        others = frozenset().union(output, *(f for k, f in enumerate(factors) if k not in (i, j)))
        joined = (factors[i] | factors[j]) & others
        pairs.append((i, j))
        del factors[j], factors[i]
        factors.append(joined)
    return pairs
