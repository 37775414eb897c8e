"""What the pages of docs show is what happens; … stands for lines that are left out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pullback.cli import main

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
MY_LAYER = """\
import numpy as np


def forward(W, x, b):
    z = W @ x + b
    return np.tanh(z)


def backward(g, W, x, b):
    dz = g * (1 - np.tanh(W @ x + b))
    return np.outer(dz, x), W.T @ dz, dz

def sorted_rows(x):
    return np.sort(x)
"""
"""The file that the pages speak of."""


def sessions() -> list[tuple[str, str]]:
    """Every ``$ pullback …`` line of a console block with what is printed below it."""
    found = []
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for shown in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = shown.partition("\n")
                if command.startswith("pullback "):
                    found.append((command, output))
    return found


def agrees(shown: str, printed: str) -> bool:
    """Whether the lines that are shown are printed, with any lines where … is, and any end of a line after it."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else re.escape(line.removesuffix("…")) + (r".*\n" if line.endswith("…") else r"\n")
        for line in shown.splitlines()
    )
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in printed.splitlines())) is not None


def test_lines_may_be_left_out() -> None:
    assert agrees("a\n…\nd\n", "a\nb\nc\nd\n") and agrees("a, …\n", "a, b\n")
    assert not agrees("a\n…\nd\n", "a\nb\n") and not agrees("a\n", "a\nb\n")


@pytest.mark.parametrize(("command", "output"), sessions())
def test_commands_print_what_is_shown(
    command: str, output: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "my_layer.py").write_text(MY_LAYER, encoding="utf-8")
    main(shlex.split(command)[1:])
    printed = capsys.readouterr()
    assert any(agrees(output, text) for text in (printed.out, printed.err + printed.out, printed.err)), printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
