"""What a derivation begins with: what is given, and the forward pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from pullback.derivation.formula import EQUALS, Line, Part, Sign, equation
from pullback.derivation.readings import shown
from pullback.derivation.request import Request
from pullback.derivation.scalars import ONE
from pullback.derivation.steps import Keys, Parameter, Shape, Step, Thing
from pullback.dimension import Dimension
from pullback.syntax.parser import parse_expression
from pullback.syntax.tree import Name, Number, Syntax
from pullback.tensor.node import Apply, topological

_MOST_STATEMENTS = 40
_CONVENTIONS = ("relu", "step", "leaky_relu", "abs", "sign", "max", "max2", "min2", "logdet")


def shape_of(axes: tuple[Dimension, ...], sizes: Mapping[str, int]) -> Shape:
    """A shape to be said, in numbers where they are known."""
    return Shape(tuple(str(axis.substitute({n: Dimension.of(k) for n, k in sizes.items()})) for axis in axes))


def listed(pairs: Iterable[tuple[str, int]], sign: str) -> Line:
    """Sizes as a list: ``m = 2, n = 3``, or ``784 → 3``."""
    parts: list[Part] = []
    for axis, length in pairs:
        parts += [*([Sign(",")] if parts else []), as_formula(axis), Sign(sign), Number(Fraction(length))]
    return Line(tuple(parts))


def as_formula(axis: str) -> Syntax:
    """The length of an axis as a formula: ``n``, ``3``, ``m p``."""
    return parse_expression(axis, ())


def given_step(request: Request) -> Step:
    """The symbols with their shapes and values, the upstream gradient, the convention."""
    program, names, readings = request.program, request.names, request.readings
    sizes = request.arrays[1]
    steps: list[Step] = []
    for name, entry in program.inputs.items():
        lines: tuple[Line, ...] = ()
        if readings is not None and name in readings.values:
            lines = (equation(Name(entry.name), shown(readings.values[name])),)
        parameters: dict[str, Parameter] = {"x": Name(entry.name), "thing": Thing(shape_of(entry.shape, sizes))}
        if entry.properties:
            parameters["properties"] = Keys(tuple(f"property.{word}" for word in sorted(entry.properties)))
        steps.append(Step("given.input.properties" if entry.properties else "given.input", parameters, lines))
    steps.append(_upstream(request))
    steps.append(Step("given.convention", {"gradient": names.gradient(names.output)}))
    known = {name: size for name, size in sorted(sizes.items())}
    if known:
        steps.append(Step("given.sizes", {"sizes": listed(known.items(), "=")}, detail="full"))
    small = request.small
    if small is None:
        steps.append(Step("given.no_board", {}))
    elif small.sizes:
        large = any(known is not None for _, known, _ in small.sizes)
        steps.append(Step("given.standin" if large else "given.symbols", {"sizes": _replaced(small.sizes)}))
    steps += _conventions(request)
    return Step("given", {}, (), None, tuple(steps))


def _replaced(sizes: Sequence[tuple[str, int | None, int]]) -> Line:
    """What stands for what on the board: ``n = 2``; ``m = 784 → 3`` where the size is known but too large."""
    parts: list[Part] = []
    for axis, known, length in sizes:
        parts += [*([Sign(",")] if parts else []), as_formula(axis)]
        if known is not None and axis != str(known):
            parts += [EQUALS, Number(Fraction(known))]
        parts += [EQUALS if known is None else Sign("→"), Number(Fraction(length))]
    return Line(tuple(parts))


def _upstream(request: Request) -> Step:
    names, output = request.names, request.program.output
    gradient = names.gradient(names.output)
    y = Name(names.output)
    if request.is_loss:
        if names.loss == names.output:
            return Step("given.loss.itself", {"y": y})
        return Step("given.loss", {"y": y}, (equation(Name(names.loss), y), equation(gradient, ONE)))
    lines: tuple[Line, ...] = ()
    if request.readings is not None and names.output in request.readings.gradients:
        lines = (equation(gradient, shown(request.readings.gradients[names.output])),)
    return Step(
        "given.upstream", {"y": y, "gradient": gradient, "shape": shape_of(output.shape, request.arrays[1])}, lines
    )


def _conventions(request: Request) -> list[Step]:
    """What is agreed on at kinks, for the functions that are there."""
    used = {n.operation.name for n in topological([s.node for s in request.program.statements]) if isinstance(n, Apply)}
    return [Step(f"convention.{name}", {}) for name in _CONVENTIONS if name in used]


def forward_step(request: Request) -> Step:
    """The statements in order, with their shapes and values."""
    steps: list[Step] = []
    statements = request.board.statements
    before = {s.name for s in request.program.statements}
    added = [s.name for s in statements[:-1] if s.name is not None and s.name not in before]
    if added:
        parts: list[Part] = []
        for name in added:
            parts += [*([Sign(",")] if parts else []), Name(name)]
        steps.append(Step("forward.named", {"names": Line(tuple(parts))}))
    for k, statement in enumerate(statements[:_MOST_STATEMENTS]):
        name = request.name_of(k)
        tree = request.board.syntax.bindings[k].value
        sides: list[Part] = [Name(name), tree]
        lines = [equation(*sides)]
        readings = request.readings
        if readings is not None and name in readings.values:
            lines.append(equation(Name(name), shown(readings.values[name])))
        thing = Thing(shape_of(statement.shape, request.arrays[1]))
        steps.append(Step("forward.statement", {"y": Name(name), "thing": thing}, tuple(lines)))
    if len(statements) > _MOST_STATEMENTS:
        steps.append(Step("forward.more", {"count": len(statements) - _MOST_STATEMENTS}))
    return Step("forward", {"count": len(statements)}, (), None, tuple(steps), "brief")
