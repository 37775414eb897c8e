"""The same results by matrix differentials: dL = tr(g' dy), a differential at a time, read off."""

from __future__ import annotations

from collections.abc import Mapping

from pullback.derivation.formula import DIFFERENTIAL, EQUALS, Line, Part, Sign, equation, partial, through
from pullback.derivation.local import Closed, Local, inlined
from pullback.derivation.readings import Readings
from pullback.derivation.recognition import closed_lines, numbers_step
from pullback.derivation.steps import Parameter, Rule, Step
from pullback.dimension import ONE, Dimension
from pullback.expression import Expression
from pullback.lowering.program import Input
from pullback.simplification.simplify import simplify
from pullback.syntax.forms import fold, rebuild
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
    terms = {name: differential_of(local, name) for name in closed}
    gradient = names.gradient(local.name)
    axes = local.statement.shape
    dy = differential(local.name)
    y = Name(local.name)
    written = [terms[name] for name in local.operands if name in terms]
    steps = [
        Step("differential", {"y": y}, (Line((dy, EQUALS, *_sum(written))),), local.rules[0]),
    ]
    if is_loss:
        start = [equation(differential(names.loss), dy)] if names.loss != local.name else []
        if start:
            steps.append(Step("differential.loss", {"y": y}, tuple(start)))
    else:
        inner = paired(gradient, axes, dy)
        steps.append(
            Step("differential.inner", {"y": y, "gradient": gradient}, (equation(differential(names.loss), inner),))
        )
    for name, term in terms.items():
        steps.append(_operand(local, name, term, closed[name], readings, is_loss, name in shared))
    return steps


def _operand(
    local: Local, name: str, term: Syntax, closed: Closed, readings: Readings | None, is_loss: bool, is_shared: bool
) -> Step:
    names = local.names
    written = names.spelling.get(name, name)
    gradient = partial(Name(names.loss), Name(written))
    left = through(gradient, local.name) if is_shared else gradient
    axes = closed.expression.axes
    d = differential(written)
    sides: list[Part] = []
    if not is_loss:
        sides.append(paired(names.gradient(local.name), local.statement.shape, term))
    else:
        sides.append(term)
    if len(_wide(axes)) > 1 and (turned := _turned_form(local, closed)) is not None:
        middle = Call("tr", (_multiplied(turned, d),))
        if middle != sides[-1]:
            sides.append(middle)
    final = paired(closed.tree, axes, d)
    if sides[-1] != final:
        sides.append(final)
    x = Name(written)
    move = "differential.move.vector" if len(_wide(axes)) <= 1 else "differential.move.matrix"
    where = tuple(equation(Name(b.name or ""), b.value) for b in closed.where)
    steps = [
        Step(
            move,
            {"x": x, "differential": d},
            (*where, equation(*sides)),
            Rule("cyclic" if len(_wide(axes)) > 1 else "transpose"),
        ),
        Step("differential.read", {"x": x, "differential": d, "gradient": left}, closed_lines(left, closed)),
    ]
    numbers = numbers_step(left, closed, readings) if readings is not None else None
    if numbers is not None:
        steps.append(numbers)
    parameters: dict[str, Parameter] = {
        "x": x, "y": Name(local.name), "gradient": left, "shape": local.shape(axes),
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


def _sum(terms: list[Syntax]) -> list[Part]:
    parts: list[Part] = []
    for k, term in enumerate(terms):
        if isinstance(term, Negate) and k:
            parts += [Sign("-"), term.operand]
        else:
            parts += [*([Sign("+")] if k else []), term]
    return parts


def differential_of(local: Local, name: str) -> Syntax:
    """The statement's differential by one operand: its Jacobian applied to dx, in matrix notation."""
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
    written = local.names.spelling.get(name, name)

    def visit(tree: Syntax, parts: list[Syntax]) -> Syntax:
        if isinstance(tree, Name) and tree.identifier == stand_in:
            return differential(written)
        return rebuild(tree, parts)

    return local.own_name(fold(inlined(expression), visit))
