"""Which rule of calculus, or which entry of the table of operations, a statement is differentiated by."""

from __future__ import annotations

from functools import cache

from pullback.derivation.steps import Rule
from pullback.lowering.inputs import names_in
from pullback.operations.entry import Definition, Einsum, Primitive
from pullback.operations.table import CONSTRUCTORS, TABLE
from pullback.syntax.tree import Call, Chain, Name, Negate, Power, Syntax, Transpose


def rule_for(tree: Syntax, operand: str) -> Rule:
    """The rule that leads from an expression, as it was written, to one of its names.

    >>> from pullback.syntax.parser import parse_expression
    >>> rule_for(parse_expression("W x + b", ()), "b").name, rule_for(parse_expression("W x + b", ()), "W").name
    ('sum', 'product')
    """
    match tree:
        case Name():
            return Rule("name")
        case Transpose(Name()):
            return Rule("transposition")
        case Negate(inner) | Transpose(inner):
            return rule_for(inner, operand)
        case Chain() if tree.is_sum:
            holding = [term for term in tree.operands if _holds(term, operand)]
            alone = len(holding) == 1 and not isinstance(_bare(holding[0]), Name)
            return rule_for(holding[0], operand) if alone else Rule("sum")
        case Chain():
            return _product(tree, operand)
        case Power(Call() as base, _):
            return rule_for(base, operand)
        case Power():
            return Rule("power")
        case Call(function, arguments):
            if all(map(_is_simple, arguments)):
                return entry_rule(function)
            inside = [argument for argument in arguments if _holds(argument, operand)]
            return rule_for(inside[0], operand) if is_linear(function) and len(inside) == 1 else Rule("chain")
    return Rule("product")


def is_linear(function: str) -> bool:
    """Whether a function only moves and sums entries."""
    if function in CONSTRUCTORS:
        return True
    return function in TABLE and any(isinstance(meaning, Einsum) for meaning in TABLE[function].meanings)


def outermost(tree: Syntax) -> Rule:
    """The rule of what is done last in an expression."""
    if isinstance(tree, Chain):
        return Rule("sum") if tree.is_sum else Rule("product")
    names = [name for name, _ in names_in(tree)]
    return rule_for(tree, names[0]) if names else Rule("constant")


def _is_simple(argument: Syntax) -> bool:
    """A name, or what stands for no value: a number, rows."""
    return isinstance(argument, Name) or not any(True for _ in names_in(argument))


def _product(tree: Chain, operand: str) -> Rule:
    above = [tree.operands[0]]
    below: list[Syntax] = []
    for operator, part in zip(tree.operators, tree.operands[1:], strict=True):
        (below if operator in ("/", "./") else above).append(part)
    if "kron" in tree.operators:
        return entry_rule("kron")
    inside = [part for part in (*above, *below) if _holds(part, operand)]
    if len(inside) == 1 and inside[0] in below:
        return Rule("quotient")
    return Rule("product")


def _bare(tree: Syntax) -> Syntax:
    return tree.operand if isinstance(tree, Negate) else tree


def _holds(tree: Syntax, name: str) -> bool:
    return any(found == name for found, _ in names_in(tree))


@cache
def entry_rule(function: str) -> Rule:
    """The rule of an entry of the table of operations.

    >>> entry_rule("tanh").pullback
    (('x', 'g (1 - tanh(x)^2)'),)
    """
    if function in CONSTRUCTORS:
        return Rule(function, is_entry=True)
    if function not in TABLE:
        return Rule(function)
    entry = TABLE[function]
    meaning = next((m for m in entry.meanings if isinstance(m, Primitive | Definition)), None)
    pullback = tuple(meaning.pullbacks.items()) if isinstance(meaning, Primitive) else ()
    return Rule(function, is_entry=True, pullback=pullback, source=entry.source)
