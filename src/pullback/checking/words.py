"""Messages for people: looked up by key in the catalogue of a language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from string import Formatter

from pullback.languages import DEFAULT
from pullback.languages import language as find_language

_PARSER = Formatter()


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Load the messages of a language; those of English where it has none for checks.

    Raises:
        PullbackError: There is no such language.
    """
    known = find_language(language).__name__.rpartition(".")[2]
    try:
        module = import_module(f"pullback.languages.audit_{known}")
    except ModuleNotFoundError:
        module = import_module(f"pullback.languages.audit_{DEFAULT}")
    messages: Mapping[str, str] = module.MESSAGES
    return messages


def say(language: str, key: str, **fields: object) -> str:
    """Fill in the message with this key.

    >>> say("en", "check.right", subject="y = W x")
    'right: y = W x'
    """
    messages = catalogue(language)
    inflect = getattr(find_language(language), "inflect", None)
    text = ""
    for literal, name, form, _ in _PARSER.parse(messages[key]):
        text += literal
        if name is not None:
            said = str(fields[name])
            text += said + (inflect(said, form) if form and inflect is not None else "")
    return text
