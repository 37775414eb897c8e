"""The order in which the factors of a product are contracted, two at a time.

Up to seven factors every order is weighed by dynamic programming over subsets; beyond that the cheapest pair goes
first, under several notions of cheap, and what comes out is mended piece by piece. Cost is an estimate of time, not
of operations: what goes through BLAS is some twenty times cheaper a step than what goes through memory, and every
kernel has a fixed price.

Sets of labels are bits of a number here, since there are many of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

Labels = frozenset[int]
Tree = tuple[int, int]
"""A node of the tree of pairs; leaves are numbered first, then the pairs in their order."""

_EXHAUSTIVE = 7
_MENDED = 6
_KERNEL = 400.0
_BLAS = 1 / 12
_GREEDS = (4.0, 1.0, 0.25)


class Costs:
    """The price of a pair for given lengths of the labels; each set of labels is measured once."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.lengths = lengths
        self.known: dict[int, float] = {0: 1.0}
        self.pairs: dict[tuple[int, int, int], float] = {}

    def size(self, labels: int) -> float:
        """The number of entries over a set of labels."""
        found = self.known.get(labels)
        if found is None:
            low = labels & -labels
            found = self.known[labels] = self.lengths[low.bit_length() - 1] * self.size(labels ^ low)
        return found

    def pair(self, a: int, b: int, kept: int) -> float:
        """Estimate the time to contract two factors; ``kept`` are the labels that something else still needs."""
        both = a | b
        kept &= both
        found = self.pairs.get((a, b, kept))
        if found is None:
            found = self.pairs[a, b, kept] = self.estimate(a, b, kept)
        return found

    def estimate(self, a: int, b: int, kept: int) -> float:
        """The price, with the kernel that it will be: a product of entries, a GEMM, many small ones."""
        size = self.size
        shared = a & b
        gone = shared & ~kept
        moved = size(a) + size(b) + size(kept)
        if not gone:
            return _KERNEL + 1.5 * moved
        work = size(a | b)
        left, right = a & ~shared, b & ~shared
        if not left and not right:
            return _KERNEL + 1.5 * moved
        if shared & kept:
            return 2 * _KERNEL + moved + work * (_BLAS * 2 if left and right else 0.7)
        if not left or not right:
            return _KERNEL + moved + work / 4
        narrow = min(size(left), size(right), size(gone))
        return _KERNEL + moved + work * max(_BLAS, 0.7 / max(narrow, 1))


def contraction_order(factors: Sequence[Labels], output: Labels, lengths: Mapping[int, int]) -> list[tuple[int, int]]:
    """Give pairs of positions; each pair leaves the list and its product is put at the end.

    >>> contraction_order([frozenset({0, 1}), frozenset({1, 2}), frozenset({2})], frozenset({0}), {0: 50, 1: 50, 2: 50})
    [(1, 2), (0, 1)]
    """
    return list(_ordered(factors, output, lengths)[0])


def contraction_cost(factors: Sequence[Labels], output: Labels, lengths: Mapping[int, int]) -> float:
    """Estimate the time that the best order takes."""
    return _ordered(factors, output, lengths)[1]


def _ordered(
    factors: Sequence[Labels], output: Labels, lengths: Mapping[int, int]
) -> tuple[tuple[tuple[int, int], ...], float]:
    used = sorted({label for labels in factors for label in labels} | output)
    number = {label: k for k, label in enumerate(used)}
    return _order(
        tuple(sum(1 << number[x] for x in labels) for labels in factors),
        sum(1 << number[x] for x in output),
        tuple(lengths[x] for x in used),
    )


@lru_cache(maxsize=4096)
def _order(
    factors: tuple[int, ...], output: int, lengths: tuple[int, ...]
) -> tuple[tuple[tuple[int, int], ...], float]:
    costs = Costs(lengths)
    count = len(factors)
    if count <= 1:
        return (), 0.0
    if count <= _EXHAUSTIVE:
        price, tree = _best_tree(factors, output, costs)
        return _as_pairs(tree, count), price
    price, tree = min(
        (_mended(_greedy(factors, output, costs, greed), factors, output, costs) for greed in _GREEDS),
        key=lambda found: found[0],
    )
    return _as_pairs(tree, count), price


def _best_tree(factors: Sequence[int], output: int, costs: Costs) -> tuple[float, list[Tree]]:
    """The cheapest tree of all, by dynamic programming over subsets."""
    count = len(factors)
    everything = (1 << count) - 1
    below = [0] * (everything + 1)
    for subset in range(1, everything + 1):
        low = subset & -subset
        below[subset] = below[subset ^ low] | factors[low.bit_length() - 1]
    kept = [below[s] & (output | below[everything ^ s]) for s in range(everything + 1)]
    for k in range(count):
        kept[1 << k] = factors[k]
    best = [0.0] * (everything + 1)
    split = [0] * (everything + 1)
    pair = costs.pair
    for subset in range(1, everything + 1):
        if subset & (subset - 1) == 0:
            continue
        cheapest, at = float("inf"), 0
        open_here = kept[subset] if subset != everything else output & below[everything]
        part = (subset - 1) & subset
        while part:
            rest = subset ^ part
            if part > rest:
                price = best[part] + best[rest]
                if price < cheapest:
                    price += pair(kept[part], kept[rest], open_here)
                    if price < cheapest:
                        cheapest, at = price, part
            part = (part - 1) & subset
        best[subset], split[subset] = cheapest, at
    tree: list[Tree] = []
    numbers: dict[int, int] = {1 << k: k for k in range(count)}
    stack = [everything]
    while stack:
        subset = stack[-1]
        part, rest = split[subset], subset ^ split[subset]
        waiting = [s for s in (part, rest) if s not in numbers]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        if subset not in numbers:
            numbers[subset] = count + len(tree)
            tree.append((numbers[part], numbers[rest]))
    return best[everything], tree


def _greedy(factors: Sequence[int], output: int, costs: Costs, greed: float) -> list[Tree]:
    """Always contract the pair that is cheapest now; ``greed`` weighs how much smaller things become."""
    holders: dict[int, int] = {}
    for labels in factors:
        for bit in _bits(labels):
            holders[bit] = holders.get(bit, 0) + 1
    alive: dict[int, int] = dict(enumerate(factors))

    def outside(a: int, b: int) -> int:
        """The labels of two factors that the output or a third factor needs."""
        kept = 0
        for bit in _bits(a | b):
            if output & bit or holders[bit] > bool(a & bit) + bool(b & bit):
                kept |= bit
        return kept

    def weigh(i: int, j: int) -> float:
        a, b = alive[i], alive[j]
        kept = outside(a, b)
        gain = costs.size(kept) - costs.size(a) - costs.size(b)
        return costs.pair(a, b, kept) + greed * gain + (0 if a & b or not a or not b else 1e12)

    weights = {(i, j): weigh(i, j) for i in alive for j in alive if i < j}
    tree: list[Tree] = []
    while len(alive) > 1:
        i, j = min(weights, key=lambda pair: (weights[pair], pair))
        a, b = alive.pop(i), alive.pop(j)
        joined = outside(a, b)
        touched = 0
        for bit in _bits(a | b):
            holders[bit] -= bool(a & bit) + bool(b & bit)
            if joined & bit:
                holders[bit] += 1
            if holders[bit] <= 2:
                touched |= bit
        number = len(factors) + len(tree)
        tree.append((i, j))
        weights = {pair: weight for pair, weight in weights.items() if not {i, j} & set(pair)}
        for pair in weights:
            if (alive[pair[0]] | alive[pair[1]]) & touched:
                weights[pair] = weigh(*pair)
        alive[number] = joined
        weights |= {(k, number): weigh(k, number) for k in alive if k != number}
    return tree


def _mended(tree: list[Tree], factors: Sequence[int], output: int, costs: Costs) -> tuple[float, list[Tree]]:
    """Take parts of a few branches out of a tree and put in the best arrangement of these; until nothing is gained."""
    price = _price(tree, factors, output, costs)
    for _ in range(2):
        before = price
        for top in range(len(factors) + len(tree) - 1, len(factors), -1):
            found = _rearranged(tree, top, factors, output, costs)
            if found is not None:
                cheaper = _price(found, factors, output, costs)
                if cheaper < price * (1 - 1e-9):
                    tree, price = found, cheaper
        if price == before:
            break
    return price, tree


def _rearranged(tree: list[Tree], top: int, factors: Sequence[int], output: int, costs: Costs) -> list[Tree] | None:
    """The tree with the best arrangement of the branches just below one of its nodes."""
    count = len(factors)
    branches = [top]
    while len(branches) < _MENDED:
        opened = max((b for b in branches if b >= count), default=None)
        if opened is None:
            break
        branches.remove(opened)
        branches += tree[opened - count]
    if len(branches) < 3:
        return None
    labels, _ = _labels(tree, factors, output)
    _, best = _best_tree([labels[b] for b in branches], labels[top] if top < count + len(tree) - 1 else output, costs)
    children: dict[int, tuple[int, int]] = {count + k: pair for k, pair in enumerate(tree)}
    fresh = count + len(tree)
    names = list(branches)
    for left, right in best[:-1]:
        children[fresh] = (names[left], names[right])
        names.append(fresh)
        fresh += 1
    children[top] = (names[best[-1][0]], names[best[-1][1]])
    return _renumbered(children, count + len(tree) - 1, count)


def _renumbered(children: Mapping[int, tuple[int, int]], root: int, count: int) -> list[Tree]:
    """A tree of any names as a list in which children come first."""
    order: list[Tree] = []
    numbers = {k: k for k in range(count)}
    stack = [root]
    while stack:
        node = stack[-1]
        waiting = [c for c in children[node] if c not in numbers]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        numbers[node] = count + len(order)
        left, right = children[node]
        order.append((numbers[left], numbers[right]))
    return order


def _labels(tree: Sequence[Tree], factors: Sequence[int], output: int) -> tuple[list[int], list[int]]:
    """The labels that each node of a tree has, and those that something outside of it needs."""
    count = len(factors)
    labels = [*factors, *([0] * len(tree))]
    outside = [0] * len(labels)
    below = [*factors, *([0] * len(tree))]
    for k, (left, right) in enumerate(tree):
        below[count + k] = below[left] | below[right]
    outside[-1] = output
    for k in range(len(tree) - 1, -1, -1):
        left, right = tree[k]
        outside[left] = outside[count + k] | below[right]
        outside[right] = outside[count + k] | below[left]
    for k in range(count, len(labels)):
        labels[k] = below[k] & outside[k]
    return labels, outside


def _price(tree: Sequence[Tree], factors: Sequence[int], output: int, costs: Costs) -> float:
    labels, _ = _labels(tree, factors, output)
    count = len(factors)
    return sum(costs.pair(labels[left], labels[right], labels[count + k]) for k, (left, right) in enumerate(tree))


def _as_pairs(tree: Sequence[Tree], count: int) -> tuple[tuple[int, int], ...]:
    """A tree as pairs of positions in the shrinking list."""
    here = list(range(count))
    pairs: list[tuple[int, int]] = []
    for k, (left, right) in enumerate(tree):
        first, second = sorted((here.index(left), here.index(right)))
        pairs.append((first, second))
        del here[second], here[first]
        here.append(count + k)
    return tuple(pairs)


def _bits(labels: int) -> list[int]:
    found = []
    while labels:
        low = labels & -labels
        found.append(low)
        labels ^= low
    return found
