"""What an expression of each kind of shape may be: the whole language, operation by operation."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from pullback.syntax.tree import Call, Chain, Name, Negate, Number, Power, Syntax, Transpose
from tests.engine.generation import (
    UNARY,
    UNARY_POSITIVE,
    Dim,
    Generator,
    Productions,
    Shape,
    dim_tree,
    kronecker,
    plus,
    product,
)


def _sum(g: Generator, shape: Shape) -> Syntax:
    count = 2 + g.below(2)
    return Chain(tuple(g.expression(shape) for _ in range(count)), tuple(g.pick(("+", "-")) for _ in range(count - 1)))


def _hadamard(g: Generator, shape: Shape) -> Syntax:
    return Chain((g.expression(shape), g.expression(shape)), (".*",))


def _quotient(g: Generator, shape: Shape) -> Syntax:
    return Chain((g.expression(shape), g.positive(shape)), ("./",))


def _unary(g: Generator, shape: Shape) -> Syntax:
    name = g.pick((*UNARY, *UNARY_POSITIVE))
    return Call(name, (g.positive(shape) if name in UNARY_POSITIVE else g.expression(shape),))


def _power(g: Generator, shape: Shape) -> Syntax:
    kind = g.below(4)
    if kind == 0:
        return Power(g.expression(shape), Number(Fraction(g.pick((2, 3, 4)))), True)
    if kind == 1:
        return Power(g.positive(shape), g.pick((minus(1), minus(2), half())), True)
    return Power(g.positive(shape), g.scalar() if kind == 2 else g.expression(shape), True)


def minus(value: int) -> Syntax:
    return Negate(Number(Fraction(value)))


def half() -> Syntax:
    return Chain((Number(Fraction(1)), Number(Fraction(2))), ("/",))


def _choose(g: Generator, shape: Shape) -> Syntax:
    if g.chance(3):
        condition = Call(g.pick(("step", "sign")), (g.expression(shape),))
        return Call("where", (condition, g.expression(shape), g.pick((g.expression(shape), Number(Fraction(0))))))
    second: Shape = () if g.chance(4) else shape
    return Call(g.pick(("max", "min")), (g.expression(shape), g.expression(second)))


def _scaled(g: Generator, shape: Shape) -> Syntax:
    kind = g.below(5)
    inner = g.expression(shape)
    if kind == 0:
        return product(g.scalar(), inner)
    if kind == 1:
        return product(inner, g.scalar())
    if kind == 2:
        return Chain((inner, g.positive(())), ("/",))
    if kind == 3:
        return Negate(inner)
    return Chain((inner, g.scalar()), (g.pick(("+", "-", ".*")),))


COMMON: tuple[Callable[[Generator, Shape], Syntax], ...] = (
    _sum, _scaled, _unary, _hadamard, _quotient, _power, _choose, _sum, _scaled, _unary,
)  # fmt: skip


def _tensor(maker: Callable[[Generator, Shape], Syntax]) -> Callable[..., Syntax]:
    return lambda g, *dims: maker(g, tuple(dims))


def _inner(g: Generator) -> Syntax:
    n = g.base()
    return product(Transpose(g.column(n)), g.column(n))


def _quadratic(g: Generator) -> Syntax:
    m, n = g.base(), g.base()
    return product(Transpose(g.column(m)), g.array(m, n), g.column(n))


def _reduce(g: Generator) -> Syntax:
    name = g.pick(("sum", "mean", "logsumexp", "norm1", "norm", "max", "min"))
    shape = g.pick(((g.base(),), (g.base(), g.base()), ((g.base(), "*", g.base()),), ((g.base(), "+", g.base()),)))
    return Call(name, (g.expression(shape),))


def _squared_norm(g: Generator) -> Syntax:
    shape = g.pick(((g.base(),), (g.base(), g.base())))
    return Power(Call("norm", (g.expression(shape),)), Number(Fraction(2)))


def _trace(g: Generator) -> Syntax:
    n = g.base()
    return Call("tr", (g.array(n, n),))


def _trace_of_two(g: Generator) -> Syntax:
    m, n = g.base(), g.base()
    return Call("tr", (product(g.array(m, n), g.array(n, m)),))


def _determinant(g: Generator) -> Syntax:
    n = g.base()
    kind = g.below(3)
    if kind == 0:
        return Call("det", (g.regular(n),))
    return Call("logdet", (g.spd(n),)) if kind == 1 else Call("log", (Call("det", (g.spd(n),)),))


def _dot(g: Generator) -> Syntax:
    shape = g.pick(((g.base(),), (g.base(), g.base())))
    return Call(g.pick(("dot", "mse")), (g.expression(shape), g.expression(shape)))


def _scalar_power(g: Generator) -> Syntax:
    kind = g.below(4)
    if kind == 0:
        return Power(g.scalar(), Number(Fraction(g.pick((2, 3)))))
    if kind == 1:
        return Power(g.positive(()), g.pick((minus(1), minus(2), half())))
    return Power(g.positive(()), g.scalar())


def _kronecker_trace(g: Generator) -> Syntax:
    m, n = g.base(), g.base()
    return Call("tr", (kronecker(g, g.array(n, n), g.array(m, m)),))


def _loss(g: Generator) -> Syntax:
    shape = g.pick(((g.base(),), (g.base(), g.base())))
    logits = g.expression(shape)
    if isinstance(logits, Call) and logits.function == "softmax":
        logits = logits.arguments[0]
    return Call("cross_entropy", (logits, g.expression(shape)))


def _size(g: Generator) -> Syntax:
    m, n = g.base(), g.base()
    kind = g.below(3)
    if kind == 0:
        return Call("pi", ())
    if kind == 1:
        return Call("size", (g.leaf((m, n)), Name(g.pick(("rows", "columns")))))
    return Call("size", (g.leaf((n,)),))


SCALAR: tuple[Callable[[Generator], Syntax], ...] = (
    *(lambda g, make=make: make(g, ()) for make in COMMON),
    _inner, _quadratic, _reduce, _reduce, _squared_norm, _trace, _trace_of_two, _determinant, _dot, _scalar_power,
    _loss, _size, _inner, _squared_norm, _kronecker_trace,
)  # fmt: skip


def _matrix_vector(g: Generator, n: Dim) -> Syntax:
    m = g.base()
    return product(g.array(n, m), g.column(m))


def _turned_vector(g: Generator, n: Dim) -> Syntax:
    m = g.base()
    kind = g.below(3)
    if kind == 0:
        return product(Transpose(g.array(m, n)), g.column(m))
    if kind == 1:
        return Transpose(product(Transpose(g.column(m)), g.array(m, n)))
    return product(g.column(n), Transpose(g.column(m)), g.column(m))


def _diagonal(g: Generator, n: Dim) -> Syntax:
    return Call("diag", (g.array(n, n),))


def _by_rows(g: Generator, n: Dim) -> Syntax:
    name = g.pick(("sum", "mean", "logsumexp", "norm", "norm1", "max", "min"))
    if g.chance(2):
        return Call(name, (g.array(n, g.base()), Name("rows")))
    return Call(name, (g.array(g.base(), n), Name("columns")))


def _softmax(g: Generator, n: Dim) -> Syntax:
    return Call(g.pick(("softmax", "softmax", "hardmax")), (g.column(n),))


def _solved(g: Generator, n: Dim) -> Syntax:
    matrix = g.regular(n)
    kind = g.below(3)
    if kind == 0:
        return Call("solve", (matrix, g.column(n)))
    if kind == 1:
        return product(Call("inv", (matrix,)), g.column(n))
    return product(Power(matrix, minus(1)), g.column(n))


def _stretch(g: Generator, n: Dim) -> Syntax:
    m = g.base()
    if g.chance(2):
        return Call("slice", (g.column((m, "+", n)), dim_tree(m), dim_tree(n)))
    return Call("slice", (g.column((n, "+", m)), Number(Fraction(0)), dim_tree(n)))


def _vector_constant(g: Generator, n: Dim) -> Syntax:
    return Call(g.pick(("ones", "zeros")), (dim_tree(n),))


def _vector_entries(g: Generator, n: Dim) -> Syntax:
    return g.by_entries([("i", n)])


def _kronecker_vector(g: Generator, n: Dim) -> Syntax:
    m = g.base()
    return product(kronecker(g, Transpose(g.column(m)), g.array(n, n)), g.column((m, "*", n)))


def _vector_reshaped(g: Generator, n: Dim) -> Syntax:
    m = g.base()
    return product(Call("reshape", (g.column((n, "*", m)), dim_tree(n), dim_tree(m))), g.column(m))


VECTOR: tuple[Callable[[Generator, Dim], Syntax], ...] = (
    *(_tensor(make) for make in COMMON),
    _matrix_vector, _matrix_vector, _turned_vector, _turned_vector, _diagonal, _by_rows, _by_rows, _softmax, _solved,
    _stretch, _vector_constant, _vector_entries, _kronecker_vector, _vector_reshaped, _matrix_vector,
)  # fmt: skip


def _matrix_product(g: Generator, m: Dim, n: Dim) -> Syntax:
    k = g.base()
    return product(g.array(m, k), g.array(k, n))


def _turned(g: Generator, m: Dim, n: Dim) -> Syntax:
    return Transpose(g.array(n, m))


def _outer(g: Generator, m: Dim, n: Dim) -> Syntax:
    if g.chance(3):
        return Call("outer", (g.column(m), g.column(n)))
    return product(g.column(m), Transpose(g.column(n)))


def _ones(g: Generator, m: Dim, n: Dim) -> Syntax:
    if g.chance(2):
        return product(Call("ones", (dim_tree(m),)), Transpose(g.column(n)))
    return Call(g.pick(("ones", "zeros")), (dim_tree(m), dim_tree(n)))


def _row_softmax(g: Generator, m: Dim, n: Dim) -> Syntax:
    return Call("softmax", (g.array(m, n), Name(g.pick(("rows", "columns")))))


def _scaled_rows(g: Generator, m: Dim, n: Dim) -> Syntax:
    if g.chance(2):
        return product(Call("diag", (g.column(m),)), g.array(m, n))
    return product(g.array(m, n), Call("diag", (g.column(n),)))


def _solved_matrix(g: Generator, m: Dim, n: Dim) -> Syntax:
    if g.chance(2):
        return Call("solve", (g.regular(m), g.array(m, n)))
    return product(g.array(m, n), Call("inv", (g.regular(n),)))


def _reshaped(g: Generator, m: Dim, n: Dim) -> Syntax:
    if g.chance(2):
        return Call("reshape", (g.column((m, "*", n)), dim_tree(m), dim_tree(n)))
    return Call("reshape", (g.array(n, m), dim_tree(m), dim_tree(n)))


def _matrix_stretch(g: Generator, m: Dim, n: Dim) -> Syntax:
    k = g.base()
    both = Call("concat", (g.array(k, n), g.array(m, n)))
    return Call("slice", (both, dim_tree(k), dim_tree(m)))


def _blocks(g: Generator, m: Dim, n: Dim) -> Syntax:
    k = g.base()
    left = Call("concat", (g.array(m, k), g.array(m, n), Name("rows")))
    return product(left, Call("concat", (g.array(k, n), g.array(n, n))))


def _matrix_entries(g: Generator, m: Dim, n: Dim) -> Syntax:
    return g.by_entries([("i", m), ("j", n)])


MATRIX: tuple[Callable[[Generator, Dim, Dim], Syntax], ...] = (
    *(_tensor(make) for make in COMMON),
    _matrix_product, _matrix_product, _matrix_product, _turned, _outer, _outer, _ones, _row_softmax, _scaled_rows,
    _solved_matrix, _reshaped, _matrix_stretch, _blocks, _matrix_entries, _turned,
)  # fmt: skip


def _square_function(g: Generator, n: Dim) -> Syntax:
    kind = g.below(8)
    if kind == 0:
        return Call("inv", (g.regular(n),))
    if kind == 1:
        return Power(g.regular(n), g.pick((minus(1), minus(2))))
    if kind == 2:
        return Power(g.array(n, n), Number(Fraction(g.pick((2, 3)))))
    if kind == 3:
        return Call("chol", (g.spd(n),))
    if kind == 4:
        return Call("expm", (g.small((n, n)),))
    if kind == 5:
        return Call("diag", (g.column(n),))
    if kind == 6:
        return Call("eye", (dim_tree(n),))
    if g.chance(4):
        return Call("frechet", (g.small((n, n)), g.small((n, n))))
    return Call("tril", (g.array(n, n),))


def _gram(g: Generator, n: Dim) -> Syntax:
    inner = g.array(g.base(), n)
    return product(Transpose(inner), inner)


def _symmetrised(g: Generator, n: Dim) -> Syntax:
    inner = g.array(n, n)
    return plus(inner, Transpose(inner))


SQUARE: tuple[Callable[[Generator, Dim], Syntax], ...] = (_square_function, _square_function, _gram, _symmetrised)


def _row_of(g: Generator, n: Dim) -> Syntax:
    return Transpose(g.column(n))


def _row_matrix(g: Generator, n: Dim) -> Syntax:
    m = g.base()
    return product(g.array("1", m), g.array(m, n))


ROW: tuple[Callable[[Generator, Dim], Syntax], ...] = (
    _row_of,
    _row_matrix,
    lambda g, n: _sum(g, ("1", n)),
    lambda g, n: _scaled(g, ("1", n)),
    lambda g, n: _unary(g, ("1", n)),
    lambda g, n: _hadamard(g, ("1", n)),
    lambda g, n: Call("softmax", (g.array("1", n),)),
    lambda g, n: g.leaf(("1", n)),
)
THIN: tuple[Callable[[Generator, Dim], Syntax], ...] = (
    lambda g, m: product(g.array(m, m), g.array(m, "1")),
    lambda g, m: g.leaf((m, "1")),
    lambda g, m: _sum(g, (m, "1")),
    lambda g, m: _scaled(g, (m, "1")),
    lambda g, m: _unary(g, (m, "1")),
    lambda g, m: _hadamard(g, (m, "1")),
    lambda g, m: plus(g.column(m), g.array(m, "1")),
)

RULES = Productions(SCALAR, VECTOR, MATRIX, SQUARE, ROW, THIN)
