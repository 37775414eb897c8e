"""``pb.to_sympy``: a closed form, or a program, as SymPy's matrix expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pullback.errors import UnsupportedError
from pullback.expression import Expression
from pullback.lowering.program import Program
from pullback.operations.table import FUNCTIONS
from pullback.syntax import tree
from pullback.syntax.names import normalise
from pullback.syntax.tree import Syntax

_SAME = frozenset("exp log sin cos tan tanh sinh cosh atan sqrt erf sign".split())


def to_sympy(source: Expression | Program | Mapping[str, Expression], symbols: Iterable[Any] = ()) -> Any:
    """Give a closed form as a SymPy expression over matrix symbols; a vector is a matrix of one column.

    Args:
        source: An expression, a program (its output), or results such as those of ``pullback.backward``.
        symbols: Symbols and matrix symbols of one's own, which are used where a name is theirs; others are made.

    Returns:
        A SymPy expression; a dictionary of them for results.

    Raises:
        UnsupportedError: It has entries written out, or a function that SymPy has no matrix form of.

    >>> import pullback as pb
    >>> print(to_sympy(pb.gradient("norm(A x - b)^2", "x")))
    2*A.T*(A*x - b)
    """
    own = {normalise(str(symbol.name)): symbol for symbol in symbols}
    if isinstance(source, Program):
        writer = _Writer(source.inputs, own)
        if source.batch is not None:
            raise UnsupportedError("a program over a batch has no SymPy matrix expression")
        *before, last = source.syntax.bindings
        for binding in before:
            writer.names[binding.name or ""] = writer.value(binding.value)
        return writer.value(last.value)
    if isinstance(source, Expression):
        writer = _Writer(source.inputs, own)
        for binding in source.spelled.where:
            writer.names[binding.name or ""] = writer.value(binding.value)
        return writer.value(source.tree)
    return {name: to_sympy(expression, own.values()) for name, expression in source.items()}


class _Writer:
    def __init__(self, inputs: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        import sympy  # type: ignore[import-untyped]

        self.sympy, self.own = sympy, own
        self.names: dict[str, Any] = {}
        for name, entry in inputs.items():
            if len(entry.shape) > 2:
                raise UnsupportedError(f"{entry.name} has {len(entry.shape)} axes: SymPy has no matrix symbol of it")
            if normalise(name) in own:
                self.names[normalise(name)] = own[normalise(name)]
                continue
            lengths = [self.length(axis) for axis in entry.shape]
            self.names[normalise(name)] = (
                sympy.Symbol(entry.name) if not lengths else sympy.MatrixSymbol(entry.name, *(*lengths, 1)[:2])
            )

    def length(self, axis: Any) -> Any:
        """The length of an axis."""
        if axis.number is not None:
            return self.sympy.Integer(axis.number)
        return self.sympy.sympify(str(axis).replace(" ", "*"), {n: self.symbol(n) for n in axis.names})

    def symbol(self, name: str) -> Any:
        """A length by its name."""
        return self.own.get(name, self.sympy.Symbol(name, integer=True, positive=True))

    # kinds

    def ones(self, rows: Any, columns: Any = 1) -> Any:
        return self.sympy.OneMatrix(rows, columns)

    def number(self, matrix: Any) -> Any:
        """A matrix of one entry as a number."""
        return self.sympy.Trace(matrix) if _is_matrix(matrix) else matrix

    def apply(self, function: Callable[[Any], Any], x: Any) -> Any:
        """A function of every entry."""
        if not _is_matrix(x):
            return function(x)
        d = self.sympy.Dummy("t", real=True)
        return x.applyfunc(self.sympy.Lambda(d, function(d)))

    # trees

    def value(self, node: Syntax) -> Any:
        match node:
            case tree.Number(value):
                return self.sympy.Rational(value.numerator, value.denominator)
            case tree.Name(identifier):
                return self.names[identifier] if identifier in self.names else self.symbol(identifier)
            case tree.Negate(operand):
                return -self.value(operand)
            case tree.Transpose(operand):
                value = self.value(operand)
                return value.T if _is_matrix(value) else value
            case tree.Power(base, exponent, entrywise):
                return self.power(self.value(base), self.value(exponent), entrywise)
            case tree.Chain(operands, operators):
                total = self.value(operands[0])
                for operator, operand in zip(operators, operands[1:], strict=True):
                    total = self.join(total, operator, self.value(operand))
                return total
            case tree.Call(function, arguments):
                return self.call(function, arguments)
        raise UnsupportedError("a form with its entries written out has no SymPy matrix expression")

    def power(self, base: Any, exponent: Any, entrywise: bool) -> Any:
        if not entrywise or not _is_matrix(base):
            return base**exponent
        if _is_matrix(exponent):
            raise UnsupportedError("SymPy has no matrix form of a power whose exponent is a matrix")
        return self.sympy.HadamardPower(base, exponent)

    def join(self, left: Any, operator: str, right: Any) -> Any:
        sympy = self.sympy
        if operator in ("+", "-"):
            if _is_matrix(left) != _is_matrix(right):  # a number beside a matrix is added to every entry
                wide = self.ones(*(left if _is_matrix(left) else right).shape)
                left, right = (part if _is_matrix(part) else part * wide for part in (left, right))
            return left + right if operator == "+" else left - right
        if operator == "kron":
            return sympy.KroneckerProduct(left, right)
        if operator in ("/", "./"):
            if not _is_matrix(right):
                return left / right
            operator, right = ".*", sympy.HadamardPower(right, -1)
        if operator == ".*" and _is_matrix(left) and _is_matrix(right):
            return sympy.HadamardProduct(left, right)
        product = left * right
        return self.number(product) if getattr(product, "shape", None) == (1, 1) else product

    def call(self, function: str, arguments: tuple[Syntax, ...]) -> Any:
        sympy = self.sympy
        if function == "size":
            return self.size(*arguments)
        if function == "pi":
            return sympy.pi
        axis = None
        last = arguments[-1] if arguments else None
        if isinstance(last, tree.Name) and last.identifier in ("rows", "columns") and len(arguments) > 1:
            axis, arguments = last.identifier, arguments[:-1]
        values = [self.value(a) for a in arguments]
        if function in _SAME and len(values) == 1:
            return self.apply(getattr(sympy, function), values[0])
        if function in _ENTRYWISE and len(values) == 1:
            return self.apply(lambda t: _ENTRYWISE[function](sympy, t), values[0])
        bare = function.rstrip("'")
        if bare not in FUNCTIONS and len(values) == 1:
            f = sympy.Function(bare)
            return self.apply(
                lambda t: f(t).diff((t, len(function) - len(bare))) if bare != function else f(t), values[0]
            )
        writes = getattr(self, f"of_{function}", None)
        if writes is None or (axis is not None and function not in ("sum", "mean", "softmax", "logsumexp", "norm")):
            raise UnsupportedError(f"SymPy has no matrix form of {function} here")
        return writes(*values, axis=axis) if axis is not None else writes(*values)

    def size(self, of: Syntax, axis: Syntax | None = None) -> Any:
        """A length by its name, or the number of entries, rows or columns of a value."""
        if isinstance(of, tree.Name) and of.identifier not in self.names:
            return self.symbol(of.identifier)
        value = self.value(of)
        rows, columns = value.shape if _is_matrix(value) else (1, 1)
        if isinstance(axis, tree.Name):
            return rows if axis.identifier == "rows" else columns
        return rows * columns

    def of_sum(self, x: Any, axis: str | None = None) -> Any:
        if not _is_matrix(x):
            return x
        rows, columns = x.shape
        if axis == "rows":
            return x * self.ones(columns)
        if axis == "columns":
            return x.T * self.ones(rows)
        total = self.ones(rows).T * x
        return self.number(total if columns == 1 else total * self.ones(columns))

    def of_mean(self, x: Any, axis: str | None = None) -> Any:
        rows, columns = x.shape
        return self.of_sum(x, axis) / {None: rows * columns, "rows": columns, "columns": rows}[axis]

    def of_softmax(self, x: Any, axis: str | None = None) -> Any:
        grown = self.apply(self.sympy.exp, x)
        if axis is None:
            return grown / self.of_sum(grown)
        rows, columns = x.shape
        by = self.of_sum(grown, axis)
        spread = by * self.ones(columns).T if axis == "rows" else self.ones(rows) * by.T
        return self.sympy.HadamardProduct(grown, self.sympy.HadamardPower(spread, -1))

    def of_logsumexp(self, x: Any, axis: str | None = None) -> Any:
        return self.apply(self.sympy.log, self.of_sum(self.apply(self.sympy.exp, x), axis))

    def of_norm(self, x: Any, axis: str | None = None) -> Any:
        if axis is not None:
            return self.apply(self.sympy.sqrt, self.of_sum(self.sympy.HadamardPower(x, 2), axis))
        return self.sympy.sqrt(self.of_dot(x, x))

    def of_norm1(self, x: Any) -> Any:
        return self.of_sum(self.apply(self.sympy.Abs, x))

    def of_dot(self, a: Any, b: Any) -> Any:
        if not _is_matrix(a):
            return a * b
        return self.number(a.T * b) if a.shape[1] == 1 else self.sympy.Trace(a.T * b)

    def of_mse(self, a: Any, b: Any) -> Any:
        size = a.shape[0] * a.shape[1] if _is_matrix(a) else 1
        return self.of_dot(a - b, a - b) / size

    def of_cross_entropy(self, z: Any, t: Any) -> Any:
        return self.of_logsumexp(z) * self.of_sum(t) - self.of_dot(t, z)

    def of_outer(self, a: Any, b: Any) -> Any:
        return a * b.T

    def of_kron(self, a: Any, b: Any) -> Any:
        return self.sympy.KroneckerProduct(a, b)

    def of_square(self, x: Any) -> Any:
        return self.power(x, 2, True)

    def of_inv(self, a: Any) -> Any:
        return a.I if _is_matrix(a) else 1 / a

    def of_solve(self, a: Any, b: Any) -> Any:
        return a.I * b

    def of_tr(self, a: Any) -> Any:
        return self.sympy.Trace(a) if _is_matrix(a) else a

    def of_det(self, a: Any) -> Any:
        return self.sympy.Determinant(a) if _is_matrix(a) else a

    def of_logdet(self, a: Any) -> Any:
        return self.sympy.log(self.of_det(a))

    def of_eye(self, n: Any) -> Any:
        return self.sympy.Identity(n)

    def of_ones(self, rows: Any, columns: Any = 1) -> Any:
        return self.ones(rows, columns)

    def of_zeros(self, rows: Any, columns: Any = 1) -> Any:
        return self.sympy.ZeroMatrix(rows, columns)

    def of_diag(self, x: Any) -> Any:
        from sympy.matrices.expressions.diagonal import DiagonalOf  # type: ignore[import-untyped]

        return self.sympy.DiagMatrix(x) if x.shape[1] == 1 else DiagonalOf(x)


def _is_matrix(value: Any) -> bool:
    return bool(getattr(value, "is_Matrix", False))


_ENTRYWISE: dict[str, Callable[[Any, Any], Any]] = {
    "abs": lambda sympy, t: sympy.Abs(t),
    "relu": lambda sympy, t: sympy.Max(t, 0),
    "leaky_relu": lambda sympy, t: sympy.Max(t, 0) - sympy.Max(-t, 0) / 100,
    "step": lambda sympy, t: sympy.Heaviside(t, 0),
    "sigmoid": lambda sympy, t: 1 / (1 + sympy.exp(-t)),
    "softplus": lambda sympy, t: sympy.log(1 + sympy.exp(t)),
    "silu": lambda sympy, t: t / (1 + sympy.exp(-t)),
    "gelu": lambda sympy, t: t * (1 + sympy.erf(t / sympy.sqrt(2))) / 2,
}
