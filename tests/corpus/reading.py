"""A second reader of the notation, sharing nothing with the package: notation in, JAX source out.

It knows the part of the language that the corpus is written in, and only shapes of at most two axes.
It is what holds the program, the forms and the oracle of a case against each other, so it is kept too
small to be wrong in an interesting way.

>>> translate("(A + A') x", {"A": "matrix", "x": "vector"})
'(A + A.T) @ x'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["scalar", "vector", "row", "matrix"]

_TOKEN = re.compile(r"\s*(\d+\.?\d*(?:e-?\d+)?|[^\W\d]\w*|\.\*|\./|\.\^|[-+*/^'(),=@])")
_SUM, _TERM, _UNARY, _ATOM = 0, 1, 2, 4

_ENTRYWISE = {
    **{name: f"jnp.{name}" for name in "exp log sin cos tan sinh cosh tanh sqrt abs sign square".split()},
    **{name: f"jax.nn.{name}" for name in "sigmoid softplus silu".split()},
    "relu": "jnp.maximum(0, {})",
    "leaky_relu": "jax.nn.leaky_relu({}, 0.01)",
    "gelu": "jax.nn.gelu({}, approximate=False)",
    "erf": "jax.scipy.special.erf",
    "step": "jnp.heaviside({}, 0.0)",
}
_REDUCTIONS = {
    "sum": "jnp.sum",
    "mean": "jnp.mean",
    "max": "jnp.max",
    "logsumexp": "jax.scipy.special.logsumexp",
    "norm": "jnp.linalg.norm",
    "softmax": "jax.nn.softmax",
}
_OF_MATRIX: dict[str, tuple[str, Kind]] = {
    "tr": ("jnp.trace({})", "scalar"),
    "det": ("jnp.linalg.det({})", "scalar"),
    "logdet": ("jnp.linalg.slogdet({})[1]", "scalar"),
    "inv": ("jnp.linalg.inv({})", "matrix"),
    "chol": ("jnp.linalg.cholesky({})", "matrix"),
    "expm": ("jax.scipy.linalg.expm({})", "matrix"),
}


class Unreadable(Exception):
    """Text outside the part of the language that this reader knows, or with shapes that disagree."""


@dataclass(frozen=True)
class Code:
    """JAX source of a value, how tightly it binds, and its kind; a row is kept as the source of its column."""

    text: str
    binds: int
    kind: Kind

    def at(self, level: int) -> str:
        return self.text if self.binds >= level else f"({self.text})"

    def argument(self) -> str:
        return f"({self.text})[None, :]" if self.kind == "row" else self.text


class _Reader:
    def __init__(self, text: str, kinds: dict[str, Kind]) -> None:
        self.tokens: list[str] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise Unreadable(f"{text[at:]!r} in {text!r}")
            self.tokens.append(match[1])
            at = match.end()
        self.kinds, self.position, self.text = kinds, 0, text

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise Unreadable(f"{expected or 'more'} expected at token {self.position} of {self.text!r}")
        self.position += 1
        return token

    def sum(self) -> Code:
        left = self.term()
        while self.peek() in ("+", "-"):
            sign, right = self.take(), self.term()
            kind = self.common(left, right)
            left = Code(f"{left.at(_SUM)} {sign} {right.at(_TERM)}", _SUM, kind)
        return left

    def common(self, left: Code, right: Code) -> Kind:
        if left.kind == right.kind or right.kind == "scalar":
            return left.kind
        if left.kind == "scalar":
            return right.kind
        raise Unreadable(f"{left.kind} beside {right.kind} in {self.text!r}")

    def term(self) -> Code:
        left = self.unary()
        while True:
            token = self.peek()
            if token in (".*", "./"):
                self.take()
                right = self.unary()
                left = Code(f"{left.at(_TERM)} {token[1]} {right.at(_UNARY)}", _TERM, self.common(left, right))
            elif token == "/":
                self.take()
                right = self.unary()
                if right.kind != "scalar":
                    raise Unreadable(f"division by a {right.kind} in {self.text!r}")
                left = Code(f"{left.at(_TERM)} / {right.at(_UNARY)}", _TERM, left.kind)
            elif token in ("*", "@"):
                self.take()
                left = self.product(left, self.unary())
            elif token and (token[0].isalnum() or token[0] == "_" or token == "("):
                left = self.product(left, self.unary())
            else:
                return left

    def product(self, left: Code, right: Code) -> Code:
        if "scalar" in (left.kind, right.kind):
            kind = right.kind if left.kind == "scalar" else left.kind
            return Code(f"{left.at(_TERM)} * {right.at(_UNARY)}", _TERM, kind)
        if (left.kind, right.kind) == ("vector", "row"):
            return Code(f"jnp.outer({left.text}, {right.text})", _ATOM, "matrix")
        kinds: dict[tuple[Kind, Kind], Kind] = {
            ("row", "vector"): "scalar",
            ("row", "matrix"): "row",
            ("matrix", "vector"): "vector",
            ("matrix", "matrix"): "matrix",
        }
        kind = kinds.get((left.kind, right.kind), "scalar")
        if (left.kind, right.kind) not in kinds:
            raise Unreadable(f"{left.kind} times {right.kind} in {self.text!r}")
        return Code(f"{left.at(_TERM)} @ {right.at(_UNARY)}", _TERM, kind)

    def unary(self) -> Code:
        if self.peek() == "-":
            self.take()
            inner = self.unary()
            return Code(f"-{inner.at(_UNARY)}", _UNARY, inner.kind)
        return self.postfix()

    def postfix(self) -> Code:
        value = self.primary()
        while self.peek() in ("'", "^", ".^"):
            token = self.take()
            if token == "'":
                value = self.transposed(value)
                continue
            sign = self.take() if self.peek() == "-" else ""
            exponent = self.primary()
            power = f"-{exponent.at(_ATOM)}" if sign else exponent.at(_ATOM)
            if token == "^" and value.kind == "matrix":
                inverse = Code(f"jnp.linalg.inv({value.text})", _ATOM, "matrix")
                if power == "-1":
                    value = inverse
                else:
                    base = inverse if sign else value
                    value = Code(f"jnp.linalg.matrix_power({base.text}, {exponent.text})", _ATOM, "matrix")
            else:
                value = Code(f"{value.at(_ATOM)} ** {power}", 3, value.kind)
        return value

    def transposed(self, value: Code) -> Code:
        if value.kind == "matrix":
            return Code(f"{value.at(_ATOM)}.T", _ATOM, "matrix")
        kinds: dict[Kind, Kind] = {"vector": "row", "row": "vector"}
        return Code(value.text, value.binds, kinds.get(value.kind, value.kind))

    def primary(self) -> Code:
        token = self.take()
        if token == "(":
            value = self.sum()
            self.take(")")
            return value
        if token[0].isdigit():
            return Code(token, _ATOM, "scalar")
        if self.peek() == "(" and token not in self.kinds and token in FUNCTIONS:
            return self.call(token)
        if token not in self.kinds:
            raise Unreadable(f"{token!r} has no shape in {self.text!r}")
        return Code(token, _ATOM, self.kinds[token])

    def call(self, name: str) -> Code:
        self.take("(")
        if name == "pi":
            self.take(")")
            return Code("jnp.pi", _ATOM, "scalar")
        if name in ("eye", "ones", "zeros"):
            dims = [self.take()]
            while self.peek() == ",":
                self.take()
                dims.append(self.take())
            self.take(")")
            if name == "eye":
                return Code(f"jnp.eye({dims[0]})", _ATOM, "matrix")
            shape = dims[0] if len(dims) == 1 else f"({', '.join(dims)})"
            return Code(f"jnp.{name}({shape})", _ATOM, "vector" if len(dims) == 1 else "matrix")
        first, axis, second = self.sum(), "", None
        if self.peek() == ",":
            self.take()
            if self.peek() in ("rows", "columns"):
                axis = f", axis={1 if self.take() == 'rows' else 0}"
            else:
                second = self.sum()
        third = None
        if self.peek() == ",":
            self.take()
            third = self.sum()
        self.take(")")
        if second is not None:
            return self.of_two(name, first, second, third)
        return self.of_one(name, first, axis)

    def of_two(self, name: str, a: Code, b: Code, c: Code | None) -> Code:
        if name == "where" and c is not None:
            return Code(f"jnp.where({a.text} != 0, {b.text}, {c.text})", _ATOM, self.common(b, c))
        if name in ("max", "min"):
            return Code(f"jnp.{name}imum({a.text}, {b.text})", _ATOM, self.common(a, b))
        texts: dict[str, tuple[str, Kind]] = {
            "solve": (f"jnp.linalg.solve({a.text}, {b.text})", b.kind),
            "kron": (f"jnp.kron({a.text}, {b.text})", a.kind),
            "dot": (f"jnp.vdot({a.text}, {b.text})", "scalar"),
            "outer": (f"jnp.outer({a.text}, {b.text})", "matrix"),
            "mse": (f"jnp.mean(({a.text} - ({b.text})) ** 2)", "scalar"),
            "cross_entropy": (f"-jnp.sum({b.at(_UNARY)} * jax.nn.log_softmax({a.text}))", "scalar"),
            "concat": (f"jnp.concatenate([{a.text}, {b.text}])", a.kind),
        }
        if name not in texts:
            raise Unreadable(f"{name} of two in {self.text!r}")
        text, kind = texts[name]
        return Code(text, _ATOM, kind)

    def of_one(self, name: str, a: Code, axis: str) -> Code:
        if name in _ENTRYWISE:
            template = _ENTRYWISE[name]
            text = template.format(a.text) if "{}" in template else f"{template}({a.text})"
            return Code(text, _ATOM, a.kind)
        if name in _REDUCTIONS:
            if name == "softmax":
                return Code(f"{_REDUCTIONS[name]}({a.text}{axis})", _ATOM, a.kind)
            return Code(f"{_REDUCTIONS[name]}({a.text}{axis})", _ATOM, "vector" if axis else "scalar")
        if name == "norm1":
            return Code(f"jnp.sum(jnp.abs({a.text}))", _ATOM, "scalar")
        if name == "diag":
            return Code(f"jnp.diag({a.text})", _ATOM, "vector" if a.kind == "matrix" else "matrix")
        if name == "vec":
            return Code(f"{a.at(_ATOM)}.T.reshape(-1)", _ATOM, "vector")
        if name in _OF_MATRIX:
            template, kind = _OF_MATRIX[name]
            return Code(template.format(a.text), _ATOM, kind)
        raise Unreadable(f"{name} in {self.text!r}")


_OTHERS = "norm1 diag vec pi eye ones zeros max min where solve kron dot outer mse cross_entropy concat".split()
FUNCTIONS = frozenset([*_ENTRYWISE, *_REDUCTIONS, *_OF_MATRIX, *_OTHERS])


def translate(text: str, kinds: Mapping[str, Kind]) -> str:
    """Translate notation to JAX source: a line for each statement, the last one an expression."""
    known = dict(kinds)
    statements = [s.split("#")[0].strip() for s in re.split(r"[;\n]", text)]
    statements = [s for s in statements if s and ":" not in s]
    lines: list[str] = []
    for number, statement in enumerate(statements):
        name, equals, right = statement.partition("=")
        if not equals:
            name, right = "", statement
        reader = _Reader(right, known)
        code = reader.sum()
        if reader.peek():
            raise Unreadable(f"{reader.peek()!r} left over in {statement!r}")
        last = number == len(statements) - 1
        if last:
            lines.append(code.argument())
        else:
            known[name.strip()] = code.kind
            lines.append(f"{name.strip()} = {code.text}")
    return "\n".join(lines)


def kind_of(shape: tuple[int | str, ...]) -> Kind:
    """The kind of a value by its number of axes."""
    kinds: tuple[Kind, ...] = ("scalar", "vector", "matrix")
    return kinds[len(shape)]
