"""A case as SymPy's matrix expressions write it, and their derivative of it.

A number made from matrices can be spelled in three ways in SymPy, and its derivative may depend on which:
``trace`` (``log(Trace(x.T*x))``), ``element`` (``log((x.T*x)[0, 0])``) and ``block``
(``(x.T*x).applyfunc(log)``, a matrix of one row and one column). All are tried; see ``SPELLINGS``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pullback.syntax.names import normalise
from pullback.syntax.tree import Call, Chain, Name, Negate, Number, Power, Syntax, Transpose
from tests.corpus.loading import Case
from tests.corpus.peers.reading import Derived, Inexpressible, along, inputs, library, program, squared

SPELLINGS = ("trace", "element", "block")
"""How a number made from matrices is written; the first is what the documentation's examples do."""

SYMPY = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "erf", "sign")


class Translator:
    """The statements of one program in SymPy."""

    def __init__(self, case: Case, spelling: str) -> None:
        self.sympy = library("sympy")
        self.spelling = spelling
        self.names: dict[str, Any] = {}
        self.dimensions = {d for shape in case.shapes.values() for d in shape if isinstance(d, str)} | set(case.sizes)
        self.unknown = set(case.functions)
        for name, shape in inputs(case).items():
            self.names[name] = self.variable(name, shape)

    def variable(self, name: str, shape: tuple[int | str, ...]) -> Any:
        """An input: a vector is a matrix of one column."""
        if not shape:
            return self.sympy.Symbol(name, real=True)
        if len(shape) > 2:
            raise Inexpressible(f"a tensor of {len(shape)} axes")
        rows, columns = (*map(self.dimension, shape), self.sympy.Integer(1))[:2]
        return self.sympy.MatrixSymbol(name, rows, columns)

    def dimension(self, size: int | str) -> Any:
        """A number, or a positive whole symbol."""
        if isinstance(size, int):
            return self.sympy.Integer(size)
        return self.sympy.Symbol(size, integer=True, positive=True)

    # kinds

    @staticmethod
    def is_matrix(value: Any) -> bool:
        return bool(getattr(value, "is_Matrix", False))

    def is_block(self, value: Any) -> bool:
        """Whether a value is a matrix of one row and one column."""
        return self.is_matrix(value) and value.shape == (1, 1)

    def is_number(self, value: Any) -> bool:
        return not self.is_matrix(value) or self.is_block(value)

    def number(self, value: Any) -> Any:
        """A matrix of one entry as a number, in this spelling."""
        if not self.is_matrix(value):
            return value
        if not self.is_block(value):
            raise Inexpressible(f"a matrix of shape {value.shape} where a number is needed")
        return value[0, 0] if self.spelling == "element" else self.sympy.Trace(value)

    def ones(self, rows: Any, columns: Any) -> Any:
        return self.sympy.OneMatrix(rows, columns)

    # trees

    def lower(self, tree: Syntax) -> Any:
        match tree:
            case Number(value):
                return self.sympy.Rational(value.numerator, value.denominator)
            case Name(identifier):
                return self.name(identifier)
            case Negate(operand):
                return -self.lower(operand)
            case Transpose(operand):
                value = self.lower(operand)
                return value.T if self.is_matrix(value) else value
            case Power(base, exponent, entrywise):
                inner = squared(base, exponent)
                if inner is not None:
                    return self.norm_squared(self.lower(inner))
                return self.power(self.lower(base), self.number(self.lower(exponent)), entrywise)
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

    def name(self, identifier: str) -> Any:
        if identifier in self.names:
            return self.names[identifier]
        if identifier in self.dimensions:
            return self.dimension(identifier)
        raise Inexpressible(f"the name {identifier}")

    def sum(self, tree: Chain) -> Any:
        terms = [self.lower(operand) for operand in tree.operands]
        signs = [1, *(1 if operator == "+" else -1 for operator in tree.operators)]
        wide = next((t.shape for t in terms if not self.is_number(t)), None)
        if wide is not None:
            terms = [self.number(t) * self.ones(*wide) if self.is_number(t) else t for t in terms]
        elif not all(self.is_matrix(t) for t in terms):
            block = self.spelling == "block" and any(self.is_matrix(t) for t in terms)
            terms = [self.block(t) if block else self.number(t) for t in terms]
        result = signs[0] * terms[0]
        for sign, term in zip(signs[1:], terms[1:], strict=True):
            result = result + term if sign == 1 else result - term
        return result

    def block(self, value: Any) -> Any:
        return value if self.is_matrix(value) else value * self.ones(1, 1)

    def binary(self, operator: str, left: Any, right: Any) -> Any:
        if operator == "kron":
            return self.sympy.KroneckerProduct(left, right)
        if operator == "*":
            return self.times(left, right)
        if operator == "/" or (operator == "./" and self.is_number(right)):
            if self.spelling == "block" and self.is_matrix(right):
                return self.times(left, self.sympy.MatPow(right, -1))
            return left * self.number(right) ** -1
        if operator == "./":
            right = self.sympy.HadamardPower(right, -1)
        return self.entrywise(left, right)

    def times(self, left: Any, right: Any) -> Any:
        """A product of matrices, or scaling where one side is a number."""
        if not (self.is_matrix(left) and self.is_matrix(right)):
            return left * right
        if left.shape[1] == right.shape[0]:
            return left * right
        if self.is_block(left):
            if self.spelling == "block" and right.shape[1] == 1:
                return right * left
            return self.number(left) * right
        if self.is_block(right):
            return self.number(right) * left
        raise Inexpressible(f"a product of shapes {left.shape} and {right.shape}")

    def entrywise(self, left: Any, right: Any) -> Any:
        if self.is_number(left) or self.is_number(right):
            return self.times(left, right)
        return self.sympy.hadamard_product(left, right)

    def power(self, base: Any, exponent: Any, entrywise: bool) -> Any:
        if self.is_number(base):
            if self.spelling == "block" and self.is_matrix(base):
                return self.sympy.MatPow(base, exponent)
            return self.number(base) ** exponent
        return self.sympy.HadamardPower(base, exponent) if entrywise else base**exponent

    # functions

    def call(self, tree: Call) -> Any:
        arguments, axis = along(tree)
        function = tree.function
        if function in ("eye", "ones", "zeros"):
            return self.filled(function, [self.lower(a) for a in arguments])
        values = [self.lower(a) for a in arguments]
        if len(values) == 1 and function in self.unknown:
            return self.apply(self.sympy.Function(function), values[0])
        if len(values) == 1 and (function in SYMPY or function in self.lambdas()):
            made = self.lambdas().get(function) or getattr(self.sympy, function)
            return self.apply(made, values[0])
        if axis == "columns":
            values = [value.T for value in values]
        forms: dict[str, Callable[..., Any]] = {
            "sum": self.row_sums if axis else self.total, "mean": self.column_means if axis else self.mean,
            "norm": self.row_norms if axis else self.norm, "norm1": self.norm1, "tr": self.trace,
            "logsumexp": self.row_logsumexp if axis else self.logsumexp, "max": self.largest,
            "softmax": self.row_softmax if axis else self.softmax, "det": self.determinant, "logdet": self.logdet,
            "inv": self.inverse, "solve": self.solve, "diag": self.diagonal, "kron": self.kron, "outer": self.outer,
            "dot": self.dot, "concat": self.concat, "mse": self.mse, "cross_entropy": self.cross_entropy,
            "pi": self.pi,
        }  # fmt: skip
        if function not in forms:
            raise Inexpressible(function)
        return forms[function](*values)

    def lambdas(self) -> dict[str, Any]:
        """Functions that SymPy writes with others; |u| as a maximum, since its dummies are not real."""
        s, u = self.sympy, self.sympy.Dummy("u")
        bodies = {
            "sigmoid": 1 / (1 + s.exp(-u)),
            "softplus": s.log(1 + s.exp(u)),
            "silu": u / (1 + s.exp(-u)),
            "gelu": u * (1 + s.erf(u / s.sqrt(2))) / 2,
            "relu": s.Max(0, u),
            "leaky_relu": s.Max(u, u / 100),
            "abs": s.Max(u, -u),
            "step": s.Heaviside(u, 0),
            "square": u**2,
        }
        return {name: s.Lambda(u, body) for name, body in bodies.items()}

    def apply(self, function: Any, value: Any) -> Any:
        """A function of one argument, entry by entry."""
        if self.is_matrix(value) and (not self.is_block(value) or self.spelling == "block"):
            return value.applyfunc(function)
        return function(self.number(value))

    def filled(self, function: str, sizes: list[Any]) -> Any:
        if function == "eye":
            return self.sympy.Identity(sizes[0])
        rows, columns = (*sizes, self.sympy.Integer(1))[:2]
        return (self.sympy.OneMatrix if function == "ones" else self.sympy.ZeroMatrix)(rows, columns)

    def total(self, x: Any) -> Any:
        if self.is_number(x):
            return x
        x = self.ones(1, x.shape[0]) * x if x.shape[0] != 1 else x
        return x * self.ones(x.shape[1], 1) if x.shape[1] != 1 else x

    def mean(self, x: Any) -> Any:
        return self.total(x) * (1 / (x.shape[0] * x.shape[1]))

    def row_sums(self, x: Any) -> Any:
        return x * self.ones(x.shape[1], 1)

    def column_means(self, x: Any) -> Any:
        return self.row_sums(x) * (1 / x.shape[1])

    def norm_squared(self, x: Any) -> Any:
        if not self.is_matrix(x):
            return x**2
        if 1 in x.shape:
            return x.T * x if x.shape[1] == 1 else x * x.T
        return self.sympy.Trace(x.T * x)

    def norm(self, x: Any) -> Any:
        return self.power(self.norm_squared(x), self.sympy.Rational(1, 2), False)

    def row_norms(self, x: Any) -> Any:
        return self.row_sums(self.sympy.HadamardPower(x, 2)).applyfunc(self.sympy.sqrt)

    def norm1(self, x: Any) -> Any:
        return self.total(self.apply(self.lambdas()["abs"], x))

    def trace(self, x: Any) -> Any:
        return self.sympy.Trace(x) if self.is_matrix(x) else x

    def logsumexp(self, x: Any) -> Any:
        return self.apply(self.sympy.log, self.total(x.applyfunc(self.sympy.exp)))

    def row_logsumexp(self, x: Any) -> Any:
        return self.row_sums(x.applyfunc(self.sympy.exp)).applyfunc(self.sympy.log)

    def softmax(self, x: Any) -> Any:
        powers = x.applyfunc(self.sympy.exp)
        return self.binary("/", powers, self.total(powers))

    def row_softmax(self, x: Any) -> Any:
        powers = x.applyfunc(self.sympy.exp)
        below = self.row_sums(powers) * self.ones(1, x.shape[1])
        return self.sympy.hadamard_product(powers, self.sympy.HadamardPower(below, -1))

    def largest(self, *values: Any) -> Any:
        if len(values) == 1:
            raise Inexpressible("the largest entry of a vector")
        a, b = values
        return (a + b) / 2 + self.apply(self.lambdas()["abs"], a - b) / 2

    def determinant(self, x: Any) -> Any:
        return self.sympy.Determinant(x) if self.is_matrix(x) else x

    def logdet(self, x: Any) -> Any:
        return self.sympy.log(self.determinant(x))

    def inverse(self, x: Any) -> Any:
        return self.sympy.Inverse(x) if self.is_matrix(x) else 1 / x

    def solve(self, a: Any, b: Any) -> Any:
        return self.times(self.inverse(a), b)

    def diagonal(self, x: Any) -> Any:
        module = library("sympy.matrices.expressions.diagonal")
        return module.DiagMatrix(x) if 1 in x.shape else module.DiagonalOf(x)

    def kron(self, a: Any, b: Any) -> Any:
        return self.sympy.KroneckerProduct(a, b)

    def outer(self, a: Any, b: Any) -> Any:
        return a * b.T

    def dot(self, a: Any, b: Any) -> Any:
        return a.T * b if a.shape[1] == 1 else self.sympy.Trace(a.T * b)

    def concat(self, *parts: Any) -> Any:
        return self.sympy.BlockMatrix([[part] for part in parts])

    def mse(self, a: Any, b: Any) -> Any:
        return self.norm_squared(a - b) / (a.shape[0] * a.shape[1])

    def cross_entropy(self, z: Any, t: Any) -> Any:
        weight = self.times(self.total(t), self.logsumexp(z))
        return self.binary_difference(weight, self.dot(t, z))

    def binary_difference(self, a: Any, b: Any) -> Any:
        if self.is_matrix(a) and self.is_matrix(b):
            return a - b
        return self.number(a) - self.number(b)

    def pi(self) -> Any:
        return self.sympy.pi


def _unevaluated(result: Any) -> bool:
    """Whether a derivative stands in a result, other than f' of a function that is known by name only."""
    from tests.corpus.peers.sympy_values import nodes

    return any(
        type(node).__name__ == "ArrayDerivative"
        or (type(node).__name__ == "Derivative" and not getattr(type(node.expr), "is_Function", False))
        or (type(node).__name__ == "Derivative" and type(node.expr).__name__ in _KNOWN)
        for node in nodes(result)
    )


_KNOWN = (*SYMPY, "re", "im", "Abs", "Max", "Heaviside")


def _derivative(value: Any, variable: Any, notes: list[str]) -> Any:
    """``value.diff(variable)``; where that gives no answer, the engine for arrays asked by itself."""
    try:
        found = value.diff(variable)
        if not _unevaluated(found):
            return found
        refusal: Exception = NotImplementedError(f"left unevaluated: {found}")
    except Exception as error:
        refusal = error
    if not getattr(variable, "is_Matrix", False):
        raise refusal
    arrays = library("sympy.tensor.array.expressions")
    try:
        found = arrays.array_derive(arrays.convert_matrix_to_array(value), variable)
        try:
            found = arrays.convert_array_to_matrix(found)
        except Exception:
            notes.append("left as an array")
        if _unevaluated(found):
            raise refusal
    except Exception:
        raise refusal from None
    notes.append("by array_derive")
    return found


def derive(case: Case, spelling: str) -> Derived:
    """The case's derivatives by SymPy, in SymPy's own layout: the variable's axes come first."""
    translator = Translator(case, spelling)
    parsed = program(case)
    value: Any = None
    for binding in parsed.bindings:
        value = translator.lower(binding.value)
        if binding.name is not None:
            translator.names[binding.name] = value
    notes: list[str] = []
    forward = value
    variables = [translator.names[normalise(name)] for name in case.wrt]
    if case.kind == "backward":
        if translator.is_number(value):
            value = value * translator.variable(case.upstream, ())
        else:
            shape = value.shape
            upstream = translator.sympy.MatrixSymbol(case.upstream, *shape)
            value = upstream.T * value if shape[1] == 1 else translator.sympy.Trace(upstream.T * value)
        results = {n: _derivative(value, v, notes) for n, v in zip(case.wrt, variables, strict=True)}
    else:
        results = {"": _derivative(value, variables[0], notes)}
        if case.kind == "hessian":
            results[""] = _derivative(results[""], variables[-1], notes)
    for result in results.values():
        str(result)
    return Derived(results, forward, ", ".join(dict.fromkeys(notes)))
