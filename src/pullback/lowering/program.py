"""Programs: text in, one tensor for each statement out, every shape known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pullback.dimension import ONE, Dimension
from pullback.errors import NOWHERE, NotationError, Place, PullbackError, ShapeError, Span
from pullback.lowering.dimensions import Solver
from pullback.lowering.expressions import Lowering
from pullback.lowering.given import kind, read_batch, read_properties, read_shapes, refuse_misspelt
from pullback.lowering.inputs import covariances, find_inputs, mentioned, names_in
from pullback.lowering.kinds import VERY_ODD, Attempt, Choice, choose
from pullback.lowering.rows import by_rows, matrix_name, renamed, with_one_index
from pullback.lowering.value import Context, Shape, Value
from pullback.lowering.weighing import Weighing
from pullback.operations.table import FUNCTIONS
from pullback.syntax import tree
from pullback.syntax.names import is_greek, kind_of, normalise
from pullback.syntax.parser import is_latex, parse_program
from pullback.tensor.node import Axes, Node, Variable, make_variable
from pullback.tensor.substitute import Lifted, substitute_all

_RANKS = {"scalar": 0, "vector": 1, "matrix": 2}
_SQUARE = frozenset({"symmetric", "spd", "diagonal", "lower", "upper", "orthogonal", "invertible"})
_MOST_TRIED = 24
_NO_TEXT = (
    'write pb.parse("y = W x"); a Python function is read by pb.trace, a PyTorch module by pb.from_torch, '
    "a JAX function by pb.from_jax"
)

Shapes = Mapping[str, tuple[int | str | Dimension, ...]]
Properties = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a program: its name as it was written, its shape and what is known of it."""

    name: str
    shape: Shape
    properties: frozenset[str]
    batched: bool = False

    @property
    def variable(self) -> Variable:
        """Its node in the graph."""
        return make_variable(normalise(self.name), squeezed(self.shape), self.properties)


@dataclass(frozen=True)
class Statement:
    """A statement: what it binds, its tensor in terms of the inputs, and in terms of the names it uses.

    The second is built when it is first asked for; derivations do, results don't.
    """

    name: str | None
    shape: Shape
    node: Node
    nearby: Callable[[], Node] = field(repr=False, compare=False)
    span: Span = NOWHERE

    @cached_property
    def local(self) -> Node:
        """The tensor in terms of the names that the statement uses."""
        return self.nearby()


@dataclass(frozen=True, slots=True)
class Program:
    """A program whose shapes are all known.

    >>> from pullback.lowering.program import read_program
    >>> program = read_program("y = W x + b")
    >>> [(i.name, [str(axis) for axis in i.shape]) for i in program.inputs.values()]
    [('W', ['m', 'n']), ('x', ['n']), ('b', ['m'])]
    """

    source: str
    syntax: tree.Program
    inputs: dict[str, Input]
    statements: tuple[Statement, ...]
    batch: Dimension | None = None
    asked: tuple[Shapes, Properties] = field(default=({}, {}), repr=False)

    @property
    def output(self) -> Statement:
        """The last statement."""
        return self.statements[-1]

    def freed(self, names: Collection[str]) -> Program:
        """The same program with the structure of some inputs not made use of; only ``positive`` stays."""
        bound = {b.name for b in self.syntax.bindings}
        shapes = {name: entry.shape for name, entry in self.inputs.items() if name not in bound}
        facts = {
            name: entry.properties & ({"positive"} if name in names else entry.properties)
            for name, entry in self.inputs.items()
        }
        bare = [d for d in self.syntax.declarations if "entrywise" in d.properties]
        parsed = tree.Program(self.syntax.bindings, tuple(bare), self.syntax.batch, self.source)
        return _Draft(parsed, shapes, facts, frozenset(names)).lower({}, False)

    def input(self, name: str) -> Input:
        """Find an input however its name is spelled; raises NotationError with the nearest one."""
        from difflib import get_close_matches

        found = self.inputs.get(normalise(name))
        if found is None:
            near = get_close_matches(name, [i.name for i in self.inputs.values()], n=1)
            known = ", ".join(i.name for i in self.inputs.values()) or "none"
            bound = any(s.name is not None and normalise(s.name) == normalise(name) for s in self.statements)
            shown = name if name.strip() else repr(name)
            message = f"{shown} is bound by the program, not an input" if bound else f"{shown} is not an input"
            hint = f"did you mean {near[0]}?" if near else f"the inputs are: {known}"
            if "," in name:
                hint = f"name several apart: ({', '.join(repr(part.strip()) for part in name.split(','))})"
            raise NotationError(message, source=self.source, hint=hint)
        return found


def squeezed(shape: Shape) -> Axes:
    """The axes of a shape in the graph, where no axis has length one."""
    return tuple(axis for axis in shape if axis is not ONE)


def read_program(
    text: str,
    shapes: Mapping[str, Any] | None = None,
    assume: Mapping[str, Any] | None = None,
    batch: str | int | None = None,
    scalar_output: bool = False,
) -> Program:
    """Parse a program, find all shapes and lower it.

    Args:
        text: The program.
        shapes: Shapes of inputs, each axis a number, a name, or made of them (``"m + 1"``).
        assume: Properties of inputs.
        batch: The size of a leading batch axis, over which the program is lifted.
        scalar_output: Whether the output has to be a scalar, which may decide what a name is.

    Raises:
        NotationError: The text can't be read.
        ShapeError: No shapes make it right.
    """
    if not isinstance(text, str):
        raise NotationError(f"a program is text, not {kind(text)}", hint=_NO_TEXT)
    parsed = parse_program(text, FUNCTIONS, {normalise(name) for name in shapes or {}})
    if batch is not None:
        parsed = tree.Program(parsed.bindings, parsed.declarations, tree.Batch(read_batch(batch)), parsed.source)
    known_shapes = read_shapes({} if shapes is None else shapes)
    properties = read_properties({} if assume is None else assume)
    names = _names_of(parsed)
    bound = {binding.name for binding in parsed.bindings}
    values = dict.fromkeys(name for binding in parsed.bindings for name, _ in names_in(binding.value))
    inputs = [name for name in values if name not in bound]
    if is_latex(text):
        matrices = [matrix_name(name) for name in with_one_index(parsed)]
        names.update(dict.fromkeys(matrices))
        inputs += matrices
    refuse_misspelt({**known_shapes, **properties}, names, inputs, parsed.source)
    known_shapes = {name: shape for name, shape in known_shapes.items() if name in names}
    program = lower_program(parsed, known_shapes, properties, scalar_output)
    _check_lengths(program, known_shapes)
    return program


def _names_of(parsed: tree.Program) -> dict[str, None]:
    """All names that a text uses, binds or declares, in their order."""
    used = [name for binding in parsed.bindings for name in mentioned(binding.value)]
    named = [b.name for b in parsed.bindings if b.name is not None] + [d.name for d in parsed.declarations]
    return dict.fromkeys([*used, *named])


def _check_lengths(program: Program, shapes: Mapping[str, Shape]) -> None:
    """Refuse lengths that are called like an input or a bound name."""
    taken = {*program.inputs, *(b.name for b in program.syntax.bindings)}
    for name, shape in shapes.items():
        for length in sorted({n for axis in shape for n in axis.names} & taken):
            message = f"{length} is a length of {name}, and an input or a bound name too"
            raise NotationError(message, source=program.source, hint="give the dimension another name")


def lower_program(parsed: tree.Program, shapes: Shapes, properties: Properties, scalar_output: bool = False) -> Program:
    """Lower a parsed program, with the kinds of names that cost least where they are not declared."""
    sampled = set(with_one_index(parsed)) if is_latex(parsed.source) else set()
    if sampled:
        parsed = _of_declared_matrices(parsed, sampled, shapes)
    draft = _Draft(parsed, shapes, properties)
    try:
        if not sampled and not any(is_greek(name) for name in draft.tried):
            return draft.lower({}, scalar_output)
    except ShapeError as error:
        if not draft.tried:
            raise error.at(parsed.source) from None
    except PullbackError as error:
        raise error.at(parsed.source) from None
    guesses = {name: draft.guess(name) for name in draft.tried}
    choice = choose(parsed, guesses, lambda ranks: draft.attempt(ranks, scalar_output), scalar_output)
    if choice.others or choice.ranks.keys() != guesses.keys():
        raise (choice.error or _undecided(draft, choice)).at(parsed.source) from None
    if sampled:
        return _with_rows(draft, choice.ranks, scalar_output)
    return draft.lower(choice.ranks, scalar_output)


def _of_declared_matrices(parsed: tree.Program, sampled: Collection[str], shapes: Shapes) -> tree.Program:
    """Where X is declared and x is not, x_i is row i of X."""
    declared = {d.name for d in parsed.declarations} | shapes.keys()
    bound = {binding.name for binding in parsed.bindings}
    names = {name: matrix_name(name) for name in sampled if name not in declared | bound}
    return renamed(parsed, {name: matrix for name, matrix in names.items() if matrix in declared}, ())


def _with_rows(draft: _Draft, ranks: Mapping[str, int], scalar_output: bool) -> Program:
    """Write what turned out to be rows as rows, of a matrix by its usual name where that fits."""
    parsed = draft.parsed
    sampled = set(with_one_index(parsed))
    rank = {name: ranks.get(name, len(draft.declared.get(name, ())) or draft.guess(name)) for name in sampled}
    matrices = {name for name in sampled if rank[name] == 2}
    bound = {binding.name for binding in parsed.bindings}
    names = {name: matrix_name(name) for name in matrices if name not in draft.declared and name not in bound}
    for changes in (names, {}):
        of_rows = renamed(parsed, changes, {changes.get(name, name) for name in matrices})
        again = {**ranks, **{changes[name]: 2 for name in changes}}
        try:
            return _Draft(of_rows, draft.shapes, draft.properties).lower(again, scalar_output)
        except ShapeError:
            if not changes:
                raise
    raise AssertionError("one of the two returns or raises")


def _undecided(draft: _Draft, choice: Choice) -> ShapeError:
    """Say between which kinds the text leaves the choice."""
    if not choice.others:
        return ShapeError("what the names are makes no scalar of the output", source=draft.parsed.source)
    ways = (choice.ranks, *choice.others)
    names = [name for name in draft.tried if len({ranks[name] for ranks in ways}) > 1]
    places = tuple(Place(draft.spans[name]) for name in names[:2])
    said = " and ".join(names[:2]) + (" is" if len(names) == 1 else " are")
    hint = f"declare one of them, such as {names[0]} : scalar, {names[0]} : vector or {names[0]} : matrix"
    return ShapeError(f"the text leaves open what {said}", source=draft.parsed.source, places=places, hint=hint)


class _Draft:
    """A parsed program with what is declared of it, lowered as often as kinds are tried."""

    def __init__(
        self, parsed: tree.Program, shapes: Shapes, properties: Properties, free: frozenset[str] = frozenset()
    ) -> None:
        self.parsed = parsed
        self.shapes, self.properties = shapes, properties
        self.declared: dict[str, tuple[int | str | Dimension, ...]] = dict(shapes)
        self.facts: dict[str, frozenset[str]] = dict(properties)
        self.kinds: dict[str, int] = {}
        self.functions: set[str] = set()
        for declaration in parsed.declarations:
            self.declare(declaration)
        for name in {name for binding in parsed.bindings for name in covariances(binding.value)} - free:
            self.facts[name] = self.facts.get(name, frozenset()) | {"symmetric"}
        known = set(shapes) | set(self.kinds)
        lengths = {n for shape in shapes.values() for axis in shape for n in Dimension.of(axis).names}
        self.spans, self.dimensions = find_inputs(parsed, known, lengths)
        self.check_declared()
        self.tried = [name for name in self.spans if not self.is_known(name)]

    def declare(self, declaration: tree.Declaration) -> None:
        name = declaration.name
        words = frozenset(declaration.properties)
        if "entrywise" in words:
            self.functions.add(name)
            return
        for word in words & _RANKS.keys():
            self.kinds[name] = _RANKS[word]
        self.facts[name] = self.facts.get(name, frozenset()) | (words - _RANKS.keys())
        if declaration.shape is not None:
            given = self.declared.get(name)
            if given is not None and len(given) != len(declaration.shape):
                message = f"{name} is declared with {len(declaration.shape)} axes and given with {len(given)}"
                raise ShapeError(message, source=self.parsed.source, places=(Place(declaration.span),))
            self.declared.setdefault(name, declaration.shape)

    def check_declared(self) -> None:
        bound = {b.name for b in self.parsed.bindings if b.name}
        for declaration in self.parsed.declarations:
            name = declaration.name
            if name not in self.spans and name not in bound and name not in self.functions:
                self.spans[name] = declaration.span

    def is_known(self, name: str) -> bool:
        """Whether the kind of an input is said, or follows from a property."""
        return name in self.declared or name in self.kinds or bool(self.facts.get(name, frozenset()) & _SQUARE)

    def guess(self, name: str) -> int:
        """The rank that a name suggests."""
        if name in self.kinds:
            return self.kinds[name]
        if self.facts.get(name, frozenset()) & _SQUARE:
            return 2
        return _RANKS[kind_of(name)]

    def lower(self, ranks: Mapping[str, int], scalar_output: bool) -> Program:
        """Lower the program, with the ranks of some inputs."""
        solver = Solver()
        context = Context(solver, self.parsed.source)
        shapes, environment, lead = self.begin(context, ranks)
        lowering = Lowering(context, self.dimensions)
        values = self.bind(lowering, environment, shapes)
        if lowering.by_rows:
            self.parsed = by_rows(self.parsed, lowering.by_rows)
            return self.lower(ranks, scalar_output)
        self.check_output(context, values, scalar_output)
        named = [value.shape for _, value, _ in values]
        taken = {*shapes, *(name for name, _, _ in values if name)}
        solver.name_unknowns([*shapes.values(), *named], taken)
        return self.finish(context, shapes, values, lead, self.batched(lead))

    def attempt(self, ranks: Mapping[str, int], scalar_output: bool) -> Attempt:
        """Find out whether these ranks give shapes, and how odd they are."""
        context = Context(Solver(), self.parsed.source)
        weighing = Weighing(context, self.dimensions)
        try:
            shapes, environment, _ = self.begin(context, ranks)
            weighing.tried |= {environment[name]: name for name in self.tried}
            values = self.bind(weighing, environment, shapes)
            self.check_output(context, values, scalar_output)
        except PullbackError as error:
            return Attempt(0, frozenset(weighing.seen), error)
        thin = [name for name in self.tried if ONE in context.resolved(shapes[name])]
        return Attempt(weighing.cost + VERY_ODD * len(thin), frozenset(self.tried))

    def begin(
        self, context: Context, ranks: Mapping[str, int]
    ) -> tuple[dict[str, Shape], dict[str, Value], Dimension | None]:
        """Give the inputs their shapes and values."""
        batch = self.parsed.batch
        shapes: dict[str, Shape] = {}
        environment: dict[str, Value] = {}
        lead = Dimension.of(batch.size) if batch else None
        batched = self.batched(lead)
        for name, span in self.spans.items():
            shape = self.shape(name, ranks, context.solver, lead if name in batched else None)
            shapes[name] = shape
            environment[name] = self.variable(context, name, shape, span)
        for name in self.declared:
            if name not in shapes and not any(b.name == name for b in self.parsed.bindings):
                shapes[name] = tuple(Dimension.of(axis) for axis in self.declared[name])
                environment[name] = self.variable(context, name, shapes[name], NOWHERE)
        return shapes, environment, lead

    def check_output(
        self, context: Context, values: list[tuple[str | None, Value, Value]], scalar_output: bool
    ) -> None:
        """Refuse an output that is not a scalar where one is wanted."""
        if scalar_output and not context.is_scalar(values[-1][1]):
            raise ShapeError("the output is not a scalar", source=self.parsed.source)

    def shape(self, name: str, ranks: Mapping[str, int], solver: Solver, lead: Dimension | None) -> Shape:
        given = self.declared.get(name)
        if given is not None:
            shape = tuple(Dimension.of(axis) for axis in given)
            return shape[1:] if lead is not None and shape and shape[0] is lead else shape
        rank = ranks.get(name, self.guess(name))
        shape = tuple(solver.fresh() for _ in range(rank))
        if rank == 2 and self.facts.get(name, frozenset()) & _SQUARE:
            shape = (shape[0], shape[0])
        return shape

    def variable(self, context: Context, name: str, shape: Shape, span: Span) -> Value:
        facts = self.facts.get(name, frozenset())
        if len(shape) == 2 and facts & _SQUARE - {"lower", "upper"} and not context.solver.unify(*shape):
            words = ", ".join(sorted(facts & _SQUARE))
            raise ShapeError(
                f"{name} is {words}, so it is square; it is given as {shape[0]} x {shape[1]}",
                source=self.parsed.source,
                places=(Place(span),),
            )
        return Value(context.resolved(shape), lambda: make_variable(name, context.axes(shape), facts), span, named=True)

    def bind(
        self, lowering: Lowering, environment: dict[str, Value], shapes: dict[str, Shape]
    ) -> list[tuple[str | None, Value, Value]]:
        """Lower each statement twice: in terms of the inputs, and of the names that it uses."""
        context = lowering.context
        local: dict[str, Value] = dict(environment)
        values: list[tuple[str | None, Value, Value]] = []
        for binding in self.parsed.bindings:
            value = lowering.lower(binding.value, environment)
            near = Value(value.shape, self.near(lowering, binding.value, local), binding.span)
            if binding.name is not None:
                self.check_shape(context, binding, value)
                environment[binding.name] = value
                local[binding.name] = self.variable(context, binding.name, value.shape, binding.name_span)
            values.append((binding.name, value, near))
        return values

    @staticmethod
    def near(lowering: Lowering, expression: tree.Syntax, local: dict[str, Value]) -> Callable[[], Node]:
        """Lower a statement over the names that it uses, later."""
        names = {name: local[name] for name, _ in names_in(expression) if name in local}
        return lambda: lowering.lower(expression, names).node()

    def check_shape(self, context: Context, binding: tree.Binding, value: Value) -> None:
        given = self.declared.get(binding.name or "")
        if given is None:
            return
        shape = tuple(Dimension.of(axis) for axis in given)
        if self.parsed.batch and shape and shape[0] is Dimension.of(self.parsed.batch.size):
            shape = shape[1:]
        here = context.resolved(shape) if value.shape else context.settle(shape)
        same = len(here) == len(value.shape) and all(map(context.solver.unify, here, value.shape))
        if not same:
            declared = " x ".join(map(str, shape)) or "a scalar"
            raise context.mismatch(f"{binding.name} is declared {declared}", [value])

    def batched(self, lead: Dimension | None) -> frozenset[str]:
        """The inputs that have one sample a row: those named, those declared so, else the data."""
        batch = self.parsed.batch
        if batch is None or lead is None:
            return frozenset()
        if batch.over:
            unknown = [name for name in batch.over if name not in self.spans]
            if unknown:
                message = f"{unknown[0]} is not an input"
                raise NotationError(message, source=self.parsed.source, places=(Place(batch.span),))
            return frozenset(batch.over)
        declared = {n for n, s in self.declared.items() if s and Dimension.of(s[0]) is lead}
        if declared:
            return frozenset(declared & set(self.spans))
        return frozenset(n for n in self.spans if self.guess(n) == 1 and n not in self.declared and _is_data(n)) | {
            n for n, s in self.declared.items() if n in self.spans and len(s) == 1 and _is_data(n)
        }

    def finish(
        self,
        context: Context,
        shapes: Mapping[str, Shape],
        values: list[tuple[str | None, Value, Value]],
        lead: Dimension | None,
        batched: frozenset[str],
    ) -> Program:
        inputs: dict[str, Input] = {}
        leaves: dict[Node, Lifted] = {}
        for name, shape in shapes.items():
            sample = context.resolved(shape)
            facts = self.facts.get(name, frozenset())
            full = (lead, *sample) if lead is not None and name in batched else sample
            inputs[name] = Input(name, full, facts, name in batched)
            if name in batched:
                variable = make_variable(name, squeezed(full), facts)
                leaves[make_variable(name, squeezed(sample), facts)] = Lifted(variable, ("batch",))
        nodes = [value.node() for _, value, _ in values]
        statements = []
        if lead is None:
            for (bound, value, near), node in zip(values, nodes, strict=True):
                statements.append(Statement(bound, context.resolved(value.shape), node, near.node, near.span))
        else:
            statements = self.lift(context, values, nodes, leaves, lead)
        return Program(self.parsed.source, self.parsed, inputs, tuple(statements), lead, (self.shapes, self.properties))

    @staticmethod
    def lift(
        context: Context,
        values: list[tuple[str | None, Value, Value]],
        nodes: list[Node],
        leaves: dict[Node, Lifted],
        lead: Dimension,
    ) -> list[Statement]:
        statements = []
        for (bound, value, near), lifted in zip(values, substitute_all(nodes, leaves), strict=True):
            sample = context.resolved(value.shape)
            full = (lead, *sample) if lifted.extra else sample
            statements.append(Statement(bound, full, lifted.node, _lifted_later(near, leaves), near.span))
            if bound is not None and lifted.extra:
                here = make_variable(bound, squeezed(sample))
                leaves[here] = Lifted(make_variable(bound, squeezed(full)), ("batch",))
        return statements


def _lifted_later(value: Value, leaves: dict[Node, Lifted]) -> Callable[[], Node]:
    """Lift a statement over the batch, once the leaves of all statements are known."""
    return lambda: substitute_all([value.node()], leaves)[0].node


def _is_data(name: str) -> bool:
    """Whether a vector of this name is read as data, one a sample: all but biases and weights."""
    return name[0] not in "bwc"
