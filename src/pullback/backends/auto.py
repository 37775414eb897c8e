"""The fastest backend for a plan, measured once on the arrays of the first call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from threading import Lock
from time import perf_counter
from typing import Any

from pullback.backends import native
from pullback.backends.numpy import NumpyProgram
from pullback.errors import PullbackError
from pullback.planning.steps import Plan

SMALL = 2e5
FEW = 12
"""With fewer floating point operations and kernels than these, NumPy runs a plan before another could be compiled."""

HEAVY = 2e7
"""From so many floating point operations on it can pay to load PyTorch, which takes a second."""

_ROUNDS = 7
_BUDGET = 0.5
_MOST = 256

_chosen: dict[Any, tuple[str, dict[str, float]]] = {}
_lock = Lock()


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
    """Run the plan by every backend that may pay, in turns, and keep the fastest; the choice is remembered."""
    makers = _makers(plan, dtype, arrangement, reuse)
    if len(makers) == 1:
        return Fastest(makers["numpy"](), {})
    key = (tuple(plan.inputs.values()), plan.steps, plan.results, plan.shapes, str(dtype), reuse, tuple(makers))
    known = _chosen.get(key)
    if known is not None:
        return Fastest(makers[known[0]](), known[1])
    candidates: dict[str, Any] = {}
    for name, make in makers.items():
        try:
            candidates[name] = make()
        except PullbackError:  # what a backend can't do, NumPy can
            continue
    times = _measured(candidates, arrays)
    best = min(times, key=times.__getitem__)
    with _lock:
        _chosen[key] = best, times
        while len(_chosen) > _MOST:
            _chosen.pop(next(iter(_chosen)))
    return Fastest(candidates[best], times)


def _makers(plan: Plan, dtype: Any, arrangement: str, reuse: bool) -> dict[str, Callable[[], Any]]:
    """The backends that are worth a try."""
    makers: dict[str, Callable[[], Any]] = {"numpy": lambda: NumpyProgram(plan, dtype, arrangement, reuse)}
    work = plan.flops()
    if (work >= SMALL or len(plan.kernels) >= FEW) and native.available() is None:
        from pullback.backends.c import CProgram

        makers["c"] = lambda: CProgram(plan, dtype, arrangement, reuse)
    if work >= SMALL and ("torch" in sys.modules or (work >= HEAVY and find_spec("torch") is not None)):
        from pullback.backends.torch import TorchProgram

        makers["torch"] = lambda: TorchProgram(plan, dtype, arrangement, reuse)
    return makers


def _measured(candidates: dict[str, Any], arrays: Sequence[Any]) -> dict[str, float]:
    """The best time of each within some rounds: what disturbs a measurement only ever makes it longer."""
    runs = {name: program.bind(_unfit) for name, program in candidates.items()}
    copies = [array.copy() for array in arrays]
    times = dict.fromkeys(runs, float("inf"))
    began = perf_counter()
    for turn in range(_ROUNDS + 1):
        for name, run in runs.items():
            run(*copies)
            start = perf_counter()
            run(*copies)
            if turn:
                times[name] = min(times[name], perf_counter() - start)
        if perf_counter() - began > _BUDGET and turn:
            break
    return times


def _unfit(*arrays: Any) -> Any:
    raise AssertionError("the arrays of the first call fit their own plan")
