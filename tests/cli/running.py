"""What a run of the command line leaves, and how the fixtures that run it are called."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

SOURCE = Path(__file__).parents[2] / "src"
_SETTINGS = ("NO_COLOR", "FORCE_COLOR", "PULLBACK_DEBUG")


@dataclass(frozen=True)
class Outcome:
    """The exit code and the two streams."""

    code: int
    out: str
    err: str


class Run(Protocol):
    """Runs ``pullback`` in this process."""

    def __call__(self, *arguments: str) -> Outcome: ...


class Process(Protocol):
    """Runs ``pullback`` as a process of its own."""

    def __call__(self, *arguments: str | bytes, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]: ...


def environment(**extra: str) -> dict[str, str]:
    """The environment of a process that finds the sources, without the settings that change what it shows."""
    kept = {name: value for name, value in os.environ.items() if name not in _SETTINGS}
    return {**kept, "PYTHONPATH": str(SOURCE), **extra}
