"""Fair timing on a shared machine: values first, then interleaved rounds, medians of ratios."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Call = Callable[[], Any]

_SLOWEST = 4.0
_FOREIGN = 0.15
_RETRIES = 4


@dataclass
class Settings:
    """How is timed: by the clock on the wall, or by the time that the processor worked for this process.

    The processor's time does not see that neighbours take turns on a busy machine; it is fair only where every
    library has one thread.
    """

    clock: Callable[[], float] = time.perf_counter
    watchful: bool = True
    disturbed: int = 0
    blocks: int = 0


SETTINGS = Settings()


@dataclass
class Row:
    """One line of a table: a case, what it is compared with, and the seconds of every round.

    ``unit`` is what is in ``seconds``, where that is something else; ``work`` are the floating point operations of a
    call, where these are known, and ``traffic`` the bytes that it has to move at least.
    """

    suite: str
    case: str
    reference: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unit: str = "s"
    work: float = 0.0
    traffic: float = 0.0

    def median(self, name: str) -> float:
        """The median time of a candidate."""
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, other: str) -> float:
        """How many times faster ``name`` is than ``other``: the median of the rounds' ratios."""
        pairs = zip(self.seconds[other], self.seconds[name], strict=False)
        return statistics.median(theirs / ours for theirs, ours in pairs)

    def spread(self, name: str) -> float:
        """Half the distance of the quartiles, as a part of the median."""
        found = sorted(self.seconds[name])
        low, high = found[len(found) // 4], found[(3 * len(found)) // 4]
        return (high - low) / 2 / self.median(name)


def flat(value: Any) -> list[Any]:
    """The arrays of a result, in order."""
    import numpy as np

    if isinstance(value, Mapping):
        return [part for one in value.values() for part in flat(one)]
    if isinstance(value, list | tuple):
        return [part for one in value for part in flat(one)]
    if hasattr(value, "detach"):
        value = value.detach()
    return [np.asarray(value, dtype=np.float64)]


def same(found: Any, right: Any, tolerance: float) -> str | None:
    """What is different, or None."""
    import numpy as np

    ours, theirs = flat(found), flat(right)
    if len(ours) != len(theirs):
        return f"{len(ours)} results, not {len(theirs)}"
    for a, b in zip(ours, theirs, strict=True):
        if a.size != b.size:
            return f"shape {a.shape}, not {b.shape}"
        error = float(np.max(np.abs(a.reshape(b.shape) - b), initial=0.0))
        if not error <= tolerance * max(1e-30, float(np.max(np.abs(b), initial=0.0))):
            return f"off by {error:.1e}"
    return None


def compare(
    suite: str,
    case: str,
    candidates: Mapping[str, Call],
    reference: str,
    *,
    tolerance: float = 2e-3,
    rounds: int = 9,
    block: float = 0.05,
    unchecked: frozenset[str] = frozenset(),
    probes: Mapping[str, Call] | None = None,
    work: float = 0.0,
    traffic: float = 0.0,
) -> Row:
    """Check that all give the same, then time them in turns; a candidate that fails is left out and named.

    ``probes`` are called in the place of candidates for the values that are compared.
    """
    row = Row(suite, case, reference, work=work, traffic=traffic)
    probes = {**candidates, **(probes or {})}
    right = [part.copy() for part in flat(probes[reference]())]
    calls: dict[str, Call] = {}
    once: dict[str, float] = {}
    for name, call in candidates.items():
        try:
            if name not in unchecked and name != reference and (problem := same(probes[name](), right, tolerance)):
                row.refused[name] = f"wrong value: {problem}"
                continue
            call()
            start = SETTINGS.clock()
            call()
            once[name] = max(SETTINGS.clock() - start, 1e-7)
            calls[name] = call
        except Exception as error:
            row.refused[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:120] if str(error) else ''}"
    row.seconds = {name: [] for name in calls}
    names = list(calls)
    collecting = gc.isenabled()
    gc.disable()
    try:
        for turn in range(rounds):
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                if once[name] * turn > _SLOWEST:
                    row.seconds[name].append(row.seconds[name][0])
                else:
                    row.seconds[name].append(_quiet_block(calls[name], once[name], block))
            gc.collect()
    finally:
        if collecting:
            gc.enable()
    return row


def _quiet_block(call: Call, once: float, budget: float) -> float:
    """A block during which nobody else used the processor, if there is one within a few attempts."""
    SETTINGS.blocks += 1
    found: list[tuple[float, float]] = []
    for _ in range(_RETRIES if SETTINGS.watchful else 1):
        # Worker threads of the library before spin for a while: they have to fall asleep first.
        time.sleep(0.03 if SETTINGS.watchful else 0)
        call()
        wall, busy = time.perf_counter(), _others()
        found.append((0.0, _block(call, once, budget)))
        passed = time.perf_counter() - wall
        foreign = (_others() - busy) / max(passed, 1e-9)
        found[-1] = (foreign, found[-1][1])
        if foreign < _FOREIGN or passed > 1:
            break
    else:
        SETTINGS.disturbed += SETTINGS.watchful
    return min(found)[1]


def _others() -> float:
    """The seconds that processors worked for other processes, as far as the kernel tells."""
    try:
        with open("/proc/stat", encoding="ascii") as lines:
            ticks = [int(x) for x in lines.readline().split()[1:9]]
    except OSError:
        return 0.0
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK") - time.process_time()


def _block(call: Call, once: float, budget: float) -> float:
    """The median of small batches that fill the budget."""
    batch = max(1, int(5e-4 / max(once, 1e-7)))
    count = max(3, min(2000, int(budget / (batch * max(once, 1e-7)))))
    if once > budget:
        count = 1
    clock = SETTINGS.clock
    found = []
    for _ in range(count):
        start = clock()
        for _ in range(batch):
            call()
        found.append((clock() - start) / batch)
    return statistics.median(found)


def figure(value: float, unit: str) -> str:
    """A figure as it is read; the unit is ``s`` or ``B``.

    >>> figure(0.0042, "s"), figure(4096.0, "B")
    ('4.2 ms', '4.1 kB')
    """
    for shown, scale in _SCALES[unit]:
        if value >= scale:
            return f"{value / scale:.3g} {shown}"
    return f"{value:.3g} {unit}"


_SCALES: dict[str, tuple[tuple[str, float], ...]] = {
    "s": (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)),
    "B": (("MB", 1e6), ("kB", 1e3), ("B", 1.0)),
}
