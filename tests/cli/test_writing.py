"""Results that go to files: whole, or not there at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pullback.cli.writing import write_file, write_result
from pullback.errors import PullbackError


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    path.chmod(0o640)
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_file(tmp_path / "link.txt", b"new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_bytes() == b"new"


def test_nothing_is_left_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(PullbackError, match="No space left"):
        write_file(tmp_path / "out.txt", b"new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["none/out.txt", "."])
def test_what_can_not_be_written_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PullbackError, match="folder"):
        write_file(Path(name), b"new")


def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_result("W' g", "-")
    assert capsys.readouterr().out == "W' g\n"
