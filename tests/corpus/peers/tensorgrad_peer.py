"""A case as tensorgrad writes it, with a name for every edge, and its derivative of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pullback.syntax.names import normalise
from pullback.syntax.tree import Call, Chain, Name, Negate, Number, Power, Syntax, Transpose
from tests.corpus.loading import Case
from tests.corpus.peers.reading import Derived, Inexpressible, along, inputs, library, program, squared

_NATIVE = ("exp", "log", "tanh", "sigmoid", "relu", "abs", "sign", "erf", "sqrt")


@dataclass(frozen=True)
class Value:
    """A tensor and the order of its edges; a row is a vector on its side."""

    tensor: Any
    edges: tuple[str, ...] = ()
    row: bool = False

    @property
    def rank(self) -> int:
        return len(self.edges)


class Translator:
    """The statements of one program in tensorgrad."""

    def __init__(self, case: Case) -> None:
        self.tg, self.functions = library("tensorgrad"), library("tensorgrad.functions")
        self.sympy, self.affine = library("sympy"), library("tensorgrad.compiler.affine")
        self.count = 0
        self.sizes: dict[Any, int] = {self.sympy.Symbol(name): size for name, size in case.sizes.items()}
        self.unknown = set(case.functions)
        self.names: dict[str, Value] = {n: self.variable(n, shape) for n, shape in inputs(case).items()}
        self.variables = {name: value.tensor for name, value in self.names.items()}

    def variable(self, name: str, shape: tuple[int | str, ...]) -> Value:
        edges = tuple("ijkl"[: len(shape)])
        symbols = {edge: self.dimension(size) for edge, size in zip(edges, shape, strict=True)}
        return Value(self.tg.Variable(name, **symbols), edges)

    def dimension(self, size: int | str) -> Any:
        """An edge's size, which has to be a symbol."""
        symbol = self.sympy.Symbol(size if isinstance(size, str) else f"d{size}")
        if isinstance(size, int):
            self.sizes[symbol] = size
        return symbol

    def joint(self, operator: str, symbols: list[Any]) -> Any:
        """The size of edges merged (``*``) or put end to end (``+``)."""
        numbers = [self.sizes[s] for s in symbols]
        total = sum(numbers) if operator == "+" else numbers[0] * numbers[1]
        if all(s.name == f"d{n}" for s, n in zip(symbols, numbers, strict=True)):
            return self.dimension(total)
        symbol = self.sympy.Symbol(operator.join(sorted(s.name for s in symbols)))
        self.sizes[symbol] = total
        return symbol

    def fresh(self) -> str:
        self.count += 1
        return f"e{self.count}"

    def renamed(self, value: Value, edges: tuple[str, ...] | None = None) -> Value:
        """The same with other edges: those given, or new ones."""
        edges = edges or tuple(self.fresh() for _ in value.edges)
        return Value(value.tensor.rename(**dict(zip(value.edges, edges, strict=True))), edges, value.row)

    def size(self, value: Value, axis: int) -> Any:
        return value.tensor.shape[value.edges[axis]]

    # trees

    def lower(self, tree: Syntax) -> Value:
        match tree:
            case Number(value):
                return Value(self.tg.Tensor(_number(value)))
            case Name(identifier):
                return self.name(identifier)
            case Negate(operand):
                inner = self.lower(operand)
                return Value(-inner.tensor, inner.edges, inner.row)
            case Transpose(operand):
                return _transposed(self.lower(operand))
            case Power(base, exponent, entrywise):
                inner_tree = squared(base, exponent)
                if inner_tree is not None:
                    return Value(self.functions.sum(self.functions.pow(self.lower(inner_tree).tensor, 2)))
                return self.power(self.lower(base), self.exponent(exponent), entrywise)
            case Chain() if tree.is_sum:
                return self.sum(tree)
            case Chain(operands, operators):
                result = self.lower(operands[0])
                for operator, operand in zip(operators, operands[1:], strict=True):
                    result = self.binary(operator, result, self.lower(operand))
                return result
            case Call():
                return self.call(tree)
        raise Inexpressible(f"{type(tree).__name__.lower()}s")

    def name(self, identifier: str) -> Value:
        if identifier in self.names:
            return self.names[identifier]
        symbol = self.sympy.Symbol(identifier)
        if symbol not in self.sizes:
            raise Inexpressible(f"the name {identifier}")
        return Value(self.tg.Delta(symbol))

    def exponent(self, tree: Syntax) -> Fraction:
        match tree:
            case Number(value):
                return value
            case Negate(operand):
                return -self.exponent(operand)
            case Chain((numerator, denominator), ("/",)):
                return self.exponent(numerator) / self.exponent(denominator)
        raise Inexpressible("a power whose exponent is a variable")

    def sum(self, tree: Chain) -> Value:
        terms = [self.lower(operand) for operand in tree.operands]
        signs = [1, *(1 if operator == "+" else -1 for operator in tree.operators)]
        wide = next((t for t in terms if t.rank), terms[0])
        ones = self.tg.Ones(**wide.tensor.shape)
        tensors = [self.renamed(t, wide.edges).tensor if t.rank else t.tensor for t in terms]
        tensors = [t * ones if wide.rank and not term.rank else t for t, term in zip(tensors, terms, strict=True)]
        return Value(self.tg.Sum(tensors, signs), wide.edges, wide.row)

    def binary(self, operator: str, left: Value, right: Value) -> Value:
        if operator == "kron":
            return self.kron(left, right)
        if operator in ("/", "./"):
            right = Value(self.functions.pow(right.tensor, -1), right.edges, right.row)
        if operator in ("*", "/"):
            return self.times(left, right)
        if not left.rank or not right.rank:
            return self.times(left, right)
        return Value(left.tensor * self.renamed(right, left.edges).tensor, left.edges, left.row)

    def times(self, left: Value, right: Value) -> Value:
        right = self.renamed(right)
        if not left.rank or not right.rank:
            wide = left if left.rank else right
            return Value(left.tensor * right.tensor, wide.edges, wide.row)
        if left.rank == right.rank == 1 and not left.row and right.row:
            return Value(left.tensor @ right.tensor, (*left.edges, *right.edges))
        joined = self.renamed(right, (left.edges[-1], *right.edges[1:]))
        edges = (*left.edges[:-1], *right.edges[1:])
        return Value(left.tensor @ joined.tensor, edges, left.row and len(edges) == 1)

    def power(self, base: Value, exponent: Fraction, entrywise: bool) -> Value:
        if entrywise or base.rank < 2:
            return Value(self.functions.pow(base.tensor, _number(exponent)), base.edges, base.row)
        if exponent.denominator != 1 or exponent == 0:
            raise Inexpressible("a fractional power of a matrix")
        factor = self.inverse(base) if exponent < 0 else base
        result = factor
        for _ in range(abs(int(exponent)) - 1):
            result = self.times(result, factor)
        return result

    # functions

    def call(self, tree: Call) -> Value:
        arguments, axis = along(tree)
        function = tree.function
        if function in ("eye", "ones", "zeros"):
            return self.filled(function, arguments)
        values = [self.lower(a) for a in arguments]
        if len(values) == 1 and function in self.unknown:
            x = values[0]
            return Value(self.tg.function(function, {}, (x.tensor,)), x.edges, x.row)
        if len(values) == 1 and function in self.entrywise():
            x = values[0]
            return Value(self.entrywise()[function](x.tensor), x.edges, x.row)
        over = axis or "all"
        forms: dict[str, Callable[..., Value]] = {
            "sum": lambda x: self.reduced(self.functions.sum, x, over),
            "mean": lambda x: self.reduced(self.functions.mean, x, over),
            "norm": lambda x: self.rooted(self.reduced(self.functions.sum, self.power(x, Fraction(2), True), over)),
            "norm1": lambda x: self.reduced(self.functions.sum, Value(self.functions.abs(x.tensor), x.edges), over),
            "logsumexp": lambda x: self.logsumexp(x, over),
            "softmax": lambda x: Value(self.functions.softmax(x.tensor, self.over(x, over)), x.edges),
            "max": lambda *x: self.largest(over, *x), "tr": self.trace, "det": self.determinant, "inv": self.inverse,
            "logdet": self.logdet, "solve": lambda a, b: self.times(self.inverse(a), b), "diag": self.diagonal,
            "vec": self.vec, "kron": self.kron, "outer": lambda a, b: self.times(a, _transposed(b)), "dot": self.dot,
            "concat": self.concat, "cross_entropy": self.cross_entropy, "mse": self.mse, "pi": self.pi,
        }  # fmt: skip
        if function not in forms:
            raise Inexpressible(function)
        return forms[function](*values)

    def entrywise(self) -> dict[str, Callable[[Any], Any]]:
        f = self.functions
        return {
            **{name: getattr(f, name) for name in _NATIVE},
            "softplus": lambda t: f.log(1 + f.exp(t)),
            "silu": lambda t: t * f.sigmoid(t),
            "gelu": lambda t: f.gelu(t, approximate="exact"),
            "leaky_relu": lambda t: f.relu(t) - Fraction(1, 100) * f.relu(-t),
            "sinh": lambda t: (f.exp(t) - f.exp(-t)) / 2,
            "cosh": lambda t: (f.exp(t) + f.exp(-t)) / 2,
            "step": f.gt0,
            "square": lambda t: f.pow(t, 2),
        }

    def filled(self, function: str, arguments: list[Syntax]) -> Value:
        symbols = []
        for argument in arguments:
            match argument:
                case Name(identifier):
                    symbols.append(self.dimension(identifier))
                case Number(value):
                    symbols.append(self.dimension(int(value)))
                case _:
                    raise Inexpressible("a computed dimension")
        if function == "eye":
            edges = (self.fresh(), self.fresh())
            return Value(self.tg.Delta(symbols[0], *edges), edges)
        filled = tuple(self.fresh() for _ in symbols)
        made = self.tg.Ones if function == "ones" else self.tg.Zero
        return Value(made(**dict(zip(filled, symbols, strict=True))), filled)

    def over(self, x: Value, axis: str) -> tuple[str, ...]:
        """The edges that a reduction takes away: of rows, the one along them."""
        return x.edges if axis == "all" else x.edges[1:] if axis == "rows" else x.edges[:1]

    def reduced(self, function: Callable[..., Any], x: Value, axis: str) -> Value:
        over = self.over(x, axis)
        left = tuple(edge for edge in x.edges if edge not in over)
        return Value(function(x.tensor, over) if over else x.tensor, left)

    def rooted(self, x: Value) -> Value:
        return Value(self.functions.sqrt(x.tensor), x.edges)

    def logsumexp(self, x: Value, axis: str) -> Value:
        total = self.reduced(self.functions.sum, Value(self.functions.exp(x.tensor), x.edges), axis)
        return Value(self.functions.log(total.tensor), total.edges)

    def largest(self, axis: str, *values: Value) -> Value:
        if len(values) == 1:
            return self.reduced(self.functions.max, values[0], axis)
        a, b = values
        return Value(self.functions.maximum(a.tensor, self.renamed(b, a.edges).tensor), a.edges, a.row)

    def trace(self, x: Value) -> Value:
        return Value(self.functions.trace(x.tensor)) if x.rank else x

    def determinant(self, x: Value) -> Value:
        return Value(self.functions.det(x.tensor)) if x.rank else x

    def logdet(self, x: Value) -> Value:
        return Value(self.functions.log(self.determinant(x).tensor))

    def inverse(self, x: Value) -> Value:
        """tensorgrad's inverse keeps the names that cancel, so that its rows are called like the columns."""
        if not x.rank:
            return Value(self.functions.pow(x.tensor, -1))
        return Value(self.functions.inverse(x.tensor), x.edges[::-1])

    def diagonal(self, x: Value) -> Value:
        made = [self.fresh() for _ in range(3 - x.rank)]
        return Value(self.functions.diag(x.tensor, made), tuple(made))

    def dot(self, a: Value, b: Value) -> Value:
        return Value(a.tensor @ self.renamed(b, a.edges).tensor)

    def merged(self, outer: str, inner: str, x: Value) -> tuple[Any, str]:
        """Contract two edges with the tensor that numbers them as one, the outer one slowest."""
        sizes = [x.tensor.shape[outer], x.tensor.shape[inner]]
        flat = self.fresh()
        shape = {flat: self.joint("*", sizes), outer: sizes[0], inner: sizes[1]}
        return x.tensor @ self.affine.affine_flatten(sizes[1], **shape), flat

    def vec(self, x: Value) -> Value:
        if x.rank < 2:
            return x
        tensor, flat = self.merged(x.edges[1], x.edges[0], x)
        return Value(tensor, (flat,))

    def kron(self, a: Value, b: Value) -> Value:
        if a.rank != b.rank or not a.rank:
            raise Inexpressible("a Kronecker product of a vector and a matrix")
        b = self.renamed(b)
        both = Value(a.tensor @ b.tensor, (*a.edges, *b.edges))
        flats = []
        for outer, inner in zip(a.edges, b.edges, strict=True):
            tensor, flat = self.merged(outer, inner, both)
            flats.append(flat)
            both = Value(tensor, (*(e for e in both.edges if e not in (outer, inner)), flat))
        return Value(both.tensor, tuple(flats))

    def concat(self, *parts: Value) -> Value:
        if any(part.rank != 1 for part in parts):
            raise Inexpressible("concat of matrices")
        edge = self.fresh()
        total = self.joint("+", [self.size(part, 0) for part in parts])
        tensors = [self.renamed(part, (edge,)).tensor for part in parts]
        return Value(self.functions.concat(*tensors, dim=edge, size=total), (edge,))

    def mse(self, a: Value, b: Value) -> Value:
        difference = a.tensor - self.renamed(b, a.edges).tensor
        return Value(self.functions.mean(self.functions.pow(difference, 2)))

    def cross_entropy(self, z: Value, t: Value) -> Value:
        return Value(self.functions.cross_entropy(z.tensor, self.renamed(t, z.edges).tensor, z.edges))

    def pi(self) -> Value:
        return Value(self.tg.Tensor(float(self.sympy.pi)))


def _number(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value


def _transposed(value: Value) -> Value:
    if value.rank == 1:
        return Value(value.tensor, value.edges, not value.row)
    return Value(value.tensor, value.edges[::-1])


@dataclass(frozen=True)
class Result:
    """A derivative, its edges in the order of the corpus, and the sizes of the dimensions."""

    tensor: Any
    edges: tuple[str, ...]
    sizes: dict[Any, int]


def derive(case: Case, simplification: str = "full_simplify") -> Derived:
    """The case's derivatives by tensorgrad."""
    translator = Translator(case)
    parsed = program(case)
    value = Value(None)
    for binding in parsed.bindings:
        value = translator.lower(binding.value)
        if binding.name is not None:
            translator.names[binding.name] = value
    value = translator.renamed(value) if value.rank else value
    forward = Result(value.tensor, value.edges, translator.sizes)
    if case.kind == "backward":
        shape = {edge: value.tensor.shape[edge] for edge in value.edges}
        upstream = translator.tg.Variable(case.upstream, **shape)
        value = Value(value.tensor @ upstream)
    results: dict[str, Any] = {}
    orders = [case.wrt] if case.kind == "hessian" else [(name,) for name in case.wrt]
    for order in orders:
        names = order * 2 if case.kind == "hessian" and len(order) == 1 else order
        tensor, edges = value.tensor, value.edges
        for name in names:
            variable = translator.variables[normalise(name)]
            new = {edge: translator.fresh() for edge in variable.edges}
            tensor = translator.tg.Derivative(tensor, variable, new)
            edges = (*edges, *new.values())
        simplified = getattr(tensor, simplification)()
        str(simplified)
        results[order[0] if case.kind == "backward" else ""] = Result(simplified, edges, translator.sizes)
    return Derived(results, forward, "" if simplification == "full_simplify" else "by simplify")
