"""What each construct of the notation means: one method a kind of syntax node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from pullback.dimension import ONE, Dimension
from pullback.errors import NotationError, Place, Span, UnsupportedError
from pullback.lowering import calls, entries
from pullback.lowering.value import Context, Shape, Value
from pullback.operations.table import FUNCTIONS, TABLE
from pullback.syntax.parser import is_latex
from pullback.syntax.tree import (
    Call,
    Chain,
    Comprehension,
    Expectation,
    Indexed,
    Name,
    Negate,
    Number,
    Power,
    Syntax,
    Transpose,
)
from pullback.tensor.add import add, scaled
from pullback.tensor.apply import apply
from pullback.tensor.node import Node, Rational, rational
from pullback.tensor.product import constant, number_of, power, size_of

Environment = Mapping[str, Value]
_LARGEST_MATRIX_POWER = 64


class Lowering:
    """Lowers expressions; names are looked up in the environment that is passed along."""

    def __init__(self, context: Context, dimensions: frozenset[str] = frozenset()) -> None:
        self.context = context
        self.dimensions = dimensions
        self.reads_rows = is_latex(context.source)
        """Whether ``x[i]`` of a matrix is its row i, and its softmax that of its rows, as in papers."""
        self.by_rows: list[Call] = []
        """The calls that were read so."""

    def lower(self, tree: Syntax, names: Environment) -> Value:
        """Find the shape of an expression and how to build its node."""
        match tree:
            case Number(value, span):
                return self.note("number", (), Value((), lambda: constant(rational(value)), span))
            case Name():
                return self.name(tree, names)
            case Negate(operand, span):
                inner = self.lower(operand, names)
                result = Value(inner.shape, lambda: scaled(-1, inner.node()), span)
                return self.note("negate", (inner,), result)
            case Transpose(operand, span):
                inner = self.lower(operand, names)
                return self.note("transpose", (inner,), self.transpose(inner, span))
            case Power(base, exponent, entrywise, span):
                below, above = self.lower(base, names), self.lower(exponent, names)
                return self.note("power", (below,), self.power(below, above, entrywise, span))
            case Chain():
                return self.sum(tree, names) if tree.is_sum else self.product(tree, names)
            case Call():
                return calls.call(self, tree, names)
            case Comprehension():
                return entries.comprehension(self, tree, names)
            case Indexed(_, _, span):
                raise self.error("an index is read only inside [i,j: …]", span)
            case Expectation():
                from pullback.lowering import expectation

                return expectation.expectation(self, tree, names)

    def note(self, operation: str, parts: Sequence[Value], result: Value, last: bool = False) -> Value:
        """Pass a result on; who weighs a reading sees here what was made of what."""
        return result

    def error(self, message: str, span: Span, hint: str = "") -> NotationError:
        """Make an error with its place."""
        return NotationError(message, source=self.context.source, places=(Place(span),), hint=hint)

    def unsupported(self, message: str, span: Span, hint: str = "") -> UnsupportedError:
        """Make a refusal with its place."""
        return UnsupportedError(message, source=self.context.source, places=(Place(span),), hint=hint)

    def name(self, tree: Name, names: Environment) -> Value:
        found = names.get(tree.identifier)
        if found is not None:
            return self.note("name", (found,), found.at(tree.span))
        if tree.identifier in self.dimensions:
            return self.size(self.context.solver.mention(tree.identifier), tree.span)
        near = get_close_matches(tree.identifier, [*names, *FUNCTIONS], n=1)
        hint = f"did you mean {near[0]}?" if near else "bind it first, or declare it"
        raise self.error(f"{tree.identifier} is not known here", tree.span, hint)

    def size(self, dimension: Dimension, span: Span) -> Value:
        """A dimension as a scalar."""
        return Value((), lambda: size_of(self.context.solver.resolve(dimension)), span)

    def transpose(self, value: Value, span: Span) -> Value:
        shape = self.context.resolved(value.shape)
        if self.context.is_scalar(value) and len(shape) != 1:
            return value.at(span)
        if len(shape) == 1:
            return Value((ONE, shape[0]), value.node, span)
        if len(shape) != 2:
            raise self.context.mismatch("the transpose is of vectors and matrices", [value])
        if shape[0] is ONE:
            return Value((shape[1], ONE) if value.named else (shape[1],), value.node, span)
        return self.context.contract([(value, (0, 1), 1)], (1, 0), span=span)

    # sums

    def sum(self, tree: Chain, names: Environment) -> Value:
        values = [self.lower(operand, names) for operand in tree.operands]
        signs = [1, *(1 if operator == "+" else -1 for operator in tree.operators)]
        verb = "add or subtract" if "-" in tree.operators else "add"
        widest = values[0]
        for value in values[1:]:
            widest = self.common(widest, value, verb)
        shape = widest.shape

        def make() -> Node:
            context = self.context
            terms = [(sign, context.spread(v, shape)) for sign, v in zip(signs, values, strict=True)]
            return add(terms, context.axes(shape))

        return self.note("sum", values, Value(shape, make, tree.span, needs=tuple(values)))

    def common(self, left: Value, right: Value, verb: str) -> Value:
        """Give the value whose shape the two have together: a scalar is repeated, nothing else is."""
        context = self.context
        if context.is_scalar(left):
            return right if right.shape else left
        if context.is_scalar(right) or self.same_shape(left.shape, right.shape):
            return left
        message = f"can't {verb} {context.describe(left)} and {context.describe(right)}"
        raise context.mismatch(message, [left, right], self.hint_for_sum(left, right))

    def same_shape(self, left: Shape, right: Shape) -> bool:
        """Unify two shapes; a column may be written as a matrix of one column."""
        solver = self.context.solver
        left, right = self.context.resolved(left), self.context.resolved(right)
        if len(left) == len(right):
            return all(solver.unify(a, b) for a, b in zip(left, right, strict=True))
        long, short = (left, right) if len(left) > len(right) else (right, left)
        return len(long) == 2 and len(short) == 1 and long[1] is ONE and solver.unify(long[0], short[0])

    def hint_for_sum(self, left: Value, right: Value) -> str:
        a, b = self.context.resolved(left.shape), self.context.resolved(right.shape)
        flipped = (b[1], b[0]) if len(b) == 2 else (ONE, b[0]) if len(b) == 1 else b
        if flipped[:1] == (ONE,) and len(a) == 1:
            flipped = flipped[1:]
        if len(a) == len(flipped) and a != b and self.would_unify(a, flipped):
            return "one transpose would mend it: put ' after one of the two"
        if (len(a) == 2 and len(b) == 1) or (len(a) == 1 and len(b) == 2):
            return "to add a vector to every row of a matrix, write ones(B) b'; or declare a batch axis"
        return ""

    def would_unify(self, left: Shape, right: Shape) -> bool:
        """Tell whether two shapes could be equal, without making them so."""
        trial = self.context.solver.copy()
        return len(left) == len(right) and all(trial.unify(a, b) for a, b in zip(left, right, strict=True))

    # products

    def product(self, tree: Chain, names: Environment) -> Value:
        result = self.lower(tree.operands[0], names)
        following = (*tree.operators[1:], "")
        for operator, operand, after in zip(tree.operators, tree.operands[1:], following, strict=True):
            left, right = result, self.lower(operand, names)
            span = left.span.to(right.span)
            if operator == "*":
                result = self.times(left, right, span)
            elif operator == "/":
                result = self.divide(left, right, span)
            elif operator == "kron":
                result = calls.kron(self, left, right, span)
            else:
                result = self.entrywise(left, right, -1 if operator == "./" else 1, span)
            result = self.note(operator, (left, right), result, after != "*")
        return result

    def times(self, left: Value, right: Value, span: Span) -> Value:
        context = self.context
        a, b = context.resolved(left.shape), context.resolved(right.shape)
        by_size = len(a) == 2 and len(b) in (1, 2) and a[1] is b[0] is ONE and a[0] is not ONE
        if not by_size and (context.is_scalar(left) or context.is_scalar(right)):
            if context.is_scalar(left):
                left, right, a, b = left, right, (), b
            else:
                left, right, a, b = right, left, (), a
            labels = range(len(b))
            return context.contract(
                [(left, [-1 - k for k in range(left.rank)], 1), (right, labels, 1)], labels, span=span
            )
        if len(a) > 2 or len(b) > 2:
            message = "the matrix product is of vectors and matrices; of tensors write their entries: [i,j: …]"
            raise context.mismatch(message, [left, right])
        if len(a) == 2 and context.solver.unify(a[1], b[0]):
            return context.contract([(left, (0, 1), 1), (right, (1, 2)[: len(b)], 1)], (0, 2)[: len(b)], span=span)
        if len(a) == 1 and len(b) == 2 and b[0] is ONE:
            return context.contract([(left, (0,), 1), (right, (1, 2), 1)], (0, 2), span=span)
        message = f"can't multiply {context.describe(left)} by {context.describe(right)}"
        raise context.mismatch(message, [left, right], self.hint_for_product(left, right))

    def hint_for_product(self, left: Value, right: Value) -> str:
        a, b = self.context.resolved(left.shape), self.context.resolved(right.shape)
        if len(a) == len(b) == 1:
            inner = "x' y for the inner product, " if self.would_unify(a, b) else ""
            entrywise = ", x .* y entry by entry" if inner else ""
            return f"write {inner}x y' for the outer product{entrywise}"
        if len(a) == 1 and len(b) == 2:
            return "transpose the vector: x' A"
        if len(a) == 2 and self.would_unify(a[:1], b[:1]):
            return "one transpose would mend it: transpose the left one"
        if len(a) == len(b) == 2 and self.would_unify(a[1:], b[1:]):
            return "one transpose would mend it: transpose the right one"
        return f"{a[-1]} and {b[0]} must agree".replace("~", "") if "?" not in f"{a[-1]}{b[0]}" else ""

    def divide(self, left: Value, right: Value, span: Span) -> Value:
        if not self.context.is_scalar(right):
            hint = "write ./ to divide entry by entry, or inv(A) for the inverse"
            raise self.context.mismatch(f"can't divide by {self.context.describe(right)}", [left, right], hint)
        labels = range(left.rank)
        parts = [(left, labels, 1), (right, [-1 - k for k in range(right.rank)], -1)]
        return self.context.contract(parts, labels, span=span)

    def entrywise(self, left: Value, right: Value, exponent: int, span: Span) -> Value:
        shape = self.common(left, right, "multiply" if exponent == 1 else "divide").shape
        labels = range(len(shape))

        def labelled(value: Value) -> list[int]:
            if self.context.is_scalar(value) and len(value.shape) != len(shape):
                return [-1 - k for k in range(value.rank)]
            return [*labels, *(-1 - k for k in range(value.rank - len(shape)))][: value.rank]

        parts = [(left, labelled(left), 1), (right, labelled(right), exponent)]
        return self.context.contract(parts, labels, dict(enumerate(shape)), span=span)

    # powers

    def power(self, base: Value, exponent: Value, entrywise: bool, span: Span) -> Value:
        context = self.context
        if entrywise or context.is_scalar(base):
            shape = self.common(base, exponent, "raise").shape if entrywise else base.shape
            if not entrywise and not context.is_scalar(exponent):
                raise context.mismatch("the exponent must be a scalar", [exponent], "write .^ to raise entry by entry")

            def make() -> Node:
                number = self.exponent(exponent)
                if number is not None:
                    return power(context.spread(base, shape), number)
                operation = TABLE["power"].primitive
                assert operation is not None
                return apply(operation.operation, [context.spread(base, shape), context.spread(exponent, shape)])

            return Value(shape, make, span)
        shape = context.resolved(base.shape)
        if len(shape) != 2 or context.is_row(base):
            raise context.mismatch(
                f"can't raise {context.describe(base)} to a power", [base], "write .^ for each entry"
            )
        if not context.solver.unify(*shape):
            raise context.mismatch("only a square matrix has powers", [base], "write .^ for each entry")
        number = self.exponent(exponent) if context.is_scalar(exponent) else None
        if not isinstance(number, int) or abs(number) > _LARGEST_MATRIX_POWER:
            message = f"a matrix is raised to whole numbers up to {_LARGEST_MATRIX_POWER} only"
            raise self.unsupported(message, exponent.span, "write .^ for each entry")
        if number == 0:
            return calls.eye(self, shape[0], span)
        if number < 0:
            base = calls.apply_entry(self, TABLE["inv"], [base], span)
        parts = [(base, (k, k + 1), 1) for k in range(abs(number))]
        return context.contract(parts, (0, abs(number)), span=span)

    def exponent(self, value: Value) -> Rational | None:
        """The value of an exponent that is a plain number."""
        if value.shape and not self.context.is_scalar(value):
            return None
        return number_of(value.node())
