"""Closed forms as plain NumPy, as one would write them by hand: ``dx = W.T @ g``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pullback.dimension import ONE, Dimension
from pullback.syntax.forms import fold
from pullback.syntax.names import normalise
from pullback.syntax.tree import Binding, Call, Chain, Name, Negate, Number, Power, Syntax, Transpose

SCALAR, COLUMN, ROW, MATRIX = "scalar", "column", "row", "matrix"
_SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(5)


class NoNumpyError(Exception):
    """There is no plain spelling of this."""


class Code(NamedTuple):
    """A piece of source, how tightly it holds together, and what it is: row and column are both 1-d arrays."""

    text: str
    level: int
    kind: str


_PLAIN = {name: f"np.{name}" for name in "exp log sin cos tan sinh cosh tanh sqrt abs sign".split()}
_HELPERS = {
    "sigmoid": "def sigmoid(t):\n    return 0.5 * (1 + np.tanh(0.5 * t))",
    "relu": "def relu(t):\n    return np.maximum(t, 0)",
    "step": "def step(t):\n    return (t > 0).astype(float)",
    "leaky_relu": "def leaky_relu(t):\n    return np.where(t > 0, t, 0.01 * t)",
    "softplus": "def softplus(t):\n    return np.logaddexp(0, t)",
    "silu": "def silu(t):\n    return 0.5 * t * (1 + np.tanh(0.5 * t))",
    "softmax": "def softmax(t, axis=-1):\n    e = np.exp(t - t.max(axis, keepdims=True))\n"
    "    return e / e.sum(axis, keepdims=True)",
    "logsumexp": "def logsumexp(t, axis=None):\n    top = t.max(axis, keepdims=True)\n"
    "    return (np.log(np.exp(t - top).sum(axis, keepdims=True)) + top).squeeze(axis)",
}
_REDUCTIONS = {"sum": "{}.sum({})", "mean": "{}.mean({})", "max": "{}.max({})"}
_AXIS = {"rows": "1", "columns": "0"}


def numpy_source(
    where: Sequence[Binding],
    results: Mapping[str, Syntax],
    shapes: Mapping[str, tuple[Dimension, ...]],
    arguments: Sequence[str],
) -> str | None:
    """Write a function that computes results; None where they have no plain spelling.

    Args:
        where: The parts that are named before.
        results: What is computed, by the names that are returned.
        shapes: Of all arguments.
        arguments: Their names in order.
    """
    writer = _Writer(shapes)
    try:
        lines = [f"{_identifier(b.name or '')} = {writer.bound(b)}" for b in where]
        lines += [f"{_identifier(name)} = {writer.spell(tree).text}" for name, tree in results.items()]
    except (NoNumpyError, KeyError):
        return None
    lines = [*writer.sizes(), *lines]
    helpers = [_HELPERS[name] for name in sorted(writer.helpers)]
    body = "".join(f"    {line}\n" for line in lines)
    head = f"def backward({', '.join(map(_identifier, arguments))}):\n"
    returned = ", ".join(map(_identifier, results))
    return "\n\n\n".join(["import numpy as np", *helpers, f"{head}{body}    return {returned}\n"])


def _identifier(name: str) -> str:
    import keyword

    name = normalise(name)
    return f"{name}_" if keyword.iskeyword(name) or name == "np" else name


def _kind(shape: Sequence[Dimension]) -> str:
    if len(shape) > 2:
        raise NoNumpyError
    return (SCALAR, COLUMN, MATRIX)[len(shape)]


class _Writer:
    def __init__(self, shapes: Mapping[str, tuple[Dimension, ...]]) -> None:
        self.shapes = {normalise(name): shape for name, shape in shapes.items()}
        self.kinds = {name: _kind(shape) for name, shape in self.shapes.items()}
        self.helpers: set[str] = set()
        self.used: dict[str, str] = {}

    def bound(self, binding: Binding) -> str:
        code = self.spell(binding.value)
        self.kinds[normalise(binding.name or "")] = code.kind
        return code.text

    def sizes(self) -> list[str]:
        """The lines that read dimensions off the arguments."""
        return [f"{name} = {text}" for name, text in self.used.items() if name != text]

    def spell(self, tree: Syntax) -> Code:
        return fold(tree, self.node, leaves=(Call,))

    def node(self, node: Syntax, parts: list[Code]) -> Code:
        match node:
            case Name(identifier):
                name = normalise(identifier)
                if name not in self.kinds:
                    return Code(self.length(name), _ATOM, SCALAR)
                return Code(_identifier(name), _ATOM, self.kinds[name])
            case Number(value):
                text = str(value.numerator) if value.denominator == 1 else repr(float(value))
                return Code(text, _UNARY if value < 0 else _ATOM, SCALAR)
            case Negate():
                return Code(f"-{_at(parts[0], _UNARY)}", _UNARY, parts[0].kind)
            case Transpose():
                return self.transposed(parts[0])
            case Power():
                return self.power(node, *parts)
            case Chain():
                return self.chain(node, parts)
            case Call():
                return self.call(node)
        raise NoNumpyError

    def length(self, name: str) -> str:
        """A dimension by its name."""
        for argument, shape in self.shapes.items():
            for axis, length in enumerate(shape):
                if length.name == name:
                    self.used[_identifier(name)] = f"{_identifier(argument)}.shape[{axis}]"
                    return _identifier(name)
        raise NoNumpyError

    @staticmethod
    def transposed(code: Code) -> Code:
        if code.kind == MATRIX:
            return Code(f"{_at(code, _ATOM)}.T", _ATOM, MATRIX)
        return Code(code.text, code.level, {COLUMN: ROW, ROW: COLUMN}.get(code.kind, code.kind))

    @staticmethod
    def power(node: Power, base: Code, power: Code) -> Code:
        if base.kind == MATRIX and not node.entrywise:
            if isinstance(node.exponent, Number) and node.exponent.value == -1:
                return Code(f"np.linalg.inv({base.text})", _ATOM, MATRIX)
            return Code(f"np.linalg.matrix_power({base.text}, {power.text})", _ATOM, MATRIX)
        kind = base.kind if base.kind != SCALAR else power.kind
        return Code(f"{_at(base, _ATOM)} ** {_at(power, _ATOM)}", _POWER, kind)

    def chain(self, node: Chain, parts: list[Code]) -> Code:
        left = parts[0]
        for operator, right in zip(node.operators, parts[1:], strict=True):
            left = _added(left, operator, right) if node.is_sum else _multiplied(left, operator, right)
        return left

    def call(self, node: Call) -> Code:
        name, arguments = node.function, list(node.arguments)
        if name in ("eye", "ones", "zeros"):
            sizes = [self.spell(a).text for a in arguments]
            kind = MATRIX if name == "eye" else (SCALAR, COLUMN, MATRIX)[len(sizes)]
            inside = sizes[0] if len(sizes) == 1 else f"({', '.join(sizes)})"
            return Code(f"np.{name}({inside})", _ATOM, kind)
        if name == "size" and len(arguments) == 1 and isinstance(arguments[0], Name):
            inner = arguments[0].identifier
            if normalise(inner) not in self.kinds:
                return self.spell(arguments[0])
            return Code(f"{_identifier(inner)}.size", _ATOM, SCALAR)
        axis = ""
        if len(arguments) > 1 and isinstance(arguments[-1], Name) and arguments[-1].identifier in _AXIS:
            axis = _AXIS[arguments.pop().identifier]  # type: ignore[union-attr]
        codes = [self.spell(a) for a in arguments]
        return self.applied(name, codes, axis)

    def applied(self, name: str, codes: list[Code], axis: str) -> Code:
        first = codes[0]
        inside = ", ".join(code.text for code in codes)
        if name in _PLAIN:
            return Code(f"{_PLAIN[name]}({inside})", _ATOM, first.kind)
        if name in ("max", "min") and len(codes) == 2:
            kind = first.kind if first.kind != SCALAR else codes[1].kind
            return Code(f"np.{name}imum({inside})", _ATOM, kind)
        if name in _REDUCTIONS and len(codes) == 1:
            return Code(_REDUCTIONS[name].format(_at(first, _ATOM), axis), _ATOM, COLUMN if axis else SCALAR)
        if name == "logsumexp":
            self.helpers.add(name)
            return Code(f"logsumexp({inside}{', ' + axis if axis else ''})", _ATOM, COLUMN if axis else SCALAR)
        if name in _HELPERS:
            self.helpers.add(name)
            return Code(f"{name}({inside}{', ' + axis if axis else ''})", _ATOM, first.kind)
        if name == "norm" and not axis:
            return Code(f"np.linalg.norm({inside})", _ATOM, SCALAR)
        if name in ("inv", "det"):
            return Code(f"np.linalg.{name}({inside})", _ATOM, MATRIX if name == "inv" else SCALAR)
        if name == "logdet":
            return Code(f"np.linalg.slogdet({inside})[1]", _ATOM, SCALAR)
        if name == "solve" and len(codes) == 2:
            return Code(f"np.linalg.solve({inside})", _ATOM, codes[1].kind)
        if name == "tr":
            return Code(f"np.trace({inside})", _ATOM, SCALAR)
        if name == "diag":
            return Code(f"np.diag({inside})", _ATOM, COLUMN if first.kind == MATRIX else MATRIX)
        if name == "outer":
            return Code(f"np.outer({inside})", _ATOM, MATRIX)
        if name == "square":
            return Code(f"{_at(first, _ATOM)} ** 2", _POWER, first.kind)
        raise NoNumpyError


def _at(code: Code, level: int) -> str:
    return code.text if code.level >= level else f"({code.text})"


def _added(left: Code, operator: str, right: Code) -> Code:
    kind = left.kind if left.kind != SCALAR else right.kind
    return Code(f"{left.text} {operator} {_at(right, _PRODUCT)}", _SUM, kind)


def _multiplied(left: Code, operator: str, right: Code) -> Code:
    a, b = _at(left, _PRODUCT), _at(right, _UNARY)
    wider = left.kind if left.kind != SCALAR else right.kind
    if operator == "kron":
        return Code(f"np.kron({left.text}, {right.text})", _ATOM, MATRIX)
    if operator in ("/", "./"):
        return Code(f"{a} / {b}", _PRODUCT, wider)
    if operator == ".*" or SCALAR in (left.kind, right.kind):
        return Code(f"{a} * {b}", _PRODUCT, wider)
    match left.kind, right.kind:
        case "column", "row":
            return Code(f"np.outer({left.text}, {right.text})", _ATOM, MATRIX)
        case "row", "column":
            kind = SCALAR
        case "row", "matrix":
            kind = ROW
        case "matrix", "column":
            kind = COLUMN
        case "matrix", "matrix":
            kind = MATRIX
        case _:
            raise NoNumpyError
    return Code(f"{a} @ {b}", _PRODUCT, kind)


def is_plain(shape: Sequence[Dimension]) -> bool:
    """Whether a shape is one that plain NumPy code needs no reshaping for."""
    return len(shape) <= 2 and all(axis is not ONE for axis in shape)
