"""Nothing is left unsaid: every language has every message, with the same parameters."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import pullback.derivation
from pullback.errors import PullbackError
from pullback.languages import available, language, of_locale
from pullback.languages.ko import inflect
from pullback.rendering.derivation import derive
from tests.derivation.examples import LAYERS, draw, lecture

PACKAGE = Path(pullback.derivation.__file__).parent
CODES = [code for code in available() if code != "en"]


def fields(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def test_there_are_english_and_korean() -> None:
    assert available() == ("en", "ko")
    assert [language(code).NAME for code in available()] == ["English", "한국어"]


@pytest.mark.parametrize("code", CODES)
def test_languages_have_the_same_messages_and_parameters(code: str) -> None:
    english, other = language("en").MESSAGES, language(code).MESSAGES
    assert english.keys() == other.keys()
    assert [key for key in english if not fields(other[key]) <= fields(english[key]) | {"base", "matrix"}] == []


def test_every_key_in_the_code_has_a_message() -> None:
    keys = set()
    for module in PACKAGE.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        keys |= set(re.findall(r'\b(?:Step|Key|recognised)\(\s*"([a-z_.]+)"', text))
        keys |= set(re.findall(r'\b(?:kind|move) = "([a-z_.]+)"', text))
    assert "chain" in keys
    messages = language("en").MESSAGES
    keys -= {"transpose", "itself", "identity", "diagonal", "matrix", "form", "closed", "scalar", "index"}
    assert sorted(key for key in keys if key not in messages) == []


@pytest.mark.parametrize("code", available())
@pytest.mark.parametrize("method", ["elementwise", "differential"])
def test_every_step_of_every_example_can_be_said(code: str, method: str) -> None:
    messages = language(code).MESSAGES
    for text, shapes in LAYERS.values():
        for step in derive(text, values=draw(shapes), method=method).steps:
            for inner in step.walk():
                assert inner.kind in messages
                assert fields(messages[inner.kind]) <= set(inner.parameters)


@pytest.mark.parametrize(
    ("text", "form", "particle"),
    [
        ("x", "은", "는"),
        ("L", "은", "은"),
        ("y_1", "을", "을"),
        ("W", "와", "와"),
        ("b_2)", "을", "를"),
        ("행렬", "이", "이"),
    ],
)
def test_korean_particles_follow_the_sound(text: str, form: str, particle: str) -> None:
    assert inflect(text, form) == particle


def test_an_unknown_language_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(PullbackError, match="no language 'tlh'") as caught:
        lecture(lang="tlh")
    assert caught.value.hint == "the languages are: en, ko"


def test_the_environment_names_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    assert of_locale() == "en"
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    assert of_locale() == "ko"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert of_locale() == "en"
