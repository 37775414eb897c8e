"""What is emitted: a program with its backward pass, or results by themselves, planned for all sizes at once."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pullback.compiling import Task, task_of_expressions, task_of_program
from pullback.deriving import Source, as_program, backward, gradient
from pullback.dimension import ONE, Dimension
from pullback.expression import Expression, Results
from pullback.lowering.asked import Names, chosen
from pullback.lowering.program import Program
from pullback.planning.steps import Plan
from pullback.planning.symbolic import nominal_sizes
from pullback.syntax.names import normalise

Shape = tuple[Dimension, ...]


@dataclass(frozen=True)
class Subject:
    """What an emitter needs to know.

    ``inputs`` and ``results`` are names in the source with their shapes, in order; ``sizes`` names in the source for
    dimension names. For a layer, ``upstream`` is the input that stands for the gradient of the output, and
    ``wrt`` gives for every gradient the input that it belongs to; ``forward`` has the output alone.
    """

    name: str
    task: Task
    plan: Plan
    inputs: dict[str, Shape]
    results: dict[str, Shape]
    sizes: dict[str, str]
    closed: list[str]
    names: dict[str, str]
    wrt: tuple[str, ...] = ()
    upstream: str | None = None
    forward: Plan | None = None
    scalar: bool = False
    positive: frozenset[str] = frozenset()
    square: frozenset[str] = frozenset()
    latex: tuple[str, ...] = ()


def subject_of(source: Source | Results, wrt: Names = None, upstream: str = "g", backward_pass: bool = True) -> Subject:
    """Plan what is asked for."""
    if isinstance(source, Results):
        return _of_expressions(list(source.values()), list(source))
    if isinstance(source, Expression) and not backward_pass:
        return _of_expressions([source], None)
    program = as_program(source)
    task = task_of_program(program, wrt, upstream)
    wanted = chosen(program, wrt)
    spelled = [program.inputs[name].name for name in wanted]
    scalar = all(axis is ONE for axis in program.output.shape)
    derived: Results = gradient(program, spelled) if scalar else backward(program, spelled, upstream)
    closed = [*(program.source.strip().splitlines()), *str(derived).splitlines()]
    names = _identifiers([entry.name for entry in task.inputs.values()])
    output = _free(program.output.name or "result", names.values())
    results = {output: program.output.shape}
    for name in wanted:
        results[_free(f"d{names[program.inputs[name].name]}", [*names.values(), *results])] = program.inputs[name].shape
    forward = Task(program.inputs, ((program.output.node, program.output.shape),), "{0}")
    return _subject(
        task, results, names, closed, "layer",
        wrt=tuple(names[name] for name in spelled), upstream=None if scalar else names[upstream],
        forward=forward, scalar=scalar, latex=_program_latex(program, derived),
    )  # fmt: skip


def _of_expressions(expressions: Sequence[Expression], labels: Sequence[str] | None) -> Subject:
    task = task_of_expressions(expressions, labels)
    needed = {v.name for v in task.needed()} | {v.name for v in task.carriers(task.needed())}
    inputs = {name: entry for name, entry in task.inputs.items() if name in needed}
    task = Task(inputs, task.roots, task.arrangement)
    names = _identifiers([entry.name for entry in inputs.values()])
    results: dict[str, Shape] = {}
    for k, expression in enumerate(expressions):
        wanted = "result" if labels is None else f"d{_identifier(labels[k])}"
        results[_free(wanted, [*names.values(), *results])] = expression.axes
    closed = [str(e) if labels is None else f"dL/d{labels[k]} = {e}" for k, e in enumerate(expressions)]
    lines = [line for text in closed for line in text.splitlines()]
    latex = [
        e.latex() if labels is None else f"\\frac{{\\partial L}}{{\\partial {labels[k]}}} = {e.latex()}"
        for k, e in enumerate(expressions)
    ]
    return _subject(
        task, results, names, lines, "closed_form", latex=tuple(line for text in latex for line in text.splitlines())
    )


def _program_latex(program: Program, derived: Results) -> tuple[str, ...]:
    from pullback.syntax.printer import show

    stated = [
        f"{binding.name} = {show(binding.value, 'latex')}" if binding.name else show(binding.value, "latex")
        for binding in program.syntax.bindings
    ]
    return (*stated, *derived.show("latex").splitlines())


def _subject(
    task: Task,
    results: dict[str, Shape],
    names: dict[str, str],
    closed: list[str],
    name: str,
    *,
    wrt: tuple[str, ...] = (),
    upstream: str | None = None,
    forward: Task | None = None,
    scalar: bool = False,
    latex: tuple[str, ...] = (),
) -> Subject:
    dimensions = {n for entry in task.inputs.values() for axis in entry.shape for n in axis.names} | set(
        task.dimensions()
    )
    taken = set(names.values()) | set(results)
    sizes: dict[str, str] = {}
    for dimension in sorted(dimensions):
        sizes[dimension] = _free(_identifier(dimension), [*taken, *sizes.values()], suffix="_size")
    nominal = nominal_sizes(dimensions, sizes)
    inputs = {names[entry.name]: entry.shape for entry in task.inputs.values()}
    properties = {names[entry.name]: entry.properties for entry in task.inputs.values()}
    return Subject(
        name, task, task.plan(nominal), inputs, results, sizes, closed,
        {key: names[entry.name] for key, entry in task.inputs.items()}, wrt, upstream,
        None if forward is None else forward.plan(nominal), scalar,
        frozenset(n for n, p in properties.items() if "positive" in p),
        frozenset(n for n, p in properties.items() if p & {"spd", "invertible", "symmetric", "lower", "upper"}),
        latex,
    )  # fmt: skip


def _identifiers(names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        found[name] = _free(_identifier(name), found.values())
    return found


def _identifier(name: str) -> str:
    """A plain identifier for a name of the notation, which may be any Unicode word with primes."""
    text = re.sub(r"\W", "_", normalise(name), flags=re.ASCII).strip("_")
    return text if text and not text[0].isdigit() else f"v{text}"


_RESERVED = frozenset(
    {"np", "torch", "jax", "jnp", "math", "forward", "backward", "layer", "closed_form", "ctx", "out"}
)


def _free(name: str, taken: Iterable[str], suffix: str = "_") -> str:
    used = set(taken)
    while name in used or keyword.iskeyword(name) or name in _RESERVED:
        name += suffix
    return name
