"""NumPy's products and linear algebra."""

from __future__ import annotations

from typing import Any

from pullback.errors import ShapeError
from pullback.tracing import ops
from pullback.tracing.array import Array, arrays, as_value
from pullback.tracing.array_functions.moving import reshape
from pullback.tracing.array_functions.reducing import axes_of, total
from pullback.tracing.array_functions.registry import FUNCTIONS, binary, define, plain, unary
from pullback.tracing.einsum import einsum
from pullback.tracing.tape import refuse

binary("matmul", ops.matmul)
FUNCTIONS["linalg.matmul"] = FUNCTIONS["matmul"]
unary("linalg.inv", lambda x: ops.structured("inv", x))
unary("linalg.det", lambda x: ops.structured("det", x))
unary("linalg.cholesky", lambda x: ops.structured("chol", x))
unary("expm", lambda x: ops.structured("expm", x))


@define("dot")
def _dot(a: Any, b: Any, **options: Any) -> Array:
    plain("dot", options)
    recording = arrays([a, b])
    left, right = as_value(a, recording), as_value(b, recording)
    if left.rank == 0 or right.rank == 0:
        return Array(ops.multiply(left, right), recording)
    if right.rank > 2:
        raise refuse("numpy.dot with more than two axes on the right", hint="write @ or einsum")
    return Array(ops.matmul(left, right), recording)


@define("linalg.multi_dot")
def _multi_dot(parts: Any) -> Array:
    result = parts[0]
    for part in parts[1:]:
        result = _dot(result, part)
    assert isinstance(result, Array)
    return result


@define("matvec")
def _matvec(a: Any, x: Any) -> Array:
    recording = arrays([a, x])
    column = ops.unsqueeze(as_value(x, recording), -1)
    return Array(ops.squeeze(ops.matmul(as_value(a, recording), column), [-1]), recording)


@define("vecmat")
def _vecmat(x: Any, a: Any) -> Array:
    recording = arrays([a, x])
    value = as_value(x, recording)
    row = ops.unsqueeze(value, value.rank - 1)
    return Array(ops.squeeze(ops.matmul(row, as_value(a, recording)), [-2]), recording)


@define("inner")
def _inner(a: Any, b: Any) -> Array:
    recording = arrays([a, b])
    left, right = as_value(a, recording), as_value(b, recording)
    if left.rank == 0 or right.rank == 0:
        return Array(ops.multiply(left, right), recording)
    first = list(range(left.rank))
    second = list(range(left.rank, left.rank + right.rank))
    second[-1] = first[-1]
    return Array(ops.contract([(left, first, 1), (right, second, 1)], [*first[:-1], *second[:-1]], "inner"), recording)


@define("vdot")
def _vdot(a: Any, b: Any) -> Array:
    recording = arrays([a, b])
    left, right = (reshape(Array(as_value(x, recording), recording), -1) for x in (a, b))
    return total(left * right)


@define("vecdot", "linalg.vecdot")
def _vecdot(a: Any, b: Any, axis: int = -1) -> Array:
    recording = arrays([a, b])
    return total(Array(as_value(a, recording), recording) * b, axis)


@define("outer", "linalg.outer")
def _outer(a: Any, b: Any, **options: Any) -> Array:
    plain("outer", options)
    recording = arrays([a, b])
    left, right = (reshape(Array(as_value(x, recording), recording), -1).value for x in (a, b))
    return Array(ops.contract([(left, [0], 1), (right, [1], 1)], [0, 1], "outer product"), recording)


@define("einsum")
def _einsum(text: Any, *operands: Any, **options: Any) -> Array:
    plain("einsum", options)
    if not isinstance(text, str):
        raise refuse("einsum without a text of letters", hint="write einsum('ij,jk->ik', a, b)")
    recording = arrays(operands)
    return Array(einsum(text, *(as_value(o, recording) for o in operands)), recording)


@define("tensordot", "linalg.tensordot")
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Array:
    recording = arrays([a, b])
    left, right = as_value(a, recording), as_value(b, recording)
    if isinstance(axes, int):
        axes = (list(range(left.rank - axes, left.rank)), list(range(axes)))
    first = [axes[0]] if isinstance(axes[0], int) else list(axes[0])
    second = [axes[1]] if isinstance(axes[1], int) else list(axes[1])
    if len(first) != len(second):
        raise ShapeError("tensordot needs as many axes of the one as of the other")
    a_labels = list(range(left.rank))
    b_labels = list(range(left.rank, left.rank + right.rank))
    for i, j in zip(first, second, strict=True):
        b_labels[j % right.rank] = a_labels[i % left.rank]
    summed = {a_labels[i % left.rank] for i in first}
    output = [k for k in (*a_labels, *b_labels) if k not in summed]
    return Array(ops.contract([(left, a_labels, 1), (right, b_labels, 1)], output, "tensordot"), recording)


def _diagonal_labels(x: Array, offset: int, axis1: int, axis2: int) -> tuple[list[int], list[int]]:
    """Labels that take the diagonal of two axes, and the labels of the others."""
    if offset:
        raise refuse("a diagonal with an offset")
    first, second = axis1 % x.ndim, axis2 % x.ndim
    labels = list(range(x.ndim))
    labels[second] = first
    return labels, [k for k in range(x.ndim) if k not in (first, second)]


@define("trace")
def _trace(x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1, **options: Any) -> Array:
    plain("trace", options)
    labels, rest = _diagonal_labels(x, offset, axis1, axis2)
    return Array(ops.contract([(x.value, labels, 1)], rest, "trace"), x.recording)


@define("diagonal")
def _diagonal(x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    labels, rest = _diagonal_labels(x, offset, axis1, axis2)
    return Array(ops.contract([(x.value, labels, 1)], [*rest, axis1 % x.ndim], "diagonal"), x.recording)


@define("linalg.trace")
def _linalg_trace(x: Array, *, offset: int = 0, **options: Any) -> Array:
    return _trace(x, offset, -2, -1, **options)


@define("linalg.diagonal")
def _linalg_diagonal(x: Array, *, offset: int = 0) -> Array:
    return _diagonal(x, offset, -2, -1)


@define("diag")
def _diag(x: Array, k: int = 0) -> Array:
    if k:
        raise refuse("numpy.diag off the main diagonal")
    output = [0, 0] if x.ndim == 1 else [0]
    labels = [0] if x.ndim == 1 else [0, 0]
    return Array(ops.contract([(x.value, labels, 1)], output, "diag"), x.recording)


@define("kron")
def _kron(a: Any, b: Any) -> Array:
    recording = arrays([a, b])
    left, right = as_value(a, recording), as_value(b, recording)
    if left.rank != right.rank or left.rank not in (1, 2):
        raise refuse("numpy.kron of arrays with different numbers of axes")
    rank = left.rank
    first, second = [2 * k for k in range(rank)], [2 * k + 1 for k in range(rank)]
    apart = ops.contract([(left, first, 1), (right, second, 1)], list(range(2 * rank)), "kron")
    shape = tuple(a * b for a, b in zip(left.shape, right.shape, strict=True))
    return Array(ops.reshape(apart, shape), recording)


@define("linalg.solve")
def _solve(a: Any, b: Any) -> Array:
    recording = arrays([a, b])
    return Array(ops.matmul(ops.structured("inv", as_value(a, recording)), as_value(b, recording)), recording)


@define("linalg.slogdet")
def _slogdet(a: Array) -> tuple[Array, Array]:
    one = Array(ops.filled(1), a.recording)
    return one, Array(ops.structured("logdet", a.value), a.recording)


@define("linalg.matrix_power")
def _matrix_power(a: Array, n: int) -> Array:
    if not 1 <= n <= 32:
        raise refuse(f"a matrix power of {n}")
    result = a.value
    for _ in range(n - 1):
        result = ops.matmul(result, a.value)
    return Array(result, a.recording)


@define("linalg.norm")
def _norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:
    axes = axes_of(x, axis)
    of_vector = len(axes) == 1
    if ord == 1 and of_vector:
        return total(abs(x), axis, keepdims=keepdims)
    if ord is None or (ord == 2 and of_vector) or (ord == "fro" and len(axes) == 2):
        return total(x * x, axis, keepdims=keepdims) ** 0.5
    raise refuse(f"the norm of order {ord}")


@define("linalg.vector_norm")
def _vector_norm(x: Array, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:
    if ord == 1:
        return total(abs(x), axis, keepdims=keepdims)
    if ord != 2:
        raise refuse(f"the norm of order {ord}")
    return total(x * x, axis, keepdims=keepdims) ** 0.5


@define("linalg.matrix_norm")
def _matrix_norm(x: Array, *, keepdims: bool = False, ord: Any = "fro") -> Array:
    if ord != "fro":
        raise refuse(f"the matrix norm of order {ord}")
    return total(x * x, (-2, -1), keepdims=keepdims) ** 0.5
