"""Put the audit corpus through ``pullback.audit``: ``python -m tests.auditing.table [id …]`` prints the table."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullback.auditing.audit import audit
from pullback.auditing.report import Report

FOLDER = Path(__file__).parent / "corpus"
_TURNS = ("({0})", "(({0})')'", "2 ({0}) / 2", "({0}) - 0 ({0})")


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
    """Every right claim: the case, its options, the variable and the formula."""
    for case in cases("right"):
        for variable, spellings in case["spellings"].items():
            for text in spellings:
                yield case["program"], options(case), variable, text
            for turn in _TURNS[: 1 + len(variable) % 2]:
                yield case["program"], options(case), variable, turn.format(spellings[0])
    from tests.corpus.loading import cases as derivatives

    for derivative in derivatives():
        if derivative.kind != "backward" or derivative.functions:
            continue
        known = {"shapes": derivative.shapes, "assume": derivative.assume}
        for variable, forms in derivative.forms.items():
            for form in forms:
                yield derivative.program, {**known, "upstream": derivative.upstream}, variable, form


def main(arguments: Sequence[str]) -> int:
    """Print the table; the exit code is 1 where something is not as it should be."""
    rows = [wrong(case) for case in cases("wrong") if not arguments or case["id"] in arguments]
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
