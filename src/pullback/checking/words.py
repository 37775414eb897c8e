"""Messages for people: looked up by key in the catalogue of a language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from pullback.errors import PullbackError

LANGUAGES = ("en", "ko")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Load the messages of a language.

    Raises:
        PullbackError: There is no such language.
    """
    if language not in LANGUAGES:
        raise PullbackError(f"there is no language {language!r}", hint=f"the languages are: {', '.join(LANGUAGES)}")
    messages: Mapping[str, str] = import_module(f"pullback.languages.audit_{language}").MESSAGES
    return messages


def say(language: str, key: str, **fields: object) -> str:
    """Fill in the message with this key.

    >>> say("en", "check.right", subject="y = W x")
    'right: y = W x'
    """
    return catalogue(language)[key].format(**fields)
