"""Running the command line: in this process for speed, as a process of its own where that is the point."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pullback.cli import main

from .running import Outcome, Process, Run, environment


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "PULLBACK_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = main(list(arguments))
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """Run ``python -m pullback`` in an empty folder, as a process of its own."""

    def call(*arguments: str | bytes, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "pullback", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, env=environment(), cwd=tmp_path, timeout=120)

    return call
