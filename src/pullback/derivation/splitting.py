"""Naming what stands inside: ``relu(W x + b)`` is derived as ``z = W x + b``, then ``relu(z)``.

A board has no room for the entries of a function of a function of a product. What a function is applied
to gets a name, as a lecturer would give it one, where it is more than a name itself; so does the result
of an operation on a whole vector or matrix inside a product.
"""

from __future__ import annotations

from pullback.errors import PullbackError
from pullback.lowering.program import Program, lower_program
from pullback.operations.table import TABLE
from pullback.syntax import tree
from pullback.syntax.forms import children, rebuild
from pullback.syntax.tree import Binding, Call, Chain, Comprehension, Expectation, Indexed, Name, Negate, Syntax

_DIFFERENCE, _OTHER = "r", "z"
MOST_STATEMENTS = 60
"""Longer programs are left as they are."""


def split(program: Program) -> Program:
    """The same program with its inner parts as statements of their own, or itself where there are none."""
    if program.batch is not None or len(program.statements) > MOST_STATEMENTS:
        return program
    names = _Names(program)
    bindings = [made for binding in program.syntax.bindings for made in names.opened(binding)]
    if len(bindings) == len(program.syntax.bindings):
        return program
    lowered = _lowered(program, bindings)
    if lowered is None:
        return program
    capital = {
        s.name: names.fresh(s.name.upper())
        for s in lowered.statements
        if s.name is not None and s.name in names.given and len(s.shape) == 2
    }
    if capital:
        bindings = [Binding(capital.get(b.name or "", b.name), _renamed(b.value, capital)) for b in bindings]
        lowered = _lowered(program, bindings)
    if lowered is None or lowered.output.node is not program.output.node:
        return program
    return lowered


def _lowered(program: Program, bindings: list[Binding]) -> Program | None:
    shapes = {name: entry.shape for name, entry in program.inputs.items()}
    facts = {name: entry.properties for name, entry in program.inputs.items()}
    functions = tuple(d for d in program.syntax.declarations if "entrywise" in d.properties)
    try:
        return lower_program(tree.Program(tuple(bindings), functions, None, program.source), shapes, facts)
    except PullbackError:
        return None


def _renamed(part: Syntax, names: dict[str, str]) -> Syntax:
    if isinstance(part, Name):
        return Name(names.get(part.identifier, part.identifier), part.span)
    return rebuild(part, [_renamed(inner, names) for inner in children(part)])


class _Names:
    """Gives names to parts; the same part gets the same name."""

    def __init__(self, program: Program) -> None:
        bound = {s.name for s in program.statements if s.name is not None}
        dimensions = {n for entry in program.inputs.values() for axis in entry.shape for n in axis.names}
        self.taken: set[str] = {*program.inputs, *bound, *dimensions, "L"}
        self.known: dict[Syntax, str] = {}
        self.given: set[str] = set()
        self.made: list[Binding] = []

    def opened(self, binding: Binding) -> list[Binding]:
        """A statement, after those that name its inner parts."""
        if _has_entries(binding.value):
            return [binding]
        self.made = []
        value = self.visit(binding.value, inside=False)
        last = Binding(binding.name, value, binding.span, binding.name_span)
        return [*self.made, last]

    def visit(self, part: Syntax, inside: bool) -> Syntax:
        """Rebuild a part; ``inside`` tells whether it is a factor of a product."""
        product = isinstance(part, Chain) and not part.is_sum
        made = rebuild(part, [self.visit(inner, product) for inner in children(part)])
        if not isinstance(made, Call) or made.function not in TABLE:
            return made
        if _acts(made.function):
            first, *rest = made.arguments
            made = Call(made.function, (self.named(first) if _is_composite(first) else first, *rest), made.span)
        return self.named(made) if inside and _is_whole(made.function) else made

    def named(self, part: Syntax) -> Syntax:
        """Put a name in place of a part."""
        name = self.known.get(part)
        if name is None:
            difference = isinstance(part, Chain) and "-" in part.operators
            name = self.fresh(_DIFFERENCE if difference else _OTHER)
            self.known[part] = name
            self.given.add(name)
            self.made.append(Binding(name, part))
        return Name(name)

    def fresh(self, wanted: str) -> str:
        """A name that is not used yet."""
        k = 0
        name = wanted
        while name in self.taken:
            k += 1
            name = f"{wanted}{k}"
        self.taken.add(name)
        return name


def _acts(function: str) -> bool:
    """Whether a function is applied to values, and no einsum that only moves and sums entries."""
    from pullback.operations.entry import Einsum

    entry = TABLE[function]
    return bool(entry.meanings) and not any(isinstance(meaning, Einsum) for meaning in entry.meanings)


def _is_whole(function: str) -> bool:
    """Whether a function makes a vector or matrix of a whole one: softmax, inv."""
    primitive = TABLE[function].primitive
    return primitive is not None and bool(primitive.operation.signature.output)


def _is_composite(part: Syntax) -> bool:
    """Whether a part is a sum or product with more than one name in it."""
    if isinstance(part, Negate):
        return _is_composite(part.operand)
    return isinstance(part, Chain) and _count(part) > 1


def _count(part: Syntax) -> int:
    return 1 if isinstance(part, Name) else sum(_count(inner) for inner in children(part))


def _has_entries(part: Syntax) -> bool:
    if isinstance(part, Comprehension | Expectation | Indexed):
        return True
    return any(_has_entries(inner) for inner in children(part))
