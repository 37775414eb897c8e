"""The same results by matrix differentials: dL = tr(g' dy), a differential at a time, read off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pullback.derivation.formula import DIFFERENTIAL, EQUALS, Line, Part, Sign, equation, partial, through
from pullback.derivation.local import Closed, Local, inlined
from pullback.derivation.readings import Readings
from pullback.derivation.recognition import closed_lines, numbers_step
from pullback.derivation.rules import is_linear
from pullback.derivation.steps import Parameter, Rule, Step
from pullback.dimension import ONE, Dimension
from pullback.expression import Expression
from pullback.lifting.statements import is_matrix_form
from pullback.lowering.inputs import names_in
from pullback.lowering.program import Input
from pullback.operations.table import FUNCTIONS
from pullback.simplification.simplify import simplify
from pullback.syntax.forms import canonical, children, fold, rebuild
from pullback.syntax.parser import parse_expression
from pullback.syntax.tree import Call, Chain, Name, Negate, Syntax, Transpose
from pullback.tensor.product import product, transposed


def differential(name: str) -> Syntax:
    """``dx``."""
    return Call(DIFFERENTIAL, (Name(name),))


def statement_by_differentials(
    local: Local, closed: Mapping[str, Closed], readings: Readings | None, is_loss: bool, shared: frozenset[str]
) -> list[Step]:
    """Derive all operands of a statement at once."""
    names = local.names
    terms = {name: differential_of(local, name) if is_told(closed[name]) else None for name in closed}
    known = [terms[name] for name in local.operands if terms.get(name)]
    steps: list[Step] = []
    if all(terms.values()):
        steps.append(_both_sides(local, [term for parts in known if parts for term in parts]))
        steps += _inner(local, is_loss)
    for name, found in terms.items():
        gradient = partial(Name(names.loss), Name(names.spelling.get(name, name)))
        left = through(gradient, local.name) if name in shared else gradient
        inside: list[Step] = []
        if name in shared:
            inside.append(
                Step("part", {"x": Name(names.spelling.get(name, name)), "y": Name(local.name), "part": left})
            )
        if not all(terms.values()) and found:
            inside += [_both_sides(local, found), *_inner(local, is_loss)]
        inside += (
            _moved(local, name, found, left, closed[name], is_loss)
            if found
            else by_table(local, name, left, closed[name])
        )
        steps.append(_operand(local, name, left, closed[name], readings, inside))
    return steps


def reasons(local: Local, operand: str, left: Syntax, closed: Closed, is_loss: bool) -> list[Step]:
    """Why a closed form is right where its entries don't fit on a board: by differentials, or by the table."""
    found = differential_of(local, operand) if is_told(closed) else None
    if not found:
        return by_table(local, operand, left, closed)
    return [_both_sides(local, found), *_inner(local, is_loss), *_moved(local, operand, found, left, closed, is_loss)]


def is_told(closed: Closed) -> bool:
    """Whether matrix notation says a closed form, so that the steps to it can be said too."""
    return all(map(is_matrix_form, (closed.tree, *(b.value for b in closed.where))))


def by_table(local: Local, operand: str, left: Syntax, closed: Closed) -> list[Step]:
    """What the table of operations says that the operation passes back, and the closed form."""
    rule = local.rule_for(operand)
    steps: list[Step] = []
    if rule.is_entry and len(rule.pullback) == 1:
        ((_, form),) = rule.pullback
        board = Line((Name("g"), Sign("→"), parse_expression(form, FUNCTIONS)))
        steps.append(Step("rule.says", {"name": rule.name}, (board,)))
    last = "rule.closed" if steps else "operand.rule"
    if not is_told(closed):
        last = "recognise.index"
    return [*steps, Step(last, {}, closed_lines(left, closed), rule)]


def _both_sides(local: Local, terms: Sequence[Syntax]) -> Step:
    y = Name(local.name)
    return Step("differential", {"y": y}, (Line((differential(local.name), EQUALS, *_sum(terms))),), local.rule)


def _inner(local: Local, is_loss: bool) -> list[Step]:
    """How the loss changes with the statement."""
    names, y = local.names, Name(local.name)
    dy = differential(local.name)
    if is_loss:
        start = equation(differential(names.loss), dy)
        return [Step("differential.loss", {"y": y}, (start,))] if names.loss != local.name else []
    gradient = names.gradient(local.name)
    inner = paired(gradient, local.statement.shape, dy)
    parameters: dict[str, Parameter] = {"y": y, "gradient": gradient}
    return [Step("differential.inner", parameters, (equation(differential(names.loss), inner),))]


def _moved(local: Local, name: str, terms: Sequence[Syntax], left: Syntax, closed: Closed, is_loss: bool) -> list[Step]:
    """Bring the differential to the end, and read the gradient off."""
    names = local.names
    written = names.spelling.get(name, name)
    axes = closed.expression.axes
    d, x = differential(written), Name(written)
    first: list[Part] = []
    for term in terms:
        whole = term if is_loss else paired(names.gradient(local.name), local.statement.shape, term)
        first += _signed(whole, bool(first))
    sides: list[list[Part]] = [first]
    if len(_wide(axes)) > 1 and (turned := _turned_form(local, closed)) is not None:
        sides.append([Call("tr", (_multiplied(turned, d),))])
    sides.append([paired(closed.tree, axes, d)])
    shown: list[list[Part]] = []
    for side in sides:
        if not shown or _text(side) != _text(shown[-1]):
            shown.append(side)
    is_matrix = len(_wide(axes)) > 1
    move = "differential.move.matrix" if is_matrix else "differential.move.vector"
    if not _wide(axes):
        move = "differential.move.scalar"
    where = tuple(equation(Name(b.name or ""), b.value) for b in closed.where)
    parameters: dict[str, Parameter] = {"x": x, "differential": d, "gradient": left}
    rule = Rule("cyclic" if is_matrix else "transpose")
    read = "differential.read" if _wide(axes) else "differential.read.scalar"
    return [
        Step(move, parameters, (*where, equation(*shown)), rule),
        Step(read, parameters, closed_lines(left, closed)),
    ]


def _text(side: Sequence[Part]) -> list[Part]:
    return [canonical(part) if isinstance(part, Syntax) else part for part in side]


def _signed(tree: Syntax, more: bool) -> list[Part]:
    """A term of a sum, its sign as the operator where something stands before it."""
    bare, minus = _without_minus(tree)
    if not more:
        return [tree]
    return [Sign("-" if minus else "+"), bare]


def _without_minus(tree: Syntax) -> tuple[Syntax, bool]:
    if isinstance(tree, Negate):
        return tree.operand, True
    if isinstance(tree, Chain) and not tree.is_sum:
        first, minus = _without_minus(tree.operands[0])
        return (Chain((first, *tree.operands[1:]), tree.operators), True) if minus else (tree, False)
    return tree, False


def _operand(
    local: Local, name: str, left: Syntax, closed: Closed, readings: Readings | None, steps: list[Step]
) -> Step:
    x = Name(local.names.spelling.get(name, name))
    numbers = numbers_step(left, closed, readings) if readings is not None else None
    if numbers is not None:
        steps.append(numbers)
    parameters: dict[str, Parameter] = {
        "x": x, "y": Name(local.name), "gradient": left, "shape": local.shape(closed.expression.axes),
    }  # fmt: skip
    return Step("operand", parameters, closed_lines(left, closed), local.rule_for(name), tuple(steps), "brief")


def _turned_form(local: Local, closed: Closed) -> Syntax | None:
    """The transpose of a closed form, spelled on its own where it names no parts."""
    expression = closed.expression
    if len(expression.node.axes) != 2:
        return None
    node = transposed(expression.node)
    spelled = Expression(node, node.axes, expression.program, expression.extra).spelled
    if any(binding.name != local.name for binding in spelled.where):
        return None
    return local.called(spelled.results[0])


def paired(gradient: Syntax, axes: tuple[Dimension, ...], d: Syntax) -> Syntax:
    """The inner product of a gradient and a differential: ``tr(g' dy)``, ``g' dy`` or ``g dy``."""
    wide = _wide(axes)
    if not wide:
        return _multiplied(gradient, d)
    if len(wide) == 1:
        row = len(axes) == 2 and axes[0] is ONE
        return _multiplied(gradient, Transpose(d)) if row else _multiplied(_turned(gradient), d)
    return Call("tr", (_multiplied(_turned(gradient), d),))


def _turned(tree: Syntax) -> Syntax:
    return tree.operand if isinstance(tree, Transpose) else Transpose(tree)


def _wide(axes: tuple[Dimension, ...]) -> list[Dimension]:
    return [axis for axis in axes if axis is not ONE]


def _multiplied(left: Syntax, right: Syntax) -> Syntax:
    if isinstance(right, Negate):
        return Negate(_multiplied(left, right.operand))
    if isinstance(right, Chain) and not right.is_sum and set(right.operators) <= {"*"}:
        return Chain((left, *right.operands), ("*", *right.operators))
    return Chain((left, right), ("*",))


def _sum(terms: Sequence[Syntax]) -> list[Part]:
    parts: list[Part] = []
    for term in terms:
        parts += _signed(term, bool(parts))
    return parts


def differential_of(local: Local, name: str) -> list[Syntax] | None:
    """The terms of a statement's differential by one operand; None where matrix notation has no words for it.

    Of products and sums it is the text itself with dx in the place of one x at a time: d(x' A x) is
    dx' A x + x' A dx. Else it is the Jacobian applied to dx.
    """
    d = differential(local.names.spelling.get(name, name))
    written = _one_by_one(local.tree, name, d)
    if written is not None:
        return written
    applied = _jacobian_applied(local, name, d)
    return [applied] if is_matrix_form(applied) else None


def _one_by_one(tree: Syntax, name: str, d: Syntax) -> list[Syntax] | None:
    """The tree with d in place of each mention of a name in turn; None where it is not linear in one of them."""
    if not any(found == name for found, _ in names_in(tree)):
        return []
    if isinstance(tree, Name):
        return [d]
    if isinstance(tree, Negate | Transpose) or (isinstance(tree, Call) and is_linear(tree.function)):
        linear = range(len(children(tree)))
    elif isinstance(tree, Chain):
        below = [k + 1 for k, operator in enumerate(tree.operators) if operator in ("/", "./")]
        linear = [k for k in range(len(tree.operands)) if k not in below]  # type: ignore[assignment]
    else:
        return None
    found: list[Syntax] = []
    parts = list(children(tree))
    for k, part in enumerate(parts):
        inside = _one_by_one(part, name, d)
        if inside is None or (inside and k not in linear):
            return None
        if isinstance(tree, Chain) and tree.is_sum:
            sign = tree.operators[k - 1] if k else "+"
            found += [Negate(term) if sign == "-" else term for term in inside]
        else:
            found += [rebuild(tree, [*parts[:k], term, *parts[k + 1 :]]) for term in inside]
    return found


def _jacobian_applied(local: Local, name: str, d: Syntax) -> Syntax:
    program = local.program
    given = program.inputs[name]
    stand_in = f"d{name}"
    while stand_in in program.inputs or stand_in == local.name:
        stand_in += "_"
    small = Input(stand_in, given.shape, frozenset())
    jacobian = local.jacobian(name)
    outer = len(local.statement.local.axes)
    count = len(jacobian.axes)
    labels = range(count)
    node = product([(jacobian, labels, 1), (small.variable, range(outer, count), 1)], range(outer))
    (shorter,) = simplify([node])
    expression = Expression(shorter, local.statement.shape, program, {stand_in: small})

    def visit(tree: Syntax, parts: list[Syntax]) -> Syntax:
        if isinstance(tree, Name) and tree.identifier == stand_in:
            return d
        return rebuild(tree, parts)

    return local.own_name(fold(inlined(expression), visit))
