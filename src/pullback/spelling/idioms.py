"""How a person would put it: an outer product rather than two broadcast vectors, a mean rather than a sum over n."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from pullback.planning.steps import Extent
from pullback.planning.turning import ALONG_AXIS
from pullback.spelling.term import Term, number

Rule = Callable[[Term], Term]

FUNCTIONS = frozenset(
    "add subtract multiply divide power negative square reciprocal sqrt exp log log1p sin cos tan sinh cosh tanh abs "
    "sign erf maximum minimum atan relu sigmoid silu softplus leaky_relu gelu step max2 min2 where".split()
)
"""Entrywise functions."""

_ELEMENTWISE = frozenset({"add", "subtract", "multiply", "divide", "maximum", "minimum", "greater", "equal", "power"})
_NEAR = 1e-12


def tidy(term: Term) -> Term:
    """Rewrite the top of a term whose arguments are tidy."""
    if term.op in _ELEMENTWISE:
        term = _without_leading_axes(term)
    rule = _RULES.get(term.op)
    return term if rule is None else rule(term)


def permuted(term: Term, order: tuple[int, ...]) -> Term:
    """Reorder axes; an outer product or a function along an axis takes the transpose in."""
    shape = tuple(term.shape[k] for k in order)
    if term.op == "outer":
        return Term("outer", (term.args[1], term.args[0]), (), shape)
    if term.op == "permute":
        order = tuple(term.detail[k] for k in order)
        if order == tuple(range(len(order))):
            return term.args[0]
        return Term("permute", term.args, order, shape)
    coefficient, rest = split(term)
    if coefficient != 1 and rest.rank == term.rank:
        return scaled(coefficient, permuted(rest, order))
    inside = _permuted_inside(term, order)
    if inside is not None:
        return inside
    if term.op == "matmul" and term.rank == 2 and any(arg.op == "permute" for arg in term.args):
        a, b = (permuted(arg, (1, 0)) for arg in term.args)
        return Term("matmul", (b, a), (), shape)
    if term.op == "call" and term.detail[0] in ALONG_AXIS and term.shape == term.args[0].shape:
        (x,) = term.args
        if x.op == "permute" and len(order) == 2:
            return Term("call", x.args, (term.detail[0], order.index(term.detail[1])), shape)
    return Term("permute", (term,), order, shape)


def _permuted_inside(term: Term, order: tuple[int, ...]) -> Term | None:
    """An entrywise function of the transpose, where that has fewer transposes in it."""
    if term.rank != 2 or order != (1, 0) or not term.args or term.op not in FUNCTIONS:
        return None
    if any(arg.rank == 1 or (arg.rank == 2 and arg.shape != term.shape) for arg in term.args):
        return None
    turned = Term(term.op, tuple(permuted(a, order) if a.rank == 2 else a for a in term.args), (), term.shape[::-1])
    return turned if _transposes(turned) < _transposes(term) + 1 else None


def _transposes(term: Term) -> int:
    return int(term.op == "permute") + sum(map(_transposes, term.args))


def reshaped(term: Term, shape: Extent) -> Term:
    """Give another shape: as an index where axes of length one come or go."""
    if term.op in ("sum", "max", "mean") and term.detail[1]:
        left = tuple(n for k, n in enumerate(term.shape) if k not in term.detail[0])
        if left == shape:
            return Term(term.op, term.args, (term.detail[0], False), shape)
    if term.op in ("sum", "max", "mean") and not term.detail[1]:
        inner = term.args[0].shape
        if shape == tuple(1 if k in term.detail[0] else n for k, n in enumerate(inner)):
            return Term(term.op, term.args, (term.detail[0], True), shape)
    pattern = _pattern(term.shape, shape)
    return tidy(Term("reshape" if pattern is None else "index", (term,), pattern or (), shape))


def _pattern(before: Extent, after: Extent) -> tuple[str, ...] | None:
    """The index that inserts or removes axes of length one, if that is all."""
    if [n for n in before if n != 1] != [n for n in after if n != 1]:
        return None
    rest, parts = list(before), []
    for length in after:
        while rest and rest[0] == 1 and length != 1:
            rest.pop(0)
            parts.append("0")
        if rest and rest[0] == length:
            rest.pop(0)
            parts.append(":")
        elif length == 1:
            parts.append("None")
        else:
            return None
    return None if any(n != 1 for n in rest) else (*parts, *("0" for _ in rest))


def _without_leading_axes(term: Term) -> Term:
    """Broadcasting puts the leading axes there by itself, where another argument has them."""
    args = list(term.args)
    for k, arg in enumerate(args):
        coefficient, core = split(arg)
        if core.op != "index" or core.detail[0] != "None":
            continue
        if any(other.rank == term.rank for j, other in enumerate(args) if j != k):
            pattern = core.detail
            while pattern and pattern[0] == "None":
                pattern = pattern[1:]
            plain = all(part == ":" for part in pattern)
            core = core.args[0] if plain else Term("index", core.args, pattern, core.shape[-len(pattern) :])
            args[k] = scaled(coefficient, core)
    return term._replace(args=tuple(args))


def split(term: Term) -> tuple[float, Term]:
    """A term as a number times the rest."""
    if term.op == "negative":
        return -1.0, term.args[0]
    if term.op == "multiply" and term.args[0].is_number:
        return term.args[0].detail[0], term.args[1]
    return 1.0, term


def scaled(coefficient: float, term: Term) -> Term:
    """A number times a term: numbers are gathered, signs go into differences, a sum over n is a mean."""
    if term.is_number:
        return number(coefficient * term.detail[0])
    inner, rest = split(term)
    if inner != 1:
        return scaled(coefficient * inner, rest)
    if coefficient == 1:
        return term
    if coefficient < 0 and term.op == "subtract":
        return scaled(-coefficient, tidy(term._replace(args=(term.args[1], term.args[0]))))
    if term.op == "sum":
        mean = _mean(coefficient, term)
        if mean is not None:
            return mean
    if coefficient == -1:
        return Term("negative", (term,), (), term.shape)
    return Term("multiply", (number(coefficient), term), (), term.shape)


def _mean(coefficient: float, total: Term) -> Term | None:
    lengths = [total.args[0].shape[k] for k in total.detail[0]]
    count = prod(map(int, lengths))
    ratio = float(coefficient) * count
    nearest = round(ratio * 2) / 2
    simple = abs(nearest) == 1 or (abs(nearest) in (0.5, 2) and all(type(n) is not int for n in lengths))
    if count == 1 or not simple or abs(ratio - nearest) > _NEAR * abs(ratio):
        return None
    return scaled(nearest, Term("mean", total.args, total.detail, total.shape))


def _add(term: Term) -> Term:
    a, b = term.args
    (p, x), (q, y) = split(a), split(b)
    if a.op == b.op == "pad":
        joined = _concatenated(a, b) or _concatenated(b, a)
        if joined is not None:
            return joined
    if p == q != 1:
        return scaled(p, tidy(term._replace(args=(x, y))))
    if p == -q and abs(p) != 1:
        return scaled(p, tidy(term._replace(op="subtract", args=(x, y))))
    if q < 0 or (b.is_number and b.detail[0] < 0):
        return term._replace(op="subtract", args=(a, scaled(-1, b)))
    if p < 0 or (a.is_number and a.detail[0] < 0):
        return term._replace(op="subtract", args=(b, scaled(-1, a)))
    if _first_in_sum(b) > _first_in_sum(a):
        a, b = b, a
    return term._replace(args=(a, b))


def _concatenated(a: Term, b: Term) -> Term | None:
    """Two vectors with zeros where the other one is."""
    (x,), (y,) = a.args, b.args
    follows = not a.detail[0] and b.detail[0] == x.shape[-1] and x.shape[-1] + y.shape[-1] == a.shape[-1]
    return Term("concatenate", (x, y), (), a.shape) if follows and a.rank == 1 else None


def _first_in_sum(term: Term) -> tuple[int, bool, int]:
    """A number goes first; then what has more axes, then what is longer; an identity goes last."""
    if term.is_number:
        return 9, True, 0
    identity = term.op == "embed" and term.args[0].rank == 0
    return term.rank, not identity and split(term)[1].op != "embed", term.weight()


def _subtract(term: Term) -> Term:
    a, b = term.args
    (p, x), (q, y) = split(a), split(b)
    if p == q != 1:
        return scaled(p, tidy(term._replace(args=(x, y))))
    if p == -q and abs(p) != 1:
        return scaled(p, tidy(term._replace(op="add", args=(x, y))))
    if q < 0 or (b.is_number and b.detail[0] < 0):
        return tidy(term._replace(op="add", args=(a, scaled(-1, b))))
    return term


def _multiply(term: Term) -> Term:
    a, b = term.args
    if a.is_number or b.is_number:
        one, other = (a, b) if a.is_number else (b, a)
        return scaled(one.detail[0], other)
    (p, x), (q, y) = split(a), split(b)
    if p != 1 or q != 1:
        return scaled(p * q, tidy(term._replace(args=(x, y))))
    a, b = _as_mask(a, b), _as_mask(b, a)
    for one, other in ((a, b), (b, a)):
        if other.op == "reciprocal" and not one.is_mask:
            return tidy(term._replace(op="divide", args=(one, other.args[0])))
    if a.op == b.op == "index" and term.rank == 2:
        for row, column in ((a, b), (b, a)):
            if row.detail == ("None", ":") and column.detail == (":", "None"):
                return Term("outer", (column.args[0], row.args[0]), (), term.shape)
    outer = _outer(a, b, term.shape) or _outer(b, a, term.shape)
    if outer is not None:
        return outer
    if _first_in_product(b) < _first_in_product(a):
        a, b = b, a
    return term._replace(args=(a, b))


def _as_mask(term: Term, other: Term) -> Term:
    """The derivative of relu is a comparison where it multiplies something."""
    if term.op != "step" or other.op == "step" or other.is_mask:
        return term
    return Term("greater", (term.args[0], number(0.0)), (), term.shape)


def _outer(column: Term, row: Term, shape: Extent) -> Term | None:
    """A column beside what broadcasting already makes a row."""
    if len(shape) == 2 and column.op == "index" and column.detail == (":", "None") and row.rank == 1:
        return Term("outer", (column.args[0], row), (), shape)
    return None


def _first_in_product(term: Term) -> int:
    """Scalars before arrays before masks."""
    return 3 if term.is_mask else 1 if not term.shape else 2


def _divide(term: Term) -> Term:
    a, b = term.args
    coefficient, rest = split(a)
    if coefficient != 1:
        return scaled(coefficient, tidy(term._replace(args=(rest, b))))
    if b.op == "negative":
        return scaled(-1, tidy(term._replace(args=(a, b.args[0]))))
    if a.is_mask:
        a = Term("cast", (a,), (), a.shape)
    return term._replace(args=(a, b))


def _negative(term: Term) -> Term:
    return scaled(-1, term.args[0])


def _where(term: Term) -> Term:
    """A choice between numbers is arithmetic with a comparison, which keeps the type of what it is used with."""
    test, a, b = term.args
    if not (a.is_number and b.is_number):
        return term
    mask = test if test.is_mask else Term("unequal", (test, number(0.0)), (), term.shape)
    yes, no = a.detail[0], b.detail[0]
    if (yes, no) == (1, 0):
        return mask
    if (yes, no) == (0, 1) and not test.is_mask:
        return Term("equal", (test, number(0.0)), (), term.shape)
    part = scaled(yes - no, Term("cast", (mask,), (), term.shape))
    return part if no == 0 else tidy(Term("add", (part, number(no)), (), term.shape))


def _index(term: Term) -> Term:
    (x,) = term.args
    if all(part == ":" for part in term.detail):
        return x
    coefficient, rest = split(x)
    return scaled(coefficient, term._replace(args=(rest,))) if coefficient != 1 else term


def _sum(term: Term) -> Term:
    (x,) = term.args
    if x.op == "permute":
        axes = tuple(sorted(x.detail[k] for k in term.detail[0]))
        left = [k for k in x.detail if k not in axes]
        if left == sorted(left) and not term.detail[1]:
            return Term(term.op, x.args, (axes, False), term.shape)
    if x.rank == 2 and len(term.detail[0]) == 1 and not term.detail[1]:
        turned = permuted(x, (1, 0))
        if _transposes(turned) < _transposes(x):
            return Term(term.op, (turned,), ((1 - term.detail[0][0],), False), term.shape)
    return term


def _matmul(term: Term) -> Term:
    a, b = term.args
    if a.rank == b.rank == 1 and a.op == b.op == "reshape":
        one, two = a.args[0], b.args[0]
        if one.shape == two.shape:
            if one.op == two.op == "permute" and one.detail == two.detail:
                one, two = one.args[0], two.args[0]
            return Term("vdot", (one, two), (), ())
    return term


def _einsum(term: Term) -> Term:
    """Multiply and sum, where that is all."""
    first, second, left = term.detail
    a, b = term.args
    if sorted(first) != sorted(second) or len(first) != 2:
        return term
    if first != second:
        b = permuted(b, tuple(second.index(label) for label in first))
    kept = tuple(label for label in first if label in left)
    if kept != left:
        return term
    axes = tuple(k for k, label in enumerate(first) if label not in left)
    product = tidy(Term("multiply", (a, b), (), a.shape))
    return Term("sum", (product,), (axes, False), term.shape)


def _call(term: Term) -> Term:
    """Along an axis of a transposed matrix is along the other axis of the matrix."""
    if term.detail[0] in ALONG_AXIS and term.shape != term.args[0].shape:
        (x,) = term.args
        if x.op == "permute" and x.rank == 2:
            return Term("call", x.args, (term.detail[0], 1 - term.detail[1]), term.shape)
    return term


_RULES: dict[str, Rule] = {
    "add": _add, "subtract": _subtract, "multiply": _multiply, "divide": _divide, "negative": _negative,
    "index": _index, "where": _where, "sum": _sum, "max": _sum, "matmul": _matmul, "einsum": _einsum, "call": _call,
}  # fmt: skip
