"""What a derivation ends with: the results and the check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pullback.derivation.checking import Check
from pullback.derivation.formula import Line, entry, equation
from pullback.derivation.readings import shown
from pullback.derivation.request import Request
from pullback.derivation.scalars import rounded
from pullback.derivation.steps import Key, Parameter, Step
from pullback.derivation.transposing import turned, with_row
from pullback.errors import UnsupportedError
from pullback.expression import Expression
from pullback.syntax.forms import fold, rebuild
from pullback.syntax.tree import Name, Syntax


def result_step(request: Request, numbers: Mapping[str, Any] | None) -> Step:
    """The closed form of every gradient, in terms of the inputs and of what the board has named."""
    names, results = request.names, request.results
    spelled = names.spelled(list(results.values()), request.board)
    lines = [equation(Name(b.name or ""), _with_partial(request, b.value)) for b in spelled.where]
    for name, tree in zip(results, spelled.results, strict=True):
        lines.append(equation(names.gradient(name), _with_partial(request, tree)))
    steps: tuple[Step, ...] = ()
    if numbers is not None:
        values = [equation(names.gradient(name), shown(numbers[name])) for name in results]
        steps = (Step("result.numbers", {}, tuple(values), detail="brief"),)
    parameters: dict[str, Parameter] = {"count": len(results), "output": Name(names.output)}
    return Step("result" if len(results) > 1 else "result.one", parameters, tuple(lines), None, steps, "brief")


def numerator_step(request: Request, numbers: Mapping[str, Any] | None) -> Step:
    """The same results transposed, in terms of the transposed upstream gradient.

    Raises:
        UnsupportedError: One of them has no transpose.
    """
    names, upstream = request.names, request.upstream_name
    rows: dict[str, Expression] = {}
    for name, expression in request.results.items():
        row = turned(expression)
        if row is None:
            raise UnsupportedError(
                f"dL/d{name} has {len(expression.axes)} axes, so it has no transpose to show",
                hint="leave numerator layout, or derive by inputs of one or two axes alone with wrt",
            )
        rows[name] = row
    spelled = names.spelled(list(rows.values()), request.board)
    is_row = not request.is_loss and bool(request.program.output.shape)

    def line(left: Syntax, tree: Syntax) -> Line:
        return equation(left, _with_partial(request, with_row(tree, upstream) if is_row else tree))

    lines = [line(Name(b.name or ""), b.value) for b in spelled.where]
    lines += [line(names.gradient(name), tree) for name, tree in zip(rows, spelled.results, strict=True)]
    steps: tuple[Step, ...] = (Step("result.numerator.note", {}, (), None, (), "brief"),)
    if numbers is not None:
        values = [equation(names.gradient(name), shown(_row(numbers[name]))) for name in rows]
        steps = (*steps, Step("result.numbers", {}, tuple(values), None, (), "brief"))
    return Step("result.numerator", {}, tuple(lines), None, steps, "brief")


def _row(array: Any) -> Any:
    """The transpose; of a vector a row."""
    return array.T if array.ndim != 1 else array[None, :]


def _with_partial(request: Request, tree: Syntax) -> Syntax:
    """Write dL/dy for the name that results give it."""

    def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
        if not request.is_loss and isinstance(node, Name) and node.identifier == request.upstream_name:
            return request.names.gradient(request.names.output)
        return rebuild(node, parts)

    return fold(tree, visit)


def check_step(check: Check, request: Request) -> Step:
    """The comparison with measured slopes: with what, where, and how far apart at worst."""
    symbols = request.names.symbols
    parameters: dict[str, Parameter] = {
        "worst": f"{check.worst:.0e}".replace("e-0", "e-").replace("e+00", ""),
        "count": check.entries,
        "draws": check.draws,
        "seed": check.seed,
        "method": Key(f"check.method.{check.method.partition(' ')[0]}"),
    }
    kind = "check.values" if check.at_values else "check"
    if not check.passed:
        kind = "check.failed" if check.variable else "check.failed.direction"
        place = entry(symbols.get(check.variable, check.variable), [k + 1 for k in check.index])
        parameters |= {"entry": place, "derived": rounded(check.derived), "measured": rounded(check.measured)}
    steps = []
    if check.undefined:
        steps.append(Step("check.undefined"))
    if check.kinks:
        steps.append(Step("check.kinks", {"count": check.kinks}))
    return Step(kind, parameters, (), None, tuple(steps), "brief")
