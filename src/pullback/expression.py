"""Results: a tensor that can be printed, computed and differentiated again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pullback.dimension import Dimension
from pullback.errors import ValuesError
from pullback.evaluation.arrays import by_name
from pullback.evaluation.binding import bind
from pullback.evaluation.interpreter import interpret
from pullback.evaluation.libraries import library_of
from pullback.evaluation.memory import memory
from pullback.lifting.statements import Spelled, Vocabulary, is_matrix_form, spell_all
from pullback.lowering.program import Input, Program
from pullback.operations.stability import stable
from pullback.syntax.names import normalise
from pullback.syntax.printer import StyleName, show, show_program
from pullback.syntax.tree import Binding, Name, Syntax
from pullback.tensor.node import Apply, Node, Unknown, Variable, topological
from pullback.tensor.reshape import lengths

if TYPE_CHECKING:
    from numpy import ndarray

Shape = tuple[int | str, ...]


@dataclass(frozen=True, eq=False)
class Expression:
    """A tensor in closed form.

    Two expressions are equal if they are the same tensor of the same shape, however they were found.

    >>> import pullback as pb
    >>> e = pb.gradient("x' A x", wrt="x")
    >>> str(e), e.shape, e.is_matrix_form
    ("(A + A') x", ('n',), True)
    >>> e.evaluate({"A": [[1, 2], [3, 4]], "x": [1, 1]})
    array([ 7., 13.])
    """

    node: Node
    axes: tuple[Dimension, ...]
    program: Program
    extra: Mapping[str, Input] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        """The shape, each axis a number or a symbolic length."""
        return tuple(axis.number if axis.number is not None else str(axis) for axis in self.axes)

    @property
    def inputs(self) -> dict[str, Input]:
        """All names that values may be given for."""
        return {**self.program.inputs, **self.extra}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.node is other.node and self.axes == other.axes

    def __hash__(self) -> int:
        return hash((self.node, self.axes))

    # spelling

    @cached_property
    def spelled(self) -> Spelled:
        """The text trees."""
        return spell_all([self.node], [self.axes], vocabulary(self.program, self.extra))

    @property
    def tree(self) -> Syntax:
        """The syntax tree of the result, named parts by their names."""
        return self.spelled.results[0]

    @property
    def is_matrix_form(self) -> bool:
        """Whether it is matrix notation throughout, with no entries written out."""
        return all(is_matrix_form(tree) for tree in (*self.spelled.results, *(b.value for b in self.spelled.where)))

    def show(self, style: StyleName = "plain") -> str:
        """Print it in a style: plain, unicode, latex or mathml; shared parts on lines before it."""
        if not self.spelled.where:
            text = show(self.tree, style)
        else:
            text = show_program((*self.spelled.where, Binding(None, self.tree)), style)
        return self._declared(text) if style in ("plain", "unicode") else text

    def _declared(self, text: str, comment: str = "") -> str:
        """Put the declarations of functions known by name before a text that calls them."""
        called = {
            n.operation.name.rstrip("'")
            for n in topological([self.node])
            if isinstance(n, Apply) and isinstance(n.operation, Unknown)
        }
        return "\n".join([*(f"{comment}{name} : entrywise" for name in sorted(called)), text])

    def __str__(self) -> str:
        return self.show("plain")

    def __repr__(self) -> str:
        return f"<Expression {str(self)!r}>"

    def unicode(self) -> str:
        """Print it with Unicode symbols; ``pullback.parse`` reads this too."""
        return self.show("unicode")

    def latex(self) -> str:
        """Print it as LaTeX; functions known by name only are declared in a comment, which the reader heeds."""
        return self._declared(self.show("latex"), "% ")

    def mathml(self) -> str:
        """Print it as MathML."""
        return self.show("mathml")

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.show('latex')}$"

    def _repr_mimebundle_(
        self, include: Sequence[str] | None = None, exclude: Sequence[str] | None = None
    ) -> dict[str, str]:
        made = {"text/plain": self.__str__, "text/latex": self._repr_latex_, "text/html": self.mathml}
        return chosen_kinds(made, include, exclude)

    def svg(self, size: float = 24.0, color: str = "currentColor") -> str:
        """Draw it as SVG; see ``pullback.rendering.image``."""
        from importlib import import_module

        return str(import_module("pullback.rendering.image").svg(self, size, color))

    def png(self, size: float = 24.0, scale: float = 2.0, background: str = "white") -> bytes:
        """Draw it as a PNG image; see ``pullback.rendering.image``."""
        from importlib import import_module

        return bytes(import_module("pullback.rendering.image").png(self, size, scale, background))

    # computing

    def evaluate(self, values: Mapping[str, Any] | None = None, **more: Any) -> ndarray[Any, Any]:
        """Compute it in float64.

        Args:
            values: Array-likes by name; names that it does not need may be there too.
            more: The same, as keywords.

        Returns:
            An array of the expression's shape: NumPy's, or that of the library whose arrays came in (PyTorch, JAX
            and whatever speaks DLPack and the array API).

        Raises:
            ValuesError: A value is missing or does not fit; all disagreements are named.
        """
        result: ndarray[Any, Any] = evaluate_all([(self.node, self.axes)], self.inputs, joined(values, more))[0]
        return result

    def compile(self, backend: str = "numpy", reuse: bool = False, dtype: Any = None) -> Any:
        """Compile it into a function of arrays by name; see ``pullback.compiling``."""
        from importlib import import_module

        return import_module("pullback.compiling").compile_expression(self, backend, reuse, dtype)

    def emit(self, target: str = "numpy", name: str | None = None) -> str:
        """Write it as a function of its own, called ``name``: numpy, numpy-out, torch, jax, c, latex."""
        from importlib import import_module

        return str(import_module("pullback.emission.emitting").emit_expression(self, target, name))


def joined(values: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """Values given as a mapping and as keywords, as one mapping."""
    named = {} if values is None else by_name(values)
    twice = sorted(named.keys() & more.keys())
    if twice:
        raise ValuesError(f"{twice[0]} has two values", hint="leave one of them")
    return {**named, **more}


def evaluate_all(
    roots: Sequence[tuple[Node, tuple[Dimension, ...]]], inputs: Mapping[str, Input], values: Mapping[str, Any]
) -> list[Any]:
    """Compute several tensors together, each in its full shape."""
    import numpy as np

    nodes = stable([node for node, _ in roots])
    order = list(topological(nodes))
    needed = [node for node in order if isinstance(node, Variable)]
    unknown = {n.operation.name.rstrip("'") for n in order if isinstance(n, Apply) and isinstance(n.operation, Unknown)}
    named = by_name(values)
    functions = {name: value for name, value in named.items() if name.rstrip("'") in unknown}
    plain = {name: value for name, value in named.items() if name not in functions}
    library = library_of(plain)
    plain = {name: library.to_numpy(name, value) for name, value in plain.items()}
    bound = bind(inputs, plain, needed, sorted(_dimension_names(order, roots)))
    results = interpret(nodes, bound.arrays, bound.sizes, functions)
    shaped = []
    with memory("the result"):
        for array, (_, axes) in zip(results, roots, strict=True):
            shape = tuple(axis.evaluate(bound.sizes) for axis in axes)
            shaped.append(library.from_numpy(np.array(np.real(array), dtype=np.float64).reshape(shape)))
    return shaped


def _dimension_names(order: Sequence[Node], roots: Sequence[tuple[Node, tuple[Dimension, ...]]]) -> set[str]:
    axes = [axis for node in order for axis in lengths(node)] + [axis for _, shape in roots for axis in shape]
    return {name for axis in axes for name in axis.names}


def chosen_kinds(
    made: Mapping[str, Callable[[], str]], include: Sequence[str] | None, exclude: Sequence[str] | None
) -> dict[str, str]:
    """What a notebook asked for, of what can be shown."""
    wanted = [kind for kind in made if (not include or kind in include) and not (exclude and kind in exclude)]
    return {kind: made[kind]() for kind in wanted}


def vocabulary(program: Program, extra: Mapping[str, Input] | None = None) -> Vocabulary:
    """What results of a program may call by name."""
    inputs = {**program.inputs, **(extra or {})}
    given = {s.node: s.name for s in program.statements[:-1] if s.name is not None}
    bound = [s.name for s in program.statements if s.name is not None]
    dimensions = {name for entry in inputs.values() for axis in entry.shape for name in axis.names}
    return Vocabulary(
        {name: entry.shape for name, entry in inputs.items()},
        {name: entry.name for name, entry in inputs.items()},
        given,
        {entry.name: 0 for entry in (extra or {}).values()},
        frozenset(dimensions | set(bound)),
        _axis_order(program),
    )


def _axis_order(program: Program) -> dict[Dimension, int]:
    """Which axes come first in matrices: those of the output, then those that come first in the inputs."""
    leads: dict[Dimension, int] = {}
    for entry in program.inputs.values():
        if len(entry.shape) == 2:
            leads[entry.shape[0]] = leads.get(entry.shape[0], 0) - 1
            leads[entry.shape[1]] = leads.get(entry.shape[1], 0) + 1
    output = program.output.shape
    first = -len(program.inputs) - len(output)
    return leads | {axis: first + k for k, axis in reversed(list(enumerate(output)))}


_PARTIALS: dict[StyleName, str] = {
    "plain": "dL/d{}",
    "unicode": "dL/d{}",
    "latex": r"\frac{{\partial L}}{{\partial {}}}",
    "mathml": "<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo>{}</mrow></mfrac>",
}


def inner(tree: Syntax, style: StyleName) -> str:
    """Print a tree without the element that MathML stands in."""
    text = show(tree, style)
    return text.partition(">")[2].removesuffix("</math>") if style == "mathml" else text


class Results(Mapping[str, Expression]):
    """Expressions by the name of the input they belong to, however it is spelled.

    >>> import pullback as pb
    >>> print(pb.backward("y = W_1 x"))
    dL/dW1 = g x'
    dL/dx = W1' g
    """

    def __init__(self, expressions: Mapping[str, Expression], spelling: Mapping[str, str]) -> None:
        self.expressions = dict(expressions)
        self.spelling = dict(spelling)

    def __getitem__(self, name: str) -> Expression:
        return self.expressions[normalise(name)]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and normalise(name) in self.expressions

    def __iter__(self) -> Iterator[str]:
        return iter(self.spelling[name] for name in self.expressions)

    def __len__(self) -> int:
        return len(self.expressions)

    @cached_property
    def spelled(self) -> Spelled:
        """All results spelled together, shared parts named once."""
        expressions = list(self.expressions.values())
        words = vocabulary(expressions[0].program, expressions[0].extra)
        return spell_all([e.node for e in expressions], [e.axes for e in expressions], words)

    def show(self, style: StyleName = "plain") -> str:
        """Print one line a result, the shared parts before them."""
        return "\n".join(f"{left} = {right}" for left, right in self._equations(style))

    def _equations(self, style: StyleName) -> list[tuple[str, str]]:
        """The sides of each line."""
        lines = [(inner(Name(b.name or ""), style), inner(b.value, style)) for b in self.spelled.where]
        for name, tree in zip(self, self.spelled.results, strict=True):
            written = name if style == "plain" else inner(Name(normalise(name)), style)
            lines.append((_PARTIALS[style].format(written), inner(tree, style)))
        return lines

    def latex(self) -> str:
        """Print the lines as LaTeX, aligned at their equals signs."""
        rows = " \\\\\n".join(f"{left} &= {right}" for left, right in self._equations("latex"))
        return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"

    def mathml(self) -> str:
        """Print each line as MathML, one below the other."""
        return "".join(
            f'<div><math display="block"><mrow>{left}<mo>=</mo>{right}</mrow></math></div>'
            for left, right in self._equations("mathml")
        )

    def _repr_mimebundle_(
        self, include: Sequence[str] | None = None, exclude: Sequence[str] | None = None
    ) -> dict[str, str]:
        made = {
            "text/plain": self.__str__,
            "text/latex": lambda: f"$\\displaystyle {self.latex()}$",
            "text/html": self.mathml,
        }
        return chosen_kinds(made, include, exclude)

    def __str__(self) -> str:
        return self.show()

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name!r}: {e!s}" for name, e in self.items()) + "}"

    def evaluate(self, values: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Compute all of them together, shared parts once; values as for one expression."""
        expressions = list(self.expressions.values())
        roots = [(e.node, e.axes) for e in expressions]
        arrays = evaluate_all(roots, expressions[0].inputs, joined(values, more))
        return dict(zip(self, arrays, strict=True))
