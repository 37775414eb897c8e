"""Jacobians and Hessians as operators: ``dense()``, ``@ v``, ``solve`` and SciPy's ``LinearOperator``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from pullback.compiling import Compiled, Task
from pullback.compressed.structure import Piece, terms_of
from pullback.errors import ShapeError, ValuesError
from pullback.expression import Expression
from pullback.lowering.program import Input
from pullback.tensor.add import add
from pullback.tensor.node import Node
from pullback.tensor.product import permuted, product

_VECTOR = "compressed v"
"""The input that stands for a vector; no name of a program has a space."""


class Operator:
    """A Jacobian or Hessian that is computed only as far as it is asked for.

    ``columns`` is the number of axes that a vector has: those of the variable by which was differentiated last.

    >>> import numpy as np, pullback as pb
    >>> H = Operator(pb.hessian("norm(T - U V')^2", "U"), columns=2)
    >>> at = H.at(U=np.ones((3, 2)), V=np.ones((4, 2)), T=np.zeros((3, 4)))
    >>> at.core[0].shape, at.shape, (at @ np.ones((3, 2))).shape
    ((2, 2), (3, 2, 3, 2), (3, 2))
    """

    def __init__(self, expression: Expression, columns: int, backend: str = "numpy", reuse: bool = False) -> None:
        self.expression = expression
        self.columns = columns
        self.pieces = terms_of(expression.node)
        task = Task(expression.inputs, ((expression.node, expression.axes),), "{0}")
        nodes = [(part, part.axes) for piece in self.pieces for part, _ in piece.parts]
        listed = "[" + ", ".join(f"{{{k}}}" for k in range(len(nodes))) + "]"
        self._dense = Compiled(task, backend, reuse)
        self._core = Compiled(Task(expression.inputs, tuple(nodes), listed), backend, reuse)
        self._product = Compiled(self._product_task(expression.node, turned=False), backend, reuse)
        rank = len(expression.node.axes)
        rows = rank - sum(1 for axis in expression.axes[len(expression.axes) - columns :] if axis.number != 1)
        turned = permuted(expression.node, (*range(rows, rank), *range(rows)))
        self._turned = Compiled(self._product_task(turned, turned=True), backend, reuse)

    def _product_task(self, node: Node, turned: bool) -> Task:
        """The product with a vector as a program of its own: no dense matrix is in it."""
        axes, cut = self.expression.axes, len(self.expression.axes) - self.columns
        rows, columns = (axes[cut:], axes[:cut]) if turned else (axes[:cut], axes[cut:])
        vector = Input(_VECTOR, columns, frozenset())
        applied = _applied(node, vector.variable, sum(1 for axis in rows if axis.number != 1))
        return Task({**self.expression.inputs, _VECTOR: vector}, ((applied, rows),), "{0}")

    def __repr__(self) -> str:
        return f"<Operator {str(self.expression)!r}>"

    def at(self, **values: Any) -> Evaluated:
        """The operator at values of the inputs."""
        return Evaluated(self, values)

    @property
    def factors(self) -> Callable[..., list[Any]]:
        """The function that computes the core alone, by keyword."""
        return self._core.function


def _applied(node: Node, vector: Node, rows: int) -> Node:
    """Multiply by a vector, term by term, so that every delta meets it."""
    from pullback.tensor.node import Sum

    labels = tuple(range(len(node.axes)))
    if isinstance(node, Sum):
        return add([(t.coefficient, _applied(t.node, vector, rows)) for t in node.terms], node.axes[:rows])
    return product([(node, labels, 1), (vector, labels[rows:], 1)], labels[:rows])


class Evaluated:
    """An operator at a point."""

    def __init__(self, operator: Operator, values: Mapping[str, Any]) -> None:
        self.operator = operator
        self.values = dict(values)
        self._core: list[Any] | None = None
        self._shape: tuple[int, ...] | None = None

    @property
    def core(self) -> list[Any]:
        """The arrays that it is made of; see ``pieces`` of the operator for how."""
        if self._core is None:
            self._core = self.operator._core(**self.values)
        return self._core

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the dense array."""
        if self._shape is None:
            task = self.operator._dense.task
            from pullback.evaluation.binding import bind

            bound = bind(task.inputs, self.values, [], task.dimensions(), keep_type=True)
            self._shape = tuple(axis.evaluate(bound.sizes) for axis in self.operator.expression.axes)
        return self._shape

    def dense(self) -> Any:
        """The whole array."""
        return self.operator._dense(**self.values)

    def __repr__(self) -> str:
        return f"<Operator of {' x '.join(map(str, self.shape))} at a point>"

    def __matmul__(self, vector: Any) -> Any:
        """The product with a vector of the variable's shape, or flat."""
        wanted = self.shape[len(self.shape) - self.operator.columns :]
        return self._apply(self.operator._product, vector, wanted, "columns")

    def transposed_product(self, vector: Any) -> Any:
        """The product of the transpose with a vector of the output's shape, or flat."""
        wanted = self.shape[: len(self.shape) - self.operator.columns]
        return self._apply(self.operator._turned, vector, wanted, "rows")

    def _apply(self, function: Compiled, vector: Any, wanted: tuple[int, ...], what: str) -> Any:
        import numpy as np

        given = np.asarray(vector)
        if given.size != prod(wanted):
            raise ShapeError(f"the vector has {given.size} entries, the operator {prod(wanted)} {what}")
        found = function(**self.values, **{_VECTOR: given.reshape(wanted)})
        return found.reshape(-1) if given.shape != wanted else found

    def solve(self, right: Any) -> Any:
        """Solve for a vector: by entries where it is diagonal, by its core where an identity stands beside it."""
        import numpy as np

        right = np.asarray(right, dtype=np.float64)
        shape = self.shape
        rows, columns = shape[: len(shape) - self.operator.columns], shape[len(shape) - self.operator.columns :]
        if prod(rows) != prod(columns):
            raise ShapeError(f"the operator has {prod(rows)} rows and {prod(columns)} columns: it has no inverse")
        if right.size != prod(rows):
            raise ShapeError(f"the right side has {right.size} entries, the operator {prod(rows)} rows")
        flat = right.reshape(rows)
        piece = self._kronecker()
        try:
            if piece is not None:
                return self._solve_core(piece, flat).reshape(right.shape)
            matrix = self.dense().reshape(prod(rows), -1)
            return np.linalg.solve(matrix, flat.reshape(-1)).reshape(right.shape)
        except np.linalg.LinAlgError as error:
            raise ValuesError(f"this can't be solved here: {str(error).lower()}") from None

    def _kronecker(self) -> Piece | None:
        """The one term, if some of its rows are tied to columns."""
        pieces, rank = self.operator.pieces, len(self.shape)
        half = rank // 2
        if len(pieces) != 1 or len(pieces[0].output) != rank or rank != 2 * self.operator.columns:
            return None
        output = pieces[0].output
        tied = [k for k in range(half) if output[k] == output[half + k]]
        loose = [output[k] for k in range(rank) if k % half not in tied]
        return (
            pieces[0] if tied and len(set(loose)) == len(loose) and not set(loose) & {output[k] for k in tied} else None
        )

    def _solve_core(self, piece: Piece, right: Any) -> Any:
        import numpy as np

        half = right.ndim
        output = piece.output
        tied = [k for k in range(half) if output[k] == output[half + k]]
        loose = [k for k in range(half) if k not in tied]
        lengths = dict(zip(output, self.shape, strict=True))
        order = [*(output[k] for k in tied), *(output[k] for k in loose), *(output[half + k] for k in loose)]
        arguments: list[Any] = []
        for array, (_, labels) in zip(self.core, piece.parts, strict=True):
            arguments += [array, list(labels)]
        used = {label for _, labels in piece.parts for label in labels}
        kept = [label for label in order if label in used]
        core = np.einsum(*arguments, kept) if arguments else np.ones(())
        core = core.reshape([lengths[x] if x in used else 1 for x in order]) * float(piece.coefficient)
        lead = [lengths[output[k]] for k in tied]
        size = prod(lengths[output[k]] for k in loose)
        core = core.reshape([*core.shape[: len(tied)], size, size]) if loose else core
        turned = right.transpose([*tied, *loose]).reshape([*lead, size])
        if not loose:
            if not np.all(core):
                raise np.linalg.LinAlgError("Singular matrix")
            found = turned[..., 0] / core
        elif all(n == 1 for n in core.shape[: len(tied)]):
            found = np.linalg.solve(core.reshape(size, size), turned.reshape(-1, size).T).T
        else:
            found = np.linalg.solve(np.broadcast_to(core, [*lead, size, size]), turned[..., None])[..., 0]
        found = found.reshape([*lead, *(lengths[output[k]] for k in loose)])
        return found.transpose(np.argsort([*tied, *loose]))

    def linear_operator(self) -> Any:
        """A ``scipy.sparse.linalg.LinearOperator`` of the flattened rows and columns."""
        import numpy as np
        from scipy.sparse.linalg import LinearOperator  # type: ignore[import-untyped]

        rows = prod(self.shape[: len(self.shape) - self.operator.columns])
        return LinearOperator(
            (rows, prod(self.shape[len(self.shape) - self.operator.columns :])),
            matvec=lambda v: self @ np.ravel(v),
            rmatvec=lambda u: self.transposed_product(np.ravel(u)),
            dtype=np.float64,
        )
