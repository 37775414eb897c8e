"""``pullback bench``: run suites, print their tables, write JSON and a plot."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

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
    threads = str(getattr(options, "threads", None) or 2)
    if (
        "numpy" in sys.modules
        or any(os.environ.get(name) != threads for name in _THREADS)
        or any(name in os.environ for name in _SETTINGS)
    ):
        return _again(threads)
    rows = []
    print(f"{processor()}; Python {platform.python_version()}; {threads} threads; {versions()}", file=sys.stderr)
    for name in names:
        found: list[Any] = []
        for row in suite_rows(name, bool(getattr(options, "quick", False))):
            found.append(row)
            print(f"  {row.case}: done", file=sys.stderr, flush=True)
        rows += found
        print(table(found), flush=True)
    if path := getattr(options, "json", None):
        Path(path).write_text(json.dumps(document(rows), indent=1), encoding="utf-8")
    if path := getattr(options, "plot", None):
        plot(rows, path)
    return int(any("wrong value" in why for row in rows for why in row.refused.values()))


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
    for name in ("numpy", "torch", "jax", "sympy", "tensorgrad", "scipy"):
        try:
            shown.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(shown)


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


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
            shown = f"{row.median(name) / 1e6:.3g} MB" if row.suite == "memory" else _time(row.median(name))
            cells.append(f"{shown} ± {100 * row.spread(name):.0f}% ({row.ratio(name, row.reference):.2f}x)")
        lines.append(f"| {row.case} | " + " | ".join(cells) + " |")
    notes = [f"{row.case}: {name}: {why}" for row in rows for name, why in row.refused.items()]
    return "\n".join([*lines, *notes, ""])


def document(rows: Iterable[Any]) -> dict[str, Any]:
    """Everything that was measured, for machines."""
    return {
        "processor": processor(),
        "python": platform.python_version(),
        "versions": versions(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "rows": [
            {"suite": r.suite, "case": r.case, "reference": r.reference, "seconds": r.seconds, "refused": r.refused}
            for r in rows
        ],
    }


def plot(rows: Sequence[Any], path: str) -> None:
    """The ratio to the reference over the cases, a panel for each suite."""
    try:
        import matplotlib
    except ImportError:
        raise PullbackError("matplotlib is not installed", hint="pip install pullback[plot]") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    suites = list(dict.fromkeys(row.suite for row in rows))
    figure, panels = pyplot.subplots(len(suites), 1, figsize=(8, 3.2 * len(suites)), squeeze=False)
    for suite, panel in zip(suites, panels[:, 0], strict=True):
        own = [row for row in rows if row.suite == suite]
        for name in dict.fromkeys(name for row in own for name in row.seconds):
            points = [(row.case, row.ratio(name, row.reference)) for row in own if row.seconds.get(name)]
            panel.plot([case for case, _ in points], [ratio for _, ratio in points], marker="o", label=name)
        panel.set_yscale("log")
        panel.set_title(suite)
        panel.set_ylabel("times faster than reference")
        panel.tick_params(axis="x", labelrotation=15, labelsize=7)
        panel.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
