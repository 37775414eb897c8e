"""The comparison as a table and as text, from what became of each case."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version

from tests.corpus.loading import Case
from tests.corpus.peers.judging import VERDICTS, Verdict, best
from tests.corpus.peers.running import RUNNING
from tests.corpus.peers.sympy_peer import SPELLINGS

Outcomes = Mapping[str, Mapping[str, Verdict]]
"""By case, then by system."""

COLUMNS = ("right", "wrong", "refused", "can't express", "timeout")
KINDS = ("gradient", "backward", "jacobian", "hessian")
TITLES = {"autograd": "HIPS autograd"}
SYMPY_BEST, TENSORGRAD = "SymPy, best of the three", "tensorgrad"


def rows(outcomes: Outcomes) -> dict[str, dict[str, Verdict]]:
    """The rows of the table: each system, and the best that several ways of asking it gave."""
    found: dict[str, dict[str, Verdict]] = {"pullback": {}}
    names = {f"sympy {s}": f"SymPy, `{s}`" for s in SPELLINGS}
    for case, by_system in outcomes.items():
        found["pullback"][case] = by_system["pullback"]
        for system, name in names.items():
            found.setdefault(name, {})[case] = by_system[system]
        spelled = [by_system[system] for system in names]
        found.setdefault(SYMPY_BEST, {})[case] = _with_time(best(spelled), sum(v.seconds for v in spelled))
        asked = [by_system[system] for system in ("tensorgrad", "tensorgrad simplify") if system in by_system]
        found.setdefault(TENSORGRAD, {})[case] = _with_time(best(asked), sum(v.seconds for v in asked))
        for system in RUNNING:
            found.setdefault(TITLES.get(system, system), {})[case] = by_system[system]
    return found


def _with_time(verdict: Verdict, seconds: float) -> Verdict:
    return Verdict(verdict.verdict, verdict.note, verdict.matrix_form, seconds, verdict.printed)


def _table(lines: list[list[str]]) -> str:
    head, *body = lines
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *body))


def main_table(cases: list[Case], outcomes: Outcomes) -> str:
    """A row for each system."""
    with_form = [case.id for case in cases if case.has_matrix_form]
    lines = [["", *COLUMNS, f"closed form, of {len(with_form)}", "median ms", "worst ms"]]
    for name, verdicts in rows(outcomes).items():
        counted = Counter(v.verdict for v in verdicts.values())
        formed = sum(verdicts[i].verdict == "right" and verdicts[i].matrix_form for i in with_form)
        times = [1000 * v.seconds for v in verdicts.values() if v.verdict != "can't express" and v.seconds]
        timed = [f"{statistics.median(times):.1f}", f"{max(times):.0f}"] if times else ["–", "–"]
        cells = [str(counted[column]) for column in COLUMNS]
        lines.append([name, *cells, str(formed) if times else "none", *timed])
    return _table(lines)


def kinds_table(cases: list[Case], outcomes: Outcomes) -> str:
    """What is right (and what is wrong) by what was asked for."""
    found = rows(outcomes)
    lines = [["right, wrong", *(f"{k} ({sum(c.kind == k for c in cases)})" for k in KINDS)]]
    for name, verdicts in found.items():
        line = [name]
        for kind in KINDS:
            counted = Counter(verdicts[c.id].verdict for c in cases if c.kind == kind)
            line.append(f"{counted['right']}, {counted['wrong']}")
        lines.append(line)
    return _table(lines)


def _cause(verdict: Verdict) -> str:
    """A verdict's note without what differs from case to case."""
    if verdict.verdict == "wrong" and verdict.note.startswith("off by"):
        return "returned zero" if verdict.printed in ("0", "0; 0", "0; 0; 0") else "returned another value"
    note = re.sub(r"left unevaluated: .*", "left unevaluated", verdict.note)
    return re.sub(r"maximum recursion depth exceeded.*", "maximum recursion depth exceeded", note)


def causes(outcomes: Outcomes, name: str) -> str:
    """Why a system's cases are not right, most frequent first, each with some cases."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for case, verdict in rows(outcomes)[name].items():
        if verdict.verdict != "right":
            grouped.setdefault((verdict.verdict, _cause(verdict)), []).append(case)
    ordered = sorted(grouped.items(), key=lambda item: (-VERDICTS.index(item[0][0]), -len(item[1]), item[0]))
    return "\n".join(
        f"- {verdict}, {len(found)}: {cause.replace('|', '/')}"
        f" ({', '.join(f'`{case}`' for case in found[:4])}{', …' if len(found) > 4 else ''})"
        for (verdict, cause), found in ordered
    )


def notes(outcomes: Outcomes) -> str:
    """What was granted to the peers, counted."""
    found = rows(outcomes)
    overflowing = {n: _noted(found[n].values(), "overflows") for n in (SYMPY_BEST, TENSORGRAD)}
    arrays, turned = (_noted(found[SYMPY_BEST].values(), text) for text in ("by array_derive", "in the other layout"))
    simple = _noted(found[TENSORGRAD].values(), "by simplify")
    zeros = {s: sum(_cause(v) == "returned zero" for v in found[f"SymPy, `{s}`"].values()) for s in SPELLINGS}
    return "\n".join(
        [
            f"- {arrays} right answers of SymPy came from `array_derive`, after `diff` had refused.",
            f"- {turned} right answers of SymPy have the output's axes first; its others have the variable's first.",
            f"- {simple} right answers of tensorgrad came from `simplify`, after `full_simplify` had not.",
            *(
                f"- {count} right formulas of {name.split(',')[0]} overflow in float64 at the values asked for;"
                " they were compared at smaller values."
                for name, count in overflowing.items()
                if count
            ),
            f"- Wrong answers that are a bare zero: {', '.join(f'{count} of `{s}`' for s, count in zeros.items())}.",
        ]
    )


def _noted(verdicts: Iterable[Verdict], text: str) -> int:
    return sum(v.verdict == "right" and text in v.note for v in verdicts)


def document(cases: list[Case], outcomes: Outcomes) -> str:
    """The part of the documentation that a run writes."""
    names = {
        "SymPy": "sympy",
        "tensorgrad": "tensorgrad",
        "PyTorch": "torch",
        "JAX": "jax",
        "HIPS autograd": "autograd",
    }
    versions = ", ".join(f"{name} {version(package).partition('+')[0]}" for name, package in names.items())
    parts = [
        f"{versions}, {len(cases)} cases.",
        main_table(cases, outcomes),
        kinds_table(cases, outcomes),
        "Granted to the peers:",
        notes(outcomes),
        "What is not right in SymPy, by the best of its three spellings:",
        causes(outcomes, SYMPY_BEST),
        *(
            f"What is not right in {name}:\n\n{causes(outcomes, name)}"
            for name in (TENSORGRAD, *(TITLES.get(system, system) for system in RUNNING))
            if causes(outcomes, name)
        ),
    ]
    return "\n\n".join(parts)
