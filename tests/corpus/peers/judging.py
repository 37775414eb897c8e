"""One case through one system: derive, compare with JAX at two draws, and say what became of it.

JAX itself is compared with complex steps and differences of the case's own lines (``tests.corpus.measuring``).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from pullback.syntax.names import normalise
from tests.corpus import loading, measuring
from tests.corpus.loading import Array, Case
from tests.corpus.peers import sympy_peer, sympy_values, tensorgrad_peer, tensorgrad_values
from tests.corpus.peers.reading import Derived, Inexpressible
from tests.corpus.peers.running import RUNNING, run

TOLERANCE = 1e-8
DRAWS = 2
SYSTEMS = ("pullback", *(f"sympy {s}" for s in sympy_peer.SPELLINGS), "tensorgrad", "tensorgrad simplify", *RUNNING)
VERDICTS = ("right", "refused", "can't express", "timeout", "wrong")
"""From best to worst: where a case was tried in several ways, the best of them counts."""


@dataclasses.dataclass
class Verdict:
    """What became of a case in a system."""

    verdict: str
    note: str = ""
    matrix_form: bool = False
    seconds: float = 0.0
    printed: str = ""


@dataclasses.dataclass(frozen=True)
class Drawn:
    """Values for the inputs (and the upstream gradient), and what is right there."""

    values: dict[str, Array]
    right: dict[str, Array]
    functions: dict[str, Callable[[Array], Array]]


@lru_cache(maxsize=8)
def _drawn(identifier: str, mild: bool) -> tuple[Drawn, ...]:
    case = next(c for c in loading.cases() if c.id == identifier)
    if mild and "large" not in case.domain.values():
        return _drawn(identifier, False)
    if mild:
        mended = {name: "normal" if domain == "large" else domain for name, domain in case.domain.items()}
        case = dataclasses.replace(case, domain=mended)
    found = []
    for seed in range(DRAWS):
        values = loading.draw(case, seed)
        upstream = loading.draw_upstream(case, values, seed) if case.upstream else None
        right = loading.reference(case, values, upstream)
        named = {normalise(name): value for name, value in values.items()}
        if upstream is not None:
            named[case.upstream] = upstream
        found.append(Drawn(named, right, _derivatives(case)))
    return tuple(found)


def prepare(case: Case) -> None:
    """Compute what is right beforehand, so that it is in nobody's time."""
    _drawn(case.id, False)


def _derivatives(case: Case) -> dict[str, Callable[[Array], Array]]:
    """The functions that a case knows by name only, and their derivatives."""
    from tests.corpus.run import _with_derivatives

    found: dict[str, Callable[[Array], Array]] = {}
    for name, function in case.functions.items():
        found |= _with_derivatives(name, function)
    return found


def judge(case: Case, system: str) -> Verdict:
    """Derive a case in a system, timed, and compare."""
    begun = time.perf_counter()
    if system in RUNNING:
        return _run(case, system)
    try:
        derived = _derive(case, system)
    except Inexpressible as reason:
        return Verdict("can't express", str(reason), seconds=time.perf_counter() - begun)
    except Exception as error:
        return Verdict("refused", _said(error), seconds=time.perf_counter() - begun)
    seconds = time.perf_counter() - begun
    verdict = _compared(case, system, derived)
    verdict.seconds = seconds
    return verdict


def _run(case: Case, system: str) -> Verdict:
    """Differentiate a case by running it."""
    worst = 0.0
    for seed, drawn in enumerate(_drawn(case.id, False)):
        values = loading.draw(case, seed)
        upstream = drawn.values[case.upstream] if case.upstream else None
        try:
            found = run(case, system, values, upstream)
        except Inexpressible as reason:
            return Verdict("can't express", str(reason))
        except AssertionError:
            raise
        except Exception as error:
            return Verdict("refused", _said(error))
        if system == "JAX":
            right, allowed = measuring.measured(case, values, upstream), measuring.tolerance(case)
        else:
            right, allowed = drawn.right, TOLERANCE
        worst = max(worst, *(loading.error(found[name], array) / allowed for name, array in right.items()))
    return Verdict("right") if worst < 1 else Verdict("wrong", f"off by {worst:.1e} times what is allowed")


def _derive(case: Case, system: str) -> Derived:
    name, _, way = system.partition(" ")
    if name == "sympy":
        return sympy_peer.derive(case, way)
    if name == "tensorgrad":
        return tensorgrad_peer.derive(case, way or "full_simplify")
    from tests.corpus.run import derive

    results = derive(case)
    for result in results.values():
        str(result)
    return Derived(results)


def _compared(case: Case, system: str, derived: Derived) -> Verdict:
    form = all(_is_matrix_form(system, result) for result in derived.results.values())
    printed = "; ".join(str(getattr(r, "tensor", r)) for r in derived.results.values())[:300]
    notes = [derived.note] if derived.note else []
    _check_translation(case, system, derived)
    try:
        worst = _error(case, system, derived)
        if system.startswith("sympy") and case.kind in ("jacobian", "hessian") and not worst < TOLERANCE:
            turned = _error(case, system, derived, turned=True)
            if turned < TOLERANCE:
                worst = turned
                notes.append("in the other layout")
        if not np.isfinite(worst) and "large" in case.domain.values() and system != "pullback":
            worst = _error(case, system, derived, mild=True)
            notes.append("overflows as it is written; compared at smaller values")
    except NotImplementedError as error:
        return Verdict("wrong", f"the result has no value: {_said(error)}", form, printed=printed)
    except ValueError as error:
        return Verdict("wrong", f"the result's shapes disagree: {_said(error)}", form, printed=printed)
    if not worst < TOLERANCE:
        return Verdict("wrong", f"off by {worst:.1e}", form, printed=printed)
    return Verdict("right", ", ".join(notes), form, printed=printed)


def _check_translation(case: Case, system: str, derived: Derived) -> None:
    """Raise where the program was not translated rightly: the fault would be ours, not the library's."""
    if derived.forward is None:
        return
    for seed, drawn in enumerate(_drawn(case.id, True)):
        values = {name: drawn.values[normalise(name)] for name in case.shapes}
        wanted = loading.output(case, values)
        with np.errstate(all="ignore"):
            found = _value(case, system, derived.forward, drawn)
        if not loading.error(np.squeeze(found), np.squeeze(wanted)) < TOLERANCE:
            raise AssertionError(f"{case.id} is translated wrongly to {system} (draw {seed}): {derived.forward}")


def _is_matrix_form(system: str, result: Any) -> bool:
    if system == "pullback":
        return bool(result.is_matrix_form)
    return system.startswith("sympy") and sympy_values.is_matrix_form(result)


def _error(case: Case, system: str, derived: Derived, mild: bool = False, turned: bool = False) -> float:
    """The largest difference over the draws: ``mild`` at smaller values, ``turned`` with the output's axes first."""
    worst = 0.0
    for drawn in _drawn(case.id, mild):
        for name, right in drawn.right.items():
            with np.errstate(all="ignore"):
                found = _value(case, system, derived.results[name], drawn)
            wanted = right
            if system.startswith("sympy") and not turned:
                wanted = _as_sympy_lays_out(case, right)
            if system.startswith("sympy"):
                found, wanted = np.squeeze(found), np.squeeze(wanted)
            worst = max(worst, loading.error(found, wanted))
    return worst


def _value(case: Case, system: str, result: Any, drawn: Drawn) -> Array:
    if system == "pullback":
        functions: Mapping[str, Any] = drawn.functions
        named = {name: drawn.values[normalise(name)] for name in case.shapes}
        if case.upstream:
            named[case.upstream] = drawn.values[case.upstream]
        return np.asarray(result.evaluate({**named, **functions}))
    if system.startswith("sympy"):
        return np.asarray(sympy_values.Evaluator(drawn.values, case.sizes, drawn.functions)(result))
    evaluator = tensorgrad_values.Evaluator(drawn.values, result.sizes, drawn.functions)
    return evaluator(result.tensor, result.edges)


def _as_sympy_lays_out(case: Case, right: Array) -> Array:
    """SymPy's derivatives have the variable's axes first; its second ones, the second variable's."""
    last = len(case.shapes[case.wrt[-1]]) if case.kind in ("jacobian", "hessian") else 0
    axes = range(right.ndim)
    return np.transpose(right, [*axes[right.ndim - last :], *axes[: right.ndim - last]]) if last else right


def _said(error: BaseException) -> str:
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:160]}".rstrip(": ")


def best(verdicts: list[Verdict]) -> Verdict:
    """The best of several ways: one in matrix form before one that is not."""
    return min(verdicts, key=lambda v: (VERDICTS.index(v.verdict), not v.matrix_form))
