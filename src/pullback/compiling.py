"""Functions that run programs: planned for the shapes of the first call, and again when others come."""

from __future__ import annotations

import keyword
import threading
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from pullback.deriving import Source, as_program, by_inputs
from pullback.dimension import ONE, Dimension
from pullback.errors import PullbackError, ValuesError
from pullback.evaluation.binding import bind
from pullback.evaluation.libraries import library_of
from pullback.evaluation.memory import memory
from pullback.expression import Expression, Results
from pullback.lowering.asked import Names, chosen, upstream_input
from pullback.lowering.given import Properties, Shapes
from pullback.lowering.program import Input, Program
from pullback.operations.stability import stable
from pullback.planning.building import build_all
from pullback.planning.forward_backward import Cotangents, reverse_sweep
from pullback.planning.laying import with_layout
from pullback.planning.steps import Extent, Plan, Result
from pullback.syntax.names import normalise
from pullback.tensor.add import scaled
from pullback.tensor.node import Node, Rational, Variable, topological
from pullback.tensor.product import constant
from pullback.tensor.reshape import lengths

Run = Callable[..., Any]

BACKENDS = ("numpy", "c", "torch", "jax", "auto")

MOST_PLANS = 64
"""So many shapes and types of the arguments are remembered; then the oldest is planned anew when it comes back."""


@dataclass(frozen=True, eq=False)
class Task:
    """What a compiled function computes, before any shape is known.

    ``roots`` are the results with the shapes that they are handed out in; ``standins`` the names that they use
    for shared parts; ``changes`` inputs that are written in place by adding a root. ``arrangement`` is the
    expression that the results are put into, as in ``({0}, {{'W': {1}}})``.
    """

    inputs: Mapping[str, Input]
    roots: tuple[tuple[Node, tuple[Dimension, ...]], ...]
    arrangement: str
    standins: Mapping[Variable, Node] = field(default_factory=dict)
    changes: tuple[tuple[Variable, Node], ...] = ()

    @property
    def nodes(self) -> list[Node]:
        """All nodes that are computed by name."""
        return [*(n for n, _ in self.roots), *self.standins.values(), *(n for _, n in self.changes)]

    def needed(self) -> list[Variable]:
        """The inputs without which nothing can be computed."""
        order = list(topological(self.nodes))
        order += [variable for variable, _ in self.changes]
        found = dict.fromkeys(n for n in order if isinstance(n, Variable) and n not in self.standins)
        place = {name: k for k, name in enumerate(self.inputs)}
        return sorted(found, key=lambda variable: place.get(variable.name, len(place)))

    def carriers(self, needed: Sequence[Variable]) -> list[Variable]:
        """Inputs that are not computed with, but may say the size of a dimension that no needed one says."""
        said = {axis.name for v in needed for axis in self.inputs[v.name].shape}
        found: list[Variable] = []
        for name in self.dimensions():
            if name not in said:
                speakers = [e for e in self.inputs.values() if any(axis.name == name for axis in e.shape)]
                found += [s.variable for s in speakers if s.variable not in found]
        return found

    def dimensions(self) -> list[str]:
        """The dimension names that must have a size."""
        axes = [axis for node in topological(self.nodes) for axis in (*node.axes, *lengths(node))]
        axes += [axis for _, shape in self.roots for axis in shape]
        return sorted({name for axis in axes for name in axis.names})

    def plan(self, sizes: Mapping[str, int]) -> Plan:
        """Write the steps for numbers of the dimensions."""
        needed = self.needed()
        place = list(self.inputs)
        order = sorted((*needed, *self.carriers(needed)), key=lambda v: place.index(v.name))
        full = {v.name: extent(self.inputs, v, sizes) for v in order}
        roots = [node for node, _ in self.roots]
        changed = [node for _, node in self.changes]
        builder = build_all(sizes, roots + changed, self.standins, full)
        results = [
            Result(builder.values[node].slot, tuple(axis.evaluate(sizes) for axis in axes)) for node, axes in self.roots
        ]
        updates = [(builder.value(v).slot, builder.full_slot(builder.values[node])) for v, node in self.changes]
        return with_layout(builder.draft, results, updates)


def task_of_expressions(expressions: Sequence[Expression], names: Sequence[str] | None) -> Task:
    """Compute expressions together: one array, or a mapping by these names."""
    inputs: dict[str, Input] = {}
    for expression in expressions:
        inputs |= expression.inputs
    roots = tuple(zip(stable([e.node for e in expressions]), (e.axes for e in expressions), strict=True))
    return Task(inputs, roots, _arrangement(None if names is None else list(names), output=False))


def task_of_program(program: Program, wrt: Names, upstream: str, rate: float | None = None) -> Task:
    """Compute a program's output and the gradients; with ``rate``, step down them in place instead."""
    names = chosen(program, wrt)
    output = program.output
    scalar = all(axis is ONE for axis in output.shape)
    inputs = dict(program.inputs)
    step: Rational = 1 if rate is None else -_fraction(rate)
    if scalar:
        seed: Node = constant(step)
    else:
        given = upstream_input(program, upstream)
        inputs[normalise(upstream)] = given
        seed = scaled(step, given.variable)
    swept = sweep(program, names, seed)
    spelled = [program.inputs[name].name for name in names]
    first = (stable([output.node])[0], output.shape)
    if rate is not None:
        changes = tuple(
            (program.inputs[name].variable, node) for name, node in zip(names, swept.gradients, strict=True)
        )
        return Task(inputs, (first,), "{0}", swept.standins, changes)
    pairs = [(node, program.inputs[name].shape) for name, node in zip(names, swept.gradients, strict=True)]
    return Task(inputs, (first, *pairs), _arrangement(spelled, output=True), swept.standins)


def _fraction(rate: Any) -> Fraction:
    try:
        return Fraction(rate)
    except (TypeError, ValueError, OverflowError):
        raise PullbackError(f"the rate is a number, not {rate!r}", hint="such as rate=0.01") from None


def sweep(program: Program, names: Sequence[str], seed: Node) -> Cotangents:
    """Differentiate what is computed, with declared structure put aside, as ``backward`` does."""
    kept: list[Cotangents] = []

    def derive(root: Node, targets: Sequence[Node]) -> list[Node]:
        kept.append(reverse_sweep(root, seed, targets))
        return [*kept[0].gradients, *kept[0].standins.values(), *kept[0].of.values()]

    nodes = stable(by_inputs(program, names, derive))
    count, end = len(names), len(names) + len(kept[0].standins)
    return Cotangents(
        nodes[:count],
        dict(zip(kept[0].standins, nodes[count:end], strict=True)),
        dict(zip(kept[0].of, nodes[end:], strict=True)),
    )


def _arrangement(names: list[str] | None, output: bool) -> str:
    """The expression that puts results together; results stand in it as {0}, {1}, ..."""
    if names is None:
        return "{0}"
    start = 1 if output else 0
    entries = ", ".join(f"{name!r}: {{{k + start}}}" for k, name in enumerate(names))
    mapping = "{{" + entries + "}}"
    return f"({{0}}, {mapping})" if output else mapping


class Compiled:
    """A function of arrays by name.

    Call it with arrays as keywords. Results are new arrays of the inputs' type (whole numbers count as float64),
    unless it was compiled with ``reuse``: then the next call of the same thread writes over them. The first call
    with arrays of other shapes plans anew; plans are kept. Threads may call it at once.
    """

    def __init__(self, task: Task, backend: str, reuse: bool, dtype: Any = None) -> None:
        if backend not in BACKENDS:
            raise PullbackError(f"{backend!r} is not a backend", hint=f"the backends are: {', '.join(BACKENDS)}")
        self.task = task
        self.backend = backend
        self.reuse = reuse
        self.dtype = None if dtype is None else _type_of(dtype)
        self.needed = task.needed()
        place = {name: k for k, name in enumerate(task.inputs)}
        self.variables = sorted([*self.needed, *task.carriers(self.needed)], key=lambda v: place[v.name])
        self.names = [task.inputs[variable.name].name for variable in self.variables]
        self.programs: dict[tuple[Any, ...], Any] = {}
        self._lock = threading.Lock()
        self._local = _Local(self._miss)
        self._call = self._entry()

    def __call__(self, /, **arrays: Any) -> Any:
        """Compute the results; arrays by name, sizes of dimensions that no array has by theirs."""
        return self._call(**arrays)

    @property
    def function(self) -> Run:
        """The same as a plain function, which saves a tenth of a microsecond a call."""
        return self._call

    def plans(self) -> list[Plan]:
        """The plans made so far."""
        return [program.plan for program in self.programs.values()]

    def explain(self) -> str:
        """Say what was planned for the shapes seen so far: kernels, and why this backend."""
        if not self.programs:
            return "nothing is planned before the first call"
        return "\n\n".join(_explained(key, program) for key, program in self.programs.items())

    def _entry(self) -> Run:
        """Make the function that callers call, with the names of the inputs as its parameters."""
        names = [entry.name for entry in self.task.inputs.values()]
        scope: dict[str, Any] = {"_local": self._local, "_slow": self._slow}
        if names and all(_is_parameter(name) for name in names):
            parameters = "".join(f"{name}=None, " for name in names)
            given = ", ".join(self.names)
            pairs = ", ".join(f"{name!r}: {name}" for name in names)
            text = (
                f"def call(*, {parameters}**_more):\n"
                f"    if _more:\n        return _slow({{{pairs}}}, _more)\n"
                f"    return _local.run({given})\n"
            )
        else:
            text = "def call(**arrays):\n    return _slow({}, arrays)\n"
        exec(compile(text, "<pullback call>", "exec"), scope)
        call: Run = scope["call"]
        return call

    def _slow(self, named: Mapping[str, Any], more: Mapping[str, Any]) -> Any:
        values = {name: value for name, value in named.items() if value is not None} | dict(more)
        return self._bound(values)

    def _miss(self, *arrays: Any) -> Any:
        return self._bound({name: value for name, value in zip(self.names, arrays, strict=True) if value is not None})

    def _bound(self, values: Mapping[str, Any]) -> Any:
        """Fit values to the inputs, and run them by a plan for their shapes."""
        import numpy as np

        library = library_of(values)
        plain = {name: library.to_numpy(name, value) for name, value in values.items()}
        bound = bind(self.task.inputs, plain, self._asked(plain), self.task.dimensions(), keep_type=True)
        dtype = self._type(plain)
        if self.task.changes:
            self._changeable(plain, dtype)
        arrays = []
        for variable in self.variables:
            shape = extent(self.task.inputs, variable, bound.sizes)
            if variable in bound.arrays:
                arrays.append(_real(variable, bound.arrays[variable]).astype(dtype, copy=False).reshape(shape))
            else:
                arrays.append(np.broadcast_to(np.zeros((), dtype), shape))
        native = library.name == self.backend and library.name != "numpy" and library.holds(dtype)
        key = (dtype, tuple(sorted(bound.sizes.items())), tuple(array.shape for array in arrays), native)
        run = self._local.runs.get(key)
        if run is None:
            run = self._local.runs[key] = self._program(key, bound.sizes, arrays).bind(self._miss)
            _forget(self._local.runs)
        self._local.run = run
        with memory("a result"):
            if native:
                return run(*map(library.from_numpy, arrays))
            return library.from_numpy(run(*arrays))

    def _asked(self, values: Mapping[str, Any]) -> list[Variable]:
        """The inputs that must be there, and those that are there to say a size."""
        given = {normalise(name) for name in values}
        return [v for v in self.variables if v in self.needed or v.name in given]

    def _type(self, values: Mapping[str, Any]) -> Any:
        """The type to compute in; numbers of Python adapt to the arrays beside them."""
        import numpy as np

        if self.dtype is not None:
            return self.dtype
        kinds = [array.dtype for array in values.values() if isinstance(array, np.ndarray | np.generic)]
        wide = np.dtype(np.float64)
        narrow = bool(kinds) and all(kind.kind == "f" and kind.itemsize == 4 for kind in kinds)
        return np.dtype(np.float32) if narrow else wide

    def _changeable(self, values: Mapping[str, Any], dtype: Any) -> None:
        """Refuse arrays that can't be changed in place, or that share memory with another input."""
        import numpy as np

        problems: list[str] = []
        changed = {variable.name for variable, _ in self.task.changes}
        for given, value in values.items():
            if normalise(given) not in changed:
                continue
            if not isinstance(value, np.ndarray):
                problems.append(f"{given} is changed in place, so it must be an array")
            elif value.dtype != dtype:
                problems.append(f"{given} is changed in place, but it is {value.dtype} where {dtype} is computed in")
            elif not value.flags.writeable:
                problems.append(f"{given} is changed in place, but it is read-only")
            else:
                others = (o for o, array in values.items() if o != given and np.may_share_memory(value, array))
                problems += [f"{given} is changed in place, but it shares its memory with {other}" for other in others]
        if problems:
            message = problems[0] if len(problems) == 1 else "the values do not fit:\n  " + "\n  ".join(problems)
            raise ValuesError(message, hint="without rate, the gradients are returned and nothing is changed")

    def _program(self, key: tuple[Any, ...], sizes: Mapping[str, int], arrays: Sequence[Any]) -> Any:
        with self._lock:
            found = self.programs.get(key)
            if found is None:
                plan = self.task.plan(sizes)
                found = self.programs[key] = specialise(self, plan, key[0], arrays, native=key[3])
                _forget(self.programs)
            return found


def _type_of(dtype: Any) -> Any:
    """The NumPy type that is asked for; only real floating-point numbers are computed with."""
    import numpy as np

    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found.kind != "f" or found.itemsize < 4:
        raise PullbackError(f"{dtype!r} is no type to compute in", hint="the types are: float32, float64")
    return found


def specialise(compiled: Compiled, plan: Plan, dtype: Any, arrays: Sequence[Any], native: bool = False) -> Any:
    """Compile a plan for a backend."""
    from pullback.backends.numpy import NumpyProgram

    if compiled.backend == "numpy":
        return NumpyProgram(plan, dtype, compiled.task.arrangement, compiled.reuse)
    if compiled.backend == "c":
        from pullback.backends.c import CProgram

        return CProgram(plan, dtype, compiled.task.arrangement, compiled.reuse)
    if compiled.backend == "torch":
        from pullback.backends.torch import TorchProgram

        return TorchProgram(plan, dtype, compiled.task.arrangement, compiled.reuse, "torch" if native else "numpy")
    if compiled.backend == "jax":
        from pullback.backends.jax import JaxProgram

        return JaxProgram(plan, dtype, compiled.task.arrangement, "jax" if native else "numpy")
    from pullback.backends.auto import fastest

    return fastest(plan, dtype, compiled.task.arrangement, compiled.reuse, arrays)


def _forget(kept: dict[tuple[Any, ...], Any]) -> None:
    """Drop the oldest of too many."""
    while len(kept) > MOST_PLANS:
        kept.pop(next(iter(kept)), None)


class _Local(threading.local):
    """What belongs to one thread: its buffers, and the plan that it ran last."""

    def __init__(self, miss: Run) -> None:
        self.run = miss
        self.runs: dict[tuple[Any, ...], Run] = {}


def _real(variable: Variable, array: Any) -> Any:
    if array.dtype.kind == "c":
        raise ValuesError(f"{variable.name} is complex; pullback derives over the real numbers")
    return array


def extent(inputs: Mapping[str, Input], variable: Variable, sizes: Mapping[str, int]) -> Extent:
    """The shape in which an input is given, axes of length one included."""
    axes = inputs[variable.name].shape if variable.name in inputs else variable.axes
    return tuple(axis.evaluate(sizes) for axis in axes)


def _explained(key: tuple[Any, ...], program: Any) -> str:
    sizes = ", ".join(f"{name} = {size}" for name, size in key[1])
    head = f"{program.name} in {key[0]}" + (f" for {sizes}" if sizes else "")
    return f"{head}: {len(program.plan.kernels)} kernels\n{program.plan.describe()}"


def _is_parameter(name: str) -> bool:
    plain = name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("_")
    return plain and unicodedata.normalize("NFKC", name) == name


def compile_program(
    source: Source,
    wrt: Names = None,
    upstream: str = "g",
    backend: str = "numpy",
    reuse: bool = False,
    dtype: Any = None,
    rate: float | None = None,
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
) -> Compiled:
    """Compile a program and its backward pass into one function.

    Args:
        source: The program: text, Program or Expression.
        wrt: The inputs to differentiate by; all that are no constants where none is named.
        upstream: What the gradient of the output is called; of a scalar output none is given.
        backend: ``numpy``; ``c``, compiled by the system's C compiler; ``torch``; ``jax``; or ``auto`` for the
            fastest, measured at the first call.
        reuse: Write the results of every call over those of the last one of the same thread.
        dtype: The type to compute in; by default that of the arrays.
        rate: Instead of returning gradients, step down them: every input in ``wrt`` is changed in place.
        shapes: As in ``parse``.
        assume: As in ``parse``. What is assumed is made use of and not checked at each call, for the sake of speed;
            ``evaluate`` and ``check`` do check it.
        batch: As in ``parse``.

    Returns:
        A function of arrays by name that gives ``(output, {name: gradient})``, each gradient of the shape
        of its input; with ``rate``, the output alone.

    Raises:
        NotationError: The program can't be read.
        ShapeError: Its shapes can't be.
        PullbackError: The backend is not known, or not installed.

    >>> import numpy as np
    >>> f = compile_program("y = W x")
    >>> y, gradients = f(W=np.eye(2), x=np.array([1.0, 2.0]), g=np.array([1.0, 0.0]))
    >>> y, gradients["x"]
    (array([1., 2.]), array([1., 0.]))
    """
    program = as_program(source, shapes, assume, batch)
    return Compiled(task_of_program(program, wrt, upstream, rate), backend, reuse, dtype)


def compile_expression(
    expression: Expression | Results, backend: str = "numpy", reuse: bool = False, dtype: Any = None
) -> Compiled:
    """Compile a result, or several together, into a function of arrays by name.

    >>> import numpy as np, pullback as pb
    >>> f = compile_expression(pb.gradient("x' A x", "x"))
    >>> f(A=np.array([[1.0, 2.0], [3.0, 4.0]]), x=np.ones(2))
    array([ 7., 13.])
    """
    if isinstance(expression, Results):
        task = task_of_expressions(list(expression.values()), list(expression))
    else:
        task = task_of_expressions([expression], None)
    return Compiled(task, backend, reuse, dtype)
