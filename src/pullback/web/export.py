"""The gallery as static pages: they carry their answers with them and need no server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pullback.web.answer import answer
from pullback.web.assets import bundle, source
from pullback.web.gallery import GALLERY, Example
from pullback.web.page import page
from pullback.web.question import LANGUAGES, METHODS

_URLS = {"app.js": "app.js", "style.css": "style.css", "icon.svg": "icon.svg"}


def export_site(folder: Path) -> int:
    """Write a page for each example, and ``index.html``, which is that of the first; return how many.

    Files of these names that are in the folder already are replaced; others are left alone.
    """
    (folder / "answers").mkdir(parents=True, exist_ok=True)
    for name in ("style.css", "icon.svg"):
        _write(folder / name, source(name))
    _write(folder / "app.js", bundle())
    for number, example in enumerate(GALLERY):
        text = page("en", _URLS, {}, example.key, is_static=True)
        for key, made in _answers(example).items():
            _write(folder / "answers" / f"{example.key}.{key}.js", _script(key, made))
        _write(folder / f"{example.key}.html", text)
        if number == 0:
            _write(folder / "index.html", text)
    return len(GALLERY) + 1


def _answers(example: Example) -> dict[str, Any]:
    """The answers in all languages and by all methods; layout and detail are chosen from what each holds."""
    made = {}
    for lang in LANGUAGES:
        for method in METHODS:
            made[f"{lang}.{method}"] = answer(example.question(lang, method))
    return made


def _script(key: str, made: dict[str, Any]) -> str:
    """An answer as a script, which a page that is a file may load when it is wanted."""
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    return f"(globalThis.pullbackAnswers ??= {{}})[{json.dumps(key)}] = {text};\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
