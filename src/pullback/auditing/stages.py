"""A program one operation at a time, and its reverse pass with a place where it may slip.

A hand-written backward pass goes wrong at one operation. So the program is written as stages, one
operation each, and the reverse pass over them takes a hook that sees every local contribution and may
put another in its place.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pullback.auditing.wording import LONGEST, Wording
from pullback.calculus.rules import pull_back
from pullback.errors import PullbackError
from pullback.lowering.program import Program, lower_program
from pullback.syntax import tree
from pullback.syntax.names import normalise
from pullback.syntax.printer import show
from pullback.tensor.add import add, scaled
from pullback.tensor.node import Apply, Node, Product, Sum, Variable, topological
from pullback.tensor.product import product
from pullback.tracing.tape import TracedProgram

_LONGEST_LINE = 100
_INLINE = frozenset({"eye", "ones", "zeros", "size", "pi"})
_AXES = ("rows", "columns")


@dataclass(frozen=True, eq=False)
class Stage:
    """One operation: the name that its value has, what it says, and its graph over the names it uses."""

    name: str
    text: str
    node: Node
    local: Node
    shape: tuple[object, ...]
    given: bool
    """Whether the user named it."""
    said: tree.Syntax | None = None
    """What its value is called as a part of others, where it has no name of the user's."""


Replace = Callable[["Stage", Node, int, Node, Node], Node | None]
"""Sees a stage, a node in it, the position of a part, the part's contribution and the node's own cotangent."""


def stages_of(program: Program) -> list[Stage]:
    """Write a program as stages; a traced program is its statements."""
    if isinstance(program, TracedProgram):
        return _as_they_are(program)
    try:
        return _split(program)
    except PullbackError:
        return _as_they_are(program)


def _as_they_are(program: Program) -> list[Stage]:
    """The statements of a traced program, each with the line of code that it comes from."""
    wording = Wording()
    for name, entry in program.inputs.items():
        wording.know(name, entry.shape, entry.name)
    titles: set[str] = getattr(program, "titles", set())
    places: dict[str, str] = getattr(program, "places", {})
    stages = []
    for k, s in enumerate(program.statements):
        name = s.name or f"stage {k}"
        given = not isinstance(program, TracedProgram) or name in titles
        local = wording.tree(s.local)
        short = len(show(local)) <= LONGEST
        text = f"{name} = {show(local)}" if given or not short else show(local)
        if line := _line(places.get(name, "")):
            text = f"{text}   [{line}]"
        said = tree.Name(name) if given or not short else local
        stages.append(Stage(normalise(name), text, s.node, s.local, s.shape, given, said))
        wording.know(name, s.shape, said)
    return stages


def _line(place: str) -> str:
    """A place in code with its line: ``layer.py:12  h = np.tanh(z)``."""
    file, _, number = place.rpartition(":")
    if not file or not number.isdigit():
        return ""
    source = linecache.getline(file, int(number)).strip()
    return f"{Path(file).name}:{number}" + (f"  {source}" if source and len(source) <= _LONGEST_LINE else "")


def _split(program: Program) -> list[Stage]:
    splitter = _Splitter()
    for binding in program.syntax.bindings:
        splitter.bind(binding)
    batched = tuple(name for name, entry in program.inputs.items() if entry.batched)
    batch = (
        tree.Batch(str(program.batch) if program.batch.number is None else program.batch.number, batched)
        if program.batch
        else None
    )
    parsed = tree.Program(tuple(splitter.bindings), (), batch, program.source)
    shapes = {name: entry.shape for name, entry in program.inputs.items()}
    fine = lower_program(parsed, shapes, {})
    return [
        Stage(
            s.name or "",
            splitter.texts[s.name or ""],
            s.node,
            s.local,
            s.shape,
            s.name in splitter.given,
            splitter.said.get(s.name or ""),
        )
        for s in fine.statements
    ]


class _Splitter:
    def __init__(self) -> None:
        self.bindings: list[tree.Binding] = []
        self.texts: dict[str, str] = {}
        self.given: set[str] = set()
        self.said: dict[str, tree.Syntax] = {}
        self.known: dict[tree.Syntax, str] = {}

    def bind(self, binding: tree.Binding) -> None:
        value = self.opened(binding.value)
        name = binding.name or "output"
        while name in self.texts:
            name += "_"
        text = show(binding.value)
        self.bindings.append(tree.Binding(name, value, binding.span, binding.name_span))
        self.texts[name] = f"{binding.name} = {text}" if binding.name else text
        if binding.name:
            self.given.add(binding.name)
        else:
            self.said[name] = binding.value

    def opened(self, node: tree.Syntax) -> tree.Syntax:
        """One operation, whose operands are names."""
        match node:
            case tree.Transpose(operand):
                return tree.Transpose(self.named(operand))
            case tree.Negate(operand):
                return tree.Negate(self.named(operand))
            case tree.Power(base, exponent, entrywise):
                power = (
                    exponent if isinstance(exponent, tree.Number | tree.Chain | tree.Negate) else self.named(exponent)
                )
                return tree.Power(self.named(base), power, entrywise)
            case tree.Chain(operands, operators):
                return tree.Chain(tuple(self.named(operand) for operand in operands), operators)
            case tree.Call(function, arguments):
                if function in _INLINE:
                    return node
                if function in ("reshape", "slice"):
                    return tree.Call(function, (self.named(arguments[0]), *arguments[1:]))
                return tree.Call(function, tuple(self.named(argument) for argument in arguments))
        return node

    def named(self, node: tree.Syntax) -> tree.Syntax:
        """A name for an operand; names, numbers and transposes of names stand for themselves."""
        match node:
            case tree.Name() | tree.Number():
                return node
            case tree.Transpose(operand):
                return tree.Transpose(self.named(operand))
            case tree.Negate(operand):
                return tree.Negate(self.named(operand))
            case tree.Call(function) if function in _INLINE:
                return node
        if _is_number(node):
            return node
        if node not in self.known:
            value = self.opened(node)
            name = f"stage {len(self.bindings)}"
            self.bindings.append(tree.Binding(name, value))
            self.texts[name] = show(node)
            self.said[name] = node
            self.known[node] = name
        return tree.Name(self.known[node])


def _is_number(node: tree.Syntax) -> bool:
    match node:
        case tree.Number():
            return True
        case tree.Chain(operands):
            return all(_is_number(operand) for operand in operands)
        case tree.Call(function):
            return function in _INLINE
    return False


def reverse(
    stages: Sequence[Stage],
    upstream: Node,
    wanted: Mapping[str, Variable],
    replace: Replace | None = None,
    seen: dict[str, Node] | None = None,
) -> dict[str, Node]:
    """Pull the upstream gradient back through the stages.

    Args:
        stages: The program.
        upstream: The gradient of the last stage.
        wanted: The variables to differentiate by, by name.
        replace: What to put for a contribution: another, or None for the one that is right.
        seen: Collects the gradient of every stage's own value, by name.

    Returns:
        For each wanted name its gradient, over the inputs, the names of stages and the upstream.
    """
    collected: dict[str, list[tuple[int, Node]]] = {stages[-1].name: [(1, upstream)]}
    targets = set(wanted) | {stage.name for stage in stages}
    for stage in reversed(stages):
        if stage.name not in collected:
            continue
        here = add(collected.pop(stage.name), stage.local.axes)
        if seen is not None:
            seen[stage.name] = here
        for name, part in _through(stage, here, targets, replace):
            collected.setdefault(name, []).append((1, part))
    return {name: add(collected.get(name, []), variable.axes) for name, variable in wanted.items()}


def _through(stage: Stage, cotangent: Node, targets: set[str], replace: Replace | None) -> list[tuple[str, Node]]:
    order = list(topological([stage.local]))
    active: set[Node] = set()
    for node in order:
        if (isinstance(node, Variable) and node.name in targets) or any(c in active for c in node.children):
            active.add(node)
    collected: dict[Node, list[tuple[int, Node]]] = {stage.local: [(1, cotangent)]}
    found: list[tuple[str, Node]] = []
    for node in reversed(order):
        if node not in active or node not in collected:
            continue
        here = add(collected.pop(node), node.axes)
        if isinstance(node, Variable):
            found.append((node.name, here))
            continue
        for position, child, part in contributions(node, here, active):
            other = replace(stage, node, position, part, here) if replace is not None else None
            kept = part if other is None else other
            if kept.axes == child.axes:
                collected.setdefault(child, []).append((1, kept))
    return found


def contributions(node: Node, cotangent: Node, active: set[Node]) -> list[tuple[int, Node, Node]]:
    """What a node hands to each of its parts: the position, the part and its contribution."""
    if isinstance(node, Sum):
        return [(k, t.node, scaled(t.coefficient, cotangent)) for k, t in enumerate(node.terms) if t.node in active]
    if isinstance(node, Apply):
        return [(k, a, pull_back(node, k, cotangent)) for k, a in enumerate(node.arguments) if a in active]
    if isinstance(node, Product):
        return [(k, f.node, through_factor(node, k, cotangent)) for k, f in enumerate(node.factors) if f.node in active]
    return []


def through_factor(
    node: Product, position: int, cotangent: Node, without: int | None = None, turned: int | None = None
) -> Node:
    """The contribution of a product to one factor; another may be left out or transposed, as a slip does."""
    factor, indices, exponent = node.factors[position]
    parts: list[tuple[Node, Sequence[int], object]] = []
    for k, other in enumerate(node.factors):
        if k not in (position, without):
            parts.append((other.node, other.indices[::-1] if k == turned else other.indices, other.exponent))
    if exponent != 1:
        parts.append((factor, indices, exponent - 1))
    parts.append((cotangent, node.output[::-1] if turned == -1 else node.output, 1))
    return scaled(exponent, product(parts, indices, dict(enumerate(node.dimensions))))  # type: ignore[arg-type]
