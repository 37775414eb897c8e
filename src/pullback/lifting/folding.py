"""The program's own names inside longer products: with Q = X A, what reads X A K' is Q K'.

Products are flat in the graph, so a statement that is a product is no node of the results that use it.
Here its factors are found among those of longer products, and a placeholder put in their place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pullback.lifting.contracting import rebuilt
from pullback.tensor.node import Factor, Node, Product, Variable, make_variable, topological
from pullback.tensor.product import is_symmetric, product

PREFIX = "named "
_MOST_FACTORS = 8
_MOST_TIMES = 8


class Folded(NamedTuple):
    """Results with placeholders in them, the names of nodes anew, and what each placeholder stands for."""

    roots: list[Node]
    given: dict[Node, str]
    parts: dict[Variable, Node]


def fold(roots: Sequence[Node], given: Mapping[Node, str]) -> Folded:
    """Put the names that the program has for products where their factors stand in other products.

    A name is used where it stands at least twice, or where several results are asked for.
    """
    products: dict[Node, str] = {
        node: name for node, name in given.items() if isinstance(node, Product) and _is_foldable(node)
    }
    if products:
        folded = _folded(roots, given, products)
        uses = _uses(folded)
        least = 1 if len(roots) > 1 else 2
        kept = {node: name for node, name in products.items() if uses[PREFIX + name] >= least}
        if kept and len(kept) < len(products):
            folded = _folded(roots, given, kept)
        if kept:
            return folded
    return Folded(list(roots), dict(given), {})


def _is_foldable(node: Product) -> bool:
    plain = len(set(node.output)) == len(node.output) > 0 and all(f.indices for f in node.factors)
    varied = all(_stands(index, node.factors) for index in node.output)
    return plain and varied and 2 <= len(node.factors) <= _MOST_FACTORS


def _uses(folded: Folded) -> Counter[str]:
    """How often each placeholder stands in what is written."""
    uses: Counter[str] = Counter()
    for node in topological([*folded.roots, *folded.parts.values()]):
        uses.update(child.name for child in node.children if isinstance(child, Variable))
    return uses


def _folded(roots: Sequence[Node], given: Mapping[Node, str], products: Mapping[Node, str]) -> Folded:
    parts: dict[Variable, Node] = {}
    by_factor: dict[Node, list[tuple[Product, Variable]]] = {}
    done: dict[Node, Node] = {}

    def folded(node: Node) -> Node:
        changed = rebuilt(node, done)
        for _ in range(_MOST_TIMES):
            shorter = _shorter(changed, by_factor) if isinstance(changed, Product) else None
            if shorter is None:
                break
            changed = shorter
        return changed

    for node, name in products.items():
        assert isinstance(node, Product)
        for inner in topological([node]):
            if inner not in done:
                done[inner] = folded(inner)
        short = done[node]
        facts = frozenset({"symmetric"}) if is_symmetric(node) else frozenset()
        placeholder = make_variable(PREFIX + name, node.axes, facts)
        parts[placeholder] = short
        if isinstance(short, Product) and _is_foldable(short):
            rarest = max(short.factors, key=lambda factor: factor.node.order)
            by_factor.setdefault(rarest.node, []).append((short, placeholder))
    done = {}
    for node in topological([*roots, *given]):
        done[node] = folded(node)
    names = {done[node]: name for node, name in given.items() if node not in products}
    return Folded([done[root] for root in roots], names, parts)


def _shorter(node: Product, by_factor: Mapping[Node, list[tuple[Product, Variable]]]) -> Product | None:
    """Put one placeholder into a product."""
    for factor in node.factors:
        for part, placeholder in by_factor.get(factor.node, ()):
            if len(part.factors) > len(node.factors):
                continue
            for place, used in _matches(part.factors, node.factors, {}, frozenset()):
                if _closes(part, node, place, used):
                    rest = [f for k, f in enumerate(node.factors) if k not in used]
                    labels = tuple(place[index] for index in part.output)
                    lengths = dict(enumerate(node.dimensions))
                    lengths = {i: d for i, d in lengths.items() if i in node.output or _stands(i, rest) or i in labels}
                    found = product([*rest, (placeholder, labels, 1)], node.output, lengths)
                    return found if isinstance(found, Product) else None
    return None


def _stands(index: int, factors: Sequence[Factor]) -> bool:
    return any(index in factor.indices for factor in factors)


def _closes(part: Product, node: Product, place: Mapping[int, int], used: frozenset[int]) -> bool:
    """Whether what the part sums over is summed over nothing else, and its axes are different ones."""
    if len(set(place.values())) != len(place) or (len(used) == len(node.factors) and part.output == node.output):
        return False
    inner = {place[index] for index in place if index not in part.output}
    outside = {i for k, f in enumerate(node.factors) if k not in used for i in f.indices} | set(node.output)
    return not inner & outside


def _matches(
    wanted: Sequence[Factor], factors: Sequence[Factor], place: dict[int, int], used: frozenset[int]
) -> Iterator[tuple[dict[int, int], frozenset[int]]]:
    """Find the wanted factors among others, their indices going to the others'."""
    if not wanted:
        yield place, used
        return
    first = wanted[0]
    for k, factor in enumerate(factors):
        if k in used or factor.node is not first.node or factor.exponent != first.exponent:
            continue
        readings = [factor.indices]
        if len(factor.indices) == 2 and is_symmetric(factor.node):
            readings.append(factor.indices[::-1])
        for indices in readings:
            extended = dict(place)
            if all(extended.setdefault(i, j) == j for i, j in zip(first.indices, indices, strict=True)):
                yield from _matches(wanted[1:], factors, extended, used | {k})
