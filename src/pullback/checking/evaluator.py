"""The forward pass computed straight from its text: no graph, no simplification, nothing derived.

Values are NumPy arrays in their full shapes, real or complex. What is in the way of a derivative (relu
at 0, two entries that share a maximum) is noted by name while computing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pullback.checking.functions import ENTRYWISE, KINKS, SQUARE, WHOLE, frechet
from pullback.errors import UnsupportedError
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

AXES = ("rows", "columns")
_WHOLE_AXIS = ":"


class UnfitError(Exception):
    """The text has no value here: shapes that do not fit, a singular matrix."""


@dataclass
class Kinks:
    """Where an evaluation met a kink, and on which side of each it was."""

    nearness: float = 0.0
    met: set[str] = field(default_factory=set)
    sides: list[bytes] = field(default_factory=list)

    def see(self, name: str, distance: Any) -> None:
        """Note the side of a kink, and its name where a perturbed number lies on it."""
        import numpy as np

        real = np.real(distance)
        self.sides.append(np.sign(np.where(np.abs(real) <= self.nearness, 0, real)).astype(np.int8).tobytes())
        on = np.abs(real) <= self.nearness
        moving = np.imag(distance) != 0 if np.iscomplexobj(distance) else np.zeros(np.shape(real), dtype=bool)
        if np.any(on & moving):
            self.met.add(name)


@dataclass
class Evaluator:
    """Computes trees over arrays; ``sizes`` are the dimension names."""

    sizes: Mapping[str, int]
    kinks: Kinks = field(default_factory=Kinks)

    def program(self, bindings: Iterable[Binding], values: Mapping[str, Any]) -> dict[str, Any]:
        """Compute every statement; the last one is under the empty name too."""
        import numpy as np

        names: dict[str, Any] = {name: np.asarray(value) for name, value in values.items()}
        for binding in bindings:
            result = self.value(binding.value, names)
            names[""] = result
            if binding.name is not None:
                names[binding.name] = result
        return names

    def value(self, tree: Syntax, names: Mapping[str, Any]) -> Any:
        """Compute a tree.

        Raises:
            UnfitError: Shapes do not fit, or a matrix has no inverse.
            UnsupportedError: Something that has no number, such as an expectation.
        """
        import numpy as np

        try:
            return np.asarray(self._value(tree, names))
        except (np.linalg.LinAlgError, IndexError) as error:
            raise UnfitError(str(error)) from None

    def _value(self, tree: Syntax, names: Mapping[str, Any]) -> Any:
        match tree:
            case Number(value):
                return float(value)
            case Name(identifier):
                if identifier in names:
                    return names[identifier]
                if identifier in self.sizes:
                    return float(self.sizes[identifier])
                raise UnfitError(f"{identifier} has no value")
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
                raise UnsupportedError(f"{type(tree).__name__.lower()} has no value of its own")

    def power(self, tree: Power, names: Mapping[str, Any]) -> Any:
        import numpy as np

        base, exponent = self.value(tree.base, names), self.value(tree.exponent, names)
        if not tree.entrywise and base.ndim == 2 and base.size > 1:
            if base.shape[0] != base.shape[1] or exponent.size != 1:
                raise UnfitError("only a square matrix has powers")
            times = int(np.real(exponent).reshape(()))
            return np.linalg.matrix_power(base, times)
        base, exponent = together(base, exponent)
        whole = not np.iscomplexobj(exponent) and bool(np.all(exponent == np.round(exponent)))
        if whole and exponent.size == 1:
            number = int(exponent.reshape(-1)[0])
            return base**number if number >= 0 else 1 / base**-number
        if not whole and np.any(np.real(base) < 0):
            return np.full(np.broadcast_shapes(base.shape, exponent.shape), np.nan)
        return np.power(base, exponent)

    def chain(self, tree: Chain, names: Mapping[str, Any]) -> Any:
        import numpy as np

        result = self.value(tree.operands[0], names)
        for operator, operand in zip(tree.operators, tree.operands[1:], strict=True):
            right = self.value(operand, names)
            if operator == "*":
                result = times(result, right)
            elif operator == "kron":
                result = np.kron(*levelled(result, right))
            elif operator == "/" and right.size != 1:
                raise UnfitError("division by what is no scalar")
            else:
                a, b = together(result, right)
                result = {"+": np.add, "-": np.subtract, ".*": np.multiply, "./": np.divide, "/": np.divide}[operator](
                    a, b
                )
        return result

    def call(self, tree: Call, names: Mapping[str, Any]) -> Any:
        if tree.function in ("eye", "ones", "zeros", "size", "reshape", "slice"):
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

    def along(self, function: str, values: list[Any], axis: str) -> Any:
        """Apply a function to every row or column."""
        import numpy as np

        matrices = [v if axis == "rows" else v.T for v in values if v.ndim == 2]
        if not matrices:
            raise UnfitError(f"{function} along {axis} takes a matrix")
        rows = []
        for k in range(matrices[0].shape[0]):
            parts = [(v if axis == "rows" else v.T)[k] if v.ndim == 2 else v for v in values]
            rows.append(self.apply(function, parts))
        result = np.stack([np.asarray(row) for row in rows])
        return result.T if axis == "columns" and result.ndim == 2 else result

    def dimension(self, tree: Syntax, names: Mapping[str, Any]) -> int:
        match tree:
            case Name(identifier) if identifier in self.sizes:
                return self.sizes[identifier]
            case Number(value):
                return int(value)
            case Call():
                return int(self.shaped(tree, names))
            case Chain(operands, operators):
                parts = [self.dimension(operand, names) for operand in operands]
                if operators[0] not in "+-":
                    return math.prod(parts)
                return parts[0] + sum(p if o == "+" else -p for o, p in zip(operators, parts[1:], strict=True))
        raise UnfitError("no dimension")

    def shaped(self, tree: Call, names: Mapping[str, Any]) -> Any:
        import numpy as np

        first, *rest = tree.arguments
        match tree.function:
            case "eye":
                return np.eye(self.dimension(first, names))
            case "ones" | "zeros":
                lengths = [self.dimension(a, names) for a in tree.arguments]
                return np.full(lengths, 1.0 if tree.function == "ones" else 0.0)
            case "size":
                if not rest and isinstance(first, Name) and first.identifier not in names:
                    return np.asarray(float(self.dimension(first, names)))
                a = self.value(first, names)
                which = rest[0].identifier if rest and isinstance(rest[0], Name) else None
                return np.asarray(float(a.size if which is None else a.shape[AXES.index(which)]))
            case "reshape":
                shape = [self.dimension(a, names) for a in rest]
                return self.value(first, names).reshape(shape, order="F")
        skip, count = (self.dimension(d, names) for d in rest)
        whole = self.value(first, names)
        if skip < 0 or count < 0 or skip + count > len(whole):
            raise UnfitError(f"no entries {skip + 1} to {skip + count} of {len(whole)}")
        return whole[skip : skip + count]

    def apply(self, function: str, values: list[Any]) -> Any:
        """Apply a function to arrays."""
        import numpy as np

        if function in ENTRYWISE:
            if function in KINKS:
                self.kinks.see(f"{function} at {KINKS[function]:g}", values[0] - KINKS[function])
            return ENTRYWISE[function](values[0])
        if function == "mse":
            a, b = together(*values)
            return np.mean((a - b) ** 2)
        if function in ("max", "min", "hardmax"):
            return self.extreme(function, values)
        if function == "where":
            c, a, b = values
            shape = max((v.shape for v in values), key=lambda s: (math.prod(s), len(s)))
            self.kinks.see("where at 0", c)
            c, a, b = (v if v.shape == shape else np.broadcast_to(v.reshape(()), shape) for v in (c, a, b))
            return np.where(np.real(c) != 0, a, b)
        if function in SQUARE:
            return self.square(function, values[0])
        match function:
            case "pi":
                return math.pi
            case "solve":
                return times(self.square("inv", values[0]), values[1])
            case "frechet":
                return frechet(*values)
            case "diag":
                (a,) = values
                return np.diag(a.reshape(-1)) if a.ndim == 2 and a.shape[0] == 1 else np.diag(a) if a.ndim else a
            case "outer":
                return np.multiply.outer(values[0].reshape(-1), values[1].reshape(-1))
            case "dot":
                a, b = together(*values)
                return np.sum(a * b)
            case "kron":
                return np.kron(*levelled(*values))
        if function == "norm":
            total = np.sum(values[0] * values[0])
            self.kinks.see(
                "norm at 0", total if np.any(np.real(values[0])) else np.max(np.abs(values[0]), initial=0) * 1j
            )
        if function == "norm1":
            self.kinks.see("norm1 at 0", values[0])
        if function not in WHOLE:
            raise UnsupportedError(f"{function} has no value in a check")
        return WHOLE[function](*values)

    def extreme(self, function: str, values: list[Any]) -> Any:
        import numpy as np

        if len(values) == 2:
            a, b = together(*values)
            self.kinks.see(f"a tie of {function}", a - b)
            above = np.real(a) >= np.real(b)
            return np.where(above if function == "max" else ~above, a, b)
        (a,) = values
        flat = a.reshape(-1)
        at = int(np.argmin(np.real(flat)) if function == "min" else np.argmax(np.real(flat)))
        others = np.delete(flat, at) - flat[at]
        self.kinks.see(f"a tie of {function}", others)
        return flat[at] if function != "hardmax" else np.eye(flat.size)[at].reshape(a.shape)

    @staticmethod
    def square(function: str, a: Any) -> Any:
        if a.size == 1:
            return SQUARE[function](a.reshape(1, 1)).reshape(a.shape)
        if a.ndim != 2 or a.shape[0] != a.shape[1]:
            raise UnfitError(f"{function} takes a square matrix")
        return SQUARE[function](a)

    # entries

    def comprehension(self, tree: Comprehension, names: Mapping[str, Any]) -> Any:
        """Run over all indices; each term is summed over those that are not axes."""
        import numpy as np

        terms = _signed_terms(tree.body)
        lengths: dict[str, int] = {}
        for _, term in terms:
            self.measure(term, names, lengths)
        shape = [lengths[index] for index in tree.indices]
        total: Any = np.zeros(shape, dtype=complex)
        for sign, term in terms:
            inner = sorted(_indices_of(term) - set(tree.indices))
            every = [*tree.indices, *inner]
            for point in itertools.product(*(range(lengths[i]) for i in every)):
                local = dict(names)
                entry = self.value(self.at(term, dict(zip(every, point, strict=True)), local), local)
                total[point[: len(shape)]] += sign * entry.reshape(())
        return total if np.any(total.imag) else total.real

    def measure(self, tree: Syntax, names: Mapping[str, Any], lengths: dict[str, int]) -> None:
        for node in _indexed_in(tree):
            self.measure(node.operand, names, lengths)
            if not _indices_of(node.operand):
                shape = self.value(node.operand, names).shape
                lengths.update({i: n for i, n in zip(node.indices, shape, strict=True) if i != _WHOLE_AXIS})

    def at(self, tree: Syntax, place: Mapping[str, int], names: dict[str, Any]) -> Syntax:
        """Put the entry at a place for every indexed part; ``names`` takes what they are called."""
        from pullback.syntax.forms import children, rebuild

        if isinstance(tree, Indexed):
            whole = self.value(self.at(tree.operand, place, names), names)
            key = f"entry {len(names)}"
            names[key] = whole[tuple(slice(None) if i == _WHOLE_AXIS else place[i] for i in tree.indices)]
            return Name(key)
        return rebuild(tree, [self.at(part, place, names) for part in children(tree)])


def _signed_terms(body: Syntax, sign: int = 1) -> list[tuple[int, Syntax]]:
    if isinstance(body, Chain) and body.is_sum:
        signs = [1, *(1 if operator == "+" else -1 for operator in body.operators)]
        return [part for s, term in zip(signs, body.operands, strict=True) for part in _signed_terms(term, sign * s)]
    if isinstance(body, Negate):
        return _signed_terms(body.operand, -sign)
    return [(sign, body)]


def _indexed_in(tree: Syntax) -> list[Indexed]:
    from pullback.syntax.forms import children

    if isinstance(tree, Indexed):
        return [tree]
    return [found for part in children(tree) for found in _indexed_in(part)]


def _indices_of(tree: Syntax) -> set[str]:
    found = {i for node in _indexed_in(tree) for i in node.indices if i != _WHOLE_AXIS}
    return found | {i for node in _indexed_in(tree) for i in _indices_of(node.operand)}


# arrays


def transpose(a: Any) -> Any:
    """A column becomes a row of shape (1, n) and back."""
    if a.ndim == 1:
        return a.reshape(1, -1)
    if a.ndim == 2 and a.shape[0] == 1:
        return a.reshape(-1)
    if a.ndim > 2:
        raise UnfitError("the transpose is of vectors and matrices")
    return a.T


def together(a: Any, b: Any) -> tuple[Any, Any]:
    """A scalar goes with anything; nothing else is repeated."""
    if a.shape == b.shape:
        return a, b
    if b.size == 1 and (a.size != 1 or a.ndim >= b.ndim):
        return a, b.reshape(())
    if a.size == 1:
        return a.reshape(()), b
    if a.size == b.size and (a.ndim, b.ndim) in ((1, 2), (2, 1)) and 1 in (a.shape[-1], b.shape[-1]):
        return a.reshape(-1), b.reshape(-1)
    raise UnfitError(f"shapes {a.shape} and {b.shape}")


def levelled(a: Any, b: Any) -> tuple[Any, Any]:
    """Give both the same number of axes, vectors as columns."""
    if a.size == 1 or b.size == 1 or a.ndim == b.ndim:
        return (a.reshape(()) if a.size == 1 else a), (b.reshape(()) if b.size == 1 else b)
    return (a.reshape(-1, 1), b) if a.ndim < b.ndim else (a, b.reshape(-1, 1))


def times(a: Any, b: Any) -> Any:
    """The product of the notation: scaling, matrix by vector, matrix by matrix, column by row."""
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    if a.ndim == 2 and b.ndim <= 2 and a.shape[-1] == b.shape[0]:
        result = a @ b
        return result.reshape(()) if result.size == 1 else result
    if a.ndim == 1 and b.ndim == 2 and b.shape[0] == 1:
        return a.reshape(-1, 1) @ b
    if a.size == 1 or b.size == 1:
        return a.reshape(()) * b if a.size == 1 else a * b.reshape(())
    raise UnfitError(f"shapes {a.shape} and {b.shape}")


def concat(values: list[Any], axis: str | None) -> Any:
    """Put vectors end to end, or matrices below each other (``rows``: side by side)."""
    import numpy as np

    if all(v.ndim < 2 for v in values):
        return np.concatenate([v.reshape(-1) for v in values])
    try:
        return np.concatenate(values, axis=1 if axis == "rows" else 0)
    except ValueError as error:
        raise UnfitError(str(error)) from None
