"""What programs mean, computed straight over the syntax tree with plain NumPy.

Shares no code with the engine: full shapes, complex numbers throughout, so that a complex step through
it gives derivatives to the last digits. ``Monitor`` notes how near an evaluation came to a kink, a pole
or numbers too large for a comparison.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pullback.syntax.tree import (
    Binding,
    Call,
    Chain,
    Comprehension,
    Expectation,
    Indexed,
    Name,
    Negate,
    Number,
    Power,
    Syntax,
    Transpose,
)
from tests.engine.arrays import (
    ENTRYWISE,
    KINKS,
    PLAIN,
    Array,
    UnfitError,
    cholesky,
    concat,
    expm,
    levelled,
    times,
    together,
    transpose,
)

AXES = ("rows", "columns")
WHOLE = ":"


@dataclass
class Monitor:
    """How near an evaluation came to where a derivative says nothing."""

    largest: float = 0.0
    limit: float = 1e3

    def see(self, array: Array) -> None:
        size = float(np.max(np.abs(array), initial=0.0))
        if not size <= self.limit:
            raise UnfitError(f"an intermediate value is {size}")
        self.largest = max(self.largest, size)

    def clear(self, distance: Array, least: float = 1e-2) -> None:
        if float(np.min(np.abs(np.real(distance)), initial=1.0)) < least:
            raise UnfitError("near a kink or a pole")


@dataclass
class Reference:
    """Evaluates trees; ``sizes`` are the dimension names."""

    sizes: Mapping[str, int]
    monitor: Monitor = field(default_factory=Monitor)

    def program(self, bindings: tuple[Binding, ...], values: Mapping[str, Array]) -> Array:
        """Compute the last statement."""
        names: dict[str, Array] = {name: np.asarray(value) for name, value in values.items()}
        result = np.zeros(())
        with np.errstate(all="ignore"):
            for binding in bindings:
                result = self.value(binding.value, names)
                if binding.name is not None:
                    names[binding.name] = result
        return result

    def value(self, tree: Syntax, names: Mapping[str, Array]) -> Array:
        """Compute a tree."""
        result = np.asarray(self._value(tree, names))
        self.monitor.see(result)
        return result

    def _value(self, tree: Syntax, names: Mapping[str, Array]) -> Array:
        match tree:
            case Number(value):
                return np.asarray(float(value))
            case Name(identifier):
                return names[identifier] if identifier in names else np.asarray(float(self.sizes[identifier]))
            case Negate(operand):
                return -self.value(operand, names)
            case Transpose(operand):
                return transpose(self.value(operand, names))
            case Power():
                return self.power(tree, names)
            case Chain():
                return self.chain(tree, names)
            case Call():
                return self.call(tree, names)
            case Comprehension():
                return self.comprehension(tree, names)
            case Indexed() | Expectation():
                raise AssertionError("not a tensor by itself")

    def power(self, tree: Power, names: Mapping[str, Array]) -> Array:
        base, exponent = self.value(tree.base, names), self.value(tree.exponent, names)
        if not tree.entrywise and base.ndim == 2 and base.size > 1:
            times = int(np.real(exponent).reshape(()))
            matrix = base if times >= 0 else self.inverse(base)
            result: Array = np.eye(base.shape[0])
            for _ in range(abs(times)):
                result = result @ matrix
            return result
        base, exponent = together(base, exponent)
        whole = not np.iscomplexobj(exponent) and np.all(exponent == np.round(np.real(exponent)))
        if whole:
            if np.any(exponent < 0):
                self.monitor.clear(base, 0.05)
            if exponent.size == 1:
                return base ** int(exponent.reshape(-1)[0])
            return np.asarray(base, dtype=complex) ** exponent
        if np.any(np.real(base) < 0.05):
            raise UnfitError("a power of what is not positive")
        return np.asarray(np.exp(exponent * np.log(base)))

    def chain(self, tree: Chain, names: Mapping[str, Array]) -> Array:
        result = self.value(tree.operands[0], names)
        for operator, operand in zip(tree.operators, tree.operands[1:], strict=True):
            right = self.value(operand, names)
            if operator in ("+", "-"):
                a, b = together(result, right)
                result = a + b if operator == "+" else a - b
            elif operator == "*":
                result = times(result, right)
            elif operator == "kron":
                result = np.kron(*levelled(result, right))
            else:
                a, b = together(result, right)
                if operator in ("/", "./"):
                    self.monitor.clear(b, 0.05)
                result = a * b if operator == ".*" else a / b
            self.monitor.see(result)
        return result

    def inverse(self, a: Array) -> Array:
        if a.size == 1:
            self.monitor.clear(a, 0.05)
            return 1 / a
        if not np.linalg.cond(np.real(a)) < 1e3:
            raise UnfitError("near a singular matrix")
        return np.linalg.inv(a)

    # functions

    def call(self, tree: Call, names: Mapping[str, Array]) -> Array:
        shapers = {"eye", "ones", "zeros", "size", "reshape", "slice"}
        if tree.function in shapers:
            return self.shaped(tree, names)
        arguments = list(tree.arguments)
        axis = None
        if len(arguments) > 1 and isinstance(arguments[-1], Name) and arguments[-1].identifier in AXES:
            if arguments[-1].identifier not in names:
                axis = arguments.pop().identifier  # type: ignore[union-attr]
        values = [self.value(argument, names) for argument in arguments]
        if tree.function == "concat":
            return concat(values, axis)
        if axis is None:
            return self.apply(tree.function, values)
        return self.along(tree.function, values, axis)

    def along(self, function: str, values: list[Array], axis: str) -> Array:
        (a,) = values
        if a.ndim != 2:
            raise UnfitError("a matrix of one number has lost its axes")
        matrix = a if axis == "rows" else a.T
        rows = [self.apply(function, [row]) for row in matrix]
        result = np.stack(rows)
        return result.T if axis == "columns" and result.ndim == 2 else result

    def dimension(self, tree: Syntax, names: Mapping[str, Array]) -> int:
        match tree:
            case Name(identifier):
                return self.sizes[identifier]
            case Number(value):
                return int(value)
            case Call():
                return int(np.real(self.shaped(tree, names)))
            case Chain(operands, operators):
                parts = [self.dimension(operand, names) for operand in operands]
                return sum(parts) if operators[0] == "+" else math.prod(parts)
        raise AssertionError("no dimension")

    def shaped(self, tree: Call, names: Mapping[str, Array]) -> Array:
        match tree.function:
            case "eye":
                return np.eye(self.dimension(tree.arguments[0], names))
            case "ones":
                return np.ones([self.dimension(a, names) for a in tree.arguments])
            case "zeros":
                return np.zeros([self.dimension(a, names) for a in tree.arguments])
            case "size":
                first, *rest = tree.arguments
                if not rest and isinstance(first, Name) and first.identifier not in names:
                    return np.asarray(float(self.sizes[first.identifier]))
                a = self.value(first, names)
                which = rest[0].identifier if rest and isinstance(rest[0], Name) else None
                return np.asarray(float(a.size if which is None else a.shape[AXES.index(which)]))
            case "reshape":
                shape = [self.dimension(a, names) for a in tree.arguments[1:]]
                return self.value(tree.arguments[0], names).reshape(shape, order="F")
            case _:
                a = self.value(tree.arguments[0], names)
                skip, count = (self.dimension(d, names) for d in tree.arguments[1:])
                return a[skip : skip + count]

    def apply(self, function: str, values: list[Array]) -> Array:
        if function in ENTRYWISE:
            kink = KINKS.get(function)
            if kink is not None:
                self.monitor.clear(values[0] - kink)
            if function in ("log", "sqrt") and np.any(np.real(values[0]) < 0.05):
                raise UnfitError("log or root of what is not positive")
            if function == "tan":
                self.monitor.clear(np.cos(values[0]), 0.2)
            if function in ("erf", "gelu") and np.any(np.abs(np.real(values[0])) > 4):
                raise UnfitError("the series of erf")
            return ENTRYWISE[function](values[0])
        if function in ("max", "min") and len(values) == 2:
            a, b = together(*values)
            self.monitor.clear(a - b)
            above = np.real(a) > np.real(b)
            return np.where(above if function == "max" else ~above, a, b)
        if function == "where":
            c, a, b = values
            shape = max((v.shape for v in values), key=lambda s: (math.prod(s), len(s)))
            c, a, b = (v if v.shape == shape else np.broadcast_to(v.reshape(()), shape) for v in (c, a, b))
            return np.where(np.real(c) != 0, a, b)
        if function in ("max", "min", "hardmax"):
            (a,) = values
            ranked = np.sort(np.real(a), axis=None)
            self.monitor.clear(np.diff(ranked))
            at = np.argmin(np.real(a)) if function == "min" else np.argmax(np.real(a))
            return np.asarray(a.reshape(-1)[at] if function != "hardmax" else np.eye(a.size)[at].reshape(a.shape))
        if function in ("inv", "solve", "det", "logdet", "chol", "expm", "tril", "frechet"):
            return self.matrix(function, values)
        return PLAIN[function](*values)

    def matrix(self, function: str, values: list[Array]) -> Array:
        a = values[0]
        if a.size == 1:
            a = a.reshape(1, 1)
        match function:
            case "inv":
                return self.inverse(a).reshape(values[0].shape)
            case "solve":
                return times(self.inverse(a), values[1])
            case "det":
                return np.asarray(np.linalg.det(a))
            case "logdet":
                if np.real(np.linalg.det(np.real(a))) < 0.05:
                    raise UnfitError("logdet of a determinant that is not positive")
                return np.asarray(np.log(np.linalg.det(a)))
            case "chol":
                if np.min(np.linalg.eigvalsh(np.real(a))) < 0.05:
                    raise UnfitError("not positive definite")
                return cholesky(a)
            case "tril":
                return np.tril(a)
            case "expm":
                return expm(a).reshape(values[0].shape)
        n, e = a.shape[0], values[1]
        block = np.block([[a, e], [np.zeros_like(a), a]])
        return expm(block)[:n, n:]

    # entries

    def comprehension(self, tree: Comprehension, names: Mapping[str, Array]) -> Array:
        """Loop over all indices; each term is summed over those that are not axes."""
        terms = signed_terms(tree.body)
        axes: dict[str, int] = {}
        for _, term in terms:
            self.measure(term, names, axes)
        shape = [axes[i] for i in tree.indices]
        total = np.zeros(shape, dtype=complex)
        for sign, term in terms:
            lengths = {i: axes[i] for i in tree.indices}  # what is summed over is each term's own
            self.measure(term, names, lengths)
            inner = sorted(indices_of(term) - set(tree.indices))
            every = [*tree.indices, *inner]
            for point in itertools.product(*(range(lengths[i]) for i in every)):
                place = dict(zip(every, point, strict=True))
                local = dict(names)
                entry = self.value(self.at(term, place, local), local).reshape(())
                total[point[: len(shape)]] += sign * entry
        return total if np.iscomplexobj(total) and np.any(total.imag) else np.real(total)

    def measure(self, tree: Syntax, names: Mapping[str, Array], lengths: dict[str, int]) -> None:
        for node in indexed_in(tree):
            self.measure(node.operand, names, lengths)
            inner = indices_of(node.operand)
            if not inner:
                shape = self.value(node.operand, names).shape
                lengths.update({i: n for i, n in zip(node.indices, shape, strict=True) if i != WHOLE})

    def at(self, tree: Syntax, place: Mapping[str, int], names: dict[str, Array]) -> Syntax:
        """Put the entry at a place for every indexed part; ``names`` takes what they are called."""
        match tree:
            case Indexed(operand, indices):
                whole = self.value(self.at(operand, place, names), names)
                key = f"entry {len(names)}"
                names[key] = np.asarray(whole[tuple(slice(None) if i == WHOLE else place[i] for i in indices)])
                return Name(key)
            case Negate(operand):
                return Negate(self.at(operand, place, names))
            case Transpose(operand):
                return Transpose(self.at(operand, place, names))
            case Power(base, exponent, entrywise):
                return Power(self.at(base, place, names), self.at(exponent, place, names), entrywise)
            case Chain(operands, operators):
                return Chain(tuple(self.at(o, place, names) for o in operands), operators)
            case Call(function, arguments):
                return Call(function, tuple(self.at(a, place, names) for a in arguments))
        return tree


def signed_terms(body: Syntax, sign: int = 1) -> list[tuple[int, Syntax]]:
    if isinstance(body, Chain) and body.is_sum:
        signs = [1, *(1 if operator == "+" else -1 for operator in body.operators)]
        return [part for s, term in zip(signs, body.operands, strict=True) for part in signed_terms(term, sign * s)]
    if isinstance(body, Negate):
        return signed_terms(body.operand, -sign)
    return [(sign, body)]


def parts_of(tree: Syntax) -> tuple[Syntax, ...]:
    match tree:
        case Negate(operand) | Transpose(operand) | Indexed(operand):
            return (operand,)
        case Power(base, exponent):
            return (base, exponent)
        case Chain(operands) | Call(_, operands):
            return operands
    return ()


def indexed_in(tree: Syntax) -> list[Indexed]:
    if isinstance(tree, Indexed):
        return [tree]
    return [found for part in parts_of(tree) for found in indexed_in(part)]


def indices_of(tree: Syntax) -> set[str]:
    found = {i for node in indexed_in(tree) for i in node.indices if i != WHOLE}
    return found | {i for node in indexed_in(tree) for i in indices_of(node.operand)}
