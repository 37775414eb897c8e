"""Put the audit corpus through ``pullback.audit``: ``python -m tests.auditing.table [id …]`` prints the table."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pullback.auditing.audit import audit
from pullback.auditing.claims import read_claim, vocabulary
from pullback.auditing.report import Report
from pullback.auditing.stages import stages_of
from pullback.auditing.trial import Setting
from pullback.deriving import as_program, backward, gradient
from pullback.dimension import ONE
from pullback.lowering.program import Program
from pullback.syntax.names import normalise
from tests.auditing.respelling import respelled

FOLDER = Path(__file__).parent / "corpus"
RESPELLINGS = 5
"""How many other spellings are made of each that is written down."""


@dataclass(frozen=True)
class Row:
    """A case with what the audit made of it."""

    id: str
    layer: str
    found: bool
    explained: bool
    keys: tuple[str, ...]
    report: Report


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of a file of the corpus."""
    with (FOLDER / f"{name}.toml").open("rb") as stream:
        return list(tomllib.load(stream)["case"])


def wrong_cases() -> list[dict[str, Any]]:
    """All wrong backward passes: those that a thread is cited for, and constructed ones."""
    return [*cases("wrong"), *cases("wrong_constructed")]


def options(case: dict[str, Any]) -> dict[str, Any]:
    """What ``audit`` is told beside the program and the claims."""
    given: dict[str, Any] = {key: case[key] for key in ("assume", "batch") if key in case}
    if "shapes" in case:
        given["shapes"] = {name: tuple(axes) for name, axes in case["shapes"].items()}
    return given


def wrong(case: dict[str, Any]) -> Row:
    """Audit a wrong backward pass: is each wrong claim found, and explained as a person would?"""
    report = audit(case["program"], case["claims"], **options(case))
    first = [finding.explanation for finding in report.findings]
    keys = tuple(e.key.partition("+")[0] if e is not None else "-" for e in first)
    return Row(
        case["id"],
        case["layer"],
        all(not finding.right for finding in report.findings),
        all(key in case["keys"] for key in keys),
        keys,
        report,
    )


def right() -> Iterator[tuple[str, dict[str, Any], str, str]]:
    """Every right claim: the program, its options, the variable and the formula."""
    for case in cases("right"):
        for variable, spellings in case["spellings"].items():
            for text in spellings:
                yield case["program"], options(case), variable, text
    yield from respellings()
    from tests.corpus.loading import cases as derivatives

    for derivative in derivatives():
        if derivative.kind != "backward" or derivative.functions:
            continue
        known = {"shapes": derivative.shapes, "assume": derivative.assume}
        for variable, forms in derivative.forms.items():
            for form in forms:
                yield derivative.program, {**known, "upstream": derivative.upstream}, variable, form


def respellings() -> Iterator[tuple[str, dict[str, Any], str, str]]:
    """The right claims after changes that leave their value alone; what is equal is decided by evaluation."""
    for number, case in enumerate(cases("right")):
        program = as_program(case["program"], **options(case))
        setting = setting_of(program)
        (trial, *_) = setting.draw(np.random.default_rng(1), None, 1)
        for variable, spellings in case["spellings"].items():
            words = vocabulary(program, setting.stages, setting.upstream)
            for turn, text in enumerate(spellings[:2]):
                (*before, last) = read_claim(normalise(variable), text, words).bindings
                if before:
                    continue
                seed = 100 * number + turn
                for other in respelled(last.value, trial.values, trial.sizes, RESPELLINGS, seed):
                    yield case["program"], options(case), variable, other


def setting_of(program: Program) -> Setting:
    """What the values of claims about a program are computed from."""
    stages = stages_of(program)
    upstream = "g" if any(axis is not ONE for axis in program.output.shape) else None
    results = backward(program, None, "g") if upstream else gradient(program, list(program.inputs))
    return Setting(program, stages, results, upstream)


def main(arguments: Sequence[str]) -> int:
    """Print the table; the exit code is 1 where something is not as it should be."""
    rows = [wrong(case) for case in wrong_cases() if not arguments or case["id"] in arguments]
    for row in rows:
        print(
            f"{'found' if row.found else 'MISSED':7} {'explained' if row.explained else 'NOT':10} {row.id:38}",
            ", ".join(row.keys),
        )
        if arguments:
            print(row.report, *(e for f in row.report.findings for e in f.explanations), sep="\n")
    alarms = []
    count = 0
    for program, known, variable, text in right() if not arguments else ():
        count += 1
        try:
            report: Any = audit(program, {variable: text}, **known)
        except Exception as error:
            report = error
        if isinstance(report, Exception) or not report:
            alarms.append((program, variable, text, report))
    for program, variable, text, report in alarms:
        print(f"FALSE ALARM  {program}   {variable} = {text}\n{report}")
    found, explained = sum(row.found for row in rows), sum(row.explained for row in rows)
    layers = len({row.layer for row in rows})
    print(
        f"wrong: {len(rows)} over {layers} layers, {found} found, {explained} explained;",
        f"right: {count}, {len(alarms)} false alarms",
    )
    return 0 if found == len(rows) and explained >= 0.9 * len(rows) and not alarms else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
