"""Values of tensorgrad's tensors in NumPy: every node by its definition, in float64.

tensorgrad's own ``evaluate`` and its compiled programs need PyTorch's named tensors, which PyTorch 2.13
no longer has; and its ``evaluate`` computes reciprocals in float32.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tests.corpus.loading import Array, _erf

Named = tuple[Array, tuple[str, ...]]
Functions = Mapping[str, Callable[[Array], Array]]


class Evaluator:
    """Values of tensors, given those of the variables and of the dimensions."""

    def __init__(self, values: Mapping[str, Array], sizes: Mapping[Any, int], functions: Functions) -> None:
        self.values, self.sizes, self.functions = values, sizes, functions

    def __call__(self, tensor: Any, edges: tuple[str, ...]) -> Array:
        return _ordered(self.value(tensor), edges)

    def value(self, t: Any) -> Named:
        rule = getattr(self, f"_{type(t).__name__}", None)
        if rule is None:
            raise NotImplementedError(f"no value for {type(t).__name__}")
        array, edges = rule(t)
        return np.asarray(array, dtype=float), edges

    def lengths(self, t: Any) -> dict[str, int]:
        return {edge: self.size(symbol) for edge, symbol in t.shape.items()}

    def size(self, symbol: Any) -> int:
        return self.sizes[symbol] if symbol in self.sizes else int(symbol)

    def _Variable(self, t: Any) -> Named:
        return np.asarray(self.values[t.name]), tuple(t.edges)

    def _Rename(self, t: Any) -> Named:
        array, edges = self.value(t.tensor)
        return array, tuple(t.mapping.get(edge, edge) for edge in edges)

    def _Delta(self, t: Any) -> Named:
        size, edges = self.size(t.size), tuple(t.edges)
        if not edges:
            return np.asarray(float(size)), ()
        array = np.zeros([size] * len(edges))
        array[(np.arange(size),) * len(edges)] = 1
        return array, edges

    def _Zero(self, t: Any) -> Named:
        lengths = self.lengths(t)
        return np.zeros(tuple(lengths.values())), tuple(lengths)

    def _Affine(self, t: Any) -> Named:
        lengths = self.lengths(t)
        array = np.zeros(tuple(lengths.values()))
        for place in itertools.product(*map(range, lengths.values())):
            at = dict(zip(lengths, place, strict=True))
            array[place] = all(
                sum(self.expression(c) * at[edge] for edge, c in coefficients.items()) == self.expression(constant)
                for coefficients, constant in t.rows
            )
        return array, tuple(lengths)

    def expression(self, e: Any) -> int:
        return int(e.subs({s: self.size(s) for s in e.free_symbols}))

    def _Sum(self, t: Any) -> Named:
        lengths = self.lengths(t)
        edges = tuple(lengths)
        total = np.zeros(tuple(lengths.values()))
        for weight, term in zip(t.weights, t.terms, strict=True):
            array, own = self.value(term)
            array = _ordered((array, own), tuple(edge for edge in edges if edge in own))
            total = total + float(weight) * array.reshape([lengths[e] if e in own else 1 for e in edges])
        return total, edges

    def _Product(self, t: Any) -> Named:
        labels: dict[str, int] = {}
        parts: list[Any] = []
        for factor in t.factors:
            array, edges = self.value(factor)
            parts += [array, [labels.setdefault(edge, len(labels)) for edge in edges]]
        edges = tuple(t.edges)
        if not parts:
            return np.asarray(1.0), edges
        return np.asarray(np.einsum(*parts, [labels[edge] for edge in edges], optimize=True)), edges

    def _Function(self, t: Any) -> Named:
        return self.applied(t.signature, [self.value(x) for x in t.inputs])

    def applied(self, signature: Any, inputs: list[Named]) -> Named:
        kind, (array, edges) = type(signature).__name__.strip("_"), inputs[0]
        consumed = tuple(sorted(signature.inputs[0]))
        left = tuple(edge for edge in edges if edge not in consumed)
        if kind == "PowerFunction":
            return np.power(array, float(signature.k)), edges
        if kind == "LogFunction":
            return np.log(array), edges
        if kind == "ScaleFunction":
            value, out = self.applied(signature.inner, inputs)
            return float(signature.alpha) * value, out
        if kind == "RenameFunction":
            value, out = self.applied(signature.inner, inputs)
            return value, tuple(signature.renames.get(edge, edge) for edge in out)
        if kind == "SimpleFunction":
            return _ENTRYWISE[signature.name](array), edges
        if kind == "MatrixInverseFunction":
            matrix = _ordered((array, edges), (*left, *consumed))
            return np.asarray(np.linalg.inv(matrix), dtype=np.float64), (*left, *consumed[::-1])
        if kind == "DeterminantFunction":
            return np.asarray(np.linalg.det(_ordered((array, edges), (*left, *consumed)))), left
        if kind in ("MaxFunction", "MaxGradFunction"):
            axes = tuple(edges.index(edge) for edge in consumed)
            top = array == array.max(axis=axes, keepdims=True)
            if kind == "MaxFunction":
                return np.asarray(array.max(axis=axes)), left
            return np.asarray(top / top.sum(axis=axes, keepdims=True), dtype=np.float64), edges
        if kind == "FunctionSignature" and not consumed and len(inputs) == 1:
            name = signature.name.removeprefix("D_0")
            order = 0 if name == signature.name else 1
            while name.startswith("D_0"):
                name, order = name.removeprefix("D_0"), order + 1
            return self.functions[name + "'" * order](array), edges
        raise NotImplementedError(f"no value for {kind}")


def _ordered(named: Named, edges: tuple[str, ...]) -> Array:
    array, own = named
    if set(own) != set(edges):
        raise NotImplementedError(f"a result with edges {own} where {edges} are asked for")
    return np.transpose(array, [own.index(edge) for edge in edges]) if edges else array


_ENTRYWISE: dict[str, Callable[[Any], Any]] = {
    **{name: getattr(np, name) for name in ("exp", "tanh", "sign", "abs")},
    "relu": lambda x: np.maximum(x, 0),
    "gt0": lambda x: (x > 0).astype(float),
    "erf": lambda x: np.asarray(_erf(x)),
}
