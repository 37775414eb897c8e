"""Values of SymPy's matrix and array expressions, in NumPy: every node by its definition.

SymPy's own ``as_explicit`` goes through symbolic entries and takes minutes where this takes none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any

import numpy as np

from tests.corpus.loading import Array, _erf


def nodes(expression: Any) -> Iterator[Any]:
    """Every node of an expression, those inside functions and permutations too."""
    yield expression
    for argument in getattr(expression, "args", ()):
        yield from nodes(argument)


def is_matrix_form(result: Any) -> bool:
    """Whether a result is in matrix notation: no array, no index and no permutation of axes in it."""
    return not any(
        str(type(node).__module__).startswith("sympy.tensor")
        or type(node).__name__ in ("MatrixElement", "Sum", "ElementwiseSum")
        for node in nodes(result)
    )


Functions = Mapping[str, Callable[[Array], Array]]


class Evaluator:
    """Values of expressions, given those of the symbols (a vector is one column) and of the dimensions."""

    def __init__(self, values: Mapping[str, Array], sizes: Mapping[str, int], functions: Functions) -> None:
        self.values, self.sizes, self.functions = values, sizes, functions

    def size(self, expression: Any) -> int:
        return int(self(expression))

    def __call__(self, e: Any, scope: Mapping[Any, Any] | None = None) -> Any:
        scope = scope or {}
        name = type(e).__name__
        if getattr(e, "is_Number", False) or name in ("Pi", "Exp1", "Half", "One", "Zero", "NegativeOne"):
            return float(e)
        if e in scope:
            return scope[e]
        rule = getattr(self, f"_{name}", None)
        if rule is not None:
            return rule(e, scope)
        if len(getattr(e, "args", ())) == 1 and name in _ENTRYWISE:
            return _ENTRYWISE[name](self(e.args[0], scope))
        if name in self.functions:
            return self.functions[name](np.asarray(self(e.args[0], scope), dtype=float))
        raise NotImplementedError(f"no value for {name}")

    # symbols and numbers

    def _Symbol(self, e: Any, scope: Any) -> Any:
        if e.name in self.values:
            return float(np.asarray(self.values[e.name]).reshape(()))
        return self.sizes[e.name]

    def _MatrixSymbol(self, e: Any, scope: Any) -> Array:
        array = np.asarray(self.values[e.name])
        return array.reshape([self.size(d) for d in e.shape])

    def _Add(self, e: Any, scope: Any) -> Any:
        return reduce(lambda a, b: a + b, [_plain(self(a, scope)) for a in e.args])

    def _Mul(self, e: Any, scope: Any) -> Any:
        return reduce(lambda a, b: a * b, [_plain(self(a, scope)) for a in e.args])

    def _Pow(self, e: Any, scope: Any) -> Any:
        base, exponent = (_plain(self(a, scope)) for a in e.args)
        return np.power(np.asarray(base, dtype=float), exponent)

    def _Max(self, e: Any, scope: Any) -> Any:
        return reduce(np.maximum, [self(a, scope) for a in e.args])

    def _Heaviside(self, e: Any, scope: Any) -> Any:
        middle = self(e.args[1], scope) if len(e.args) > 1 else 0.5
        return np.heaviside(self(e.args[0], scope), middle)

    def _Piecewise(self, e: Any, scope: Any) -> Any:
        raise NotImplementedError("no value for Piecewise")

    def _Derivative(self, e: Any, scope: Any) -> Any:
        inner, (variable, order) = e.args[0], e.args[1]
        if type(inner).__name__ not in self.functions or inner.args != (variable,):
            raise NotImplementedError("no value for Derivative")
        return self.functions[type(inner).__name__ + "'" * int(order)](np.asarray(self(variable, scope), dtype=float))

    def _Subs(self, e: Any, scope: Any) -> Any:
        inner, variables, points = e.args
        return self(inner, {**scope, **{v: self(p, scope) for v, p in zip(variables, points, strict=True)}})

    def _Sum(self, e: Any, scope: Any) -> Any:
        return self.summed(e.args[0], list(e.args[1:]), scope)

    def summed(self, body: Any, limits: list[Any], scope: Any) -> Any:
        """A sum over indices, the last one outermost."""
        if not limits:
            return self(body, scope)
        index, low, high = limits[-1]
        over = range(int(self(low, scope)), int(self(high, scope)) + 1)
        return sum(self.summed(body, limits[:-1], {**scope, index: k}) for k in over)

    def _KroneckerDelta(self, e: Any, scope: Any) -> float:
        return float(self(e.args[0], scope) == self(e.args[1], scope))

    # matrices

    def _MatAdd(self, e: Any, scope: Any) -> Array:
        return reduce(lambda a, b: a + b, [self.matrix(a, scope) for a in e.args])

    def _MatMul(self, e: Any, scope: Any) -> Array:
        scale, result = 1.0, None
        for argument in e.args:
            value = np.asarray(self(argument, scope))
            if value.ndim == 0:
                scale = scale * float(value)
            else:
                result = value if result is None else result @ value
        assert result is not None
        return np.asarray(scale * result)

    def matrix(self, e: Any, scope: Any) -> Array:
        value = np.asarray(self(e, scope))
        if value.ndim != 2:
            raise NotImplementedError(f"a sum of a matrix and a {value.ndim}-axis {type(e).__name__}")
        return value

    def _MatPow(self, e: Any, scope: Any) -> Array:
        base, exponent = np.asarray(self(e.args[0], scope)), self(e.args[1], scope)
        if base.shape == (1, 1):
            return np.asarray(np.power(base, exponent))
        if exponent != int(exponent):
            raise NotImplementedError("a fractional power of a matrix")
        return np.linalg.matrix_power(base, int(exponent))

    def _Inverse(self, e: Any, scope: Any) -> Array:
        return np.asarray(np.linalg.inv(self(e.args[0], scope)))

    def _Transpose(self, e: Any, scope: Any) -> Array:
        return np.asarray(self(e.args[0], scope)).T

    def _Trace(self, e: Any, scope: Any) -> float:
        return float(np.trace(self(e.args[0], scope)))

    def _Determinant(self, e: Any, scope: Any) -> float:
        return float(np.linalg.det(self(e.args[0], scope)))

    def _Identity(self, e: Any, scope: Any) -> Array:
        return np.eye(self.size(e.args[0]))

    def _OneMatrix(self, e: Any, scope: Any) -> Array:
        return np.ones([self.size(d) for d in e.shape])

    def _ZeroMatrix(self, e: Any, scope: Any) -> Array:
        return np.zeros([self.size(d) for d in e.shape])

    _OneArray, _ZeroArray = _OneMatrix, _ZeroMatrix

    def _HadamardProduct(self, e: Any, scope: Any) -> Any:
        return reduce(lambda a, b: a * b, [self(a, scope) for a in e.args])

    def _HadamardPower(self, e: Any, scope: Any) -> Any:
        return np.power(np.asarray(self(e.args[0], scope), dtype=float), self(e.args[1], scope))

    def _KroneckerProduct(self, e: Any, scope: Any) -> Array:
        return reduce(np.kron, [np.asarray(self(a, scope)) for a in e.args])

    def _ElementwiseApplyFunction(self, e: Any, scope: Any) -> Any:
        return self.applied(e.args[0], np.asarray(self(e.args[1], scope), dtype=float), scope)

    _ArrayElementwiseApplyFunc = _ElementwiseApplyFunction

    def applied(self, function: Any, x: Array, scope: Any) -> Any:
        if type(function).__name__ in ("Lambda", "IdentityFunction"):
            (variable,) = function.variables
            return np.broadcast_to(np.asarray(self(function.expr, {**scope, variable: x}), dtype=float), x.shape)
        name = getattr(function, "__name__", str(function))
        known = self.functions.get(name) or _ENTRYWISE.get(name)
        if known is None:
            raise NotImplementedError(f"no value for the function {name}")
        return known(x)

    def _DiagMatrix(self, e: Any, scope: Any) -> Array:
        return np.diag(np.asarray(self(e.args[0], scope)).reshape(-1))

    def _DiagonalMatrix(self, e: Any, scope: Any) -> Array:
        return np.diag(np.diag(self(e.args[0], scope)))

    def _DiagonalOf(self, e: Any, scope: Any) -> Array:
        return np.diag(self(e.args[0], scope))[:, None]

    def _BlockMatrix(self, e: Any, scope: Any) -> Array:
        rows, columns = e.blockshape
        return np.block([[self(e.blocks[i, j], scope) for j in range(columns)] for i in range(rows)])

    def _MatrixElement(self, e: Any, scope: Any) -> float:
        array = np.asarray(self(e.args[0], scope))
        return float(array[int(self(e.args[1], scope)), int(self(e.args[2], scope))])

    # arrays

    def _ArrayTensorProduct(self, e: Any, scope: Any) -> Array:
        return reduce(lambda a, b: np.multiply.outer(a, b), [np.asarray(self(a, scope)) for a in e.args])

    def _ArrayAdd(self, e: Any, scope: Any) -> Array:
        terms = [np.asarray(self(a, scope)) for a in e.args]
        if len({term.shape for term in terms}) > 1:
            raise NotImplementedError("a sum of arrays of different shapes")
        return reduce(lambda a, b: a + b, terms)

    def _PermuteDims(self, e: Any, scope: Any) -> Array:
        return np.transpose(self(e.args[0], scope), e.permutation.array_form)

    def _ArrayContraction(self, e: Any, scope: Any) -> Array:
        array = np.asarray(self(e.args[0], scope))
        groups = [tuple(map(int, group)) for group in e.contraction_indices]
        return self.joined(array, groups, kept=False)

    def _ArrayDiagonal(self, e: Any, scope: Any) -> Array:
        array = np.asarray(self(e.args[0], scope))
        groups = [tuple(map(int, group)) for group in e.diagonal_indices]
        return self.joined(array, groups, kept=True)

    @staticmethod
    def joined(array: Array, groups: list[tuple[int, ...]], kept: bool) -> Array:
        labels = list(range(array.ndim))
        for group in groups:
            for axis in group:
                labels[axis] = group[0]
        inside = {axis for group in groups for axis in group}
        left = [axis for axis in range(array.ndim) if axis not in inside]
        wanted = left + ([group[0] for group in groups] if kept else [])
        operands: list[Any] = [array, labels, wanted]
        return np.asarray(np.einsum(*operands))

    def _Reshape(self, e: Any, scope: Any) -> Array:
        return np.reshape(self(e.args[0], scope), [self.size(d) for d in e.shape])


def _plain(value: Any) -> Any:
    """A matrix of one entry as a number, where SymPy multiplied it as one."""
    array = np.asarray(value)
    return array.reshape(())[()] if array.shape == (1, 1) else value


_ENTRYWISE: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(np, name) for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "sign")},
    "Abs": np.abs,
    "erf": lambda x: _erf(np.asarray(x, dtype=float)),
    "DiracDelta": lambda x: np.where(np.asarray(x) == 0, math.inf, 0.0),
}
