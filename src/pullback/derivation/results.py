"""What a derivation ends with: the results and the check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pullback.derivation.checking import Check
from pullback.derivation.formula import entry, equation
from pullback.derivation.readings import shown
from pullback.derivation.request import Request
from pullback.derivation.scalars import rounded
from pullback.derivation.steps import Key, Parameter, Step
from pullback.syntax.forms import fold, rebuild
from pullback.syntax.tree import Name, Syntax


def result_step(request: Request, numbers: Mapping[str, Any] | None) -> Step:
    """The closed form of every gradient, in terms of the inputs and of what the board has named."""
    names, results = request.names, request.results
    spelled = names.spelled(list(results.values()), request.board)

    def with_partial(tree: Syntax) -> Syntax:
        def visit(node: Syntax, parts: list[Syntax]) -> Syntax:
            if not request.is_loss and isinstance(node, Name) and node.identifier == request.upstream_name:
                return names.gradient(names.output)
            return rebuild(node, parts)

        return fold(tree, visit)

    lines = [equation(Name(b.name or ""), with_partial(b.value)) for b in spelled.where]
    for name, tree in zip(results, spelled.results, strict=True):
        lines.append(equation(names.gradient(name), with_partial(tree)))
    steps: tuple[Step, ...] = ()
    if numbers is not None:
        values = [equation(names.gradient(name), shown(numbers[name])) for name in results]
        steps = (Step("result.numbers", {}, tuple(values), detail="brief"),)
    parameters: dict[str, Parameter] = {"count": len(results), "output": Name(names.output)}
    return Step("result" if len(results) > 1 else "result.one", parameters, tuple(lines), None, steps, "brief")


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
