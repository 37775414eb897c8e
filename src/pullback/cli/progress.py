"""Progress on standard error: a bar on a terminal that has rich, else a line now and then."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Report = Callable[[int, float], None]

_LINES = 6


@contextmanager
def progress(what: str, total: int) -> Iterator[Report]:
    """Give a function to call with what is done so far and the loss there.

    >>> with progress("training", 3) as report:
    ...     report(1, 0.5)
    """
    if sys.stderr.isatty() and importlib.util.find_spec("rich") is not None:
        with _bar(what, total) as report:
            yield report
    else:
        yield _lines(what, total)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total, loss=float("nan"))
        yield lambda done, loss: bar.update(task, completed=done, loss=loss)


def _lines(what: str, total: int) -> Report:
    every = max(1, total // _LINES)

    def report(done: int, loss: float) -> None:
        if done % every == 0 or done == total:
            print(f"{what} {done}/{total}  loss {loss:.4f}", file=sys.stderr, flush=True)

    return report
