"""Small changes of a formula: each is one thing that people write for another.

``edits`` gives every formula that is one change away, with the key of what the change mends. Read
backwards, the same change is the mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from pullback.syntax.forms import children, rebuild
from pullback.syntax.printer import show
from pullback.syntax.tree import Call, Chain, Name, Negate, Number, Power, Syntax, Transpose

ENTRYWISE = ("exp", "log", "sigmoid", "tanh", "relu", "step", "sign", "abs", "sin", "cos", "sqrt")


@dataclass(frozen=True)
class Edit:
    """A changed formula: ``key`` and ``fields`` say what was changed, ``cost`` how much it is."""

    tree: Syntax
    key: str
    cost: float
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Words:
    """What may be put into a formula."""

    names: Sequence[str]
    """Inputs, steps of the program and the upstream gradient."""
    dimensions: Sequence[str]
    reductions: Sequence[Syntax] = ()


def edits(tree: Syntax, words: Words) -> Iterator[Edit]:
    """Give every formula one change away."""
    yield from _here(tree, words)
    parts = children(tree)
    for k, part in enumerate(parts):
        if (
            isinstance(tree, Call)
            and k == len(parts) - 1
            and k > 0
            and isinstance(part, Name)
            and part.identifier in ("rows", "columns")
        ):
            continue
        if isinstance(tree, Call) and tree.function in ("eye", "ones", "zeros", "size", "reshape"):
            break
        for edit in edits(part, words):
            yield Edit(_rebuilt(tree, parts, k, edit.tree), edit.key, edit.cost, edit.fields)


def _rebuilt(tree: Syntax, parts: Sequence[Syntax], k: int, new: Syntax) -> Syntax:
    changed = [*parts[:k], new, *parts[k + 1 :]]
    return rebuild(tree, changed)


def _here(tree: Syntax, words: Words) -> Iterator[Edit]:
    text = show(tree)
    if isinstance(tree, Transpose):
        yield Edit(tree.operand, "transpose_too_many", 1.0, {"part": text})
    elif not isinstance(tree, Number | Negate):
        yield Edit(Transpose(tree), "transpose_too_few", 1.0, {"part": text})
    if isinstance(tree, Negate):
        yield Edit(tree.operand, "sign", 1.0, {"part": text})
    else:
        yield Edit(Negate(tree), "sign", 1.3, {"part": text})
    if isinstance(tree, Chain):
        yield from _of_sum(tree) if tree.is_sum else _of_product(tree, words)
        if not tree.is_sum:
            yield from _of_beginning(tree)
            yield from _regrouped(tree)
    if isinstance(tree, Name):
        for name in words.names:
            if name != tree.identifier:
                yield Edit(Name(name), "other_name", 1.6, {"written": tree.identifier, "right": name})
    if isinstance(tree, Call):
        yield from _of_call(tree)
        if tree.function == "ones":
            for k, argument in enumerate(tree.arguments):
                for name in words.dimensions:
                    if Name(name) != argument:
                        longer = Call("ones", (*tree.arguments[:k], Name(name), *tree.arguments[k + 1 :]))
                        yield Edit(longer, "other_name", 1.5, {"written": show(tree), "right": show(longer)})
    if isinstance(tree, Power):
        yield Edit(tree.base, "power", 1.5, {"part": text})
        yield Edit(Power(tree.base, tree.exponent, not tree.entrywise), "power_kind", 1.4, {"part": text})
        if isinstance(tree.exponent, Number):
            for other in {
                tree.exponent.value + 1,
                tree.exponent.value - 1,
                -tree.exponent.value,
                tree.exponent.value / 2,
            }:
                yield Edit(Power(tree.base, Number(other), tree.entrywise), "power", 1.6, {"part": text})
    elif not isinstance(tree, Number | Chain | Negate):
        yield Edit(Power(tree, Number(Fraction(2)), True), "power", 2.0, {"part": text})
    if not isinstance(tree, Number):
        yield Edit(Chain((Number(Fraction(2)), tree), ("*",)), "factor_two", 1.6, {"part": text})
        for name in words.dimensions:
            yield Edit(_joined(tree, _size(name), "/"), "mean", 1.8, {"n": name})
        yield from _reduced(tree, text)
        for name in words.names:
            for new in (Name(name), Transpose(Name(name))):
                yield Edit(_joined(tree, new, "*"), "factor_missing", 2.2, {"factor": show(new)})
                yield Edit(_joined(new, tree, "*"), "factor_missing", 2.2, {"factor": show(new)})
            yield Edit(_joined(tree, Name(name), ".*"), "factor_missing", 2.1, {"factor": name})
            step = Call("step", (Name(name),))
            yield Edit(_joined(tree, step, ".*"), "factor_missing", 2.1, {"factor": show(step)})


def _joined(left: Syntax, right: Syntax, operator: str) -> Syntax:
    operands: list[Syntax] = []
    operators: list[str] = []
    for part in (left, right):
        if operands:
            operators.append(operator)
        if isinstance(part, Chain) and not part.is_sum and part is left:
            operands += part.operands
            operators += part.operators
        else:
            operands.append(part)
    return Chain(tuple(operands), tuple(operators))


def _reduced(tree: Syntax, text: str) -> Iterator[Edit]:
    for axis in ("rows", "columns"):
        yield Edit(Call("sum", (tree, Name(axis))), "sum_missing", 1.5, {"part": text})
        yield Edit(Call("mean", (tree, Name(axis))), "sum_missing", 1.9, {"part": text})
    yield Edit(Call("sum", (tree,)), "sum_missing", 1.6, {"part": text})
    yield Edit(Call("diag", (tree,)), "diag", 2.0, {"part": text})
    yield Edit(Call("inv", (tree,)), "inverse", 2.0, {"part": text})


def _of_sum(tree: Chain) -> Iterator[Edit]:
    for k in range(len(tree.operands)):
        flipped = list(tree.operators)
        if k:
            flipped[k - 1] = "-" if flipped[k - 1] == "+" else "+"
            yield Edit(Chain(tree.operands, tuple(flipped)), "sign", 1.1, {"part": show(tree.operands[k])})
        rest = [operand for j, operand in enumerate(tree.operands) if j != k]
        operators = [operator for j, operator in enumerate(tree.operators) if j != max(0, k - 1)]
        first: Syntax = Negate(rest[0]) if k == 0 and tree.operators[0] == "-" else rest[0]
        left = Chain((first, *rest[1:]), tuple(operators)) if len(rest) > 1 else first
        yield Edit(left, "term_surplus", 1.6, {"part": show(tree.operands[k])})


def _of_product(tree: Chain, words: Words) -> Iterator[Edit]:
    operands, operators = tree.operands, tree.operators
    for k in range(len(operands) - 1):
        swapped = [*operands[:k], operands[k + 1], operands[k], *operands[k + 2 :]]
        if operators[k] == "*":
            yield Edit(Chain(tuple(swapped), operators), "order", 1.2, {"part": show(tree)})
            first, second = operands[k], operands[k + 1]
            for pair in ((Transpose(second), first), (second, Transpose(first)), (_turned(second), _turned(first))):
                moved = (*operands[:k], *pair, *operands[k + 2 :])
                yield Edit(Chain(moved, operators), "order_and_transpose", 1.7, {"part": show(tree)})
        for other in ("*", ".*"):
            if operators[k] != other and operators[k] in ("*", ".*"):
                changed = (*operators[:k], other, *operators[k + 1 :])
                key = "elementwise_for_product" if other == "*" else "product_for_elementwise"
                yield Edit(Chain(operands, changed), key, 1.2, {"part": show(tree)})
                yield Edit(Chain(tuple(swapped), changed), key, 1.5, {"part": show(tree)})
                for pair in ((_turned(operands[k]), operands[k + 1]), (operands[k], _turned(operands[k + 1]))):
                    moved = (*operands[:k], *pair, *operands[k + 2 :])
                    yield Edit(Chain(moved, changed), key, 1.6, {"part": show(tree)})
        if operators[k] in ("/", "./"):
            inverse = "*" if operators[k] == "/" else ".*"
            changed = (*operators[:k], inverse, *operators[k + 1 :])
            yield Edit(Chain(operands, changed), "division", 1.5, {"part": show(operands[k + 1])})
    if len(operands) == 2 and operators == ("*",):
        yield Edit(Chain(operands[::-1], operators), "order", 1.2, {"part": show(tree)})
    for k in range(len(operands)):
        rest = [operand for j, operand in enumerate(operands) if j != k]
        left = [operator for j, operator in enumerate(operators) if j != max(0, k - 1)]
        smaller = Chain(tuple(rest), tuple(left)) if len(rest) > 1 else rest[0]
        yield Edit(smaller, "factor_surplus", 1.6, {"factor": show(operands[k])})
    for k, operator in enumerate(operators, 1):
        if operator in ("/", "./") and (counted := _length(operands[k])):
            for name in words.dimensions:
                if name != counted:
                    changed_operands = (*operands[:k], _size(name), *operands[k + 1 :])
                    fields = {"written": counted, "right": name}
                    yield Edit(Chain(changed_operands, operators), "wrong_count", 1.4, fields)


def _of_beginning(tree: Chain) -> Iterator[Edit]:
    """Changes of the first factors taken together: ``P .* D K`` is ``(P .* D) K``."""
    for count in range(2, len(tree.operands)):
        first = Chain(tree.operands[:count], tree.operators[: count - 1])
        text = f"({show(first)})"
        operators = tree.operators[count - 1 :]
        yield Edit(
            Chain((Transpose(first), *tree.operands[count:]), operators), "transpose_too_few", 1.1, {"part": text}
        )
        for axis in ("rows", "columns"):
            summed = Call("sum", (first, Name(axis)))
            yield Edit(Chain((summed, *tree.operands[count:]), operators), "sum_missing", 1.6, {"part": text})


def _regrouped(tree: Chain) -> Iterator[Edit]:
    """Another order of a matrix product and an entrywise one: ``A (b .* c)`` for ``(A b) .* c``."""
    for k, operand in enumerate(tree.operands):
        inner = operand
        if k == 0 or not isinstance(inner, Chain) or inner.is_sum:
            continue
        if {tree.operators[k - 1], *inner.operators} <= {"*", ".*"} and len(
            {tree.operators[k - 1], *inner.operators}
        ) > 1:
            flat = Chain(
                (*tree.operands[:k], *inner.operands, *tree.operands[k + 1 :]),
                (*tree.operators[:k], *inner.operators, *tree.operators[k:]),
            )
            yield Edit(flat, "grouping", 1.3, {"part": show(inner)})
    for start in range(1, len(tree.operands) - 1):
        for stop in range(start + 2, len(tree.operands) + 1):
            used = {*tree.operators[start - 1 : stop - 1]}
            if used == {"*", ".*"}:
                inner = Chain(tree.operands[start:stop], tree.operators[start : stop - 1])
                nested = Chain(
                    (*tree.operands[:start], inner, *tree.operands[stop:]),
                    (*tree.operators[:start], *tree.operators[stop - 1 :]),
                )
                yield Edit(nested, "grouping", 1.3, {"part": show(inner)})


def _turned(tree: Syntax) -> Syntax:
    return tree.operand if isinstance(tree, Transpose) else Transpose(tree)


def _size(name: str) -> Syntax:
    return Call("size", (Name(name),))


def _length(tree: Syntax) -> str:
    """The dimension that a tree is the length of."""
    if isinstance(tree, Call) and tree.function == "size" and len(tree.arguments) == 1:
        (tree,) = tree.arguments
    return tree.identifier if isinstance(tree, Name) else ""


def _of_call(tree: Call) -> Iterator[Edit]:
    if len(tree.arguments) == 2 and isinstance(tree.arguments[1], Name):
        axis = tree.arguments[1].identifier
        if axis in ("rows", "columns"):
            other = "columns" if axis == "rows" else "rows"
            yield Edit(Call(tree.function, (tree.arguments[0], Name(other))), "axis", 0.9, {"part": show(tree)})
    if tree.function in ("sum", "mean"):
        yield Edit(tree.arguments[0], "sum_surplus", 1.5, {"part": show(tree)})
        other = "mean" if tree.function == "sum" else "sum"
        yield Edit(Call(other, tree.arguments), "mean_for_sum", 1.3, {"part": show(tree)})
    elif tree.function in ENTRYWISE and len(tree.arguments) == 1:
        yield Edit(tree.arguments[0], "function_surplus", 1.8, {"part": show(tree)})
        for other in ENTRYWISE:
            if other != tree.function:
                yield Edit(
                    Call(other, tree.arguments), "other_function", 1.9, {"written": tree.function, "right": other}
                )
    elif tree.function in ("diag", "inv", "norm") and len(tree.arguments) == 1:
        yield Edit(tree.arguments[0], "function_surplus", 1.8, {"part": show(tree)})
