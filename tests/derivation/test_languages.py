"""Nothing is left unsaid: every language has every message, with the same parameters."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import pullback.derivation
import pullback.languages
from pullback.checking.words import catalogue
from pullback.errors import PullbackError
from pullback.languages import available, language, of_locale
from pullback.languages.ko import inflect
from pullback.rendering.derivation import derive
from tests.derivation.examples import LAYERS, draw, lecture

PACKAGE = Path(pullback.derivation.__file__).parent
RENDERING = PACKAGE.parent / "rendering"
RECOGNISED = (
    "transpose itself identity diagonal matrix form row closed same negative outer hadamard product product.vector "
    "summed summed.rows summed.columns copied scalar index"
).split()
PUT_TOGETHER = ("recognise.", "rule.", "property.", "check.method.", "convention.")
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


def test_every_step_that_the_code_can_make_has_a_message() -> None:
    """Keys are literals in the code; those of recognitions are put together."""
    keys: set[str] = set()
    for module in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Step", "Key"):
                first = node.args[0]
                options = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
                keys |= {o.value for o in options if isinstance(o, ast.Constant) and isinstance(o.value, str)}
    keys |= {f"recognise.{kind}" for kind in RECOGNISED}
    messages = language("en").MESSAGES
    assert {"chain.number", "given.standin", "check.undefined"} < keys
    assert sorted(keys - messages.keys()) == []


def test_no_message_is_left_over() -> None:
    text = "".join(m.read_text(encoding="utf-8") for m in (*PACKAGE.rglob("*.py"), *RENDERING.rglob("*.py")))
    free = [key for key in language("en").MESSAGES if f'"{key}"' not in text and not key.startswith(PUT_TOGETHER)]
    assert free == []


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


SPANISH = """
from pullback.languages.en import MESSAGES as ENGLISH

NAME = "Español"
MESSAGES = {key: f"[{key}]" for key in ENGLISH} | {"rule.product": "regla del producto"}
"""


@pytest.fixture
def third_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """One file more in the folder of the languages."""
    (tmp_path / "es.py").write_text(SPANISH, encoding="utf-8")
    monkeypatch.setattr(pullback.languages, "__path__", [*pullback.languages.__path__, str(tmp_path)])
    yield "es"
    sys.modules.pop("pullback.languages.es", None)


def test_a_third_language_is_one_file(third_language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert available() == ("en", "es", "ko")
    d = lecture(lang=third_language)
    assert "[chain]" in d.terminal(colour=False) and "(regla del producto)" in d.terminal(colour=False)
    assert '<html lang="es">' in d.html()
    assert catalogue("es")["check.right"] == catalogue("en")["check.right"]
    monkeypatch.setenv("LC_ALL", "es_MX.UTF-8")
    assert of_locale() == "es"


def clear_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("value", ["", "C", "POSIX", "ko", "ko_KR", "ko_KR.eucKR", "ko.UTF-8", "KO_kr@currency"])
def test_the_locale_is_read_in_all_its_spellings(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clear_locale(monkeypatch)
    monkeypatch.setenv("LC_ALL", value)
    assert of_locale() == ("ko" if value.lower().startswith("ko") else "en")


@pytest.mark.parametrize("value", ["..", "../../etc", "_", ".", "@", "__init__", "audit_ko", "한국어", "x" * 999])
def test_a_locale_that_is_none_is_english(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clear_locale(monkeypatch)
    monkeypatch.setenv("LANG", value)
    assert of_locale() == "en"
    assert derive("y = W x", lang=of_locale()).lang == "en"


def test_the_environment_names_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    assert of_locale() == "en"
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    assert of_locale() == "ko"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert of_locale() == "en"
