"""The page about emitted source shows what is emitted."""

from __future__ import annotations

from tools.emitting import PAGE, page


def test_the_page_is_current() -> None:
    assert page() == PAGE.read_text(encoding="utf-8"), "run python tools/emitting.py"
