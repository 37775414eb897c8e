"""``pb.from_sympy``: a SymPy matrix expression read as a program."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from pullback.deriving import parse
from pullback.errors import UnsupportedError
from pullback.lowering.program import Program
from pullback.operations.table import FUNCTIONS
from pullback.syntax import tree
from pullback.syntax.names import normalise
from pullback.syntax.printer import show
from pullback.syntax.tree import Syntax

_NAME = re.compile(r"[^\W\d]\w*")
_SAME = frozenset("exp log sin cos tan sinh cosh tanh atan sqrt erf sign".split())


def from_sympy(expression: Any) -> Program:
    """Read a SymPy expression as a program: a ``MatrixExpr``, or a number made from matrices.

    A matrix of one row or one column is a vector, one of both a number; a symbolic length that is also
    used as a number is ``size(n)``. Applied functions are read through their lambdas.

    Args:
        expression: What SymPy holds; its symbols are the inputs, of their shapes.

    Returns:
        The program, for ``pullback.backward`` and all others.

    Raises:
        UnsupportedError: Something in it has no notation; it is named.

    >>> import sympy
    >>> A, x = sympy.MatrixSymbol("A", 3, 3), sympy.MatrixSymbol("x", 3, 1)
    >>> print(from_sympy(sympy.Trace(x.T * A * x)).source)
    x' A x
    """
    reader = _Reader()
    expression = reader.sympy.sympify(expression)
    for symbol in sorted(getattr(expression, "free_symbols", ()), key=str):
        reader.declare(symbol)
    text = show(reader.read(expression))
    return parse("\n".join([*(f"{name} : entrywise" for name in sorted(reader.unknown)), text]), shapes=reader.shapes)


class _Reader:
    def __init__(self) -> None:
        import sympy  # type: ignore[import-untyped]

        self.sympy = sympy
        self.shapes: dict[str, tuple[int | str, ...]] = {}
        self.rows: set[str] = set()
        self.unknown: set[str] = set()
        self.dimensions: set[str] = set()

    # names

    def name(self, symbol: Any) -> str:
        """The name of a symbol in the notation."""
        name = normalise(str(symbol.name).lstrip("\\"))
        if not _NAME.fullmatch(name) or name in FUNCTIONS:
            raise UnsupportedError(
                f"{str(symbol.name)!r} is no name in the notation",
                hint="a name is letters, digits and _, and none of the functions' names",
            )
        return name

    def length(self, size: Any) -> int | str:
        """The length of an axis."""
        if size.is_Integer:
            return int(size)
        if not size.is_Symbol:
            raise UnsupportedError(f"the length {size} is not read", hint="a length is a number or one symbol")
        name = self.name(size)
        self.dimensions.add(name)
        return name

    def declare(self, symbol: Any) -> None:
        """Note the shape of a matrix symbol; numbers follow, once it is known which of them are lengths."""
        if isinstance(symbol, self.sympy.MatrixSymbol):
            lengths = [self.length(n) for n in symbol.shape]
            name = self.name(symbol)
            if lengths[0] == 1 and lengths[1] != 1:
                self.rows.add(name)
            self.shapes[name] = tuple(n for n in lengths if n != 1) if 1 in lengths else tuple(lengths)

    def size(self, size: Any) -> Syntax:
        """A length as an argument of ``ones`` and such."""
        length = self.length(size)
        return tree.Number(Fraction(length)) if isinstance(length, int) else tree.Name(length)

    # expressions

    def read(self, e: Any) -> Syntax:
        sympy, kind = self.sympy, type(e).__name__
        if isinstance(e, sympy.MatrixSymbol):
            name = self.name(e)
            return tree.Transpose(tree.Name(name)) if name in self.rows else tree.Name(name)
        if isinstance(e, sympy.Symbol):
            name = self.name(e)
            if name in self.dimensions:
                return tree.Call("size", (tree.Name(name),))
            self.shapes[name] = ()
            return tree.Name(name)
        if isinstance(e, sympy.Sum):
            return self.index_sum(e)
        if kind == "MatrixElement":
            return self.entry(e)
        if kind in _OF_KIND:
            return _OF_KIND[kind](self, e)
        if getattr(e, "is_Matrix", False):
            raise UnsupportedError(f"SymPy's {kind} is not read")
        return self.number(e, self.read)

    def number(self, e: Any, inner: Callable[[Any], Syntax], entrywise: bool = False) -> Syntax:
        """A scalar expression; with ``entrywise``, applied to every entry of what its variable stands for."""
        sympy = self.sympy
        if e is sympy.pi:
            return tree.Call("pi", ())
        if e is sympy.E:
            return tree.Call("exp", (tree.Number(Fraction(1)),))
        if e.is_Rational or e.is_Float:
            return _rational(Fraction(int(e.p), int(e.q)) if e.is_Rational else Fraction(str(e)))
        if e.is_Add:
            signs = ["-" if a.could_extract_minus_sign() else "+" for a in e.args]
            return _chained([inner(-a if sign == "-" else a) for a, sign in zip(e.args, signs, strict=True)], signs)
        if e.is_Mul:
            return self.scalar_product(e, inner, entrywise)
        if e.is_Pow:
            return self.power(e, inner, entrywise)
        if isinstance(e, sympy.exp):
            return tree.Call("exp", (inner(e.args[0]),))
        return self.function(e, inner)

    def scalar_product(self, e: Any, inner: Callable[[Any], Syntax], entrywise: bool) -> Syntax:
        over, under = e.as_numer_denom() if not entrywise else (e, self.sympy.S.One)
        if under != 1:
            return tree.Chain((inner(over), inner(under)), ("/",))
        sign, factors = (-1, [-e.args[0], *e.args[1:]]) if e.args[0].is_Number and e.args[0] < 0 else (1, list(e.args))
        parts = [inner(f) for f in factors if f != 1]
        product = _product(parts, ".*" if entrywise else "*")
        return tree.Negate(product) if sign < 0 else product

    def power(self, e: Any, inner: Callable[[Any], Syntax], entrywise: bool) -> Syntax:
        base, exponent = e.as_base_exp()
        if exponent == self.sympy.S.Half:
            return tree.Call("sqrt", (inner(base),))
        if exponent == -1:
            return tree.Chain((tree.Number(Fraction(1)), inner(base)), ("./" if entrywise else "/",))
        return tree.Power(inner(base), inner(exponent), entrywise)

    def function(self, e: Any, inner: Callable[[Any], Syntax]) -> Syntax:
        sympy, name = self.sympy, type(e).__name__
        if isinstance(e, sympy.Max | sympy.Min) and len(e.args) == 2:
            zero = [a for a in e.args if a == 0]
            if zero and isinstance(e, sympy.Max):
                return tree.Call("relu", tuple(inner(a) for a in e.args if a != 0))
            return tree.Call(name.lower(), tuple(inner(a) for a in e.args))
        if isinstance(e, sympy.Heaviside):
            return tree.Call("step", (inner(e.args[0]),))
        named = {"Abs": "abs"}.get(name, name)
        if named in _SAME | {"abs"} and len(e.args) == 1:
            return tree.Call(named, (inner(e.args[0]),))
        order, applied = (0, e) if not isinstance(e, sympy.Derivative) else (e.derivative_count, e.expr)
        if isinstance(applied, sympy.core.function.AppliedUndef) and len(applied.args) == 1:
            self.unknown.add(applied.func.__name__)
            return tree.Call(applied.func.__name__ + "'" * order, (inner(applied.args[0]),))
        raise UnsupportedError(f"SymPy's {name} is not read")

    def applied(self, e: Any) -> Syntax:
        """``x.applyfunc(f)``: the lambda's body over every entry."""
        (variable,) = e.function.variables
        argument = self.read(e.expr)

        def inner(part: Any) -> Syntax:
            if part == variable:
                return argument
            if not part.has(variable):
                return self.read(part)
            return self.number(part, inner, entrywise=True)

        body = inner(e.function.expr)
        if not e.function.expr.has(variable):
            raise UnsupportedError("a function that does not use its argument is not read")
        return body

    def index_sum(self, e: Any) -> Syntax:
        """A sum over indices, as SymPy turns it into matrices."""
        from sympy.matrices.expressions.matexpr import MatrixExpr  # type: ignore[import-untyped]

        try:
            found = MatrixExpr.from_index_summation(e)
        except Exception as error:
            raise UnsupportedError(f"the sum {e} is not read: {error}") from None
        if found == e or isinstance(found, self.sympy.Sum):
            raise UnsupportedError(f"the sum {e} is not read", hint="write it with matrices")
        return self.read(found)

    def entry(self, e: Any) -> Syntax:
        if e.parent.shape == (1, 1):
            return self.read(e.parent)
        raise UnsupportedError(f"the entry {e} is not read", hint="only the entry of a matrix of one entry is a number")

    def trace(self, e: Any) -> Syntax:
        inner = self.read(e.arg)
        return inner if e.arg.shape == (1, 1) else tree.Call("tr", (inner,))

    def ones(self, e: Any) -> Syntax:
        rows, columns = e.shape
        if columns == 1:
            return tree.Call("ones", (self.size(rows),)) if rows != 1 else tree.Number(Fraction(1))
        if rows == 1:
            return tree.Transpose(tree.Call("ones", (self.size(columns),)))
        return tree.Call("ones", (self.size(rows), self.size(columns)))

    def zeros(self, e: Any) -> Syntax:
        rows, columns = e.shape
        if 1 in (rows, columns):
            vector = tree.Call("zeros", (self.size(rows if columns == 1 else columns),))
            return vector if columns == 1 else tree.Transpose(vector)
        return tree.Call("zeros", (self.size(rows), self.size(columns)))

    def matrix_sum(self, e: Any) -> Syntax:
        signs = []
        terms = []
        for a in e.args:
            coefficient = a.as_coeff_mmul()[0] if hasattr(a, "as_coeff_mmul") else 1
            negative = bool(getattr(coefficient, "is_negative", False))
            signs.append("-" if negative else "+")
            terms.append(self.read(-a if negative else a))
        return _chained(terms, signs)

    def matrix_product(self, e: Any) -> Syntax:
        coefficient, rest = e.as_coeff_matrices()
        parts = [self.read(part) for part in rest]
        if coefficient == -1:
            product = _product(parts)
            return tree.Negate(product)
        if coefficient.is_negative:
            return tree.Negate(_product([self.read(-coefficient), *parts]))
        over, under = coefficient.as_numer_denom()
        product = _product([*([self.read(over)] if over != 1 else []), *parts])
        return tree.Chain((product, self.read(under)), ("/",)) if under != 1 else product

    def matrix_power(self, e: Any) -> Syntax:
        if e.exp == -1:
            return tree.Call("inv", (self.read(e.base),))
        return tree.Power(self.read(e.base), self.read(e.exp))


def _rational(value: Fraction) -> Syntax:
    if value < 0:
        return tree.Negate(_rational(-value))
    if value.denominator == 1:
        return tree.Number(value)
    return tree.Chain((tree.Number(Fraction(value.numerator)), tree.Number(Fraction(value.denominator))), ("/",))


def _product(parts: list[Syntax], operator: str = "*") -> Syntax:
    return tree.Chain(tuple(parts), (operator,) * (len(parts) - 1)) if len(parts) > 1 else parts[0]


def _chained(terms: list[Syntax], signs: list[str]) -> Syntax:
    order = sorted(range(len(terms)), key=lambda k: signs[k] == "-")
    terms, signs = [terms[k] for k in order], [signs[k] for k in order]
    first = tree.Negate(terms[0]) if signs[0] == "-" else terms[0]
    return tree.Chain((first, *terms[1:]), tuple(signs[1:])) if len(terms) > 1 else first


def _call(function: str) -> Callable[[_Reader, Any], Syntax]:
    return lambda reader, e: tree.Call(function, (reader.read(e.args[0]),))


def _between(operator: str) -> Callable[[_Reader, Any], Syntax]:
    def read(reader: _Reader, e: Any) -> Syntax:
        return tree.Chain(tuple(reader.read(a) for a in e.args), (operator,) * (len(e.args) - 1))

    return read


_OF_KIND: dict[str, Callable[[_Reader, Any], Syntax]] = {
    "MatAdd": _Reader.matrix_sum,
    "MatMul": _Reader.matrix_product,
    "MatPow": _Reader.matrix_power,
    "HadamardProduct": _between(".*"),
    "KroneckerProduct": _between("kron"),
    "HadamardPower": lambda reader, e: tree.Power(reader.read(e.base), reader.read(e.exp), True),
    "Transpose": lambda reader, e: tree.Transpose(reader.read(e.arg)),
    "Inverse": _call("inv"),
    "Determinant": _call("det"),
    "Trace": _Reader.trace,
    "Identity": lambda reader, e: tree.Call("eye", (reader.size(e.shape[0]),)),
    "OneMatrix": _Reader.ones,
    "ZeroMatrix": _Reader.zeros,
    "DiagMatrix": _call("diag"),
    "DiagonalOf": _call("diag"),
    "DiagonalMatrix": lambda reader, e: tree.Call("diag", (tree.Call("diag", (reader.read(e.arg),)),)),
    "DotProduct": lambda reader, e: tree.Call("dot", tuple(reader.read(a) for a in e.args)),
    "ElementwiseApplyFunction": _Reader.applied,
}
