"""The HTML of the page, in a language."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import escape
from importlib import import_module
from typing import Any

from pullback.web.assets import asset, source
from pullback.web.gallery import GALLERY
from pullback.web.question import LANGUAGES

_PLACE = re.compile(r"\{\{(\w+):([\w.-]+)\}\}")


def words(lang: str) -> Mapping[str, str]:
    """The words of the page in a language."""
    found: Mapping[str, str] = import_module(f"pullback.web.words_{lang}").WORDS
    return found


def chosen_language(accepted: str) -> str:
    """The first language of an Accept-Language header that the page speaks.

    >>> chosen_language("ko-KR,ko;q=0.9,en;q=0.8"), chosen_language("fr, *;q=0.1")
    ('ko', 'en')
    """
    for part in accepted.split(","):
        code = part.split(";")[0].strip().split("-")[0].lower()
        if code in LANGUAGES:
            return code
    return "en"


def page(
    lang: str,
    urls: Mapping[str, str] | None = None,
    answers: Mapping[str, Any] | None = None,
    example: str = "",
    is_static: bool = False,
) -> str:
    """Write the page.

    Args:
        lang: The language that it is in before a script runs.
        urls: Where its files are; by default those of the server.
        answers: Answers that it carries with it, so that it needs no server.
        example: The example of the gallery that it shows first.
        is_static: Whether there is no server to ask.
    """
    said = words(lang)

    def put(found: re.Match[str]) -> str:
        kind, key = found.groups()
        if kind == "word":
            return escape(said[key], quote=True)
        if kind == "asset":
            return escape(urls[key] if urls else f"/static/{asset(key).name}", quote=True)
        return {
            "lang": lang,
            "mode": "static" if is_static else "live",
            "data": _data(answers or {}, example),
            "module": '<script defer src="' if is_static else '<script type="module" src="',
        }[key]

    return _PLACE.sub(put, source("index.html"))


def _data(answers: Mapping[str, Any], example: str) -> str:
    document = {
        "words": {code: dict(words(code)) for code in LANGUAGES},
        "gallery": [one.document() for one in GALLERY],
        "example": example,
        "answers": answers,
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
