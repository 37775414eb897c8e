"""The table's derivative rules as graphs.

A rule is written for one sample and an upstream g of the result's shape. Since it is linear in g, the
same graph serves an operation repeated over leading axes and a g with axes of its own: both are extra
axes of what is substituted into it.
"""

from __future__ import annotations

from functools import cache

from pullback.dimension import Dimension
from pullback.errors import UnsupportedError
from pullback.lowering.dimensions import Solver
from pullback.lowering.expressions import Lowering
from pullback.lowering.value import Context, Value
from pullback.operations.entry import Primitive
from pullback.operations.table import FUNCTIONS, HIDDEN, TABLE
from pullback.syntax.parser import parse_expression
from pullback.tensor.apply import apply
from pullback.tensor.node import Apply, Axes, Node, Unknown, Variable, make_variable
from pullback.tensor.product import product
from pullback.tensor.reshape import Linear
from pullback.tensor.substitute import Lifted, spread, substitute

UPSTREAM = "g"
_IMPOSSIBLE = "?"


def pull_back(node: Apply, position: int, cotangent: Node) -> Node:
    """Pull a cotangent of an applied operation back to one of its arguments.

    ``cotangent`` has the axes of ``node`` after any number of axes of its own; so has the result,
    before the axes of the argument.
    """
    operation = node.operation
    own = len(cotangent.axes) - len(node.axes)
    if isinstance(operation, Linear):
        core = node.arguments[0].axes[node.batch :]
        return apply(operation.adjoint([core]), [cotangent])
    if isinstance(operation, Unknown):
        labels = range(len(cotangent.axes))
        slope = apply(operation.derivative(), node.arguments)
        return product([(cotangent, labels, 1), (slope, labels[own:], 1)], labels)
    template, places, upstream, inputs = _template(operation.name, position)
    batch = tuple(f"batch {k}" for k in range(node.batch))
    extra = (*(f"own {k}" for k in range(own)), *batch)
    leaves: dict[Node, Lifted] = {upstream: Lifted(cotangent, extra)}
    sizes: dict[str, Dimension] = {}
    for place, argument, names in zip(places, node.arguments, inputs, strict=True):
        leaves[place] = Lifted(argument, batch)
        sizes.update(zip(names, argument.axes[node.batch :], strict=True))
    lead: Axes = cotangent.axes[: own + node.batch]
    return spread(substitute(template, leaves, sizes), extra, lead)


Template = tuple[Node, tuple[Variable, ...], Variable, tuple[tuple[str, ...], ...]]


@cache
def _template(name: str, position: int) -> Template:
    """Lower a rule: its graph, the variables for the arguments and for g, and their core dimensions."""
    primitive = _primitive(name)
    parameter = list(primitive.pullbacks)[position]
    text = primitive.pullbacks[parameter]
    if text == _IMPOSSIBLE:
        raise UnsupportedError(f"the derivative of {name} by its argument {parameter} is not derived")
    signature = primitive.operation.signature
    solver = Solver()
    context = Context(solver, text)
    names: dict[str, Value] = {}
    places = []
    for argument, core in zip(primitive.pullbacks, signature.inputs, strict=True):
        axes = tuple(Dimension.of(axis) for axis in core)
        place = make_variable(f"rule {argument}", axes)
        places.append(place)
        names[argument] = Value(axes, lambda place=place: place)  # type: ignore[misc]
    axes = tuple(Dimension.of(axis) for axis in signature.output)
    upstream = make_variable(f"rule {UPSTREAM}", axes)
    names[UPSTREAM] = Value(axes, lambda: upstream)
    value = Lowering(context).lower(parse_expression(text, FUNCTIONS | HIDDEN), names)
    wanted = tuple(Dimension.of(axis) for axis in signature.inputs[position])
    node = context.spread(value, wanted)
    assert node.axes == wanted, f"the rule of {name} for {parameter} has axes {node.axes}"
    return node, tuple(places), upstream, signature.inputs


def _primitive(name: str) -> Primitive:
    for entry in TABLE.values():
        for meaning in entry.meanings:
            if isinstance(meaning, Primitive) and meaning.operation.name == name:
                return meaning
    raise UnsupportedError(f"the derivative of {name} is not known")
