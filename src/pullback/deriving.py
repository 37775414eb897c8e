"""Derivatives of programs: what ``pb.gradient``, ``pb.backward``, ``pb.jacobian`` and ``pb.hessian`` do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pullback.calculus.reverse import backward as pull_back
from pullback.calculus.reverse import gradient as differentiate
from pullback.calculus.reverse import jacobian as local_jacobian
from pullback.dimension import ONE
from pullback.errors import NotationError, Place, ShapeError, UnsupportedError
from pullback.expression import Expression, Results
from pullback.lowering.asked import Names, chosen, only, pair, upstream_input
from pullback.lowering.given import Properties, Shapes
from pullback.lowering.program import Input, Program, Statement, lower_program, read_program, squeezed
from pullback.lowering.value import Shape
from pullback.simplification.simplify import open_merges, simplify
from pullback.syntax import tree
from pullback.syntax.names import normalise
from pullback.syntax.tree import Binding
from pullback.tensor.node import Node
from pullback.tensor.product import permuted
from pullback.tensor.reshape import reshaped
from pullback.tensor.substitute import Lifted, substitute_all

Source = str | Program | Expression
_LAYOUTS = ("denominator", "numerator")
_FORMS = ("entries", "kronecker")


def parse(
    text: str,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
) -> Program:
    """Read a program and find all its shapes.

    Args:
        text: The program, in the notation or in LaTeX.
        shapes: Shapes of inputs; each axis a number or a name. ``()`` is a scalar.
        assume: Properties of inputs, such as ``{"A": "spd"}``.
        batch: The size of a leading batch axis over which the program is lifted.

    Raises:
        NotationError: The text can't be read; the error has the place.
        ShapeError: The shapes can't be.

    >>> parse("y = W x", shapes={"W": (2, 3)}).inputs["x"].shape
    (Dimension(3),)
    """
    return read_program(text, shapes, assume, batch)


def as_program(
    source: Source,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
    scalar_output: bool = False,
) -> Program:
    """Take a program, an expression as the program that it is, or text."""
    if isinstance(source, Program | Expression):
        refuse_second_reading(shapes, assume, batch)
    if isinstance(source, Expression):
        return program_of(source)
    if isinstance(source, Program):
        if scalar_output and any(axis is not ONE for axis in source.output.shape) and source.syntax.bindings:
            try:
                return lower_program(source.syntax, *source.asked, True)
            except ShapeError:
                return source
        return source
    if scalar_output:
        try:
            return read_program(source, shapes, assume, batch, True)
        except ShapeError:
            pass
    return read_program(source, shapes, assume, batch)


def refuse_second_reading(shapes: object, assume: object, batch: object) -> None:
    """Refuse what is said of the inputs of a program whose shapes are found already."""
    for what, given in {"shapes": shapes, "assume": assume, "batch": batch}.items():
        if given:
            message = f"{what} is given for a program that is read already"
            raise NotationError(message, hint=f"give it to pb.parse, or the text of the program beside {what}")


def program_of(expression: Expression) -> Program:
    """An expression as a program of one statement, over the same inputs."""
    statement = Statement(None, expression.axes, expression.node, lambda: expression.node)
    bindings = (*expression.spelled.where, Binding(None, expression.tree))
    functions = tuple(d for d in expression.program.syntax.declarations if "entrywise" in d.properties)
    syntax = tree.Program(bindings, functions, None, str(expression))
    return Program(str(expression), syntax, dict(expression.inputs), (statement,), None)


def gradient(
    source: Source,
    wrt: Names = None,
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
    structured: bool = False,
) -> Any:
    """Derive the gradient of a scalar; it has the shape of the variable.

    Args:
        source: A program with a scalar output: text, Program or Expression.
        wrt: An input, or several, for which a mapping is returned; all of them where none is named.
        shapes: As in ``parse``.
        assume: As in ``parse``.
        batch: As in ``parse``.
        structured: Derive by the free entries of a structured matrix (Matrix Cookbook 2.8).

    Raises:
        ShapeError: The output is no scalar.

    >>> str(gradient("norm(A x - b)^2", "x"))
    "2 A' (A x - b)"
    """
    program = as_program(source, shapes, assume, batch, scalar_output=True)
    require_scalar(program)
    names = chosen(program, wrt)
    nodes = by_inputs(program, names, lambda root, targets: differentiate(root, targets))
    if structured:
        from pullback.calculus.structured import restrict

        nodes = [restrict(node, program.inputs[name]) for node, name in zip(nodes, names, strict=True)]
    expressions = _expressions(program, names, nodes)
    return expressions[normalise(wrt)] if isinstance(wrt, str) else expressions


def backward(
    source: Source,
    wrt: Names = None,
    upstream: str = "g",
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
) -> Results:
    """Derive the backward pass of a layer: the gradient of each input, given that of the output.

    Args:
        source: The layer: text, Program or Expression.
        wrt: The inputs wanted; all where none is named.
        upstream: What the gradient of the output is called; it has the output's shape.
        shapes: As in ``parse``.
        assume: As in ``parse``.
        batch: As in ``parse``.

    >>> print(backward("y = W x"))
    dL/dW = g x'
    dL/dx = W' g
    """
    program = as_program(source, shapes, assume, batch)
    names = chosen(program, wrt)
    given = upstream_input(program, upstream)
    nodes = by_inputs(program, names, lambda root, targets: pull_back(root, given.variable, targets))
    return _expressions(program, names, nodes, {normalise(upstream): given})


def jacobian(
    source: Source,
    wrt: str | None = None,
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
    layout: str = "denominator",
    form: str = "entries",
) -> Expression:
    """Derive the Jacobian: the axes of the output, then those of the variable.

    Args:
        source: The function: text, Program or Expression.
        wrt: The input; it may be left out where there is only one.
        shapes: As in ``parse``.
        assume: As in ``parse``.
        batch: As in ``parse``.
        layout: With ``"numerator"``, what is shown is transposed: the variable's axes come first.
        form: With ``"kronecker"``, matrices are stacked by columns: d vec(Y) / d vec(X)', a matrix.

    >>> str(jacobian("y = A x", "x")), jacobian("y = A x", "x").shape
    ('A', ('m', 'n'))
    """
    _require_one_of(layout, "layout", _LAYOUTS)
    _require_one_of(form, "form", _FORMS)
    program = as_program(source, shapes, assume, batch)
    name = only(program, wrt)
    (node,) = by_inputs(program, [name], lambda root, targets: [local_jacobian(root, targets[0])])
    outer, inner = program.output.shape, program.inputs[name].shape
    if layout == "numerator":
        count = len(squeezed(outer))
        order = [*range(count, len(node.axes)), *range(count)]
        node, outer, inner = permuted(node, order), inner, outer
    if form == "kronecker":
        return _stacked(node, outer, inner, program)
    return Expression(simplify([node])[0], (*outer, *inner), program)


def _require_one_of(word: str, what: str, known: Sequence[str]) -> None:
    if word not in known:
        raise NotationError(f"{word} is not a {what}", hint=f"the {what}s are: {', '.join(known)}")


def _stacked(node: Node, outer: Shape, inner: Shape, program: Program) -> Expression:
    """Stack the axes of each side by columns: vec(Y) by vec(X)."""
    order: list[int] = []
    groups: list[int] = []
    for side in (outer, inner):
        axes = range(len(order), len(order) + len(squeezed(side)))
        order += reversed(axes)
        groups.append(len(axes))
    if max(groups) > 2:
        raise UnsupportedError("the Kronecker form is of vectors and matrices")
    (shorter,) = simplify([node])
    flat = reshaped(permuted(shorter, order), groups)
    lengths = []
    for side in (outer, inner):
        total = ONE
        for axis in side:
            total = total * axis
        lengths.append(total)
    return Expression(flat, tuple(lengths), program)


def hessian(
    source: Source,
    wrt: Names = None,
    *,
    shapes: Shapes | None = None,
    assume: Properties | None = None,
    batch: str | int | None = None,
    form: str = "entries",
) -> Expression:
    """Derive the Hessian of a scalar: the axes of the variable twice; of two variables, first then second.

    >>> str(hessian("x' A x", "x"))
    "A + A'"
    """
    _require_one_of(form, "form", _FORMS)
    program = as_program(source, shapes, assume, batch, scalar_output=True)
    require_scalar(program)
    left, right = pair(program, wrt)

    def twice(root: Node, targets: Sequence[Node]) -> list[Node]:
        (slope,) = differentiate(root, targets[:1])
        (shorter,) = simplify([slope])
        return [local_jacobian(shorter, targets[-1])]

    wanted = [left] if left == right else [left, right]
    (node,) = by_inputs(program, wanted, twice)
    outer, inner = program.inputs[left].shape, program.inputs[right].shape
    if form == "kronecker":
        return _stacked(node, outer, inner, program)
    return Expression(simplify([node])[0], (*outer, *inner), program)


def require_scalar(program: Program) -> None:
    """Refuse an output that is no scalar."""
    output = program.output
    if any(axis is not ONE for axis in output.shape):
        shape = " x ".join(map(str, output.shape))
        hint = "use backward for a layer with an upstream gradient, or jacobian for all derivatives"
        if program.batch is not None and output.shape == (program.batch,):
            hint = (
                f"it is one number per sample because of batch {program.batch}; use backward, "
                f"whose upstream gradient weighs the samples: ones({program.batch}) for their sum"
            )
        raise ShapeError(
            f"the gradient is of a scalar, but the output has shape {shape}",
            source=program.source,
            places=(Place(output.span, f"this is {shape}"),) if output.span.end else (),
            hint=hint,
        )


def by_inputs(program: Program, names: Iterable[str], derive: Any) -> list[Node]:
    """Differentiate with the properties of the variables put aside.

    The plain derivative treats every entry as free. So a variable of declared structure is replaced
    by a plain one before, and put back after, when its structure may simplify the result.
    """
    names = list(names)
    structured = [n for n in names if program.inputs[n].properties - {"positive", "constant"}]
    source = program.freed(structured) if structured else program
    targets = [source.inputs[name].variable for name in names]
    nodes = derive(open_merges(source.output.node), targets)
    back: dict[Node, Lifted] = {source.inputs[n].variable: Lifted(program.inputs[n].variable) for n in structured}
    return [result.node for result in substitute_all(nodes, back)] if back else list(nodes)


def _expressions(
    program: Program, names: Sequence[str], nodes: Sequence[Node], extra: Mapping[str, Input] | None = None
) -> Results:
    shorter = simplify(nodes)
    expressions = {
        name: Expression(node, program.inputs[name].shape, program, extra or {})
        for name, node in zip(names, shorter, strict=True)
    }
    return Results(expressions, {name: program.inputs[name].name for name in names})
