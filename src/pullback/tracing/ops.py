"""Operations on traced values; every reader is written with these."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.dimension import ONE, Dimension
from pullback.errors import ShapeError
from pullback.operations.table import TABLE
from pullback.tensor.add import add as add_nodes
from pullback.tensor.add import scaled, zeros
from pullback.tensor.apply import apply
from pullback.tensor.axes import broadcast
from pullback.tensor.node import Node, Operation
from pullback.tensor.product import constant, permuted, product
from pullback.tensor.product import power as power_node
from pullback.tensor.reshape import padded, part
from pullback.tracing.numbers import Number as Number
from pullback.tracing.numbers import exact, rooted
from pullback.tracing.reshaping import common_inner, inner_of
from pullback.tracing.reshaping import reshape as reshape
from pullback.tracing.tape import Shape, Value, axes_of, refuse

INFINITE = float("inf")


def filled(number: Number, shape: Shape = ()) -> Value:
    """A tensor of one number."""
    result = Value(shape, (), lambda _: broadcast(constant(exact(number)), axes_of(shape), ()), "constant")
    result.array = float(number)
    return result


def known(value: Value) -> float | None:
    """The number that a value is everywhere, where that is known."""
    return value.array if isinstance(value.array, float) else None


def length_of(axis: Dimension) -> Value:
    """A dimension as a number."""
    from pullback.tensor.product import size_of

    if axis.number is not None:
        return filled(axis.number)
    return Value((), (), lambda _: size_of(axis), "length")


def common_shape(*shapes: Shape) -> Shape:
    """The shape that broadcasting gives, as NumPy's rules say."""
    rank = max(len(shape) for shape in shapes)
    result = []
    for k in range(rank):
        lengths = {shape[k - rank + len(shape)] for shape in shapes if k - rank + len(shape) >= 0} - {ONE}
        if len(lengths) > 1:
            said = " and ".join(" x ".join(map(str, shape)) or "scalar" for shape in shapes)
            raise ShapeError(f"shapes do not go together: {said}")
        result.append(lengths.pop() if lengths else ONE)
    return tuple(result)


def _spread(node: Node, have: Shape, want: Shape) -> Node:
    """Broadcast a graph from one shape to another."""
    shift = len(want) - len(have)
    position = [k for k, axis in enumerate(want) if axis is not ONE]
    place = [position.index(k + shift) for k, axis in enumerate(have) if axis is not ONE]
    return broadcast(node, axes_of(want), place)


def broadcast_to(value: Value, shape: Shape) -> Value:
    """Repeat along axes of length one and along new leading ones."""
    if value.shape == shape:
        return value
    common_shape(value.shape, shape)
    result = Value(shape, (value,), lambda n: _spread(n[0], value.shape, shape), "broadcast", fused=True)
    return result


def contract(parts: Sequence[tuple[Value, Sequence[int], int]], output: Sequence[int], step: str = "product") -> Value:
    """Multiply values over labels; labels that are not in the output are summed over."""
    lengths: dict[int, Dimension] = {}
    for value, labels, _ in parts:
        for label, axis in zip(labels, value.shape, strict=True):
            if lengths.get(label, ONE) is ONE:
                lengths[label] = axis
            elif axis is not ONE and axis is not lengths[label]:
                raise ShapeError(f"{step}: lengths {lengths[label]} and {axis} must agree")
    shape = tuple(lengths[label] for label in output)

    def make(nodes: Sequence[Node]) -> Node:
        factors = []
        for node, (value, labels, exponent) in zip(nodes, parts, strict=True):
            kept = [label for label, axis in zip(labels, value.shape, strict=True) if axis is not ONE]
            factors.append((node, kept, exponent))
        kept_out = [label for label in output if lengths[label] is not ONE]
        return product(factors, kept_out, {k: v for k, v in lengths.items() if v is not ONE})

    return Value(shape, [value for value, _, _ in parts], make, step)


def entrywise(name: str, *values: Value) -> Value:
    """Apply an operation of the table entry by entry, with broadcasting."""
    if (inner := common_inner(values)) is not None:
        return reshape(entrywise(name, *inner), common_shape(*(value.shape for value in values)))
    shape = common_shape(*(value.shape for value in values))
    operation = _operation(name)
    shapes = [value.shape for value in values]

    def make(nodes: Sequence[Node]) -> Node:
        return apply(operation, [_spread(node, have, shape) for node, have in zip(nodes, shapes, strict=True)])

    return Value(shape, values, make, name)


def _operation(name: str) -> Operation:
    from pullback.operations.entry import Primitive

    for entry in TABLE.values():
        for meaning in entry.meanings:
            if isinstance(meaning, Primitive) and meaning.operation.name == name:
                return meaning.operation
    raise refuse(name)


def linear(terms: Sequence[tuple[Number, Value]], step: str = "sum") -> Value:
    """A linear combination, with broadcasting."""
    shape = common_shape(*(value.shape for _, value in terms))
    rest = [(n, v) for n, v in terms if known(v) != 0.0]
    if len(rest) == 1 and len(terms) > 1 and rest[0][0] == 1 and rest[0][1].shape == shape:
        return rest[0][1]
    if (inner := common_inner([value for _, value in terms])) is not None:
        return reshape(linear([(n, v) for (n, _), v in zip(terms, inner, strict=True)], step), shape)
    numbers = [exact(number) for number, _ in terms]
    shapes = [value.shape for _, value in terms]

    def make(nodes: Sequence[Node]) -> Node:
        spread = [_spread(node, have, shape) for node, have in zip(nodes, shapes, strict=True)]
        return add_nodes(zip(numbers, spread, strict=True), axes_of(shape))

    result = Value(shape, [value for _, value in terms], make, step)
    result.detail = tuple(numbers)
    return result


def add(left: Value, right: Value) -> Value:
    """Add."""
    return linear([(1, left), (1, right)])


def subtract(left: Value, right: Value) -> Value:
    """Subtract."""
    return linear([(1, left), (-1, right)])


def scale(number: Number, value: Value) -> Value:
    """A number times a value."""
    if inner_of(value) is not value:
        return reshape(scale(number, inner_of(value)), value.shape)
    square, root = rooted(number)

    def make(nodes: Sequence[Node]) -> Node:
        if root == 1:
            return scaled(square, nodes[0])
        labels = range(len(nodes[0].axes))
        surd = product([(constant(abs(square)), (), root), (nodes[0], labels, 1)], labels)
        return surd if square > 0 else scaled(-1, surd)

    return Value(value.shape, (value,), make, "scale")


def multiply(left: Value, right: Value, exponent: int = 1) -> Value:
    """Multiply entry by entry; with exponent -1, divide."""
    if (inner := common_inner([left, right])) is not None:
        return reshape(multiply(inner[0], inner[1], exponent), common_shape(left.shape, right.shape))
    for one, other, power in ((right, left, exponent), (left, right, 1)):
        if known(one) is not None and one.rank == 0 and (power == 1 or one.array) and (one is right or exponent == 1):
            number = exact(one.array)
            return scale(number if power == 1 else 1 / number, other)
    shape = common_shape(left.shape, right.shape)
    rank = len(shape)

    def labels(value: Value) -> list[int]:
        return list(range(rank - value.rank, rank))

    def made(nodes: Sequence[Node]) -> Node:
        factors = [
            (node, [k for k in labels(value) if value.shape[k - rank + value.rank] is not ONE], power)
            for node, value, power in zip(nodes, (left, right), (1, exponent), strict=True)
        ]
        kept = [k for k in range(rank) if shape[k] is not ONE]
        return product(factors, kept, {k: shape[k] for k in kept})

    return Value(shape, (left, right), made, "product" if exponent == 1 else "quotient")


def divide(left: Value, right: Value) -> Value:
    """Divide entry by entry."""
    return multiply(left, right, -1)


def power(value: Value, exponent: Number | Value) -> Value:
    """Raise every entry to a power."""
    if isinstance(exponent, Value):
        number = known(exponent)
        if number is None:
            return entrywise("power", value, exponent)
        value = broadcast_to(value, common_shape(value.shape, exponent.shape))
        exponent = number
    amount = exact(exponent)
    if inner_of(value) is not value:
        return reshape(power(inner_of(value), amount), value.shape)
    return Value(value.shape, (value,), lambda n: power_node(n[0], amount), f"power {amount}")


def permute(value: Value, order: Sequence[int]) -> Value:
    """Reorder the axes: axis k of the result is axis ``order[k]`` of the value."""
    order = [k % value.rank for k in order]
    if order == list(range(value.rank)):
        return value
    kept = [k for k in range(value.rank) if value.shape[k] is not ONE]
    inner = [kept.index(k) for k in order if k in kept]
    shape = tuple(value.shape[k] for k in order)
    return Value(shape, (value,), lambda n: permuted(n[0], inner), "transpose", fused=True)


def sum_over(value: Value, axes: Sequence[int], keep: bool = False) -> Value:
    """Sum over axes."""
    gone = {k % value.rank for k in axes}
    shape = tuple(ONE if k in gone else a for k, a in enumerate(value.shape) if keep or k not in gone)
    labels = [k for k, axis in enumerate(value.shape) if axis is not ONE]
    output = [k for k in labels if k not in gone]
    result = Value(shape, (value,), lambda n: product([(n[0], labels, 1)], output), "sum")
    result.detail = tuple(sorted(gone))
    return result


def mean_over(value: Value, axes: Sequence[int], keep: bool = False) -> Value:
    """The mean over axes."""
    total = sum_over(value, axes, keep)
    count = length_of(ONE)
    for k in {k % value.rank for k in axes}:
        count = multiply(count, length_of(value.shape[k])) if count.array != 1.0 else length_of(value.shape[k])
    return divide(total, count)


def along(name: str, value: Value, axis: int, keep: bool = True) -> Value:
    """Apply an operation on vectors (softmax, logsumexp, max, hardmax) along one axis."""
    axis %= value.rank
    operation = _operation(name)
    same = bool(operation.signature.output)
    shape = (
        value.shape if same else tuple(ONE if k == axis else a for k, a in enumerate(value.shape) if keep or k != axis)
    )
    if value.shape[axis] is ONE:
        if same:
            return filled(1, shape)
        return Value(shape, (value,), lambda n: n[0], name)
    kept = [k for k in range(value.rank) if value.shape[k] is not ONE]
    at = kept.index(axis)
    last = [*(k for k in range(len(kept)) if k != at), at]
    back = [last.index(k) for k in range(len(kept))]

    def make(nodes: Sequence[Node]) -> Node:
        result = apply(operation, [permuted(nodes[0], last)])
        return permuted(result, back) if same else result

    return Value(shape, (value,), make, name)


def structured(name: str, *values: Value) -> Value:
    """Apply an operation on matrices (inv, det, logdet, chol, expm) to the last two axes."""
    operation = _operation(name)
    first = values[0]
    lead = first.shape[:-2]
    cores = [value.shape[-len(core) :] for value, core in zip(values, operation.signature.inputs, strict=True)]
    if any(axis is ONE for core in cores for axis in core):
        raise refuse(f"{name} of a 1 x 1 matrix")
    core = tuple(operation.output(cores))
    return Value((*lead, *core), values, lambda n: apply(operation, n), name)


def matmul(left: Value, right: Value) -> Value:
    """The matrix product of NumPy's ``@``: the last two axes, the others broadcast."""
    if left.rank == 0 or right.rank == 0:
        raise ShapeError("a matrix product needs axes on both sides")
    lead = common_shape(left.shape[:-2], right.shape[:-2])
    count = len(lead)
    row, inner, column = count, count + 1, count + 2
    a = [*range(count - len(left.shape[:-2]), count), *((row, inner) if left.rank > 1 else (inner,))]
    b = [*range(count - len(right.shape[:-2]), count), *((inner, column) if right.rank > 1 else (inner,))]
    output = [*range(count), *((row,) if left.rank > 1 else ()), *((column,) if right.rank > 1 else ())]
    return contract([(left, a, 1), (right, b, 1)], output, "matrix product")


def take(value: Value, axis: int, start: int | Dimension, length: int | Dimension) -> Value:
    """A stretch of one axis."""
    axis %= value.rank
    offset, count = Dimension.of(start), Dimension.of(length)
    if count is value.shape[axis]:
        return value
    shape = tuple(count if k == axis else a for k, a in enumerate(value.shape))
    kept = [k for k in range(value.rank) if value.shape[k] is not ONE]
    at = kept.index(axis)
    last = [*(k for k in range(len(kept)) if k != at), at]
    back = [last.index(k) for k in range(len(kept))]

    def make(nodes: Sequence[Node]) -> Node:
        turned = permuted(nodes[0], last)
        if count is ONE and value.shape[axis].number is not None:
            # one entry along an axis is the product with a unit vector
            labels = range(len(kept))
            unit = _unit(offset, value.shape[axis])
            return product([(turned, labels, 1), (unit, labels[-1:], 1)], labels[:-1])
        taken = part(turned, offset, count)
        if count is ONE:
            # the stretch of length one is summed away: graphs have no axes of length one
            return _dropped(taken, range(len(taken.axes)))
        return permuted(taken, back)

    return Value(shape, (value,), make, "slice", fused=True)


def _unit(place: Dimension, length: Dimension) -> Node:
    """A vector that is one at a place and zero elsewhere."""
    return padded(broadcast(constant(1), (ONE,), ()), place, length)


def _dropped(node: Node, labels: Sequence[int]) -> Node:
    return product([(node, labels, 1)], labels[:-1])


def pad(value: Value, axis: int, before: int, after: int) -> Value:
    """Zeros before and after along one axis."""
    axis %= value.rank
    if before < 0 or after < 0:
        length = value.shape[axis].number
        if length is None:
            raise refuse("negative padding of a symbolic length")
        start, stop = max(0, -before), length - max(0, -after)
        return pad(take(value, axis, start, stop - start), axis, max(0, before), max(0, after))
    if before == after == 0:
        return value
    total = value.shape[axis] + Dimension.of(before + after)
    shape = tuple(total if k == axis else a for k, a in enumerate(value.shape))
    single = value.shape[axis] is ONE
    kept = [k for k in range(value.rank) if value.shape[k] is not ONE or k == axis]
    at = kept.index(axis)
    last = [*(k for k in range(len(kept)) if k != at), at]
    back = [last.index(k) for k in range(len(kept))]

    def make(nodes: Sequence[Node]) -> Node:
        if single:
            labels = range(len(nodes[0].axes) + 1)
            unit = _unit(Dimension.of(before), total)
            return permuted(product([(nodes[0], labels[:-1], 1), (unit, labels[-1:], 1)], labels), back)
        return permuted(padded(permuted(nodes[0], last), Dimension.of(before), total), back)

    return Value(shape, (value,), make, "pad", fused=True)


def concat(values: Sequence[Value], axis: int) -> Value:
    """Put values end to end along an axis."""
    axis %= values[0].rank
    total = Dimension.of(0)
    for value in values:
        total = total + value.shape[axis]
    offset = 0
    terms = []
    for value in values:
        length = value.shape[axis].number
        whole = total.number
        if length is None or whole is None:
            raise refuse("concatenation along a symbolic length")
        terms.append((1, pad(value, axis, offset, whole - offset - length)))
        offset += length
    return linear(terms, "concat")


def maximum(left: Value, right: Value) -> Value:
    """The larger of two; against the number 0, relu."""
    if known(left) is not None and known(right) is None:
        left, right = right, left
    if known(right) == -INFINITE:
        return broadcast_to(left, common_shape(left.shape, right.shape))
    if known(right) == 0.0:
        return entrywise("relu", broadcast_to(left, common_shape(left.shape, right.shape)))
    return entrywise("max2", left, right)


def minimum(left: Value, right: Value) -> Value:
    """The smaller of two."""
    for one, other in ((left, right), (right, left)):
        if known(other) == INFINITE:
            return broadcast_to(one, common_shape(left.shape, right.shape))
    return entrywise("min2", left, right)


def where(condition: Value, yes: Value, no: Value) -> Value:
    """Choose entry by entry; the condition is not differentiated."""
    return entrywise("where", condition, yes, no)


def greater(left: Value, right: Value) -> Value:
    """1 where the left is larger, else 0."""
    difference = (
        left if known(right) == 0.0 and left.shape == common_shape(left.shape, right.shape) else subtract(left, right)
    )
    return entrywise("step", difference)


def greater_equal(left: Value, right: Value) -> Value:
    """1 where the left is not smaller, else 0."""
    return subtract(filled(1), greater(right, left))


def different(left: Value, right: Value) -> Value:
    """1 where two are not equal."""
    return entrywise("abs", entrywise("sign", subtract(left, right)))


def zeros_of(shape: Shape) -> Value:
    """Zeros."""
    value = Value(shape, (), lambda _: zeros(axes_of(shape)), "zeros")
    value.array = 0.0
    return value


def squeeze(value: Value, axes: Sequence[int]) -> Value:
    """Drop axes of length one."""
    gone = {k % value.rank for k in axes}
    for k in sorted(gone):
        if value.shape[k] is not ONE:
            raise ShapeError(f"axis {k} has length {value.shape[k]} and can't be dropped")
    shape = tuple(a for k, a in enumerate(value.shape) if k not in gone)
    return Value(shape, (value,), lambda n: n[0], "squeeze", fused=True)


def unsqueeze(value: Value, axis: int) -> Value:
    """Put in an axis of length one."""
    axis %= value.rank + 1
    shape = (*value.shape[:axis], ONE, *value.shape[axis:])
    return Value(shape, (value,), lambda n: n[0], "unsqueeze", fused=True)
