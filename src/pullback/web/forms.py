"""Closed forms in all notations that the page has tabs for, in either layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pullback.derivation.formula import PARTIAL, Line, equation
from pullback.derivation.record import Record
from pullback.derivation.request import Request
from pullback.derivation.transposing import turned, with_row
from pullback.emission.emitting import emit_program
from pullback.errors import PullbackError
from pullback.expression import Expression, vocabulary
from pullback.lifting.statements import Spelled, spell_all
from pullback.rendering.latex_math import formula as latex_formula
from pullback.rendering.mathml import formula as plain_mathml
from pullback.rendering.mathml import label
from pullback.syntax.forms import fold, rebuild
from pullback.syntax.names import normalise
from pullback.syntax.printer import show
from pullback.syntax.tree import Binding, Call, Name, Syntax
from pullback.web.entries import Board
from pullback.web.numpy_code import numpy_source
from pullback.web.question import Question


def closed_forms(record: Record) -> dict[str, Any]:
    """The gradients, as they are and with everything transposed."""
    results = list(record.results.items())
    made = {"denominator": _forms(record, [(name, e) for name, e in results], transposed=False)}
    wide = [(name, turned(e)) for name, e in results]
    if all(e is not None for _, e in wide):
        made["numerator"] = _forms(record, [(name, e) for name, e in wide if e is not None], transposed=True)
    return made


def _spelled(expressions: Sequence[Expression]) -> Spelled:
    words = vocabulary(expressions[0].program, expressions[0].extra)
    return spell_all([e.node for e in expressions], [e.axes for e in expressions], words)


def _forms(record: Record, results: Sequence[tuple[str, Expression]], transposed: bool) -> dict[str, Any]:
    request = record.request
    board = Board(request.names.symbols)
    spelled = _spelled([e for _, e in results])
    trees = list(zip((name for name, _ in results), spelled.results, strict=True))
    where = [(b.name or "", b.value) for b in spelled.where]
    shown = [_line(request, Name(name), tree, transposed) for name, tree in where]
    closed = [_line(request, request.names.gradient(name), tree, transposed) for name, tree in trees]
    lines = [*shown, *closed]
    numpy = None
    if not transposed:
        numpy = _numpy(request, spelled.where, dict(trees))
    return {
        "where": [board.formula(line) for line in shown],
        "results": [
            {"name": name, "html": board.formula(line), "shape": [str(axis) for axis in e.axes]}
            for (name, e), line in zip(results, closed, strict=True)
        ],
        "latex": "\n".join(latex_formula(line) for line in lines),
        "mathml": "\n".join(plain_mathml(line, display=True) for line in lines),
        "plain": "\n".join(_plain(request, where, trees, transposed)),
        "numpy": numpy,
    }


def shown_form(expression: Expression) -> str:
    """One closed form as MathML, the parts that it names before it."""
    spelled = expression.spelled
    board = Board()
    lines = [board.formula(equation(Name(b.name or ""), b.value)) for b in spelled.where]
    return "".join(f'<div class="line">{html}</div>' for html in [*lines, board.formula(spelled.results[0])])


def _plain(
    request: Request, where: Sequence[tuple[str, Syntax]], trees: Sequence[tuple[str, Syntax]], transposed: bool
) -> list[str]:
    """The notation that ``pullback.parse`` reads, a name for each gradient; vectors are columns in it."""
    note = [f"# {request.upstream_name} is a column here, as all vectors are in the notation"]
    lines = note if transposed and not request.is_loss and len(request.program.output.shape) == 1 else []
    lines += [f"{name} = {show(tree)}" for name, tree in where]
    return [*lines, *(f"d{request.names.loss}/d{name} = {show(tree)}" for name, tree in trees)]


def _line(request: Request, left: Syntax, tree: Syntax, transposed: bool) -> Line:
    """An equation with dL/dy where the closed form has g."""
    if transposed and not request.is_loss and request.program.output.shape:
        tree = with_row(tree, request.upstream_name)

    def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
        if not request.is_loss and isinstance(node, Name) and node.identifier == request.upstream_name:
            return request.names.gradient(request.names.output)
        return rebuild(node, parts)

    return equation(left, fold(tree, visit))


def _numpy(request: Request, where: Sequence[Binding], results: Mapping[str, Syntax]) -> str | None:
    """As one would write it by hand; what has no such spelling as the emitter writes it."""
    plain = _plain_numpy(request, where, results)
    if plain is not None:
        return plain
    try:
        return emit_program(request.program, "numpy", list(results))
    except PullbackError:
        return None


def _plain_numpy(request: Request, where: Sequence[Binding], results: Mapping[str, Syntax]) -> str | None:
    inputs = request.program.inputs
    shapes = {entry.name: entry.shape for entry in inputs.values()}
    if not request.is_loss:
        shapes[request.upstream_name] = request.program.output.shape
    used = {f"d{name}" for name in results} & {normalise(name) for name in shapes}
    if used:
        return None
    return numpy_source(where, {f"d{name}": tree for name, tree in results.items()}, shapes, list(shapes))


def second_form(question: Question, record: Record) -> dict[str, Any]:
    """The Hessian or the Jacobian by the first input asked for."""
    from pullback.deriving import hessian, jacobian

    request = record.request
    wrt = next(iter(record.results))
    x, name = Name(wrt), request.names.output
    if question.want == "hessian":
        expression = hessian(request.program, wrt)
        left: Syntax = Call(PARTIAL, (Call(PARTIAL, (Name(request.names.loss), x)), x))
    else:
        expression = jacobian(request.program, wrt, layout=question.layout)
        left = Call(PARTIAL, (Name(name), x))
    board = Board(request.names.symbols)
    spelled = expression.spelled
    where = [equation(Name(b.name or ""), b.value) for b in spelled.where]
    closed = equation(left, spelled.results[0])
    lines = [*where, closed]
    try:
        shapes = {entry.name: entry.shape for entry in request.program.inputs.values()}
        numpy = numpy_source(spelled.where, {"H" if "H" not in shapes else "second": spelled.results[0]}, shapes,
                             list(shapes))  # fmt: skip
    except PullbackError:
        numpy = None
    return {
        "expression": expression,
        "kind": question.want,
        "of": name,
        "wrt": wrt,
        "where": [board.formula(line) for line in where],
        "results": [{"name": wrt, "html": board.formula(closed), "shape": [str(a) for a in expression.axes]}],
        "latex": "\n".join(latex_formula(line) for line in lines),
        "mathml": "\n".join(plain_mathml(line, display=True) for line in lines),
        "plain": str(expression),
        "numpy": numpy,
        "text": label(closed),
    }
