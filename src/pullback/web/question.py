"""What the page asks: plain JSON, read strictly. Values are text; no file is ever read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pullback.errors import NotationError, Place, PullbackError, Span, ValuesError
from pullback.web.limits import (
    MOST_ENTRIES,
    MOST_NAMES,
    MOST_NESTED,
    MOST_STATEMENTS,
    MOST_TEXT,
    MOST_VALUES,
)

METHODS = ("elementwise", "differential")
LAYOUTS = ("denominator", "numerator")
LANGUAGES = ("en", "ko")
DETAILS = ("brief", "normal", "full")
WANTS = ("backward", "jacobian", "hessian")
ASKS = ("derive", "check", "code", "document")
TARGETS = ("torch", "jax", "c")

_CHOICES: dict[str, tuple[str, ...]] = {
    "method": METHODS,
    "layout": LAYOUTS,
    "lang": LANGUAGES,
    "detail": DETAILS,
    "want": WANTS,
    "ask": ASKS,
    "target": TARGETS,
}
_KNOWN = frozenset({"program", "values", "upstream", "wrt", *_CHOICES})
_OPENERS, _CLOSERS = "([{", ")]}"
_ROWS = 'write rows of numbers such as "1 2 3; 4 5 6"'
_NAME = re.compile(r"[^\W\d]\w{0,63}")


class QuestionError(PullbackError):
    """The JSON is not a question: a field that is unknown, missing, or of another type."""


@dataclass(frozen=True, slots=True)
class Question:
    """A program and what is to be told about it."""

    program: str
    values: Mapping[str, str] = field(default_factory=dict)
    upstream: str = ""
    wrt: str = ""
    method: str = "elementwise"
    layout: str = "denominator"
    lang: str = "en"
    detail: str = "full"
    want: str = "backward"
    ask: str = "derive"
    target: str = "torch"


def read_question(document: Any) -> Question:
    """Read the JSON of a question.

    Raises:
        QuestionError: It is not one.
        NotationError: The program is too long, or nested too deeply.
        ValuesError: There are too many values.
    """
    if not isinstance(document, dict):
        raise QuestionError("a question is a JSON object")
    unknown = sorted(str(key)[:40] for key in document if key not in _KNOWN)
    if unknown:
        raise QuestionError(f"there is no field {unknown[0]!r}", hint=f"the fields are: {', '.join(sorted(_KNOWN))}")
    chosen: dict[str, str] = {}
    for name, allowed in _CHOICES.items():
        value = document.get(name, Question.__dataclass_fields__[name].default)
        if value not in allowed:
            raise QuestionError(f"{name} is one of: {', '.join(allowed)}")
        chosen[name] = value
    program = _text(document, "program", MOST_TEXT)
    values = document.get("values", {})
    if not isinstance(values, dict) or len(values) > MOST_NAMES:
        raise QuestionError(f"values are an object of at most {MOST_NAMES} names, with a text each")
    read: dict[str, str] = {}
    for name in values:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise QuestionError(f"{str(name)[:40]!r} is no name")
        read[name] = _text(values, name, MOST_VALUES)
    if sum(map(len, read.values())) > MOST_VALUES:
        raise ValuesError(f"the values are longer than {MOST_VALUES // 1024} kB together", hint="take smaller matrices")
    check_depth(program)
    return Question(program, read, _text(document, "upstream", MOST_VALUES), _text(document, "wrt", 64), **chosen)


def _text(document: Mapping[str, Any], name: str, most: int) -> str:
    value = document.get(name, "")
    if not isinstance(value, str):
        raise QuestionError(f"{name} is a text")
    if len(value) > most:
        error = NotationError if name == "program" else ValuesError
        raise error(f"{name} is longer than {most} characters", hint="this page is for what fits on a board")
    if "\0" in value:
        raise QuestionError(f"there is a zero byte in {name}")
    return value


def check_depth(program: str) -> None:
    """Refuse what is nested too deeply or has too many statements, before anything is parsed.

    >>> try:
    ...     check_depth("(" * 100)
    ... except NotationError as error:
    ...     print(error.message)
    brackets are more than 48 deep
    """
    depth = 0
    for position, letter in enumerate(program):
        if letter in _OPENERS:
            depth += 1
            if depth > MOST_NESTED:
                raise NotationError(
                    f"brackets are more than {MOST_NESTED} deep",
                    source=program,
                    places=(Place(Span(position, position + 1)),),
                    hint="name the inner parts: h = …; y = f(h)",
                )
        elif letter in _CLOSERS:
            depth = max(0, depth - 1)
    if program.count("\n") + program.count(";") >= MOST_STATEMENTS:
        raise NotationError(f"this page takes at most {MOST_STATEMENTS} statements")


def read_array(text: str, name: str) -> Any:
    """Read a value as it is typed into the page.

    Raises:
        ValuesError: It can't be read, or is too large.
    """
    from pullback.values.inline import read_inline

    if text.count(" ") + text.count(",") + text.count(";") + text.count("\n") > 4 * MOST_ENTRIES:
        raise ValuesError(f"{name} has more than {MOST_ENTRIES} entries", hint="take a smaller matrix")
    try:
        array = read_inline(text, name)
    except ValuesError as error:
        # The hint for the command line speaks of files, which this page never reads.
        raise ValuesError(error.message, source=error.source, places=error.places, hint=_ROWS) from None
    if array.size > MOST_ENTRIES or array.ndim > 4:
        raise ValuesError(f"{name} has more than {MOST_ENTRIES} entries", hint="take a smaller matrix")
    return array
