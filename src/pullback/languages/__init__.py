"""What is said, in each language: one module a language, found by its code.

A language module has ``NAME`` (its own name for itself), ``MESSAGES`` (a sentence for every key, with the
names of its parameters in braces) and may have ``inflect(text, form)``, which gives what ``{x:form}`` stands
for: the parameter with what the grammar hangs on it. A third language is one more module. (What checks and
audits say is in modules of its own, ``audit_en`` and so on; see ``pullback.checking.words``.)
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from pullback.errors import PullbackError

DEFAULT = "en"


def available() -> tuple[str, ...]:
    """The codes of all languages.

    >>> available()
    ('en', 'ko')
    """
    return tuple(sorted(module.name for module in iter_modules(__path__) if "_" not in module.name))


def language(code: str) -> ModuleType:
    """Load a language by its code; ``ko_KR`` and ``ko-KR`` are ``ko``.

    Raises:
        PullbackError: There is no such language.
    """
    short = code.replace("-", "_").split("_")[0].split(".")[0].lower()
    if short not in available():
        raise PullbackError(f"no language {code!r}", hint=f"the languages are: {', '.join(available())}")
    return import_module(f"pullback.languages.{short}")


def of_locale() -> str:
    """The language of the environment, as LC_ALL, LC_MESSAGES and LANG say it; English where there is none."""
    import os

    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "")
        if value:
            short = value.split("_")[0].split(".")[0].lower()
            return short if short in available() else DEFAULT
    return DEFAULT
