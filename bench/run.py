"""Timings that users notice, as JSON on standard output: starting, deriving, evaluating."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

import pullback as pb


def best(action: Callable[[], object], repeats: int) -> float:
    """The shortest of some runs, in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return round(min(times) * 1e3, 3)


def process(arguments: Sequence[str]) -> Callable[[], object]:
    """A whole run of the interpreter with some arguments."""
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def main() -> None:
    """Take all timings and print them."""
    values = {"A": np.ones((200, 100)), "x": np.ones(100), "b": np.ones(200)}
    gradient = pb.gradient("norm(A x - b)^2", wrt="x")
    timings = {
        "an empty process": best(process(["-c", ""]), 5),
        "pullback --help": best(process(["-m", "pullback", "--help"]), 5),
        "pullback gradient": best(process(["-m", "pullback", "gradient", "x' A x", "--wrt", "x"]), 5),
        "import pullback": best(process(["-c", "import pullback"]), 5),
        "derive the gradient of least squares": best(lambda: pb.gradient("norm(A x - b)^2", wrt="x"), 20),
        "evaluate it, 200 x 100": best(lambda: gradient.evaluate(values), 20),
    }
    json.dump({"unit": "ms", "timings": timings}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
