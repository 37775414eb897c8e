"""Derivatives by the free entries of a structured matrix (Matrix Cookbook, section 2.8).

With A_ij and A_ji one number, the derivative by it collects both: G + G' - diag(diag(G)) (equation 138).
A diagonal matrix has its diagonal free, a triangular one its triangle.
"""

from __future__ import annotations

from pullback.errors import UnsupportedError
from pullback.lowering.program import Input
from pullback.operations.table import TABLE
from pullback.tensor.add import add
from pullback.tensor.apply import apply
from pullback.tensor.node import Node, Operation
from pullback.tensor.product import product, transposed


def restrict(gradient: Node, variable: Input) -> Node:
    """Collect a plain gradient over the entries that are one and the same number.

    Raises:
        UnsupportedError: The free entries of the property are not known (orthogonal).
    """
    facts = variable.properties
    if len(gradient.axes) != 2:
        return gradient
    diagonal = product([(gradient, (0, 0), 1)], (0, 0))
    if "diagonal" in facts:
        return diagonal
    if facts & {"symmetric", "spd"}:
        return add([(1, gradient), (1, transposed(gradient)), (-1, diagonal)], gradient.axes)
    if "lower" in facts:
        return apply(_tril(), [gradient])
    if "upper" in facts:
        return transposed(apply(_tril(), [transposed(gradient)]))
    if "orthogonal" in facts:
        message = f"{variable.name} is orthogonal: its entries are not free, and no structured derivative is derived"
        raise UnsupportedError(message, hint="leave structured out for the plain derivative")
    return gradient


def _tril() -> Operation:
    primitive = TABLE["tril"].primitive
    assert primitive is not None
    return primitive.operation
