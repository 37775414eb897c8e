"""The same derivation on a terminal, in Markdown, LaTeX, HTML and JSON."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.resources import files
from xml.etree import ElementTree

import pytest
from jsonschema import validate

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


RESULT = "\\frac{\\partial L}{\\partial x} &= W^\\top \\frac{\\partial L}{\\partial y}"


def test_markdown_is_mathematics_as_github_shows_it() -> None:
    text = lecture().markdown()
    assert text.startswith("# Backward pass of $`y = W x`$\n")
    assert "### Through $`y = W x`$" in text
    assert "```math\n\\begin{aligned}\n\\frac{\\partial L}{\\partial W} &= " in text and RESULT in text
    assert "$$" not in text


def test_markdown_for_notebooks_stands_between_dollars() -> None:
    text = lecture().markdown(flavour="dollars")
    assert "### Through $y = W x$" in text and RESULT in text
    assert text.count("$$") > 0 and text.count("$$") % 2 == 0
    with pytest.raises(PullbackError, match="no flavour 'mark' of Markdown"):
        lecture().markdown(flavour="mark")


def test_rules_lead_to_their_entry_below() -> None:
    text = derive("h = tanh(x)").markdown()
    assert "[rule: tanh, from the table of operations](#tanh)" in text
    assert "## From the table of operations\n\n### tanh\n" in text
    page = derive("h = tanh(x)").html()
    assert '<a href="#tanh">rule: tanh, from the table of operations</a>' in page and '<dt id="tanh">' in page


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
    links = [value or "" for _, key, value in outline.attributes if key in ("src", "href")]
    assert all(link.startswith("#") for link in links)
    identifiers = [value for _, key, value in outline.attributes if key == "id"]
    assert len(identifiers) == len(set(identifiers))
    assert {link[1:] for link in links} <= set(identifiers)
    assert "prefers-color-scheme: dark" in page and "@media print" in page


def test_every_formula_is_mathml_with_its_plain_text() -> None:
    for element in re.findall(r"<math.*?</math>", lecture().html(), flags=re.DOTALL):
        node = ElementTree.fromstring(element.replace("&#x2062;", "").replace("&#x2061;", ""))
        assert node.attrib["aria-label"]


def test_what_is_typed_is_escaped() -> None:
    page = derive("y = W x  # <script>alert(1)</script>").html()
    assert "<script" not in page


# JSON


@pytest.mark.parametrize("name", LAYERS)
def test_json_is_as_the_schema_says(name: str) -> None:
    schema = json.loads(files("pullback.rendering").joinpath("derivation.schema.json").read_text(encoding="utf-8"))
    text, shapes = LAYERS[name]
    for choices in ({"values": draw(shapes)}, {"values": draw(shapes), "method": "differential"}, {"lang": "ko"}):
        validate(json.loads(derive(text, **choices).to_json()), schema)


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
