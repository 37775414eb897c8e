"""``pullback bench``: run suites, print their tables, write JSON and a plot."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pullback.benchmarks.drawing import plot
from pullback.benchmarks.floors import FLOORS, floors_table
from pullback.benchmarks.measuring import SETTINGS, figure
from pullback.errors import PullbackError

SUITES = ("derive", "linear", "mlp", "hessian", "cold", "memory", "depth")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SETTINGS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def run(options: Any) -> int:
    """Run what ``options.suite`` names and report; 1 where a peer's value differs from ours."""
    suite = getattr(options, "suite", None) or "all"
    names = SUITES if suite == "all" else (suite,)
    if suite != "all" and suite not in SUITES:
        raise PullbackError(f"{suite!r} is not a suite", hint=f"the suites are: all, {', '.join(SUITES)}")
    count = int(getattr(options, "threads", None) or 2)
    if count < 1:
        raise PullbackError("there is at least one thread")
    by_processor = getattr(options, "clock", "wall") == "processor"
    if by_processor and count != 1:
        raise PullbackError("the processor's time is only fair with one thread", hint="add --threads 1")
    threads = str(count)
    if (
        "numpy" in sys.modules
        or any(os.environ.get(name) != threads for name in _THREADS)
        or any(name in os.environ for name in _SETTINGS)
    ):
        return _again(threads)
    _measure_by(by_processor, count)
    rows: list[Any] = []
    head = f"{processor()}; Python {platform.python_version()}; threads: {threads}; {versions()}"
    print(head + ("; processor time" if by_processor else ""), file=sys.stderr)
    tables = []
    for name in names:
        found: list[Any] = []
        for row in suite_rows(name, bool(getattr(options, "quick", False))):
            found.append(row)
            print(f"  {name}: {row.case}: done", file=sys.stderr, flush=True)
        rows += found
        tables.append(table(found))
        print(tables[-1], flush=True)
    tables.append(floors_table(rows))
    print(tables[-1], end="")
    if SETTINGS.disturbed:
        print(f"{SETTINGS.disturbed} of {SETTINGS.blocks} blocks were disturbed by other processes", file=sys.stderr)
    if path := getattr(options, "json", None):
        Path(path).write_text(json.dumps(document(rows), indent=1) + "\n", encoding="utf-8")
    if path := getattr(options, "plot", None):
        plot(rows, path)
    if path := getattr(options, "page", None):
        write_page(Path(path), head, by_processor, tables)
    return int(any("wrong value" in why for row in rows for why in row.refused.values()))


def _measure_by(by_processor: bool, threads: int) -> None:
    """Choose the clock, and give the process as many processors as threads, since some libraries take all there are."""
    if by_processor:
        SETTINGS.clock, SETTINGS.watchful = time.process_time, False
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def _again(threads: str) -> int:
    """Threads are counted when a library is loaded, so the settings need a fresh process."""
    import subprocess

    environment = {k: v for k, v in os.environ.items() if k not in _SETTINGS} | dict.fromkeys(_THREADS, threads)
    return subprocess.run(
        [sys.executable, "-m", "pullback", *sys.argv[1:]], env=environment | {"JAX_PLATFORMS": "cpu"}
    ).returncode


def suite_rows(name: str, quick: bool) -> Iterator[Any]:
    """The rows of a suite as they come."""
    from pullback.benchmarks import hessians, layers, processes

    if "torch" in sys.modules or name in ("linear", "mlp", "hessian"):
        _same_threads()
    found: Callable[[bool], Iterator[Any]] = {
        "linear": layers.linear,
        "mlp": layers.mlp,
        "hessian": hessians.hessian,
        "derive": processes.derive,
        "cold": processes.cold,
        "memory": processes.memory,
        "depth": processes.depth,
    }[name]
    return found(quick)


def _same_threads() -> None:
    from importlib.util import find_spec

    if find_spec("torch"):
        import torch

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))


def processor() -> str:
    """The processor, as the kernel names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        found = {line.split(":")[0].strip(): line.split(":", 1)[1].strip() for line in lines if ":" in line}
        return f"{found.get('model name', platform.processor())} (family {found.get('cpu family')}, model {found.get('model')})"  # noqa: E501
    except OSError:
        return platform.processor()


def versions() -> str:
    """The versions of what is compared."""
    from importlib.metadata import PackageNotFoundError, version

    shown = []
    for name in ("numpy", "scipy", "torch", "jax", "tensorgrad", "sympy", "pytensor", "autograd"):
        try:
            shown.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(shown)


def table(rows: Sequence[Any]) -> str:
    """A Markdown table: times, and how many times faster each is than the reference."""
    if not rows:
        return ""
    names = list(dict.fromkeys(name for row in rows for name in row.seconds))
    lines = [f"| {rows[0].suite} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for row in rows:
        cells = []
        for name in names:
            if not row.seconds.get(name):
                cells.append("–")
                continue
            middle = row.median(name)
            shown = figure(middle, row.unit)
            cells.append(f"{shown} ± {100 * row.spread(name):.0f}% ({row.ratio(name, row.reference):.2f}x)")
        lines.append(f"| {row.case} | " + " | ".join(cells) + " |")
    notes = [f"{row.case}: {name}: {why}" for row in rows for name, why in row.refused.items()]
    return "\n".join([*lines, *(["", *notes] if notes else []), ""])


def document(rows: Sequence[Any]) -> dict[str, Any]:
    """Everything that was measured, for machines."""
    return {
        "processor": processor(),
        "python": platform.python_version(),
        "versions": versions(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "rows": [
            {
                "suite": r.suite, "case": r.case, "reference": r.reference, "unit": r.unit, "work": r.work,
                "seconds": r.seconds, "refused": r.refused,
            }
            for r in rows
        ],
        "floors": [
            {"suite": f.suite, "case": f.case, "ours": f.ours, "peers": f.peers, "floor": f.at_least,
             "measured": f.measured(rows)}
            for f in FLOORS
        ],
    }  # fmt: skip


MARK = "<!-- figures: written by `pullback bench --page`, all between these marks -->"


def write_page(path: Path, head: str, by_processor: bool, tables: Sequence[str]) -> None:
    """Put the figures into a page of the documentation, between its marks; without marks, at its end."""
    how = "times of the processor, one thread" if by_processor else "times on the wall"
    figures = "\n".join([MARK, "", f"{head}; {how}.", "", *tables, MARK])
    text = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n\n"
    parts = text.split(MARK)
    before, after = (parts[0], parts[2]) if len(parts) == 3 else (text.rstrip() + "\n\n", "\n")
    path.write_text(before + figures + after, encoding="utf-8")
