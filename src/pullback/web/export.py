"""The gallery as static pages: they carry their answers with them and need no server."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pullback.web.answer import answer
from pullback.web.assets import bundle, source
from pullback.web.gallery import GALLERY, Example
from pullback.web.page import page
from pullback.web.question import LANGUAGES, METHODS, TARGETS

_URLS = {"app.js": "app.js", "style.css": "style.css", "icon.svg": "icon.svg"}


def export_site(folder: Path, examples: Sequence[Example] = GALLERY) -> int:
    """Write a page for each example, and ``index.html``, which is that of the first; return how many.

    Files of these names that are in the folder already are replaced, each at once and only when all are ready;
    others are left alone.

    Raises:
        OSError: The folder can't be written; then nothing in it was changed, or all that was is whole.
    """
    files = {name: source(name) for name in ("style.css", "icon.svg")}
    files["app.js"] = bundle()
    for number, example in enumerate(examples):
        files |= _answers(example)
        text = page("en", _URLS, {}, example.key, is_static=True)
        files[f"{example.key}.html"] = text
        if number == 0:
            files["index.html"] = text
    _write(folder, files)
    return len(examples) + 1


def _answers(example: Example) -> dict[str, str]:
    """The answers in all languages and by all methods; layout and detail are chosen from what each holds."""
    files = {}
    code = {target: _asked(example, "en", ask="code", target=target).get("code", "") for target in TARGETS}
    checked = _asked(example, "en", ask="check")
    for lang in LANGUAGES:
        for method in METHODS:
            name = f"{lang}.{method}"
            made = _asked(example, lang, method=method)
            made |= {"code": code, "checks": checked["checks"], "checkedSecond": checked["second"]}
            files[f"answers/{example.key}.{name}.js"] = _script(name, made)
            document: str = _asked(example, lang, method=method, ask="document")["document"]
            files[f"answers/{example.key}.{name}.json"] = document
    return files


def _asked(example: Example, lang: str, **more: str) -> dict[str, Any]:
    made = answer({**example.question(lang), **more})
    assert made["ok"] or more.get("ask") == "code", (example.key, made["error"])
    return made


def _script(key: str, made: Mapping[str, Any]) -> str:
    """An answer as a script, which a page that is a file may load when it is wanted."""
    text = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    return f"(globalThis.pullbackAnswers ??= {{}})[{json.dumps(key)}] = {text};\n"


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files beside their places first, so that no reader ever sees half of one."""
    (folder / "answers").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pullback-", dir=folder) as drafts:
        for number, text in enumerate(files.values()):
            Path(drafts, str(number)).write_text(text, encoding="utf-8", newline="\n")
        for number, name in enumerate(files):
            os.replace(Path(drafts, str(number)), folder / name)
