"""Function calls: the table's meanings chosen by rank, rows and columns, and the constructors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from pullback.dimension import ONE, Dimension
from pullback.errors import PullbackError, ShapeError, Span
from pullback.lowering.value import Shape, Value
from pullback.operations.entry import Definition, Einsum, Entry, Meaning, Primitive
from pullback.operations.table import FUNCTIONS, TABLE
from pullback.syntax.parser import parse_expression
from pullback.syntax.tree import Call, Chain, Name, Number, Syntax
from pullback.tensor.apply import apply
from pullback.tensor.node import Node, Unknown, make_variable
from pullback.tensor.product import product
from pullback.tensor.reshape import merged, pi, reshaped, stacked
from pullback.tensor.substitute import Lifted, spread, substitute

if TYPE_CHECKING:
    from pullback.lowering.expressions import Environment, Lowering

AXES = ("rows", "columns")


def call(lowering: Lowering, tree: Call, names: Environment) -> Value:
    """Lower ``f(…)``."""
    form = FORMS.get(tree.function)
    if form is not None:
        return form(lowering, tree, names)
    entry = TABLE.get(tree.function)
    if entry is None:
        return _unknown(lowering, tree, names)
    arguments = list(tree.arguments)
    axis = None
    if len(arguments) > 1 and isinstance(arguments[-1], Name) and arguments[-1].identifier in AXES:
        word = arguments[-1].identifier
        if word not in names:
            axis = word
            arguments.pop()
    values = [lowering.lower(argument, names) for argument in arguments]
    if (
        entry.name == "cross_entropy"
        and isinstance(tree.arguments[0], Call)
        and tree.arguments[0].function == "softmax"
    ):
        message = "cross_entropy takes the logits and does the softmax itself"
        raise lowering.error(message, tree.arguments[0].span, "write cross_entropy(z, t) with z before the softmax")
    if axis is None and lowering.reads_rows and entry.name == "softmax" and _is_wide(lowering, values):
        lowering.by_rows.append(tree)
        axis = "rows"
    if axis is not None:
        return along(lowering, entry, values, axis, tree.span)
    return lowering.note(entry.name, values, apply_entry(lowering, entry, values, tree.span))


def _is_wide(lowering: Lowering, values: Sequence[Value]) -> bool:
    """Whether there is one argument, a matrix that is neither a row nor a column: papers mean its rows."""
    shape = lowering.context.resolved(values[0].shape) if len(values) == 1 else ()
    return len(shape) == 2 and ONE not in shape


def _unknown(lowering: Lowering, tree: Call, names: Environment) -> Value:
    """A function declared by its name only."""
    _counted(lowering, tree, (1,))
    value = lowering.lower(tree.arguments[0], names)
    return Value(value.shape, lambda: apply(Unknown(tree.function), [value.node()]), tree.span)


def apply_entry(lowering: Lowering, entry: Entry, values: Sequence[Value], span: Span) -> Value:
    """Apply an operation of the table by the first of its meanings that takes these ranks."""
    context = lowering.context
    values = [_as_column(lowering, value) for value in values]
    arity = {_arity(entry, meaning) for meaning in entry.meanings}
    if len(values) not in arity:
        wanted = " or ".join(str(n) for n in sorted(arity))
        raise lowering.error(f"{entry.name} takes {wanted} argument(s), not {len(values)}", span)
    turned = [context.is_row(value) for value in values]
    declared = tuple(1 if row else v.rank for v, row in zip(values, turned, strict=True))
    ranks = tuple(0 if context.is_scalar(v) else rank for v, rank in zip(values, declared, strict=True))
    meaning = _meaning(entry, declared) or _meaning(entry, ranks)
    if meaning is None:
        raise _wrong_kind(lowering, entry, values, span)
    if declared != ranks and isinstance(meaning, Primitive) and not _is_entrywise(meaning):
        return _of_one_number(lowering, entry, meaning, values, span)
    if any(turned) and not _is_entrywise(meaning):
        columns = [Value(v.shape[1:], v.node, v.span) if row else v for v, row in zip(values, turned, strict=True)]
        result = _mean(lowering, entry, meaning, columns, span)
        return lowering.transpose(result, span) if result.rank == 1 else result
    return _mean(lowering, entry, meaning, values, span)


def _meaning(entry: Entry, ranks: tuple[int, ...]) -> Meaning | None:
    return next((m for m in entry.meanings if _takes(entry, m, ranks)), None)


def _of_one_number(lowering: Lowering, entry: Entry, meaning: Primitive, values: Sequence[Value], span: Span) -> Value:
    """A vector of one entry, or a 1 x 1 matrix: what the operation is of a scalar, in its own shape."""
    plain = _meaning(entry, (0,) * len(values))
    if plain is None:
        raise _wrong_kind(lowering, entry, values, span)
    inner = _mean(lowering, entry, plain, [Value((), value.node, value.span) for value in values], span)
    return Value(tuple(ONE for _ in meaning.operation.signature.output), inner.node, span)


def _as_column(lowering: Lowering, value: Value) -> Value:
    """A matrix of one column is that column."""
    shape = lowering.context.resolved(value.shape)
    is_column = len(shape) == 2 and shape[1] is ONE and shape[0] is not ONE
    return Value(shape[:1], value.node, value.span) if is_column else value


def _arity(entry: Entry, meaning: Meaning) -> int:
    if isinstance(meaning, Definition):
        return len(meaning.ranks) if meaning.ranks is not None else len(entry.parameters)
    return len(meaning.ranks)


def _is_entrywise(meaning: Meaning) -> bool:
    return isinstance(meaning, Primitive) and meaning.operation.entrywise


def _takes(entry: Entry, meaning: Meaning, ranks: tuple[int, ...]) -> bool:
    if isinstance(meaning, Definition) and meaning.ranks is None:
        return len(ranks) == len(entry.parameters)
    if _is_entrywise(meaning):
        return len(ranks) == _arity(entry, meaning)
    return meaning.ranks == ranks


def _wrong_kind(lowering: Lowering, entry: Entry, values: Sequence[Value], span: Span) -> PullbackError:
    context = lowering.context
    given = " and ".join(context.describe(value) for value in values)
    takes = [m.ranks for m in entry.meanings if m.ranks is not None and len(m.ranks) == len(values)]
    hint = ""
    if len(values) == 1 and values[0].rank == 2 and (1,) in takes:
        hint = f"say {entry.name}(A, rows) or {entry.name}(A, columns)"
    return context.mismatch(
        f"{entry.name} does not take {given}", [v if v.span.end else v.at(span) for v in values], hint
    )


def _mean(lowering: Lowering, entry: Entry, meaning: Meaning, values: Sequence[Value], span: Span) -> Value:
    if isinstance(meaning, Einsum):
        return _einsum(lowering, entry, meaning, values, span)
    if isinstance(meaning, Definition):
        return _define(lowering, entry, meaning, values, span)
    if meaning.operation.entrywise:
        return _entrywise(lowering, entry, meaning, values, span)
    return _primitive(lowering, entry, meaning, values, span)


def _einsum(lowering: Lowering, entry: Entry, meaning: Einsum, values: Sequence[Value], span: Span) -> Value:
    context = lowering.context
    letters: dict[str, Dimension] = {}
    for axes, value in zip(meaning.inputs, values, strict=True):
        for letter, axis in zip(axes, value.shape, strict=True):
            if not context.solver.unify(letters.setdefault(letter, axis), axis):
                raise context.mismatch(f"{entry.name} needs {_need(meaning)}", values)
    parts = [(v, [ord(c) for c in axes], 1) for axes, v in zip(meaning.inputs, values, strict=True)]
    return context.contract(parts, [ord(c) for c in meaning.output], span=span)


def _need(meaning: Einsum) -> str:
    return "a square matrix" if len(meaning.inputs) == 1 else "two of the same size"


def _define(lowering: Lowering, entry: Entry, meaning: Definition, values: Sequence[Value], span: Span) -> Value:
    body = _parsed(meaning.text)
    names = dict(zip(entry.parameters, values, strict=True))
    try:
        return lowering.lower(body, names).at(span)
    except ShapeError as error:
        given = " and ".join(lowering.context.describe(value) for value in values)
        message = f"{entry.name} does not take {given}"
        raise lowering.context.mismatch(message, [Value((), _nothing, span)], f"it means {meaning.text}") from error


def _nothing() -> Node:
    raise AssertionError("a place, not a value")


@cache
def _parsed(text: str) -> Syntax:
    return parse_expression(text, FUNCTIONS | {"power"})


def _entrywise(lowering: Lowering, entry: Entry, meaning: Primitive, values: Sequence[Value], span: Span) -> Value:
    context = lowering.context
    widest = values[0]
    for value in values[1:]:
        widest = lowering.common(widest, value, f"take {entry.name} of")
    shape = widest.shape

    def make() -> Node:
        return apply(meaning.operation, [context.spread(value, shape) for value in values])

    return Value(shape, make, span)


def _primitive(lowering: Lowering, entry: Entry, meaning: Primitive, values: Sequence[Value], span: Span) -> Value:
    context = lowering.context
    sizes: dict[str, Dimension] = {}
    for value, core in zip(values, meaning.operation.signature.inputs, strict=True):
        for name, axis in zip(core, value.shape, strict=True):
            if not context.solver.unify(sizes.setdefault(name, axis), axis):
                raise context.mismatch(f"{entry.name} needs a square matrix", [value])

    def make() -> Node:
        if any(ONE in context.resolved(value.shape) for value in values):
            return _of_one_number(lowering, entry, meaning, values, span).node()
        return apply(meaning.operation, [value.node() for value in values])

    return Value(tuple(sizes[name] for name in meaning.operation.signature.output), make, span)


def along(lowering: Lowering, entry: Entry, values: Sequence[Value], axis: str, span: Span) -> Value:
    """Apply an operation to every row (or column) of its matrices: the vector meaning, lifted."""
    context = lowering.context
    matrices = [value for value in values if value.rank == 2]
    if not matrices:
        raise context.mismatch(f"{entry.name}(…, {axis}) takes a matrix", values)
    if axis == "columns":
        turned = [lowering.transpose(v, v.span) if v.rank == 2 and not context.is_scalar(v) else v for v in values]
        turned = [v if v.rank != 1 else Value((ONE, v.shape[0]), v.node, v.span) for v in turned]
        result = along(lowering, entry, turned, "rows", span)
        return lowering.transpose(result, span) if result.rank == 2 else result
    count = matrices[0].shape[0]
    rows: list[Value] = []
    for k, value in enumerate(values):
        if value.rank != 2:
            rows.append(value)
            continue
        if not context.solver.unify(count, value.shape[0]):
            raise context.mismatch(f"{entry.name}(…, {axis}) needs as many of each", values)
        rows.append(_placeholder(lowering, k, value))
    inner = apply_entry(lowering, entry, rows, span)

    def make() -> Node:
        leaves = {
            row.node(): Lifted(value.node(), ("row",) if context.resolved(value.shape)[0] is not ONE else ())
            for row, value in zip(rows, values, strict=True)
            if value.rank == 2
        }
        lead = context.axes((count,))
        return spread(substitute(inner.node(), leaves), ("row",) * len(lead), lead)

    return Value((count, *inner.shape), make, span)


def _placeholder(lowering: Lowering, k: int, value: Value) -> Value:
    shape: Shape = (value.shape[1],)
    return Value(shape, lambda: make_variable(f"row {k}", lowering.context.axes(shape)), value.span)


# constructors: functions whose arguments or shapes are more than an entry can say


def eye(lowering: Lowering, length: Dimension, span: Span) -> Value:
    """The identity."""
    return lowering.context.contract([], (0, 0), {0: length}, span)


def _dimension(lowering: Lowering, tree: Syntax, names: Environment) -> Dimension:
    match tree:
        case Name(identifier, span):
            if identifier in names:
                message = f"{identifier} is a variable here, and a dimension is wanted"
                raise lowering.error(message, span, f"say size({identifier}) for its length")
            return lowering.context.solver.mention(identifier)
        case Number(value) if value.denominator == 1 and value > 0:
            return Dimension.of(value.numerator)
        case Call("size"):
            return _measured(lowering, tree, names)
        case Chain(operands, operators) if set(operators) <= {"+", "-", "*"}:
            total = _dimension(lowering, operands[0], names)
            for operator, operand in zip(operators, operands[1:], strict=True):
                part = _dimension(lowering, operand, names)
                total = total * part if operator == "*" else total + part if operator == "+" else total - part
            return total
    raise lowering.error("a dimension is a whole number above zero or a name", tree.span)


def _counted(lowering: Lowering, tree: Call, counts: Sequence[int]) -> None:
    if len(tree.arguments) not in counts:
        wanted = " or ".join(map(str, counts))
        raise lowering.error(f"{tree.function} takes {wanted} argument(s), not {len(tree.arguments)}", tree.span)


def _eye(lowering: Lowering, tree: Call, names: Environment) -> Value:
    _counted(lowering, tree, (1,))
    return eye(lowering, _dimension(lowering, tree.arguments[0], names), tree.span)


def _filled(lowering: Lowering, tree: Call, names: Environment) -> Value:
    if not tree.arguments:
        raise lowering.error(f"{tree.function} needs a dimension", tree.span)
    shape = tuple(_dimension(lowering, argument, names) for argument in tree.arguments)
    value = lowering.context.contract([], range(len(shape)), dict(enumerate(shape)), tree.span)
    if tree.function == "zeros":
        from pullback.tensor.add import zeros

        return Value(value.shape, lambda: zeros(lowering.context.axes(shape)), tree.span)
    return value


def _measured(lowering: Lowering, tree: Call, names: Environment) -> Dimension:
    _counted(lowering, tree, (1, 2))
    first = tree.arguments[0]
    if len(tree.arguments) == 1 and isinstance(first, Name) and first.identifier not in names:
        return lowering.context.solver.mention(first.identifier)
    value = lowering.lower(first, names)
    shape = value.shape
    if len(tree.arguments) == 2:
        axis = tree.arguments[1]
        column = isinstance(axis, Name) and axis.identifier == "rows" and len(shape) == 1
        if not isinstance(axis, Name) or axis.identifier not in AXES or not (column or len(shape) == 2):
            raise lowering.error("write size(A, rows) or size(A, columns) of a matrix", tree.span)
        return shape[AXES.index(axis.identifier)]
    total = ONE
    for length in lowering.context.resolved(shape):
        total = total * length
    return total


def _size(lowering: Lowering, tree: Call, names: Environment) -> Value:
    return lowering.size(_measured(lowering, tree, names), tree.span)


def _pi(lowering: Lowering, tree: Call, names: Environment) -> Value:
    _counted(lowering, tree, (0,))
    return Value((), pi, tree.span)


def _vec(lowering: Lowering, tree: Call, names: Environment) -> Value:
    _counted(lowering, tree, (1,))
    value = lowering.lower(tree.arguments[0], names)
    context = lowering.context
    if value.rank < 2:
        return value.at(tree.span)
    if value.rank > 2:
        raise context.mismatch("vec takes a matrix", [value])
    rows, columns = value.shape

    def make() -> Node:
        node = value.node()
        if len(node.axes) < 2:
            return node
        return merged(product([(node, (0, 1), 1)], (1, 0)))

    return Value((context.solver.compose((columns, rows)),), make, tree.span)


def kron(lowering: Lowering, left: Value, right: Value, span: Span) -> Value:
    """The Kronecker product of two matrices or vectors."""
    context = lowering.context
    if left.rank > 2 or right.rank > 2:
        raise context.mismatch("kron takes matrices", [left, right])
    if context.is_scalar(left) or context.is_scalar(right):
        return lowering.times(left, right, span)
    rank = max(left.rank, right.rank)
    left, right = (v if v.rank == rank else Value((*v.shape, ONE), v.node, v.span) for v in (left, right))
    shape = tuple(context.solver.compose(pair) for pair in zip(left.shape, right.shape, strict=True))

    def make() -> Node:
        first, second = context.resolved(left.shape), context.resolved(right.shape)
        both = context.contract(
            [(left, range(rank), 1), (right, range(rank, 2 * rank), 1)],
            [k for pair in zip(range(rank), range(rank, 2 * rank), strict=True) for k in pair],
        ).node()
        groups = [sum(1 for axis in pair if axis is not ONE) for pair in zip(first, second, strict=True)]
        return reshaped(both, groups)

    return Value(shape, make, span)


def _kron(lowering: Lowering, tree: Call, names: Environment) -> Value:
    _counted(lowering, tree, (2,))
    left, right = (lowering.lower(argument, names) for argument in tree.arguments)
    return kron(lowering, left, right, tree.span)


def _reshape(lowering: Lowering, tree: Call, names: Environment) -> Value:
    _counted(lowering, tree, (2, 3))
    value = lowering.lower(tree.arguments[0], names)
    target = tuple(_dimension(lowering, argument, names) for argument in tree.arguments[1:])
    context = lowering.context
    total, wanted = (context.solver.compose(reversed(shape)) for shape in (value.shape, target))
    if not context.solver.unify(total, wanted):
        if wanted.number is not None and context.solver.is_undetermined(total):
            message = f"a matrix of {wanted} entries is reshaped, and nothing says how many rows and columns it has"
            name = tree.arguments[0].identifier if isinstance(tree.arguments[0], Name) else "A"
            raise lowering.unsupported(message, tree.arguments[0].span, f"declare it: {name} : (m, n), with numbers")
        message = f"can't reshape {context.describe(value)} to {' x '.join(map(str, target))}".replace("~", "")
        raise context.mismatch(message, [value])

    def make() -> Node:
        node = value.node()
        if len(node.axes) == 2:
            node = merged(product([(node, (0, 1), 1)], (1, 0)))
        shape = context.axes(target)
        if len(shape) < 2:
            return node
        return product([(stacked(node, shape[::-1]), (0, 1), 1)], (1, 0))

    return Value(target, make, tree.span)


def _concat(lowering: Lowering, tree: Call, names: Environment) -> Value:
    from pullback.lowering.blocks import concat

    return concat(lowering, tree, names)


def _slice(lowering: Lowering, tree: Call, names: Environment) -> Value:
    from pullback.lowering.blocks import take

    _counted(lowering, tree, (3,))
    skip = tree.arguments[1]
    nothing = isinstance(skip, Number) and skip.value == 0
    offset = Dimension.of(0) if nothing else _dimension(lowering, skip, names)
    return take(lowering, tree, names, offset, _dimension(lowering, tree.arguments[2], names))


Form = Callable[["Lowering", Call, Mapping[str, Value]], Value]
FORMS: dict[str, Form] = {
    "eye": _eye,
    "ones": _filled,
    "zeros": _filled,
    "size": _size,
    "pi": _pi,
    "vec": _vec,
    "kron": _kron,
    "reshape": _reshape,
    "concat": _concat,
    "slice": _slice,
}
