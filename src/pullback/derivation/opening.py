"""What a derivation begins with: what is given, and the forward pass."""

from __future__ import annotations

from collections.abc import Mapping

from pullback.derivation.formula import Line, Part, Sign, equation
from pullback.derivation.readings import shown
from pullback.derivation.request import Request
from pullback.derivation.scalars import ONE
from pullback.derivation.steps import Key, Parameter, Shape, Step
from pullback.dimension import Dimension
from pullback.syntax.tree import Name
from pullback.tensor.node import Apply, topological

_MOST_STATEMENTS = 40
_CONVENTIONS = ("relu", "step", "leaky_relu", "abs", "sign", "max", "max2", "min2", "logdet")


def shape_of(axes: tuple[Dimension, ...], sizes: Mapping[str, int]) -> Shape:
    """A shape to be said, in numbers where they are known."""
    return Shape(tuple(str(axis.substitute({n: Dimension.of(k) for n, k in sizes.items()})) for axis in axes))


def kind_of(axes: tuple[Dimension, ...]) -> Key:
    """What a tensor of this shape is called."""
    return Key({0: "kind.scalar", 1: "kind.vector", 2: "kind.matrix"}.get(len(axes), "kind.tensor"))


def given_step(request: Request) -> Step:
    """The symbols with their shapes and values, the upstream gradient, the convention."""
    program, names, readings = request.program, request.names, request.readings
    sizes = request.arrays[1]
    steps: list[Step] = []
    for name, entry in program.inputs.items():
        lines: tuple[Line, ...] = ()
        if readings is not None and name in readings.values:
            lines = (equation(Name(entry.name), shown(readings.values[name])),)
        parameters: dict[str, Parameter] = {
            "x": Name(entry.name),
            "kind": kind_of(entry.shape),
            "shape": shape_of(entry.shape, sizes),
        }
        kind = "given.input" if entry.shape else "given.scalar"
        if entry.properties:
            words = sorted(entry.properties)
            parameters["properties"] = ", ".join(words)
            kind = "given.input.properties"
        steps.append(Step(kind, parameters, lines))
    steps.append(_upstream(request))
    steps.append(Step("given.convention", {"gradient": names.gradient(names.output)}))
    known = {name: size for name, size in sorted(sizes.items())}
    if known:
        listed = ", ".join(f"{name} = {size}" for name, size in known.items())
        steps.append(Step("given.sizes", {"sizes": listed}, detail="full"))
    small = request.small
    if small is None:
        steps.append(Step("given.no_board", {}))
    elif small.sizes:
        large = any(axis[:1].isdigit() or "=" in axis for axis, _ in small.sizes)
        sign = "→" if large else "="
        listed = ", ".join(f"{axis} {sign} {length}" for axis, length in small.sizes)
        steps.append(Step("given.standin" if large else "given.symbols", {"sizes": listed}))
    steps += _conventions(request)
    return Step("given", {}, (), None, tuple(steps))


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
        parameters: dict[str, Parameter] = {
            "y": Name(name),
            "kind": kind_of(statement.shape),
            "shape": shape_of(statement.shape, request.arrays[1]),
        }
        kind = "forward.statement" if statement.shape else "forward.scalar"
        steps.append(Step(kind, parameters, tuple(lines)))
    if len(statements) > _MOST_STATEMENTS:
        steps.append(Step("forward.more", {"count": len(statements) - _MOST_STATEMENTS}))
    return Step("forward", {"count": len(statements)}, (), None, tuple(steps), "brief")
