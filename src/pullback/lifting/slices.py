"""Entries of tensors, and tensors of which some axes are held at an index: A[:,k], and products of such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pullback.lifting.chain import Operand, operand, raised, transpose
from pullback.lifting.reduction import Edge, Network
from pullback.lifting.signs import absorb_sign
from pullback.lifting.sizes import length as measure
from pullback.syntax.tree import Call, Chain, Comprehension, Indexed, Negate, Power, Syntax, Transpose
from pullback.tensor.node import Factor, Node, Product

if TYPE_CHECKING:
    from pullback.lifting.lift import Speller

WHOLE = ":"


def entry(tree: Syntax, indices: Sequence[str]) -> Syntax:
    """One entry of a tensor; of one that is written by its entries, what stands there for these indices."""
    if isinstance(tree, Transpose) and len(indices) == 2:
        return entry(tree.operand, indices[::-1])
    plain = isinstance(tree, Comprehension) and not (isinstance(tree.body, Chain) and tree.body.is_sum)
    if plain and isinstance(tree, Comprehension) and WHOLE not in indices:
        body = _renamed(tree.body, dict(zip(tree.indices, indices, strict=True)))
        if body is not None:
            return body
    return Indexed(tree, tuple(indices))


def _renamed(tree: Syntax, names: Mapping[str, str]) -> Syntax | None:
    """Change the names of indices; None where others are bound inside."""
    match tree:
        case Indexed(operand, indices):
            if any(index != WHOLE and index not in names for index in indices):
                return None
            inner = _renamed(operand, names)
            return None if inner is None else Indexed(inner, tuple(names.get(index, index) for index in indices))
        case Comprehension():
            return None
        case Negate(operand):
            inner = _renamed(operand, names)
            return None if inner is None else Negate(inner)
        case Transpose(operand):
            inner = _renamed(operand, names)
            return None if inner is None else Transpose(inner)
        case Power(base, exponent, entrywise):
            parts = [_renamed(base, names), _renamed(exponent, names)]
            return None if parts[0] is None or parts[1] is None else Power(parts[0], parts[1], entrywise)
        case Chain(operands, operators):
            kept = [part for o in operands if (part := _renamed(o, names)) is not None]
            return Chain(tuple(kept), operators) if len(kept) == len(operands) else None
        case Call(function, arguments):
            kept = [part for a in arguments if (part := _renamed(a, names)) is not None]
            return Call(function, tuple(kept)) if len(kept) == len(arguments) else None
    return tree


def sliced(speller: Speller, node: Node, lead: Sequence[str]) -> Syntax:
    """Spell a tensor whose first axes are held at the indices of these names."""
    whole = Indexed(speller.spell(node), (*lead, *(WHOLE for _ in node.axes[len(lead) :])))
    if not isinstance(node, Product) or node in speller.names:
        return whole
    names: dict[int, str] = {}
    output = node.output[len(lead) :]
    network = Network(output, dict(enumerate(node.dimensions)), speller.precedence)
    for index, name in zip(node.output, lead, strict=False):
        delta = Call("eye", (measure(node.dimensions[index]),))
        if index in output:
            network.label(index, (operand(Indexed(delta, (WHOLE, name))),))
        elif index in names:
            network.scalars.append((Indexed(delta, (names[index], name)), 1))
        else:
            names[index] = name
    coefficient, factors = absorb_sign(speller, 1, node.factors)
    for factor in factors:
        _place(speller, network, factor, names)
    network.reduce()
    network.close_scalars()
    if network.is_left_over():
        return whole
    return speller.assemble(coefficient, network.scalars, speller.core(network))


def _place(speller: Speller, network: Network, factor: Factor, names: Mapping[int, str]) -> None:
    """Put a factor on the network, held at the indices that have a name."""
    node, indices, exponent = factor
    if names.keys().isdisjoint(indices):
        speller.place(network, factor)
        return
    tree = entry(speller.spell(node), [names.get(index, WHOLE) for index in indices])
    free = [index for index in indices if index not in names]
    if not free:
        network.scalars.append((tree, exponent))
    elif len(free) == 1:
        network.label(free[0], (operand(tree),), exponent)
    elif len(set(free)) == 2 == len(free):
        there = raised(tree, exponent, entrywise=True)
        network.edges.append(Edge(free[0], free[1], (Operand(there, transpose(there)),)))
    else:
        network.wide.append((tree, tuple(free), exponent))
