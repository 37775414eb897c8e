"""The corpus through pullback and other libraries: ``python -m tests.corpus.peers``.

Prints the table and writes it into ``docs/comparison.md``. What has been judged is kept in
``build/peers.json``, so that a run that was ended goes on where it was; ``--fresh`` judges everything again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.corpus import loading
from tests.corpus.loading import Case
from tests.corpus.peers.judging import SYSTEMS, Verdict
from tests.corpus.peers.table import document
from tests.corpus.peers.working import Worker

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "build" / "peers.json"
PAGE = ROOT / "docs" / "comparison.md"
BEGIN, END = "<!-- begin: python -m tests.corpus.peers -->", "<!-- end -->"


def read(path: Path) -> dict[str, dict[str, Verdict]]:
    """What has been judged before."""
    if not path.exists():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {case: {system: Verdict(**v) for system, v in found.items()} for case, found in kept.items()}


def write(path: Path, outcomes: dict[str, dict[str, Verdict]]) -> None:
    """Keep what has been judged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {case: {system: dataclasses.asdict(v) for system, v in found.items()} for case, found in outcomes.items()}
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False), encoding="utf-8")


def missing(found: dict[str, Verdict]) -> Iterator[str]:
    """The systems that a case is still to be judged in; the second way with tensorgrad only where the first failed."""
    for system in SYSTEMS:
        if system == "tensorgrad simplify" and found["tensorgrad"].verdict in ("right", "can't express"):
            continue
        if system not in found:
            yield system


def judge_all(cases: list[Case], outcomes: dict[str, dict[str, Verdict]], path: Path) -> None:
    """Judge what is missing, one case after another and in each the systems in turn."""
    worker = Worker()
    try:
        for number, case in enumerate(cases, 1):
            found = outcomes.setdefault(case.id, {})
            for system in missing(found):
                found[system] = worker.judge(case.id, system)
            if number % 20 == 0:
                write(path, outcomes)
                print(f"{number}/{len(cases)}", file=sys.stderr, flush=True)
    finally:
        worker.stop()
        write(path, {case: found for case, found in outcomes.items() if not [*missing_or_none(found)]})


def missing_or_none(found: dict[str, Verdict]) -> Iterator[str]:
    """What is missing of a case, also of one that has only just been begun."""
    if "tensorgrad" not in found:
        yield "tensorgrad"
    else:
        yield from missing(found)


def publish(text: str) -> None:
    """Put the text between the page's markers."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Judge, print, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.peers", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "names", nargs="*", help="files or cases; all where none is named, and only then is the page written"
    )
    parser.add_argument("--fresh", action="store_true", help="judge everything again")
    parser.add_argument("--notes", action="store_true", help="say what became of each case")
    asked = parser.parse_args(arguments)
    cases = [c for c in loading.cases() if not asked.names or {c.file, c.id} & set(asked.names)]
    if not cases:
        parser.error(f"nothing is called {' or '.join(asked.names)}")
    outcomes = read(KEPT)
    if asked.fresh:
        outcomes = {case: found for case, found in outcomes.items() if case not in {c.id for c in cases}}
    judge_all(cases, outcomes, KEPT)
    chosen = {case.id: outcomes[case.id] for case in cases}
    if asked.notes:
        for case, found in chosen.items():
            for system, verdict in found.items():
                print(f"{case} | {system} | {verdict.verdict} | {verdict.note} | {verdict.printed[:120]!r}")
    text = document(cases, chosen)
    print(text)
    if not asked.names:
        publish(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
