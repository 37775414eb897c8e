"""Why the factors stand in their order: a closed form index by index, and the sizes that fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pullback.derivation.expanding import Expander, Letters, TooLongError, leaves_of
from pullback.derivation.formula import EXTENT, Line, entry, equation, partial, through
from pullback.derivation.local import Closed, Local
from pullback.derivation.naming import Names, letters
from pullback.derivation.opening import as_formula
from pullback.derivation.steps import Parameter, Step
from pullback.dimension import ONE, Dimension
from pullback.errors import PullbackError
from pullback.lowering.inputs import names_in
from pullback.lowering.program import lower_program
from pullback.syntax import tree
from pullback.syntax.tree import Binding, Call, Chain, Name, Negate, Syntax
from pullback.tensor.node import Apply, Variable

_MOST_LEAVES = 14
"""A longer sum explains nothing."""

Extent = tuple[Dimension, Dimension]


def why_step(local: Local, closed: Closed, operand: str, is_shared: bool) -> Step | None:
    """The line below a matrix product that says why its factors stand in this order; None elsewhere."""
    sizes = _sizes(local, closed)
    if sizes is None:
        return None
    lines: list[Line] = []
    written = _index_form(local, closed, operand, is_shared)
    if written is not None:
        lines.append(written)
    lines.append(sizes)
    parameters: dict[str, Parameter] = {"x": Name(local.names.spelling.get(operand, operand)), "y": Name(local.name)}
    return Step("why" if written is not None else "why.sizes", parameters, tuple(lines))


# index by index


@dataclass(slots=True)
class _Writer(Expander):
    """Entries with letters; what is summed over stands under a sum sign."""

    names: Names | None = None
    statement: str = ""
    sums: bool = True

    def variable(self, node: Variable, subscripts: Letters) -> Syntax:  # type: ignore[override]
        """The symbol of an entry; that of the upstream gradient is a derivative."""
        assert self.names is not None
        if node.name == self.names.upstreams[self.statement]:
            return partial(Name(self.names.loss), self.named(self.statement, len(node.axes), subscripts))
        return self.named(node.name, len(node.axes), subscripts)


def _index_form(local: Local, closed: Closed, operand: str, is_shared: bool) -> Line | None:
    """``dL/dx_j = sum_i w_ij dL/dy_i``; None where that says nothing that the board has not."""
    names = local.names
    shapes = {name: _ones(given.shape) for name, given in local.program.inputs.items()}
    shapes[local.name] = _ones(local.statement.shape)
    node = local.statement.local
    own = (node, local.name) if isinstance(node, Apply) else None
    order = {name: k for k, (name, _) in enumerate(names_in(names.plain(closed.tree)))}
    writer = _Writer(names.symbols, shapes, order, local.spell, own, names=names, statement=local.name)
    free = letters(len(closed.expression.node.axes), names.taken)
    writer.taken = {*free, *names.taken}
    try:
        body = writer.generic(closed.expression.node, free)
    except TooLongError:
        return None
    if body is None or leaves_of(body) > _MOST_LEAVES:
        return None
    given = iter(free)
    subscripts = [1 if length == 1 else next(given) for length in shapes[operand]]
    left = partial(Name(names.loss), entry(names.symbols[operand], subscripts))
    return equation(through(left, local.name) if is_shared else left, body)


def _ones(shape: tuple[Dimension, ...]) -> tuple[int, ...]:
    """Lengths of which only those that are one matter."""
    return tuple(1 if axis is ONE else 2 for axis in shape)


# sizes


def _sizes(local: Local, closed: Closed) -> Line | None:
    """``(n × m)(m × 1) = n × 1`` for a product of matrices; None for what is none."""
    form = closed.tree.operand if isinstance(closed.tree, Negate) else closed.tree
    if closed.where or not isinstance(form, Chain) or set(form.operators) != {"*"}:
        return None
    known = {name: Dimension.of(size) for name, size in local.sizes.items()}
    shapes: list[Extent] = []
    for factor in form.operands:
        shape = shape_of(local, factor)
        if shape is None:
            return None
        if len(shape):
            rows, columns = (*shape, ONE)[:2]
            shapes.append((rows.substitute(known), columns.substitute(known)))
    if len(shapes) < 2:
        return None
    whole = (*closed.expression.axes, ONE, ONE)[:2]
    return equation(
        Chain(tuple(_extent(s) for s in shapes), ("*",) * (len(shapes) - 1)),
        _extent((whole[0].substitute(known), whole[1].substitute(known))),
    )


def _extent(shape: Extent) -> Syntax:
    return Call(EXTENT, tuple(as_formula(str(axis)) for axis in shape))


def shape_of(local: Local, part: Syntax) -> tuple[Dimension, ...] | None:
    """The shape of a part of a closed form; a scalar has none."""
    bare = local.names.plain(part)
    shapes: Mapping[str, tuple[Dimension, ...]] = {
        **{name: given.shape for name, given in local.program.inputs.items()},
        local.name: local.statement.shape,
        local.names.upstreams[local.name]: local.statement.shape,
    }
    used = {name for name, _ in names_in(bare)}
    try:
        program = lower_program(
            tree.Program((Binding(None, bare),)), {n: s for n, s in shapes.items() if n in used}, {}
        )
    except (PullbackError, AssertionError):
        return None
    shape = program.output.shape
    return () if all(axis is ONE for axis in shape) else shape
