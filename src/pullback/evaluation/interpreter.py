"""Computes a graph node by node: the plain reading that every faster plan must agree with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from pullback.errors import ValuesError
from pullback.evaluation.contraction import contract
from pullback.evaluation.memory import memory, require
from pullback.operations.entry import Primitive
from pullback.operations.table import TABLE
from pullback.tensor.node import Apply, Node, Product, Sum, Unknown, Variable, approximate, topological
from pullback.tensor.reshape import Linear

_A_STEP = "a step on the way"

_VALUES = {
    meaning.operation.name: meaning.value
    for entry in TABLE.values()
    for meaning in entry.meanings
    if isinstance(meaning, Primitive)
} | {"pi": lambda: math.pi}


def interpret(
    roots: Iterable[Node],
    arrays: Mapping[Variable, Any],
    sizes: Mapping[str, int],
    functions: Mapping[str, Any] | None = None,
) -> list[Any]:
    """Compute nodes.

    Args:
        roots: What to compute.
        arrays: The variables.
        sizes: The dimension names.
        functions: What functions known by name only are, their derivatives ``f'`` too.

    Raises:
        ValuesError: A matrix is singular, or not positive definite where it must be.
    """
    import numpy as np

    roots = list(roots)
    kinds = [array.dtype for array in arrays.values()]
    dtype = np.result_type(*kinds) if kinds else np.dtype(np.float64)
    done: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in topological(roots):
            if not isinstance(node, Variable):
                require([axis.evaluate(sizes) for axis in node.axes], _A_STEP)
            with memory(_A_STEP):
                done[node] = _compute(node, done, arrays, sizes, dtype, functions or {})
    return [done[root] for root in roots]


def _compute(
    node: Node,
    done: Mapping[Node, Any],
    arrays: Mapping[Variable, Any],
    sizes: Mapping[str, int],
    dtype: Any,
    functions: Mapping[str, Any],
) -> Any:
    import numpy as np

    if isinstance(node, Variable):
        return arrays[node]
    if isinstance(node, Product):
        lengths = [axis.evaluate(sizes) for axis in node.dimensions]
        factors = [(done[f.node], f.indices, f.exponent) for f in node.factors]
        return contract(factors, node.output, lengths, dtype)
    if isinstance(node, Sum):
        total = np.zeros(tuple(axis.evaluate(sizes) for axis in node.axes), dtype=dtype)
        for coefficient, term in node.terms:
            total = total + (done[term] if coefficient == 1 else approximate(coefficient) * done[term])
        return total
    assert isinstance(node, Apply)
    inputs = [done[argument] for argument in node.arguments]
    if isinstance(node.operation, Linear):
        return node.operation.evaluate(inputs[0], sizes)
    if isinstance(node.operation, Unknown):
        name = node.operation.name
        function = functions.get(name)
        if not callable(function):
            problem = "has no value" if function is None else "is a function, and its value is none"
            raise ValuesError(f"{name} {problem}", hint=f'give a Python function: {{"{name}": …}}')
        result = np.asarray(function(*inputs))
        if result.shape != inputs[0].shape:
            raise ValuesError(f"{name} gives {result.shape} of {inputs[0].shape}; it works entry by entry")
        return result
    try:
        return np.asarray(_VALUES[node.operation.name](*inputs))
    except np.linalg.LinAlgError as error:
        raise ValuesError(f"{node.operation.name} can't be computed here: {str(error).lower()}") from None
