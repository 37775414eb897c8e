"""What things are called on the board: the loss, the output, the upstream gradient, entries of a matrix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pullback.derivation.formula import PARTIAL
from pullback.expression import Expression, vocabulary
from pullback.lifting.statements import Spelled, spell_all
from pullback.lowering.program import Program
from pullback.syntax.forms import fold, rebuild
from pullback.syntax.names import normalise
from pullback.syntax.tree import Binding, Call, Name, Syntax

_LOSSES = ("L", "J", "E", "loss")
_OUTPUTS = ("y", "f", "z", "out", "output")
_SHARED = tuple("pquvdwkabehst")
_MOST_SUBSCRIPTS = 16
_LETTERS = tuple("ijklprstabcdefghmnoquvwxyz")


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a derivation chose."""

    loss: str
    output: str
    symbols: Mapping[str, str]
    """What the entries of a variable are called: those of W are w."""
    spelling: Mapping[str, str]
    """How a name was written."""
    upstreams: Mapping[str, str]
    """For each statement's name, the name that stands for its gradient inside expressions."""

    @property
    def taken(self) -> frozenset[str]:
        """The names that no index may have."""
        return frozenset({*self.symbols.values(), *self.spelling, self.loss})

    def partial_of(self, tree: Syntax) -> Syntax:
        """Write dL/dy for the stand-ins of gradients."""
        back = {upstream: name for name, upstream in self.upstreams.items()}

        def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
            if isinstance(node, Name) and node.identifier in back:
                return self.gradient(back[node.identifier])
            return rebuild(node, parts)

        return fold(tree, visit)

    def plain(self, tree: Syntax) -> Syntax:
        """An expression in the notation alone, gradients by the names that stand for them."""

        def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
            if isinstance(node, Call) and node.function == PARTIAL and isinstance(node.arguments[1], Name):
                return Name(self.upstreams.get(node.arguments[1].identifier, "?"))
            return rebuild(node, parts)

        return fold(tree, visit)

    def spelled(self, expressions: Sequence[Expression], program: Program) -> Spelled:
        """Spell results together, with names for what they share that mean nothing else on the board."""
        words = vocabulary(program, expressions[0].extra)
        words = replace(words, dimensions=words.dimensions | self.taken)
        spelled = spell_all([e.node for e in expressions], [e.axes for e in expressions], words)
        return self._renamed(spelled, program, words.dimensions | words.shapes.keys())

    def _renamed(self, spelled: Spelled, program: Program, taken: frozenset[str]) -> Spelled:
        """Call shared parts as the program does; give another letter to what looks like an entry, as c_1 of c."""
        if not spelled.where:
            return spelled
        bound = [b.name for b in spelled.where if b.name is not None]
        signs = (*self.symbols.values(), self.loss)
        entries = {f"{sign}{k}" for sign in signs for k in range(1, _MOST_SUBSCRIPTS + 1)}
        free = [letter for letter in _SHARED if not {letter, letter.upper()} & {*taken, *bound}]
        own = {
            tree: s.name
            for s, binding in zip(program.statements, program.syntax.bindings, strict=False)
            if s.name is not None
            for tree in (binding.value, Expression(s.node, s.shape, program).tree)
        }
        named: dict[str, str] = {}

        def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
            return Name(named.get(node.identifier, node.identifier)) if isinstance(node, Name) else rebuild(node, parts)

        where: list[Binding] = []
        for name, binding in zip(bound, spelled.where, strict=True):
            value = fold(binding.value, visit)
            known = own.get(value)
            if known is not None and known not in bound:
                named[name] = known
            elif name in entries and name not in self.symbols and free:
                letter = free.pop(0)
                named[name] = letter.upper() if name[:1].isupper() else letter
            where.append(Binding(named.get(name, name), value))
        return Spelled(tuple(where), tuple(fold(result, visit) for result in spelled.results))

    def gradient(self, name: str) -> Syntax:
        """``dL/dname``."""
        return Call(PARTIAL, (Name(self.loss), Name(name)))


def choose_names(program: Program, reserved: Iterable[str] = ()) -> Names:
    """Choose the names for a program, around those that it uses."""
    bound = [s.name for s in program.statements if s.name is not None]
    taken = {*program.inputs, *bound, *reserved}
    last = program.statements[-1].name
    output = last if last is not None else _free(_OUTPUTS, taken)
    taken.add(output)
    loss = output if output in _LOSSES and program.statements[-1].shape == () else _free(_LOSSES, taken)
    taken.add(loss)
    shapes = [*(entry.shape for entry in program.inputs.values()), *(s.shape for s in program.statements)]
    every = [*program.inputs, *bound, *([output] if program.statements[-1].name is None else [])]
    scalars = {name for name, shape in zip(every, shapes, strict=True) if not shape}
    upstreams = {name: _free([f"dLd{name}"], taken) for name in [*bound, output]}
    spelling = {key: entry.name for key, entry in program.inputs.items()}
    return Names(loss, output, entry_symbols(every, scalars), spelling, upstreams)


def entry_symbols(names: Iterable[str], scalars: Iterable[str] = ()) -> dict[str, str]:
    """Lower case for entries, except where that is another name; a scalar has no entries.

    >>> entry_symbols(["W", "x", "A", "a"])
    {'W': 'w', 'x': 'x', 'A': 'A', 'a': 'a'}
    """
    names = list(names)
    taken = set(names)
    symbols = {}
    for name in names:
        small = normalise(name[:1].lower() + name[1:])
        symbols[name] = name if name in scalars or small in taken else small
    return symbols


def _free(wanted: Sequence[str], taken: Iterable[str]) -> str:
    taken = set(taken)
    for name in wanted:
        if name not in taken:
            return name
    k = 1
    while f"{wanted[0]}{k}" in taken:
        k += 1
    return f"{wanted[0]}{k}"


def letters(count: int, used: Iterable[str] = ()) -> tuple[str, ...]:
    """Letters for indices that are not used yet.

    >>> letters(2, ["i", "x"])
    ('j', 'k')
    """
    used = set(used)
    return tuple([letter for letter in _LETTERS if letter not in used][:count])
