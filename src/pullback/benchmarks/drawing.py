"""The figures of a run as pictures: how many times faster over the cases, and how near to what the machine can do."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.benchmarks.measuring import Row
from pullback.errors import PullbackError


def plot(rows: Sequence[Row], path: str) -> None:
    """Draw the ratio to the reference over the cases, a panel for each suite, and a roofline where work is known."""
    try:
        import matplotlib
    except ImportError:
        raise PullbackError("matplotlib is not installed", hint="pip install pullback[plot]") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    suites = list(dict.fromkeys(row.suite for row in rows if row.unit == "s"))
    known = [row for row in rows if row.work and row.traffic]
    count = len(suites) + bool(known)
    figure, panels = pyplot.subplots(count, 1, figsize=(8, 3.4 * count), squeeze=False)
    for suite, panel in zip(suites, panels[:, 0], strict=False):
        _ratios([row for row in rows if row.suite == suite and row.unit == "s"], panel)
    if known:
        _roofline(known, panels[-1, 0])
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _ratios(rows: Sequence[Row], panel: object) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row.seconds))
    for name in names:
        points = [(row.case, row.ratio(name, row.reference)) for row in rows if row.seconds.get(name)]
        ours = name.startswith("pullback")
        panel.plot(  # type: ignore[attr-defined]
            [case for case, _ in points], [ratio for _, ratio in points],
            marker="o" if ours else ".", linewidth=2 if ours else 1, linestyle="-" if ours else "--", label=name,
        )  # fmt: skip
    panel.set_yscale("log")  # type: ignore[attr-defined]
    panel.set_title(rows[0].suite)  # type: ignore[attr-defined]
    panel.set_ylabel(f"times faster than {rows[0].reference}")  # type: ignore[attr-defined]
    panel.tick_params(axis="x", labelrotation=12, labelsize=7)  # type: ignore[attr-defined]
    panel.legend(fontsize=6, ncols=2)  # type: ignore[attr-defined]


def _roofline(rows: Sequence[Row], panel: object) -> None:
    """Operations a second over operations a byte; the roof is the best rate and the best traffic that was seen."""
    points: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        for name in row.seconds:
            if row.seconds[name] and (name.startswith("pullback") or name == row.reference):
                points.setdefault(name, []).append((row.work / row.traffic, row.work / row.median(name)))
    everything = [point for found in points.values() for point in found]
    peak = max(rate for _, rate in everything)
    traffic = max(rate / intensity for intensity, rate in everything)
    low, high = min(x for x, _ in everything) / 2, max(x for x, _ in everything) * 2
    corner = min(max(peak / traffic, low), high)
    roof = [(low, low * traffic / 1e9), (corner, peak / 1e9), (high, peak / 1e9)]
    panel.plot(*zip(*roof, strict=True), color="0.6", linewidth=1, label="best seen here")  # type: ignore[attr-defined]
    for name, found in points.items():
        panel.plot(  # type: ignore[attr-defined]
            [x for x, _ in found], [rate / 1e9 for _, rate in found],
            "o" if name.startswith("pullback") else "x", label=name,
        )  # fmt: skip
    panel.set_xscale("log")  # type: ignore[attr-defined]
    panel.set_yscale("log")  # type: ignore[attr-defined]
    panel.set_title("roofline")  # type: ignore[attr-defined]
    panel.set_xlabel("floating point operations a byte that has to be moved")  # type: ignore[attr-defined]
    panel.set_ylabel("GFLOP/s")  # type: ignore[attr-defined]
    panel.legend(fontsize=6)  # type: ignore[attr-defined]
