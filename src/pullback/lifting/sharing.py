"""Naming what stands in several places of spelled results, after each is spelled.

Products are flat in the graph, so two results may share a part that is no node of its own: a layer's
cotangent, W2' g .* d. It shows as equal text trees. Trees are numbered so that equal ones get the same
number, chains from the left with each of their beginnings; what is used from several places and is
long enough gets a name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pullback.syntax.tree import Binding, Call, Chain, Comprehension, Name, Negate, Number, Power, Syntax, Transpose

_SHORTEST = 3


def share(
    where: Sequence[Binding], results: Sequence[Syntax], fresh: Callable[[Syntax], str]
) -> tuple[tuple[Binding, ...], tuple[Syntax, ...]]:
    """Name repeated parts; ``fresh`` makes a name for one. Order is kept, each name before its uses."""
    table = _Table()
    roots = [table.number(binding.value) for binding in where]
    tops = [table.number(tree) for tree in results]
    named = table.choose([*roots, *tops]) - set(roots)
    writer = _Writer(table, named, fresh)
    bindings: list[Binding] = []
    for binding, root in zip(where, roots, strict=True):
        tree = writer.rebuilt(root)
        bindings += writer.take()
        bindings.append(replace(binding, value=tree))
        if binding.name is not None and table.entries[root].parts:
            writer.names.setdefault(root, binding.name)
    shown = []
    for top in tops:
        tree = writer.write(top)
        bindings += writer.take()
        shown.append(tree)
    return tuple(bindings), tuple(shown)


@dataclass(frozen=True, slots=True)
class _Entry:
    tree: Syntax
    parts: tuple[int, ...]
    operator: str = ""


class _Table:
    """Equal trees by number."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[object, ...], int] = {}
        self.entries: list[_Entry] = []

    def add(self, key: tuple[object, ...], entry: _Entry) -> int:
        found = self.numbers.setdefault(key, len(self.entries))
        if found == len(self.entries):
            self.entries.append(entry)
        return found

    def number(self, tree: Syntax) -> int:
        match tree:
            case Name(identifier):
                return self.add(("name", identifier), _Entry(tree, ()))
            case Number(value):
                return self.add(("number", value), _Entry(tree, ()))
            case Negate(operand):
                parts: tuple[int, ...] = (self.number(operand),)
                return self.add(("negate", *parts), _Entry(tree, parts))
            case Transpose(operand):
                parts = (self.number(operand),)
                return self.add(("transpose", *parts), _Entry(tree, parts))
            case Power(base, exponent, entrywise):
                parts = (self.number(base), self.number(exponent))
                return self.add(("power", entrywise, *parts), _Entry(tree, parts))
            case Call(function, arguments):
                parts = tuple(self.number(argument) for argument in arguments)
                return self.add(("call", function, *parts), _Entry(tree, parts))
            case Chain(operands, operators):
                here = self.number(operands[0])
                for k, (operator, operand) in enumerate(zip(operators, operands[1:], strict=True)):
                    parts = (here, self.number(operand))
                    begin = Chain(operands[: k + 2], operators[: k + 1])
                    here = self.add(("chain", operator, *parts), _Entry(begin, parts, operator))
                return here
            case Comprehension():
                return self.add(("entries", repr(tree)), _Entry(tree, ()))
        return self.add(("other", repr(tree)), _Entry(tree, ()))

    def choose(self, roots: Sequence[int]) -> set[int]:
        """Choose what gets a name: used from two places, and cheaper so."""
        uses = [0] * len(self.entries)
        for entry in self.entries:
            for part in entry.parts:
                uses[part] += 1
        for root in roots:
            uses[root] += 1
        weight = [0] * len(self.entries)
        named: set[int] = set()
        for k, entry in enumerate(self.entries):
            own = isinstance(entry.tree, Name | Number | Transpose | Call | Power)
            single = isinstance(entry.tree, Power | Name | Number | Negate)
            weight[k] = (own and not single) + sum(1 if p in named else weight[p] for p in entry.parts) or 1
            minus = isinstance(entry.tree, Negate) or self.starts_with_minus(entry.tree)
            cheaper = uses[k] > 1 and weight[k] + 1 + uses[k] < uses[k] * weight[k]
            if cheaper and weight[k] >= _SHORTEST and not minus:
                named.add(k)
        return named

    @staticmethod
    def starts_with_minus(tree: Syntax) -> bool:
        return isinstance(tree, Chain) and isinstance(tree.operands[0], Negate | Number)


class _Writer:
    """Writes trees back with names in them."""

    def __init__(self, table: _Table, named: set[int], fresh: Callable[[Syntax], str]) -> None:
        self.table, self.named, self.fresh = table, named, fresh
        self.names: dict[int, str] = {}
        self.pending: list[Binding] = []

    def take(self) -> list[Binding]:
        """Hand over the bindings made since the last time."""
        pending, self.pending = self.pending, []
        return pending

    def write(self, k: int) -> Syntax:
        """Write a tree, by its name if it has one or is to get one."""
        if k in self.named and k not in self.names:
            value = self.rebuilt(k)
            self.names[k] = self.fresh(self.table.entries[k].tree)
            self.pending.append(Binding(self.names[k], value))
        return Name(self.names[k]) if k in self.names else self.rebuilt(k)

    def rebuilt(self, k: int) -> Syntax:
        entry = self.table.entries[k]
        tree = entry.tree
        if isinstance(tree, Chain):
            return self.chain(k)
        parts = [self.write(part) for part in entry.parts]
        match tree:
            case Negate():
                return Negate(parts[0])
            case Transpose():
                return Transpose(parts[0])
            case Power(_, _, entrywise):
                return Power(parts[0], parts[1], entrywise)
            case Call(function):
                return Call(function, tuple(parts))
        return tree

    def chain(self, k: int) -> Syntax:
        operands: list[Syntax] = []
        operators: list[str] = []
        here = k
        while True:
            entry = self.table.entries[here]
            if not entry.operator or (here != k and (here in self.named or here in self.names)):
                operands.append(self.write(here))
                break
            operands.append(self.write(entry.parts[1]))
            operators.append(entry.operator)
            here = entry.parts[0]
            if not self.table.entries[here].operator:
                operands.append(self.write(here))
                break
            same = (self.table.entries[here].operator in "+-") == (entry.operator in "+-")
            if not same:
                operands.append(self.write(here))
                break
        return Chain(tuple(reversed(operands)), tuple(reversed(operators)))
