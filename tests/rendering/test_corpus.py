"""Every format tells the whole corpus: LaTeX compiles, MathML is valid, JSON is by its schema, and all agree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from pullback.rendering.derivation import Derivation, derive
from tests.rendering import mathml
from tests.rendering.corpus import FILES, cases, derivations, results

SCHEMA = json.loads(files("pullback.rendering").joinpath("derivation.schema.json").read_text(encoding="utf-8"))
PREAMBLE, BEGIN, _ = derive("y = W x", lang="ko", check=False).latex(document=True).partition("\\begin{document}")
VALIDATED = 3
"""Validating takes longer than writing, so every third document is."""
everywhere = pytest.mark.parametrize("file", FILES)


def body(document: str) -> str:
    """What stands between the beginning and the end of a LaTeX document."""
    return document.partition(BEGIN)[2].rpartition("\\end{document}")[0]


def compiled(source: str, folder: Path) -> str:
    """Compile with a real TeX, and give what it complains of."""
    tex = shutil.which("pdflatex")
    if tex is None:
        pytest.skip("pdflatex is not installed: tools/tex.sh installs it")
    (folder / "all.tex").write_text(source, encoding="utf-8")
    command = [tex, "-interaction=nonstopmode", "-halt-on-error", "-draftmode", "all.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = done.stdout.decode("utf-8", "replace")
    return "" if done.returncode == 0 else log[log.find("\n!") :][:600]


def spoken(steps: list[dict[str, Any]]) -> Iterator[str]:
    """The plain text of all lines of a JSON document."""
    for step in steps:
        yield from (line["plain"] for line in step["lines"])
        yield from spoken(step["steps"])


@everywhere
def test_latex_compiles(file: str, tmp_path: Path) -> None:
    source = [PREAMBLE, BEGIN]
    for case in cases(file):
        source += [f"% {case.id}", *(rf"\[{expression.latex()}\]" for expression in results(case))]
    for case, derivation in derivations(file):
        source += [f"% {case.id}", body(derivation.latex(document=True, detail="full"))]
        source += [f"% {case.id}, a fragment", derivation.latex(detail="brief")]
    source.append("\\end{document}")
    assert compiled("\n".join(source), tmp_path) == ""


@everywhere
def test_formats_agree(file: str) -> None:
    """The same steps with the same lines and the same results in all formats; MathML is Core, JSON by its schema."""
    validator = Draft202012Validator(SCHEMA)
    drawn: set[str] = set()
    for k, (case, derivation) in enumerate(derivations(file)):
        document = json.loads(derivation.to_json())
        lines = set(spoken(document["steps"]))
        assert lines, case.id
        expressions = list(derivation.results.values())
        assert [result["plain"] for result in document["results"]] == list(map(str, expressions)), case.id
        assert [result["latex"] for result in document["results"]] == [e.latex() for e in expressions], case.id
        page = derivation.html(detail="full")
        labels = {unescape(label) for label in re.findall(r'<math[^>]* aria-label="([^"]*)"', page)}
        shown = shown_lines(derivation)
        assert [line for line in shown if line not in labels] == [], case.id
        assert [line for line in shown if line not in lines] == [], case.id
        markdown = derivation.markdown(detail="full")
        assert markdown.count("```math\n") * 2 == markdown.count("```"), case.id
        assert not re.search(r"\\(operatorname|mbox|phantom)\b", markdown), case.id
        drawn |= set(re.findall(r"<math.*?</math>", page, flags=re.DOTALL))
        drawn |= {expression.mathml() for expression in results(case)}
        if k % VALIDATED == 0:
            assert [error.message for error in validator.iter_errors(document)] == [], case.id
    assert [(text, fault) for text in drawn for fault in mathml.faults(ElementTree.fromstring(text))] == []


def shown_lines(derivation: Derivation) -> list[str]:
    """The lines of all steps that are shown, as they are read aloud."""
    from pullback.rendering.mathml import label
    from pullback.rendering.outline import Item, outline

    def of(items: tuple[Item, ...]) -> Iterator[str]:
        for item in items:
            if item.shows_lines:
                yield from map(label, item.step.lines)
            yield from of(item.items)

    return list(of(outline(derivation.steps, "full")))


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
