"""The same derivation on a terminal, in Markdown, LaTeX, HTML and JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

import pytest

from pullback.errors import PullbackError
from pullback.rendering.blocks import width_of
from pullback.rendering.derivation import derive
from tests.derivation.examples import LAYERS, draw, lecture

# terminal


@pytest.mark.parametrize("name", ["linear", "bias", "batch", "softmax"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_is_wider_than_the_terminal(name: str, width: int) -> None:
    text, shapes = LAYERS[name]
    for code in ("en", "ko"):
        rows = derive(text, values=draw(shapes), lang=code).terminal(width=width, colour=False).splitlines()
        assert [row for row in rows if width_of(row) > width] == []


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    d = lecture()
    assert "\033[" not in d.terminal()
    assert "\033[" in d.terminal(colour=True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\033[" in d.terminal()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033[" not in d.terminal()


def test_colour_changes_no_text() -> None:
    d = lecture()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", d.terminal(width=90, colour=True))
    assert [r.rstrip() for r in plain.splitlines()] == d.terminal(width=90, colour=False).splitlines()


def test_plain_text_needs_no_rich() -> None:
    script = (
        "import sys; sys.modules['rich'] = None\n"
        "from pullback.rendering.derivation import derive\n"
        "print(derive('y = W x').terminal(colour=True)[:5])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment())
    assert done.stdout == "Given\n"


def environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "utf-8"}


def test_less_detail_says_less_and_keeps_the_results() -> None:
    d = lecture()
    brief, normal, full = (d.terminal(colour=False, detail=detail) for detail in ("brief", "normal", "full"))
    assert len(brief) < len(normal) <= len(full)
    assert "∂L/∂x = Wᵀ ∂L/∂y" in brief
    assert "Chain rule" not in brief
    with pytest.raises(PullbackError, match="no level of detail 'epic'"):
        d.terminal(detail="epic")


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(PullbackError, match="no method 'guess'"):
        lecture(method="guess")


# Markdown and LaTeX


def test_markdown_is_mathematics_between_dollars() -> None:
    text = lecture().markdown()
    assert "## Backward pass" in text
    assert "### Through $y = W x$" in text
    assert "$$\n\\frac{\\partial L}{\\partial x} = W^\\top \\frac{\\partial L}{\\partial y}\n$$" in text
    assert text.count("$$") % 2 == 0


@pytest.mark.parametrize("name", LAYERS)
def test_latex_is_balanced(name: str) -> None:
    text, shapes = LAYERS[name]
    for code in ("en", "ko"):
        source = derive(text, values=draw(shapes), lang=code).latex(document=True)
        stack: list[str] = []
        for mark, kind in re.findall(r"\\(begin|end)\{(\w+)\}", source):
            if mark == "begin":
                stack.append(kind)
            else:
                assert stack.pop() == kind
        assert stack == []
        assert source.count("\\[") == source.count("\\]")
        assert len(re.findall(r"\\left\b", source)) == len(re.findall(r"\\right\b", source))
        bare = source.replace("\\{", "").replace("\\}", "")
        assert bare.count("{") == bare.count("}")


def test_a_latex_document_says_what_it_needs() -> None:
    assert "\\usepackage{kotex}" in lecture(lang="ko").latex(document=True)
    assert "\\usepackage{kotex}" not in lecture().latex(document=True)
    assert "\\documentclass" not in lecture().latex()


# HTML


class _Outline(HTMLParser):
    """Collects tags; complains of those that are not closed in order."""

    empty = frozenset({"meta", "!doctype"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, int] = {}
        self.attributes: list[tuple[str, str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.attributes += [(tag, key, value) for key, value in attrs]
        if tag not in self.empty:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", LAYERS)
def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(name: str) -> None:
    text, shapes = LAYERS[name]
    page = derive(text, values=draw(shapes), lang="ko").html()
    outline = _Outline()
    outline.feed(page)
    assert outline.open == []
    assert "script" not in outline.seen and "link" not in outline.seen and "img" not in outline.seen
    assert outline.seen["details"] > 0 and outline.seen["h1"] == 1
    assert ("html", "lang", "ko") in outline.attributes
    assert not [value for _, key, value in outline.attributes if key in ("src", "href")]
    identifiers = [value for _, key, value in outline.attributes if key == "id"]
    assert len(identifiers) == len(set(identifiers))
    assert "prefers-color-scheme: dark" in page and "@media print" in page


def test_every_formula_is_mathml_with_its_plain_text() -> None:
    for element in re.findall(r"<math.*?</math>", lecture().html(), flags=re.DOTALL):
        node = ElementTree.fromstring(element.replace("&#x2062;", "").replace("&#x2061;", ""))
        assert node.attrib["aria-label"]


def test_what_is_typed_is_escaped() -> None:
    page = derive("y = W x  # <script>alert(1)</script>").html()
    assert "<script" not in page


# JSON


def validate(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "$") -> None:
    """As much of JSON Schema as the schema uses."""
    if "$ref" in schema:
        found = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        validate(value, found, root, path)
        return
    if "anyOf" in schema:
        problems = []
        for option in schema["anyOf"]:
            try:
                validate(value, option, root, path)
                return
            except AssertionError as error:
                problems.append(str(error))
        raise AssertionError(f"{path}: {problems}")
    if "const" in schema:
        assert value == schema["const"], f"{path}: {value!r}"
    if "enum" in schema:
        assert value in schema["enum"], f"{path}: {value!r}"
    kinds: dict[str, type | tuple[type, ...]] = {
        "object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "null": type(None),
        "boolean": bool,
    }  # fmt: skip
    if "type" in schema:
        wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert any(isinstance(value, kinds[kind]) for kind in wanted), f"{path}: {type(value)}"
    if isinstance(value, dict):
        for name in schema.get("required", []):
            assert name in value, f"{path}: no {name}"
        known = schema.get("properties", {})
        for name, inner in value.items():
            if name in known:
                validate(inner, known[name], root, f"{path}.{name}")
            elif isinstance(schema.get("additionalProperties"), dict):
                validate(inner, schema["additionalProperties"], root, f"{path}.{name}")
            else:
                assert schema.get("additionalProperties", True), f"{path}: {name} is not in the schema"
    if isinstance(value, list) and "items" in schema:
        for k, inner in enumerate(value):
            validate(inner, schema["items"], root, f"{path}[{k}]")


@pytest.mark.parametrize("name", LAYERS)
def test_json_is_as_the_schema_says(name: str) -> None:
    schema = json.loads(files("pullback.rendering").joinpath("derivation.schema.json").read_text(encoding="utf-8"))
    text, shapes = LAYERS[name]
    for method in ("elementwise", "differential"):
        document = json.loads(derive(text, values=draw(shapes), method=method).to_json())
        validate(document, schema, schema)
    validate(json.loads(derive(text, lang="ko").to_json()), schema, schema)


def test_json_holds_the_results() -> None:
    document = json.loads(lecture().to_json())
    by_name = {result["variable"]: result for result in document["results"]}
    assert by_name["x"]["plain"] == "W' g"
    assert by_name["x"]["value"] == [39.0, 54.0, 69.0]
    assert document["check"]["passed"] is True


def test_every_rule_that_names_an_entry_is_in_the_table() -> None:
    from pullback.operations.table import FUNCTIONS

    for text, shapes in LAYERS.values():
        for step in derive(text, values=draw(shapes)).steps:
            for inner in step.walk():
                if inner.rule is not None and inner.rule.is_entry:
                    assert inner.rule.name in FUNCTIONS


# notebooks


def test_a_notebook_chooses_what_it_shows() -> None:
    d = lecture()
    assert set(d._repr_mimebundle_()) == {"text/plain", "text/html", "text/latex", "text/markdown"}
    assert set(d._repr_mimebundle_(include=["text/html"])) == {"text/html"}
    assert "text/html" not in d._repr_mimebundle_(exclude=["text/html"])
    assert repr(d) == "<Derivation of dL/dW, dL/dx, elementwise>"


def test_the_page_is_titled_by_the_last_statement() -> None:
    text, _ = LAYERS["two layers"]
    assert "<title>Backward pass of y = W2 h + b2</title>" in derive(text).html()
