"""Second derivatives that are never written out: operators, Hessian-vector products, Gauss-Newton, one per sample."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pullback.calculus.reverse import gradient as differentiate
from pullback.calculus.reverse import jacobian as local_jacobian
from pullback.compressed.operator import Operator
from pullback.deriving import (
    Source,
    as_program,
    by_inputs,
    hessian,
    jacobian,
    require_scalar,
)
from pullback.errors import NotationError, ShapeError, UnsupportedError
from pullback.expression import Expression
from pullback.lowering.asked import chosen, upstream_input
from pullback.lowering.given import Properties, Shapes
from pullback.lowering.program import Program, Statement, squeezed
from pullback.simplification.simplify import simplify
from pullback.syntax.names import normalise
from pullback.tensor.node import Node, Variable, topological
from pullback.tensor.product import product
from pullback.tensor.substitute import Lifted, substitute_all


def hessian_operator(
    source: Source,
    wrt: str | None = None,
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
    backend: str = "numpy",
    reuse: bool = False,
) -> Operator:
    """Derive the Hessian of a scalar as an operator: its small parts, its products with vectors, its solves.

    Args:
        source: A program with a scalar output.
        wrt: The input; it may be left out where there is only one.
        shapes: As in ``parse``.
        assume: As in ``parse``.
        batch: As in ``parse``.
        backend: As in ``compile``.
        reuse: As in ``compile``.

    >>> import numpy as np
    >>> H = hessian_operator("norm(T - U V')^2", "U").at(T=np.zeros((3, 4)), U=np.ones((3, 2)), V=np.ones((4, 2)))
    >>> H.shape, H.core[0].shape, (H @ np.ones((3, 2))).shape
    ((3, 2, 3, 2), (2, 2), (3, 2))
    """
    program = as_program(source, shapes, assume, batch, scalar_output=True)
    name = _one(program, wrt)
    return Operator(hessian(program, name), len(program.inputs[name].shape), backend, reuse)


def jacobian_operator(
    source: Source,
    wrt: str | None = None,
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
    backend: str = "numpy",
    reuse: bool = False,
) -> Operator:
    """Derive a Jacobian as an operator; the arguments are those of ``hessian_operator``.

    >>> import numpy as np
    >>> J = jacobian_operator("Y = A X", "X").at(A=np.ones((2, 3)), X=np.ones((3, 4)))
    >>> J.shape, [part.shape for part in J.core], (J @ np.ones((3, 4))).shape
    ((2, 4, 3, 4), [(2, 3)], (2, 4))
    """
    program = as_program(source, shapes, assume, batch)
    name = _one(program, wrt)
    return Operator(jacobian(program, name), len(program.inputs[name].shape), backend, reuse)


def hessian_product(
    source: Source,
    wrt: str | None = None,
    vector: str = "v",
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
) -> Expression:
    """Derive the product of a Hessian with a vector of the variable's shape, without the Hessian.

    >>> str(hessian_product("x' A x", "x"))
    "(A + A') v"
    """
    program = as_program(source, shapes, assume, batch, scalar_output=True)
    require_scalar(program)
    name = _one(program, wrt)
    given = replace(upstream_input(program, vector), shape=program.inputs[name].shape)
    axes = tuple(range(len(squeezed(given.shape))))

    def along(root: Node, targets: Any) -> list[Node]:
        (slope,) = differentiate(root, targets)
        (slope,) = simplify([slope])
        return differentiate(product([(slope, axes, 1), (given.variable, axes, 1)], ()), targets)

    (node,) = by_inputs(program, [name], along)
    return Expression(simplify([node])[0], given.shape, program, {normalise(vector): given})


def gauss_newton(
    source: Source,
    wrt: str | None = None,
    through: str | None = None,
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
) -> Expression:
    """Derive the Gauss-Newton matrix J' H J: J is the Jacobian of ``through``, H the Hessian of the output by it.

    Args:
        source: A program with a scalar output, in which ``through`` is bound.
        wrt: The input; it may be left out where there is only one.
        through: The name bound in the program past which nothing is linearised; the last one before the output.
        shapes: As in ``parse``.
        assume: As in ``parse``.
        batch: As in ``parse``.

    Raises:
        UnsupportedError: The output depends on the input past that name.

    >>> str(gauss_newton("r = A x - b; norm(r)^2", "x"))
    "2 A' A"
    """
    program = as_program(source, shapes, assume, batch, scalar_output=True)
    require_scalar(program)
    name = _one(program, wrt)
    middle = _through(program, through)
    root, variable = _in_terms_of(program, middle)
    target = program.inputs[name].variable
    if variable is None or target in set(topological([root])):
        what = "does not depend on" if variable is None else f"depends on {program.inputs[name].name} past"
        raise UnsupportedError(f"the output {what} {middle.name}", hint="name what the whole output goes through")
    (slope,) = simplify(differentiate(root, [variable]))
    curved = local_jacobian(slope, variable)
    (curved,) = [lifted.node for lifted in substitute_all([curved], {variable: Lifted(middle.node)})]
    bent = local_jacobian(middle.node, target)
    rank, inner = len(middle.node.axes), len(target.axes)
    left, right = tuple(range(rank)), tuple(range(rank, 2 * rank))
    rows, columns = tuple(range(2 * rank, 2 * rank + inner)), tuple(range(2 * rank + inner, 2 * rank + 2 * inner))
    found = product(
        [(bent, (*left, *rows), 1), (curved, (*left, *right), 1), (bent, (*right, *columns), 1)], (*rows, *columns)
    )
    shape = program.inputs[name].shape
    return Expression(simplify([found])[0], (*shape, *shape), program)


def jacobian_per_sample(
    source: Source,
    wrt: str | None = None,
    *,
    batch: str | int = "B",
    shapes: Shapes | None = None,
    assume: Properties | None = None,
) -> Expression:
    """Derive the Jacobians of all samples of a batch at once: the batch axis, then those of one sample.

    >>> jacobian_per_sample("y = tanh(W x)", "x").shape
    ('B', 'm', 'n')
    """
    program = as_program(source, shapes, assume, batch)
    if program.batch is None:
        raise ShapeError("the program has no batch axis", hint='give it as text, with batch="B"')
    name = _one(program, wrt)
    whole = jacobian(program, name)
    output, given = squeezed(program.output.shape), squeezed(program.inputs[name].shape)
    if not program.inputs[name].shape or program.inputs[name].shape[0] != program.batch:
        return whole
    outer = tuple(range(len(output)))
    inner = (0, *range(len(output), len(output) + len(given) - 1))
    node = product([(whole.node, (*outer, *inner), 1)], (*outer, *inner[1:]))
    axes = (*program.output.shape, *program.inputs[name].shape[1:])
    return Expression(simplify([node])[0], axes, program)


def _one(program: Program, wrt: str | None) -> str:
    """The input to differentiate by."""
    names = chosen(program, wrt)
    if len(names) != 1:
        message = f"say by which input to differentiate: {', '.join(names)}"
        raise NotationError(message, source=program.source, hint=f'for example wrt="{names[0]}"')
    return names[0]


def _through(program: Program, name: str | None) -> Statement:
    """The statement that binds a name."""
    bound = {normalise(s.name): s for s in program.statements[:-1] if s.name is not None}
    if not bound:
        hint = 'bind what comes before the loss, as in "z = W x; norm(z - y)^2"'
        raise NotationError("the program binds no name to go through", source=program.source, hint=hint)
    if name is None:
        return list(bound.values())[-1]
    if normalise(name) not in bound:
        known = ", ".join(s.name or "" for s in bound.values())
        raise NotationError(f"{name} is not bound before the output", source=program.source, hint=f"bound are: {known}")
    return bound[normalise(name)]


def _in_terms_of(program: Program, middle: Statement) -> tuple[Node, Variable | None]:
    """The output as a function of a name, and that name as a variable; None where it is not in the output."""
    bound = {normalise(s.name): s for s in program.statements[:-1] if s.name is not None}
    root = program.output.local
    while True:
        names = {n.name: n for n in topological([root]) if isinstance(n, Variable) and n.name in bound}
        own = names.pop(normalise(middle.name or ""), None)
        if not names:
            return root, own
        leaves: dict[Node, Lifted] = {variable: Lifted(bound[name].local) for name, variable in names.items()}
        root = substitute_all([root], leaves)[0].node
