"""What is emitted: a program with its backward pass, or results by themselves, before a language is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pullback.compiling import Task, sweep, task_of_expressions
from pullback.deriving import Source, as_program, backward, gradient
from pullback.dimension import ONE, Dimension
from pullback.errors import UnsupportedError
from pullback.expression import Expression, Results, vocabulary
from pullback.lifting.naming import choose_names
from pullback.lifting.statements import Vocabulary
from pullback.lowering.asked import Names, chosen, upstream_input
from pullback.lowering.program import Input, Program
from pullback.operations.stability import stable
from pullback.syntax.names import normalise
from pullback.syntax.printer import StyleName, show
from pullback.syntax.tree import Name
from pullback.tensor.node import Apply, Node, Unknown, Variable, topological
from pullback.tensor.product import constant

Shape = tuple[Dimension, ...]


@dataclass(frozen=True)
class Subject:
    """What an emitter needs to know.

    ``labels`` has for every root of ``task`` the input whose gradient it is, and None for the output or for a
    result by itself. ``independent`` are the same results, gradients of scalars without an upstream, derived in the
    other way that pullback has, with no stand-ins. ``called`` are the names that the program and its closed form
    have for nodes, ``stated`` how the program states them, ``cotangents`` the nodes whose cotangents the
    stand-ins of the task are. Of a layer, ``upstream`` is the input that stands for the gradient of the output.
    """

    task: Task
    labels: tuple[str | None, ...]
    output: str
    default_name: str
    stated: tuple[str, ...]
    derived: tuple[str, ...]
    latex: tuple[str, ...]
    independent: tuple[Node, ...]
    words: Vocabulary
    called: Mapping[Node, str]
    statements: Mapping[Node, str] = field(default_factory=dict)
    cotangents: Mapping[Variable, Node] = field(default_factory=dict)
    upstream: Input | None = None
    expressions: tuple[Expression, ...] = ()
    program: Program | None = None

    @property
    def has_backward(self) -> bool:
        """Whether it is a program with its gradients, and not results by themselves."""
        return self.program is not None

    @property
    def scalar(self) -> bool:
        """Whether the output of the program is a scalar."""
        return self.program is not None and all(axis is ONE for axis in self.program.output.shape)


def subject_of_program(source: Source, wrt: Names = None, upstream: str | None = None, seeded: bool = True) -> Subject:
    """A program with its backward pass; where it is ``seeded``, a scalar has an upstream gradient too."""
    program = as_program(source)
    names = chosen(program, wrt)
    spelled = [program.inputs[name].name for name in names]
    scalar = all(axis is ONE for axis in program.output.shape)
    seed_name = upstream or _free_upstream(program)
    given = upstream_input(program, seed_name) if seeded or not scalar else None
    inputs = dict(program.inputs)
    if given is not None:
        inputs[normalise(seed_name)] = given
    swept = sweep(program, names, constant(1) if given is None else given.variable)
    nodes = stable([s.node for s in program.statements])
    roots = [(nodes[-1], program.output.shape)]
    roots += [(node, program.inputs[name].shape) for name, node in zip(names, swept.gradients, strict=True)]
    task = Task(inputs, tuple(roots), "", swept.standins)
    _refuse_unknown(task)
    derived: Results = gradient(program, spelled) if scalar else backward(program, spelled, seed_name)
    words = vocabulary(program, {} if given is None else {normalise(seed_name): given})
    named = zip(nodes, program.statements, strict=True)
    statements = {node: s.name for node, s in named if s.name is not None and s.node.children}
    stated = tuple(_stated(program, "plain"))
    return Subject(
        task,
        (None, *spelled),
        program.output.name or ("value" if scalar else "result"),
        "loss" if scalar else "layer",
        stated,
        tuple(str(derived).splitlines()),
        (*_stated(program, "latex"), *derived.show("latex").splitlines()),
        tuple(stable([program.output.node, *(derived[name].node for name in spelled)])),
        words,
        {**_chosen_names(list(derived.values())), **statements},
        dict(zip(nodes, stated, strict=True)) if program.batch is None else {},
        swept.of,
        given,
        program=program,
    )


def subject_of_expressions(expressions: Sequence[Expression], labels: Sequence[str] | None = None) -> Subject:
    """Results by themselves: one, or several by the names of the inputs that they belong to."""
    task = task_of_expressions(expressions, None)
    inputs = task.inputs
    _refuse_unknown(task)
    needed = task.needed()
    used = {v.name for v in (*needed, *task.carriers(needed))}
    task = Task({name: entry for name, entry in inputs.items() if name in used}, task.roots, "")
    lines = [str(e) if labels is None else f"dL/d{labels[k]} = {e}" for k, e in enumerate(expressions)]
    latex = [
        e.latex() if labels is None else f"\\frac{{\\partial L}}{{\\partial {labels[k]}}} = {e.show('latex')}"
        for k, e in enumerate(expressions)
    ]
    first = expressions[0]
    return Subject(
        task,
        (None,) if labels is None else tuple(labels),
        "result",
        "closed_form" if labels is None else "gradients",
        (),
        tuple(line for text in lines for line in text.splitlines()),
        tuple(line for text in latex for line in text.splitlines()),
        tuple(node for node, _ in task.roots),
        vocabulary(first.program, first.extra),
        _chosen_names(expressions),
        expressions=tuple(expressions),
    )


def _free_upstream(program: Program) -> str:
    """A name for the gradient of the output that the program does not have: g, or dy and the like."""
    output = program.output.name
    wanted = ["g", f"d{output}" if output else "dy", "grad", *(f"g{k}" for k in range(1, 1000))]
    taken = {normalise(s.name) for s in program.statements if s.name is not None} | set(program.inputs)
    taken |= {normalise(f"d{entry.name}") for entry in program.inputs.values()}
    return next(name for name in wanted if normalise(name) not in taken)


def _refuse_unknown(task: Task) -> None:
    for node in topological(task.nodes):
        if isinstance(node, Apply) and isinstance(node.operation, Unknown):
            function = node.operation.name.rstrip("'")
            raise UnsupportedError(
                f"{function} has no definition that could be emitted",
                hint=f"write what {function} is, such as tanh, in place of {function}",
            )


def _chosen_names(expressions: Sequence[Expression]) -> dict[Node, str]:
    """The names that the closed form has for its shared parts."""
    first = expressions[0]
    words = vocabulary(first.program, first.extra)
    taken = {*words.shapes, *words.spelling.values(), *words.given.values(), *words.dimensions}
    return choose_names([e.node for e in expressions], words.given, taken)


def _stated(program: Program, style: StyleName) -> list[str]:
    found = []
    for binding in program.syntax.bindings:
        value = show(binding.value, style)
        left = None if binding.name is None else show(Name(binding.name), style)
        found.append(value if left is None else f"{left} = {value}")
    return found
