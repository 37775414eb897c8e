"""SymPy's matrix expressions in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pullback.deriving import parse
from pullback.errors import UnsupportedError
from pullback.expression import Expression
from pullback.lowering.program import Program
from pullback.syntax import tree
from pullback.syntax.tree import Syntax


def from_sympy(expression: Any) -> Program:
    """Read a SymPy matrix or scalar expression as a program.

    Raises:
        UnsupportedError: Something in it has no notation; it is named.
    """
    import sympy  # type: ignore[import-untyped]

    shapes: dict[str, tuple[int | str, ...]] = {}
    for symbol in expression.free_symbols:
        if isinstance(symbol, sympy.MatrixSymbol):
            lengths = [int(n) if n.is_Integer else str(n) for n in symbol.shape]
            shapes[symbol.name] = tuple(lengths[:1] if lengths[1] == 1 else lengths)
    dimensions = {name for shape in shapes.values() for name in shape if isinstance(name, str)}
    for symbol in expression.free_symbols:
        if isinstance(symbol, sympy.Symbol) and symbol.name not in dimensions:
            shapes[symbol.name] = ()
    return parse(_text(expression, sympy), shapes=shapes)


def _text(e: Any, sympy: Any) -> str:
    def inner(part: Any) -> str:
        return _text(part, sympy)

    if isinstance(e, sympy.MatrixSymbol | sympy.Symbol):
        return str(e.name)
    if e.is_Number:
        return f"({e})"
    if isinstance(e, sympy.Identity):
        return f"eye({e.shape[0]})"
    if isinstance(e, sympy.ZeroMatrix):
        return f"zeros({e.shape[0]}, {e.shape[1]})"
    if isinstance(e, sympy.MatAdd | sympy.Add):
        return "(" + " + ".join(inner(a) for a in e.args) + ")"
    if isinstance(e, sympy.MatMul | sympy.Mul):
        return "(" + " * ".join(f"({inner(a)})" for a in e.args) + ")"
    if isinstance(e, sympy.HadamardProduct):
        return "(" + " .* ".join(f"({inner(a)})" for a in e.args) + ")"
    if isinstance(e, sympy.Transpose):
        return f"({inner(e.arg)})'"
    if isinstance(e, sympy.Inverse):
        return f"inv({inner(e.arg)})"
    if isinstance(e, sympy.Trace) and e.arg.shape == (1, 1):
        return inner(e.arg)
    if isinstance(e, sympy.Trace):
        return f"tr({inner(e.arg)})"
    if isinstance(e, sympy.Determinant):
        return f"det({inner(e.arg)})"
    if isinstance(e, sympy.HadamardPower):
        return f"({inner(e.base)}) .^ ({inner(e.exp)})"
    if isinstance(e, sympy.MatPow | sympy.Pow):
        return f"({inner(e.base)})^({inner(e.exp)})"
    if type(e).__name__ == "ElementwiseApplyFunction":
        return f"{e.function.expr.func.__name__}({inner(e.expr)})"
    if type(e).__name__ == "MatrixElement" and e.parent.shape == (1, 1):
        return inner(e.parent)
    if isinstance(e, sympy.Function):
        return f"{e.func.__name__}({', '.join(inner(a) for a in e.args)})"
    raise UnsupportedError(f"SymPy's {type(e).__name__} is not read")


def to_sympy(expression: Expression) -> Any:
    """Give a closed form as a SymPy expression over matrix symbols; a vector is a matrix of one column.

    Raises:
        UnsupportedError: The form has entries written out, or a function that SymPy has no matrix form of.
    """
    import sympy

    symbols: dict[str, Any] = {}
    for name, entry in expression.inputs.items():
        lengths = [
            sympy.Integer(a.number) if a.number is not None else sympy.Symbol(str(a), integer=True, positive=True)
            for a in entry.shape
        ]
        symbols[name] = (
            sympy.Symbol(entry.name)
            if not lengths
            else sympy.MatrixSymbol(entry.name, lengths[0], lengths[1] if len(lengths) > 1 else 1)
        )
    for binding in expression.spelled.where:
        symbols[binding.name or ""] = _value(binding.value, symbols, sympy)
    return _value(expression.tree, symbols, sympy)


def _scalar(value: Any) -> bool:
    return not getattr(value, "is_Matrix", False)


def _value(node: Syntax, names: Mapping[str, Any], sympy: Any) -> Any:
    def inner(part: Syntax) -> Any:
        return _value(part, names, sympy)

    match node:
        case tree.Number(value):
            return sympy.Rational(value.numerator, value.denominator)
        case tree.Name(identifier):
            return names.get(identifier, sympy.Symbol(identifier, integer=True, positive=True))
        case tree.Negate(operand):
            return -inner(operand)
        case tree.Transpose(operand):
            value = inner(operand)
            return value if _scalar(value) else value.T
        case tree.Power(base, exponent, entrywise):
            value, power = inner(base), inner(exponent)
            return sympy.HadamardPower(value, power) if entrywise and not _scalar(value) else value**power
        case tree.Chain(operands, operators):
            total = inner(operands[0])
            for operator, operand in zip(operators, operands[1:], strict=True):
                total = _join(total, operator, inner(operand), sympy)
            return total
        case tree.Call(function, arguments):
            return _call(function, arguments, inner, sympy)
    raise UnsupportedError("a form with its entries written out has no SymPy matrix expression")


def _join(left: Any, operator: str, right: Any, sympy: Any) -> Any:
    if operator in ("+", "-"):
        if _scalar(left) != _scalar(right):
            raise UnsupportedError("SymPy adds no number to a matrix expression")
        return left + right if operator == "+" else left - right
    if operator == "kron":
        return sympy.KroneckerProduct(left, right)
    if operator == ".*" and not _scalar(left) and not _scalar(right):
        return sympy.HadamardProduct(left, right)
    if operator in ("/", "./"):
        if _scalar(right):
            return left / right
        return (
            sympy.HadamardProduct(left, sympy.HadamardPower(right, -1))
            if not _scalar(left)
            else left * sympy.HadamardPower(right, -1)
        )
    product = left * right
    if getattr(product, "shape", None) == (1, 1):
        return product[0, 0]
    return product


def _call(function: str, arguments: Any, inner: Any, sympy: Any) -> Any:
    values = [inner(a) for a in arguments]
    first: Any = values[0] if values else None
    if function == "inv":
        return first.I
    if function == "tr":
        return sympy.Trace(first)
    if function in ("det", "logdet"):
        return sympy.Determinant(first) if function == "det" else sympy.log(sympy.Determinant(first))
    if function == "eye":
        return sympy.Identity(first)
    if function == "ones":
        return sympy.OneMatrix(first, values[1] if len(values) > 1 else 1)
    if function == "diag" and first.shape[1] == 1:
        return sympy.DiagMatrix(first)
    if function in ("exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "sqrt", "erf") and len(values) == 1:
        return getattr(sympy, function)(first) if _scalar(first) else first.applyfunc(getattr(sympy, function))
    raise UnsupportedError(f"SymPy has no matrix form of {function} here")
