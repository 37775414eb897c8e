"""Spelling tensors by their entries, where matrix notation can't say them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pullback.lifting.alphabet import Natural, natural
from pullback.lifting.chain import number, raised, read, shorter, text, turn
from pullback.lifting.reduction import Network
from pullback.lifting.signs import absorb_sign
from pullback.lifting.sizes import length as measure
from pullback.lifting.slices import entry, sliced
from pullback.syntax.tree import Call, Comprehension, Indexed, Negate, Power, Syntax
from pullback.tensor.node import Apply, Node, Product, Rational, Sum

if TYPE_CHECKING:
    from pullback.lifting.lift import Speller

_LETTERS = ("i", "j", "k", "l", "p", "q", "r", "s", "t", "u", "v", "w")


def index_names(count: int, start: int = 0) -> tuple[str, ...]:
    """Names for indices: i, j, k, l, p, …, then i1, i2 and so on."""
    names = [*_LETTERS, *(f"i{k}" for k in range(1, 1 + max(0, start + count - len(_LETTERS))))]
    return tuple(names[start : start + count])


def spell_entries(speller: Speller, coefficient: Rational, node: Product, network: Network) -> Syntax:
    """Spell a reduced product by its entries."""
    names = index_names(len(node.output))
    body = entries_body(speller, coefficient, node, network, names)
    return Comprehension(names, body)


def entries_body(
    speller: Speller, coefficient: Rational, node: Product, network: Network, names: Sequence[str]
) -> Syntax:
    """Spell the product of entries for given names of the output axes."""
    name: dict[int, str] = {}
    factors: list[Syntax] = []
    for vertex, letter in zip(node.output, names, strict=True):
        if vertex in name:
            delta = Call("eye", (measure(node.dimensions[vertex]),))
            factors.append(Indexed(delta, (name[vertex], letter)))
        else:
            name[vertex] = letter
    inner = [v for v in range(len(node.dimensions)) if v not in name]
    name |= dict(zip(inner, index_names(len(inner), max(len(names), _first_free(names))), strict=True))
    touched: set[int] = set()
    divisors: list[Syntax] = []

    def place(entry: Syntax, exponent: Rational) -> None:
        (factors if exponent > 0 else divisors).append(raised(entry, exponent if exponent > 0 else -exponent, False))

    for tree, indices, exponent in network.wide:
        place(entry(tree, [name[v] for v in indices]), exponent)
        touched.update(indices)
    for edge in network.edges:
        here, there = read(edge.reading), read(turn(edge.reading))
        if shorter(here, there) is here:
            factors.append(Indexed(here, (name[edge.start], name[edge.end])))
        else:
            factors.append(Indexed(there, (name[edge.end], name[edge.start])))
        touched.update((edge.start, edge.end))
    for vertex, labels in network.labels.items():
        for reading, exponent in labels:
            place(Indexed(read(reading), (name[vertex],)), exponent)
            touched.add(vertex)
    for vertex, matrices in network.diagonals.items():
        for matrix in matrices:
            place(Indexed(Call("diag", (matrix.tree,)), (name[vertex],)), 1)
            touched.add(vertex)
    repeated = {v for v in node.output if node.output.count(v) > 1}
    for vertex in dict.fromkeys(node.output):
        if vertex not in touched and vertex not in repeated:
            factors.append(Indexed(Call("ones", (measure(node.dimensions[vertex]),)), (name[vertex],)))
    factors.sort(key=_entry_order)
    ranked = sorted(network.scalars, key=speller.scalar_rank)
    above = speller.scalar_powers([(tree, e) for tree, e in ranked if e > 0])
    below = [*speller.scalar_powers([(tree, -e) for tree, e in ranked if e < 0]), *divisors]
    size = -coefficient if coefficient < 0 else coefficient
    parts: list[Syntax] = [*([number(size)] if size != 1 else []), *above, *factors]
    result = speller.joined(parts)
    if below:
        result = speller.quotient(result, speller.joined(below))
    return Negate(result) if coefficient < 0 else result


def _entry_order(factor: Syntax) -> tuple[bool, tuple[str, ...], Natural]:
    """Deltas first, then in the order of the indices."""
    entry = factor
    while isinstance(entry, Power | Call):
        entry = entry.base if isinstance(entry, Power) else entry.arguments[0]
    if not isinstance(entry, Indexed):
        return (True, (), natural(text(factor)))
    delta = isinstance(entry.operand, Call) and entry.operand.function == "eye"
    return (not delta, tuple(sorted(entry.indices)), natural(text(factor)))


def _first_free(names: Sequence[str]) -> int:
    return max((_LETTERS.index(n) + 1 for n in names if n in _LETTERS), default=0)


def spell_sum_entries(speller: Speller, node: Sum) -> Syntax:
    """Spell a sum with all terms by their entries."""
    from pullback.lifting.sums import add_up, rank

    names = index_names(len(node.axes))
    spelled = []
    for term in node.terms:
        if isinstance(term.node, Product) and term.node not in speller.names:
            coefficient, factors = absorb_sign(speller, term.coefficient, term.node.factors, alone=False)
            network = speller.network(term.node, factors)
            network.reduce()
            network.close_scalars()
            tree = entries_body(speller, coefficient, term.node, network, names)
        else:
            entry = entry_of(speller, term.node, names)
            tree = speller.assemble(term.coefficient, [], entry)
        spelled.append((term, tree))
    spelled.sort(key=lambda pair: rank(*pair))
    return Comprehension(names, add_up([tree for _, tree in spelled]))


def entry_of(speller: Speller, node: Node, names: Sequence[str]) -> Syntax:
    """Spell one entry of a node."""
    tree = speller.spell(node)
    if isinstance(tree, Comprehension) and tree.indices == tuple(names):
        return tree.body
    return entry(tree, names)


def spell_lifted(
    speller: Speller, node: Apply, arguments: Sequence[Node], spell_core: Callable[[list[Syntax]], Syntax]
) -> Syntax:
    """Spell an operation repeated over leading axes: ``[i,j: f(A[i,:])[j]]``."""
    names = index_names(len(node.axes))
    body = spell_core([sliced(speller, argument, names[: node.batch]) for argument in arguments])
    return Comprehension(names, entry(body, names[node.batch :]) if len(names) > node.batch else body)
