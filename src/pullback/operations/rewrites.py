"""What an operation knows about its argument: log of exp, the inverse of an inverse, a sum of exp.

Each function takes the arguments and gives the node that should stand instead, or None. Most are
there so that the result does not overflow where the plain formula would.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from pullback.tensor.add import add, scaled, split_coefficient
from pullback.tensor.apply import apply, is_ones
from pullback.tensor.node import Apply, Factor, Meeting, Node, Operation, Product, Rational, Sum, Variable
from pullback.tensor.product import nonnegative, number_of, power, product, size_of

Rewrite = Callable[[tuple[Node, ...]], Node | None]


def _operation(name: str) -> Operation:
    from pullback.operations.table import TABLE

    primitive = TABLE[name].primitive
    assert primitive is not None
    return primitive.operation


def is_applied(node: Node, name: str) -> bool:
    """Whether a node is the named operation applied."""
    return isinstance(node, Apply) and node.operation.name == name


def _negative(node: Node) -> bool:
    """Whether a term has a minus in front, or a sum starts with one in its canonical order."""
    return isinstance(node, Sum) and bool(node.terms) and node.terms[0].coefficient < 0


def odd(name: str) -> Rewrite:
    """f(-x) = -f(x)."""

    def rewrite(arguments: tuple[Node, ...]) -> Node | None:
        (x,) = arguments
        return scaled(-1, apply(_operation(name), [scaled(-1, x)])) if _negative(x) else None

    return rewrite


def sign(arguments: tuple[Node, ...]) -> Node | None:
    """The sign of a positive number times x is that of x; sign is odd."""
    (x,) = arguments
    coefficient, rest = split_coefficient(x)
    if coefficient not in (1, -1):
        return apply(_operation("sign"), [scaled(1 if coefficient > 0 else -1, rest)])
    return odd("sign")(arguments)


def even(name: str) -> Rewrite:
    """f(-x) = f(x)."""

    def rewrite(arguments: tuple[Node, ...]) -> Node | None:
        (x,) = arguments
        return apply(_operation(name), [scaled(-1, x)]) if _negative(x) else None

    return rewrite


def quotient(result: str) -> Meeting:
    """f(x) / g(x) is a function of its own: sinh / cosh is tanh."""

    def meet(node: Apply, exponent: Rational, other: Apply, power: Rational) -> list[tuple[Node, Rational]] | None:
        whole = isinstance(exponent, int) and isinstance(power, int)
        if not whole or exponent <= 0 or power >= 0 or other.arguments != node.arguments:
            return None
        shared = min(exponent, -power)
        ratio = apply(_operation(result), node.arguments)
        return [(ratio, shared), (node, exponent - shared), (other, power + shared)]

    return meet


def absorbed(node: Apply, exponent: Rational, other: Apply, power: Rational) -> list[tuple[Node, Rational]] | None:
    """relu(x) step(x) is relu(x)."""
    return [(node, exponent)] if exponent > 0 and power > 0 and other.arguments == node.arguments else None


def argument(node: Apply, exponent: Rational, other: Apply, power: Rational) -> list[tuple[Node, Rational]] | None:
    """|x| sign(x) is x, sign(x) / |x| is 1 / x."""
    fits = power == 1 and exponent in (1, -1) and other.arguments == node.arguments
    return [(node.arguments[0], exponent)] if fits else None


def raised(node: Apply, exponent: Rational) -> Node:
    """x^p times x to a number is x to the sum of the exponents."""
    base, power = node.arguments
    labels = range(len(base.axes))
    spread = product([], labels, dict(enumerate(base.axes)))
    return apply(node.operation, [base, add([(1, power), (exponent, spread)], base.axes)])


def logistic(node: Apply) -> Node:
    """1 / (1 + exp(x)) is sigmoid(-x)."""
    return apply(_operation("sigmoid"), [scaled(-1, node.arguments[0])])


def opposite(node: Apply, exponent: Rational, other: Apply, power: Rational) -> list[tuple[Node, Rational]] | None:
    """sigmoid(x) exp(-x) is sigmoid(-x), and sigmoid(-x) exp(x) is sigmoid(x)."""
    if (
        exponent < 1
        or power < 1
        or exponent % 1
        or power % 1
        or node.arguments[0] is not scaled(-1, other.arguments[0])
    ):
        return None
    turned = apply(_operation("sigmoid"), [other.arguments[0]])
    shared = min(exponent, power)
    return [(turned, shared), (node, exponent - shared), (other, power - shared)]


def abs(arguments: tuple[Node, ...]) -> Node | None:
    """|-x| = |x|, and |x| = x where x is known to be positive."""
    (x,) = arguments
    if nonnegative(x):
        return x
    coefficient, rest = split_coefficient(x)
    if coefficient != 1:
        size = coefficient if coefficient > 0 else -coefficient
        return scaled(size, apply(_operation("abs"), [rest]))
    return even("abs")(arguments)


def share(node: Apply, axis: int) -> Node:
    """exp(x) over its sum along an axis is softmax(x), which does not overflow."""
    (x,) = node.arguments
    labels = list(range(len(x.axes)))
    last = [label for label in labels if label != axis] + [axis]
    parts = apply(_operation("softmax"), [product([(x, labels, 1)], last)])
    return product([(parts, last, 1)], labels)


def hyperbolic(node: Apply, sign: int) -> Node:
    """exp(x) + exp(-x) is 2 cosh(x), exp(x) - exp(-x) is 2 sinh(x)."""
    return scaled(2, apply(_operation("cosh" if sign > 0 else "sinh"), node.arguments))


def exp(arguments: tuple[Node, ...]) -> Node | None:
    """The exponential of a logarithm is its argument."""
    (x,) = arguments
    return x.arguments[0] if isinstance(x, Apply) and x.operation.name == "log" else None


def log(arguments: tuple[Node, ...]) -> Node | None:
    """Logarithms of exp, sigmoid, softmax, det, 1 + exp and sums of exp, none of which may overflow."""
    (x,) = arguments
    if isinstance(x, Apply) and x.arguments:
        (inner, *_) = x.arguments
        if x.operation.name == "exp":
            return inner
        if x.operation.name == "sigmoid":
            return scaled(-1, apply(_operation("softplus"), [scaled(-1, inner)]))
        if x.operation.name == "det":
            return apply(_operation("logdet"), [inner])
        if x.operation.name == "softmax":
            labels = range(len(inner.axes))
            total = apply(_operation("logsumexp"), [inner])
            spread = product([(total, labels[:-1], 1)], labels, dict(enumerate(inner.axes)))
            return add([(1, inner), (-1, spread)], inner.axes)
    if (exponent := _exponent(x)) is not None:
        return exponent
    if isinstance(x, Sum) and len(x.terms) == 2:
        ones = [term for term in x.terms if is_ones(term.node) and term.coefficient == 1]
        others = [term for term in x.terms if not (is_ones(term.node) and term.coefficient == 1)]
        if len(ones) == len(others) == 1:
            coefficient, other = others[0]
            exponent = _exponent(scaled(coefficient, other))
            if exponent is not None:
                return apply(_operation("softplus"), [exponent])
            if coefficient == -1 and is_applied(other, "sigmoid"):
                assert isinstance(other, Apply)
                return scaled(-1, apply(_operation("softplus"), [other.arguments[0]]))
    if isinstance(x, Product):
        return _log_of_product(x)
    return None


def _exponent(x: Node) -> Node | None:
    """The logarithm of an exponential, or of a sum of them, times numbers known to be positive."""
    coefficient, rest = split_coefficient(x)
    if coefficient < 0:
        return None
    if coefficient != 1:
        inner = _exponent(rest) if not is_applied(rest, "cosh") else apply(_operation("log"), [rest])
        if inner is None:
            return None
        number = _repeated(apply(_operation("log"), [scaled(coefficient, product([], ()))]), x)
        return add([(1, number), (1, inner)], x.axes)
    if is_applied(x, "exp"):
        assert isinstance(x, Apply)
        return x.arguments[0]
    if not isinstance(x, Product) or len(set(x.output)) != len(x.output):
        return None
    found = [f for f in x.factors if f.exponent == 1 and _holds_exponentials(f)]
    others = [f for f in x.factors if f not in found]
    if len(found) != 1 or not all(not f.indices and nonnegative(f.node) for f in others):
        return None
    (factor,) = found
    if factor.indices:
        total = _log_along(x, factor)
    else:
        inner = _exponent(factor.node)
        total = None if inner is None else _repeated(inner, x)
    if total is None:
        return None
    logs = [(f.exponent, _repeated(apply(_operation("log"), [f.node]), x)) for f in others]
    return add([(1, total), *logs], x.axes)


def _holds_exponentials(factor: Factor) -> bool:
    if factor.indices:
        return is_applied(factor.node, "exp")
    return isinstance(factor.node, Product) and _exponent(factor.node) is not None


def _repeated(number: Node, like: Node) -> Node:
    """A scalar, repeated over the axes of a tensor."""
    return product([(number, (), 1)], range(len(like.axes)), dict(enumerate(like.axes)))


def _log_along(x: Product, factor: Factor) -> Node | None:
    """The logarithm of the sum of exponentials along an axis, or of each."""
    assert isinstance(factor.node, Apply)
    inner = factor.node.arguments[0]
    gone = [index for index in factor.indices if index not in x.output]
    if len(set(factor.indices)) != len(factor.indices) or not set(x.output) <= set(factor.indices):
        return None
    if not gone:
        return product([(inner, factor.indices, 1)], x.output)
    if len(gone) > 1:
        return None
    return apply(_operation("logsumexp"), [product([(inner, factor.indices, 1)], [*x.output, gone[0]])])


def _log_of_product(x: Product) -> Node | None:
    if len(x.factors) == 1:
        (factor,) = x.factors
        plain = len(set(x.output)) == len(x.output)
        if factor.exponent != 1 and set(factor.indices) == set(x.output) and plain:
            odd_power = isinstance(factor.exponent, Fraction) or factor.exponent % 2 == 1
            if odd_power or is_applied(factor.node, "sigmoid"):
                inner = product([(factor.node, factor.indices, 1)], x.output)
                return scaled(factor.exponent, apply(_operation("log"), [inner]))
    known = [f for f in x.factors if is_applied(f.node, "exp") or is_applied(f.node, "softmax")]
    open_labels = set(range(len(x.dimensions))) <= set(x.output) and len(set(x.output)) == len(x.output)
    if known and len(known) < len(x.factors) and open_labels:
        return _split_log(x, known)
    if known and len(known) == len(x.factors) > 1 and open_labels:
        return _split_log(x, known[:1])
    return None


def _split_log(x: Product, known: list[Factor]) -> Node:
    """The log of positive factors comes out of the log of a product."""
    dimensions = dict(enumerate(x.dimensions))
    terms: list[tuple[int | Fraction, Node]] = []
    for factor in known:
        spread = product([(factor.node, factor.indices, 1)], x.output, dimensions)
        terms.append((factor.exponent, apply(_operation("log"), [spread])))
    rest = [(f.node, f.indices, f.exponent) for f in x.factors if f not in known]
    terms.append((1, apply(_operation("log"), [product(rest, x.output, dimensions)])))
    return add(terms, x.axes)


def power_of(arguments: tuple[Node, ...]) -> Node | None:
    """A power whose exponent is a number needs no operation."""
    x, p = arguments
    number = number_of(p)
    if number is not None:
        return power(x, number)
    base = number_of(x)
    return x if base == 1 else None


def _chain(node: Node) -> list[tuple[Node, bool]] | None:
    """Read a product of square matrices A B' C as its factors and whether each is transposed."""
    if not isinstance(node, Product) or len(node.factors) < 2 or len(set(node.output)) != 2:
        return None
    here, end = node.output
    rest = list(node.factors)
    chain = []
    while rest:
        following = [f for f in rest if here in f.indices]
        if len(following) != 1 or following[0].exponent != 1 or len(set(following[0].indices)) != 2:
            return None
        factor = following[0]
        if factor.node.axes[0] is not factor.node.axes[1]:
            return None
        turned = factor.indices[1] == here
        chain.append((factor.node, turned))
        here = factor.indices[0] if turned else factor.indices[1]
        rest.remove(factor)
    return chain if here == end else None


def _diagonal(node: Node) -> Node | None:
    """The vector v of a node diag(v)."""
    if isinstance(node, Product) and len(node.output) == 2 and node.output[0] == node.output[1]:
        parts = [(f.node, f.indices, f.exponent) for f in node.factors]
        return product(parts, node.output[:1], dict(enumerate(node.dimensions)))
    return None


def _scalars(node: Node) -> tuple[list[Factor], Node] | None:
    """Take scalar factors off a product."""
    if not isinstance(node, Product):
        return None
    scalars = [f for f in node.factors if not f.indices]
    if not scalars:
        return None
    rest = [(f.node, f.indices, f.exponent) for f in node.factors if f.indices]
    return scalars, product(rest, node.output, dict(enumerate(node.dimensions)))


def inv(arguments: tuple[Node, ...]) -> Node | None:
    """Inverses of inverses, of numbers times a matrix, of diagonal matrices and of products of square ones."""
    (a,) = arguments
    if len(a.axes) != 2:
        return None
    coefficient, rest = split_coefficient(a)
    if coefficient != 1:
        return scaled(Fraction(1) / coefficient, apply(_operation("inv"), [rest]))
    if is_applied(a, "inv"):
        assert isinstance(a, Apply)
        return a.arguments[0]
    if (v := _diagonal(a)) is not None:
        return product([(v, (0,), -1)], (0, 0))
    if (split := _scalars(a)) is not None:
        scalars, rest = split
        inner = apply(_operation("inv"), [rest])
        return product([*((f.node, (), -f.exponent) for f in scalars), (inner, (0, 1), 1)], (0, 1))
    if isinstance(a, Variable) and "orthogonal" in a.properties:
        return product([(a, (0, 1), 1)], (1, 0))
    if (chain := _chain(a)) is not None:
        parts = []
        for k, (node, turned) in enumerate(reversed(chain)):
            parts.append((apply(_operation("inv"), [node]), (k + 1, k) if turned else (k, k + 1), 1))
        return product(parts, (0, len(chain)))
    return None


def det(arguments: tuple[Node, ...]) -> Node | None:
    """Determinants of inverses, of numbers times a matrix, and of products of square ones."""
    (a,) = arguments
    if len(a.axes) != 2:
        return None
    coefficient, rest = split_coefficient(a)
    if coefficient != 1 and a.axes[0].number is not None:
        return scaled(coefficient ** a.axes[0].number, apply(_operation("det"), [rest]))
    if is_applied(a, "inv"):
        assert isinstance(a, Apply)
        return power(apply(_operation("det"), [a.arguments[0]]), -1)
    if is_applied(a, "chol"):
        assert isinstance(a, Apply)
        return power(apply(_operation("det"), [a.arguments[0]]), Fraction(1, 2))
    if isinstance(a, Product) and not a.factors:
        return product([], ())
    if is_applied(a, "expm"):
        assert isinstance(a, Apply)
        return apply(_operation("exp"), [product([(a.arguments[0], (0, 0), 1)], ())])
    if (chain := _chain(a)) is not None:
        return product([(apply(_operation("det"), [node]), (), 1) for node, _ in chain], ())
    return None


def logdet(arguments: tuple[Node, ...]) -> Node | None:
    """Logdet of an inverse, and of a number times a matrix."""
    (a,) = arguments
    if len(a.axes) != 2:
        return None
    coefficient, rest = split_coefficient(a)
    if coefficient != 1 and coefficient > 0:
        number = apply(_operation("log"), [scaled(coefficient, product([], ()))])
        return add(
            [
                (1, product([(size_of(a.axes[0]), (), 1), (number, (), 1)], ())),
                (1, apply(_operation("logdet"), [rest])),
            ],
            (),
        )
    if is_applied(a, "inv"):
        assert isinstance(a, Apply)
        return scaled(-1, apply(_operation("logdet"), [a.arguments[0]]))
    if is_applied(a, "chol"):
        assert isinstance(a, Apply)
        return scaled(Fraction(1, 2), apply(_operation("logdet"), [a.arguments[0]]))
    if isinstance(a, Product) and not a.factors:
        return scaled(0, product([], ()))
    if is_applied(a, "expm"):
        assert isinstance(a, Apply)
        return product([(a.arguments[0], (0, 0), 1)], ())
    return None


def tril(arguments: tuple[Node, ...]) -> Node | None:
    """The lower triangle of a number times a matrix, and of what is triangular already."""
    (a,) = arguments
    if len(a.axes) != 2:
        return None
    coefficient, rest = split_coefficient(a)
    if coefficient != 1:
        return scaled(coefficient, apply(_operation("tril"), [rest]))
    if (split := _scalars(a)) is not None:
        scalars, rest = split
        inner = apply(_operation("tril"), [rest])
        return product([*((f.node, (), f.exponent) for f in scalars), (inner, (0, 1), 1)], (0, 1))
    if _is_triangular(a, lower=True):
        return a
    return product([(a, (0, 0), 1)], (0, 0)) if _is_triangular(a, lower=False) else None


def _is_triangular(node: Node, lower: bool) -> bool:
    """Whether a square matrix is known to be lower (or upper) triangular."""
    if _diagonal(node) is not None:
        return True
    if isinstance(node, Variable):
        return bool(node.properties & {"diagonal", "lower" if lower else "upper"})
    if isinstance(node, Apply):
        return lower and node.operation.name in ("chol", "tril")
    if not isinstance(node, Product):
        return bool(node.children) and all(_is_triangular(child, lower) for child in node.children)
    matrices = [f for f in node.factors if len(set(f.indices)) > 1]
    if len(matrices) != 1 or matrices[0].exponent != 1:
        return False
    (factor,) = matrices
    turned = factor.indices == node.output[::-1]
    return (turned or factor.indices == node.output) and _is_triangular(factor.node, lower != turned)


def expm(arguments: tuple[Node, ...]) -> Node | None:
    """The exponential of a zero matrix is the identity."""
    (a,) = arguments
    if isinstance(a, Sum) and not a.terms:
        return product([], (0, 0), {0: a.axes[0]})
    return None


def frechet(arguments: tuple[Node, ...]) -> Node | None:
    """In the direction of the identity, expm changes as itself."""
    a, e = arguments
    coefficient, rest = split_coefficient(e)
    if len(rest.axes) == 2 and isinstance(rest, Product) and rest.output in ((0, 0),):
        parts = [f for f in rest.factors if f.indices]
        if not parts:
            scalars = [(f.node, (), f.exponent) for f in rest.factors]
            core = apply(_operation("expm"), [a])
            return scaled(coefficient, product([*scalars, (core, (0, 1), 1)], (0, 1)))
    return None
