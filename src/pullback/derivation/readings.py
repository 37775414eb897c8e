"""Numbers for what stands on the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullback.derivation.formula import PARTIAL, Big, Matrix, Numbers, Part
from pullback.derivation.naming import Names
from pullback.derivation.scalars import replaced, rounded
from pullback.errors import PullbackError
from pullback.expression import Expression
from pullback.lowering.inputs import names_in
from pullback.lowering.program import lower_program
from pullback.syntax import tree
from pullback.syntax.tree import Binding, Call, Indexed, Name, Syntax
from pullback.tensor.node import Product, Variable, topological

LARGEST_SHOWN = 64
"""Arrays of more entries are told by shape and norm."""


def shown(array: Any) -> Part:
    """An array as numbers, or by its shape and norm where it is large; a scalar as a number."""
    import numpy as np

    if array.shape == ():
        return rounded(float(array))
    if array.size > LARGEST_SHOWN or array.ndim > 2 or max(array.shape) > 12:
        with np.errstate(all="ignore"):
            return Big(tuple(array.shape), float(np.sqrt(np.sum(array * array))))
    return Numbers.of(array)


def dimension_names(expression: Expression) -> set[str]:
    """The names of dimensions that an expression has to know."""
    names: set[str] = set()
    for node in topological([expression.node]):
        dimensions = node.dimensions if isinstance(node, Product) else node.axes
        names.update(name for axis in dimensions for name in axis.names)
    return names.union(*(axis.names for axis in expression.axes))


@dataclass(frozen=True, slots=True)
class Readings:
    """The values of all names: inputs, statements, and the gradients known so far, by statement name."""

    names: Names
    values: dict[str, Any]
    gradients: dict[str, Any]
    sizes: Mapping[str, int] = field(default_factory=dict)
    functions: Mapping[str, Any] = field(default_factory=dict)
    declarations: tuple[tree.Declaration, ...] = ()
    """Those of functions that have no definition."""

    def environment(self) -> dict[str, Any]:
        """All arrays by the names that expressions use for them."""
        ups = {self.names.upstreams[n]: g for n, g in self.gradients.items() if n in self.names.upstreams}
        return {**self.values, **ups}

    def of_expression(self, expression: Expression) -> Any | None:
        """Compute a closed form; None where a value in it is not known."""
        environment = self.environment()
        needed = {node.name for node in topological([expression.node]) if isinstance(node, Variable)}
        if not needed <= environment.keys():
            return None
        return self.computed(expression, {name: environment[name] for name in needed})

    def computed(self, expression: Expression, arrays: Mapping[str, Any]) -> Any:
        """Compute with arrays, and the sizes of the dimensions that they don't tell."""
        wanted = dimension_names(expression) - expression.inputs.keys()
        sizes = {name: size for name, size in self.sizes.items() if name in wanted}
        return expression.evaluate({**sizes, **arrays, **self.functions})

    def of_tree(self, part: Syntax, where: Sequence[Binding] = ()) -> Any | None:
        """Compute a part of an expression; None where a value in it is not known, or it can't stand alone."""
        bare = self.names.plain(part)
        bindings = tuple(Binding(b.name, self.names.plain(b.value)) for b in where)
        environment = self.environment()
        shapes = {name: tuple(array.shape) for name, array in environment.items()}
        parsed = tree.Program((*bindings, Binding(None, bare)), self.declarations)
        own = {b.name for b in bindings}
        used = {name for b in parsed.bindings for name, _ in names_in(b.value)}
        try:
            program = lower_program(parsed, {n: s for n, s in shapes.items() if n in used - own}, {})
        except (PullbackError, AssertionError):
            return None
        if any(name not in environment for name in program.inputs):
            return None
        expression = Expression(program.output.node, program.output.shape, program)
        return self.computed(expression, {name: environment[name] for name in program.inputs})


@dataclass(frozen=True, slots=True)
class EntryReadings:
    """Numbers for entries: ``w_12`` is W[0, 1], ``dL/dy_1`` the first entry of the gradient."""

    symbols: Mapping[str, str]
    loss: str
    values: Mapping[str, Any]
    gradients: Mapping[str, Any]

    def number(self, node: Syntax, hidden: str | None = None) -> float | None:
        """The value of a name or an entry; None where it is not known, or is an entry of ``hidden``."""
        if isinstance(node, Call) and node.function == PARTIAL:
            top, below = node.arguments
            if isinstance(top, Name) and top.identifier == self.loss:
                return self._look(below, self.gradients, None)
            return None
        return self._look(node, self.values, hidden)

    def _look(self, node: Syntax, arrays: Mapping[str, Any], hidden: str | None) -> float | None:
        base = node.operand if isinstance(node, Indexed) else node
        if not isinstance(base, Name):
            return None
        for name, symbol in self.symbols.items():
            if symbol != base.identifier or name not in arrays or name == hidden:
                continue
            array = arrays[name]
            if isinstance(node, Indexed):
                if len(node.indices) != array.ndim or not all(k.isdigit() for k in node.indices):
                    return None
                return float(array[tuple(int(k) - 1 for k in node.indices)])
            return float(array) if array.ndim == 0 else None
        return None

    def filled(self, part: Syntax, hidden: str | None = None) -> Syntax:
        """Put numbers in place of what is known."""

        def look(node: Syntax) -> Syntax | None:
            value = self.number(node, hidden)
            return None if value is None else rounded(value)

        return replaced(part, look)


def matrix_of(array: Any, filled: int | None = None) -> Part:
    """Numbers with some columns filled only."""
    if filled is None:
        return shown(array)
    rows = array.reshape(array.shape[0], -1)
    return Matrix(tuple(tuple(rounded(float(v)) if k < filled else None for k, v in enumerate(row)) for row in rows))
