"""Run the corpus through pullback and print the table: ``python -m tests.corpus.run``.

Right means equal to JAX at 1e-8 relative, at every seed. Beside that: whether what has a matrix form was
given in matrix notation and as the graph of an accepted form; whether it is printed exactly as one;
whether the printed text and the printed LaTeX read back as the same graph; whether the LaTeX in the case
is the same program. The exit status is 1 where anything is wrong or refused.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import pullback as pb
from pullback.simplification.simplify import simplify
from tests.corpus import loading
from tests.corpus.loading import Case

TOLERANCE = 1e-8
MARKS = ("matrix form", "known form", "as written", "text back", "LaTeX back", "LaTeX in")


@dataclass
class Outcome:
    """What became of one case."""

    case: Case
    verdict: str = "right"
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    printed: dict[str, str] = field(default_factory=dict)
    marks: dict[str, bool] = field(default_factory=dict)

    def say(self, verdict: str, note: str) -> None:
        """Lower the verdict, and say why."""
        if self.verdict == "right" or verdict == "wrong":
            self.verdict = verdict
        self.notes.append(f"{verdict}: {note}")

    def mark(self, name: str, holds: bool, note: str = "") -> None:
        """Note something that holds for every result, or does not."""
        self.marks[name] = self.marks.get(name, True) and holds
        if not holds and note:
            self.notes.append(f"{name}: {note}")


def derive(case: Case) -> dict[str, Any]:
    """Ask pullback for the case's results."""
    asked: dict[str, Any] = {"shapes": case.shapes, "assume": case.assume}
    if case.kind == "backward":
        found = pb.backward(case.program, list(case.wrt), case.upstream, **asked)
        return {name: found[name] for name in case.wrt}
    if case.kind == "gradient":
        return {"": pb.gradient(case.program, case.wrt[0], structured=case.structured, **asked)}
    if case.kind == "jacobian":
        return {"": pb.jacobian(case.program, case.wrt[0], **asked)}
    first, last = case.wrt[0], case.wrt[-1]
    return {"": pb.hessian(case.program, (first, last) if len(case.wrt) > 1 else first, **asked)}


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text.replace("\n", ";"))


def _simple(node: Any) -> Any:
    return simplify([node])[0]


def _read(text: str, case: Case, expression: Any) -> Any:
    """The graph of a text over the inputs of an expression."""
    shapes: dict[str, Any] = {entry.name: entry.shape for entry in expression.inputs.values()}
    return pb.parse(text, shapes, case.assume).output.node


def _same(text: str, case: Case, expression: Any) -> bool:
    node = _read(text, case, expression)
    return node is expression.node or _simple(node) is _simple(expression.node)


def _with_derivatives(name: str, function: str) -> dict[str, Any]:
    """A function and its first derivatives, as the results call them."""
    import jax

    found: dict[str, Any] = {}
    slope = getattr(jax.numpy, function)
    for _ in range(4):
        found[name] = lambda x, slope=slope: np.asarray(jax.numpy.vectorize(slope)(x))
        name, slope = f"{name}'", jax.grad(slope)
    return found


def _numeric(outcome: Outcome, found: dict[str, Any], seeds: Iterable[int]) -> None:
    case = outcome.case
    for seed in seeds:
        values: dict[str, Any] = dict(loading.draw(case, seed))
        upstream = loading.draw_upstream(case, values, seed) if case.upstream else None
        right = loading.reference(case, values, upstream)
        if upstream is not None:
            values[case.upstream] = upstream
        for name, function in case.functions.items():
            values |= _with_derivatives(name, function)
        for name, array in right.items():
            error = loading.error(found[name].evaluate(values), array)
            if not error < TOLERANCE:
                outcome.say("wrong", f"{name or case.kind} = {outcome.printed[name]} is off by {error:.1e}")


def _forms(outcome: Outcome, found: dict[str, Any]) -> None:
    case = outcome.case
    for name, expression in found.items():
        text, forms = outcome.printed[name], case.forms.get(name, ())
        if case.has_matrix_form:
            written = any(_plain(form) == _plain(text) for form in forms)
            note = f"{name or case.kind} = {text!r}, known is {forms[0]!r}"
            known = written or (expression.is_matrix_form and _any_same(outcome, forms, expression))
            outcome.mark("matrix form", expression.is_matrix_form)
            outcome.mark("known form", known, note + ("" if expression.is_matrix_form else " (no matrix notation)"))
            outcome.mark("as written", written)
        for mark, back in (("text back", text), ("LaTeX back", expression.latex())):
            try:
                outcome.mark(mark, _same(back, case, expression), f"{back!r} reads as something else")
            except Exception as error:
                outcome.mark(mark, False, f"{back!r}: {_first_line(error)}")


def _any_same(outcome: Outcome, forms: Iterable[str], expression: Any) -> bool:
    for form in forms:
        try:
            if _same(form, outcome.case, expression):
                return True
        except Exception as error:
            outcome.notes.append(f"form {form!r} is not read: {_first_line(error)}")
    return False


def _latex_in(outcome: Outcome) -> None:
    case = outcome.case
    try:
        asked, written = (pb.parse(text, case.shapes, case.assume).output.node for text in (case.program, case.latex))
        outcome.mark("LaTeX in", _simple(asked) is _simple(written), f"{case.latex!r} reads as another program")
    except Exception as error:
        outcome.mark("LaTeX in", False, f"{case.latex!r}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    kind = "" if isinstance(error, pb.PullbackError) else f"{type(error).__name__}: "
    return kind + (str(error).splitlines() or [""])[0]


def run(case: Case, seeds: Iterable[int] = (0, 1)) -> Outcome:
    """Derive a case and judge it."""
    outcome = Outcome(case)
    begun = time.perf_counter()
    try:
        found = derive(case)
        outcome.printed = {name: str(expression) for name, expression in found.items()}
        outcome.seconds = time.perf_counter() - begun
        _numeric(outcome, found, seeds)
        _forms(outcome, found)
    except Exception as error:
        outcome.seconds = outcome.seconds or time.perf_counter() - begun
        outcome.say("refused", _first_line(error))
    if case.latex:
        _latex_in(outcome)
    return outcome


def _row(name: str, outcomes: list[Outcome]) -> list[str]:
    row = [name, str(len(outcomes))]
    row += [str(sum(o.verdict == verdict for o in outcomes)) for verdict in ("right", "wrong", "refused")]
    for mark in MARKS:
        of_matrix = mark in MARKS[:3]
        asked = [o for o in outcomes if (o.case.has_matrix_form if of_matrix else mark != "LaTeX in" or o.case.latex)]
        row.append(f"{sum(o.marks.get(mark, False) for o in asked)}/{len(asked)}")
    milliseconds = [1000 * o.seconds for o in outcomes]
    return [*row, f"{statistics.median(milliseconds):.1f}", f"{max(milliseconds):.0f}"]


def table(outcomes: list[Outcome]) -> str:
    """The table, a row for each file."""
    files = list(dict.fromkeys(o.case.file for o in outcomes))
    rows = [["file", "cases", "right", "wrong", "refused", *MARKS, "median ms", "worst ms"]]
    rows += [_row(name, [o for o in outcomes if o.case.file == name]) for name in files]
    rows.append(_row("all", outcomes))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if not column else cell.rjust(width) for column, (cell, width) in enumerate(line))
        for line in (list(zip(row, widths, strict=True)) for row in rows)
    )


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for, print the table and what went amiss."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.run", description="The corpus through pullback.")
    parser.add_argument("names", nargs="*", help="files or cases; all where none is named")
    parser.add_argument("--seeds", type=int, default=2, help="how many draws of values a case is checked at")
    parser.add_argument("--quiet", action="store_true", help="the table alone")
    asked = parser.parse_args(arguments)
    chosen = [c for c in loading.cases() if not asked.names or {c.file, c.id} & set(asked.names)]
    if not chosen:
        parser.error(f"nothing is called {' or '.join(asked.names)}")
    outcomes = []
    for number, case in enumerate(chosen, 1):
        outcomes.append(run(case, range(asked.seeds)))
        if sys.stderr.isatty():
            print(f"\r{number}/{len(chosen)} {case.id:60.60}", end="", file=sys.stderr, flush=True)
    if not asked.quiet:
        for outcome in outcomes:
            for note in outcome.notes:
                print(f"{outcome.case.file}/{outcome.case.id}: {note}")
    print(table(outcomes))
    return int(any(o.verdict != "right" for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
