"""The fastest backend for a plan, measured once on the arrays of the first call."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from statistics import median
from time import perf_counter
from typing import Any

from pullback.backends.numpy import NumpyProgram
from pullback.planning.steps import Plan

SMALL = 2e5
"""Below this many floating point operations NumPy's lower price of a call always wins, so nothing else is loaded."""

_ROUNDS = 5
_BUDGET = 0.15


class Fastest:
    """The program that won, with the times that decided it."""

    def __init__(self, program: Any, times: dict[str, float]) -> None:
        self.program = program
        self.plan = program.plan
        shown = ", ".join(f"{name} {seconds * 1e6:.0f} µs" for name, seconds in times.items())
        why = shown or "too small for another to pay"
        self.name = f"auto chose {program.name} ({why}),"
        self.bind = program.bind
        self.source = getattr(program, "source", None)


def fastest(plan: Plan, dtype: Any, arrangement: str, reuse: bool, arrays: Sequence[Any]) -> Fastest:
    """Run the plan by every backend that is installed, in turns, and keep the fastest."""
    numpy = NumpyProgram(plan, dtype, arrangement, reuse)
    if plan.flops() < SMALL or find_spec("torch") is None:
        return Fastest(numpy, {})
    from pullback.backends.torch import TorchProgram

    candidates: dict[str, Any] = {"numpy": numpy, "torch": TorchProgram(plan, dtype, arrangement, reuse)}
    runs = {name: program.bind(_unfit) for name, program in candidates.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    began = perf_counter()
    for turn in range(_ROUNDS + 1):
        for name, run in runs.items():
            copies = [array.copy() for array in arrays]
            run(*copies)
            start = perf_counter()
            run(*copies)
            if turn:
                times[name].append(perf_counter() - start)
        if perf_counter() - began > _BUDGET and turn:
            break
    middle = {name: median(found) for name, found in times.items()}
    best = min(middle, key=middle.__getitem__)
    return Fastest(candidates[best], middle)


def _unfit(*arrays: Any) -> Any:
    raise AssertionError("the arrays of the first call fit their own plan")
