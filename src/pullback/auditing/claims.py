"""Claims: gradients as someone has written them, in the notation or as numbers at drawn points."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pullback.auditing.stages import Stage
from pullback.auditing.trial import Trial
from pullback.checking.evaluator import UnfitError
from pullback.dimension import ONE, Dimension
from pullback.errors import NotationError, Place, ShapeError
from pullback.lowering.inputs import find_inputs
from pullback.lowering.program import Program, lower_program
from pullback.operations.table import FUNCTIONS
from pullback.syntax import tree
from pullback.syntax.forms import children, fold, rebuild
from pullback.syntax.names import normalise
from pullback.syntax.parser import parse_program
from pullback.tensor.node import Node, make_variable
from pullback.tensor.substitute import Lifted, substitute

UPSTREAM_NAMES = ("g", "dy", "dout", "grad_output", "upstream", "delta", "dL_dy", "dL")
"""What an upstream gradient may be called in a claim where the program has no such name."""

_GRADIENT = re.compile(r"[d∂δ]L\s*/\s*[d∂δ](\w+)")
_ATTRIBUTE = re.compile(r"(?<=[\w)\]'])\.T\b")

Shape = tuple[Dimension, ...]


@dataclass(frozen=True)
class Claim:
    """One claimed gradient: its text as statements, or a function that computes it at a trial."""

    variable: str
    text: str
    bindings: tuple[tree.Binding, ...] = ()
    compute: Callable[[Trial], Any] | None = None

    @property
    def is_text(self) -> bool:
        """Whether it was given in the notation."""
        return self.compute is None

    @property
    def functions(self) -> frozenset[str]:
        """The functions that its text calls."""
        found, stack = set[str](), [binding.value for binding in self.bindings]
        while stack:
            part = stack.pop()
            if isinstance(part, tree.Call):
                found.add(part.function)
            stack.extend(children(part))
        return frozenset(found)

    def at(self, trial: Trial) -> Any:
        """Its value at a trial; raises UnfitError where shapes do not fit."""
        import numpy as np

        if self.compute is not None:
            return self.compute(trial)
        with np.errstate(all="ignore"):
            return np.real(trial.evaluator.program(self.bindings, trial.values)[""])


@dataclass(frozen=True)
class Vocabulary:
    """What a claim may use: shapes by name, graphs of named steps, dimension names, the upstream gradient."""

    shapes: Mapping[str, Shape]
    steps: Mapping[str, Node]
    dimensions: frozenset[str]
    upstream: str | None
    output: str = ""

    def is_upstream(self, name: str) -> bool:
        """Whether a name that the program does not have is what the gradient from above is called."""
        if self.upstream is None:
            return False
        own = {f"d{self.output}", f"d_{self.output}", f"dL_d{self.output}", f"grad_{self.output}"}
        step = name[2:] if name.startswith("d_") else name[1:]
        return name in own or (name in UPSTREAM_NAMES and step not in self.steps)


def vocabulary(program: Program, stages: Sequence[Stage], upstream: str | None) -> Vocabulary:
    """Collect what claims about a program may use."""
    shapes: dict[str, Shape] = {name: entry.shape for name, entry in program.inputs.items()}
    steps: dict[str, Node] = {}
    for stage in stages:
        if stage.given:
            shapes[normalise(stage.name)] = stage.shape  # type: ignore[assignment]
            steps[normalise(stage.name)] = stage.node
    if upstream is not None:
        shapes[upstream] = program.output.shape
    dimensions = {name for shape in shapes.values() for axis in shape for name in axis.names}
    output = normalise(program.output.name or "")
    return Vocabulary(shapes, steps, frozenset(dimensions - set(shapes)), upstream, output)


def read_claim(variable: str, text: str, words: Vocabulary) -> Claim:
    """Read a claim.

    Raises:
        NotationError: It can't be read, or uses a name that the program does not have.
    """
    parsed = parse_program(_spelled(text, words), FUNCTIONS)
    inputs, _ = find_inputs(parsed, set())
    renamed: dict[str, tree.Syntax] = {}
    bound = {b.name for b in parsed.bindings}
    for name, span in inputs.items():
        if name in words.shapes or name in bound:
            continue
        if name in words.dimensions:
            renamed[name] = tree.Call("size", (tree.Name(name),))
        elif words.upstream is not None and words.is_upstream(name):
            renamed[name] = tree.Name(words.upstream)
        elif name.isupper() and name.lower() in words.shapes:
            renamed[name] = tree.Name(name.lower())
        else:
            near = get_close_matches(name, [*words.shapes], n=1)
            known = ", ".join(words.shapes)
            hint = f"did you mean {near[0]}?" if near else f"a claim may use: {known}"
            if name[:1] == "d" and name[1:].lstrip("_") in words.steps:
                hint = f"say first what it is, then use it: {name} = …; …"
            raise NotationError(f"{name} is not in the program", source=text, places=(Place(span),), hint=hint)
    bindings = tuple(tree.Binding(b.name, _renamed(b.value, renamed), b.span, b.name_span) for b in parsed.bindings)
    last = bindings[-1]
    return Claim(variable, text, (*bindings[:-1], tree.Binding(None, last.value, last.span)))


def _spelled(text: str, words: Vocabulary) -> str:
    """``dL/dW = dL/dy @ x.T`` in the notation, every character where it was.

    >>> print(_spelled("dL/dW = dL/dy @ X.T", Vocabulary({"W": (), "X": ()}, {}, frozenset(), "g")))
    dW    = dy    @ X'
    """
    if "dL" not in words.shapes:
        text = _GRADIENT.sub(lambda m: f"d{m[1]}".ljust(len(m[0])), text)
    return _ATTRIBUTE.sub("' ", text)


def uses(claim: Claim, name: str) -> bool:
    """Whether a claim has a name in it."""
    from pullback.lowering.inputs import names_in

    return any(found == name for b in claim.bindings for found, _ in names_in(b.value))


def _renamed(value: tree.Syntax, renamed: Mapping[str, tree.Syntax]) -> tree.Syntax:
    if not renamed:
        return value

    def visit(node: tree.Syntax, parts: list[tree.Syntax]) -> tree.Syntax:
        if isinstance(node, tree.Call) and node.function in ("eye", "ones", "zeros", "size"):
            return node
        if isinstance(node, tree.Name) and node.identifier in renamed:
            return renamed[node.identifier]
        return rebuild(node, parts)

    return fold(value, visit)


def lower_claim(claim: Claim, words: Vocabulary) -> tuple[Shape, Node]:
    """Find the shape and the graph of a claim over the inputs.

    Raises:
        ShapeError: Its parts do not fit together.
        PullbackError: Something in it is not supported.
    """
    parsed = tree.Program(claim.bindings, (), None, claim.text)
    used, _ = find_inputs(parsed, set(words.shapes))
    shapes = {name: words.shapes[name] for name in used if name in words.shapes}
    program = lower_program(parsed, shapes, {})
    leaves: dict[Node, Lifted] = {}
    for name in used:
        if name in words.steps:
            axes = tuple(axis for axis in words.shapes[name] if axis is not ONE)
            leaves[make_variable(name, axes)] = Lifted(words.steps[name])
    return program.output.shape, substitute(program.output.node, leaves).node


def with_properties(node: Node, program: Program) -> Node:
    """Put the declared properties of the inputs back."""
    leaves: dict[Node, Lifted] = {}
    for name, entry in program.inputs.items():
        if entry.properties:
            bare = make_variable(name, tuple(axis for axis in entry.shape if axis is not ONE))
            leaves[bare] = Lifted(entry.variable)
    return substitute(node, leaves).node if leaves else node


__all__ = ["Claim", "ShapeError", "UnfitError", "Vocabulary", "lower_claim", "read_claim", "uses", "vocabulary"]
