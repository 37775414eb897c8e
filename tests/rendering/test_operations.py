"""The page of the table of operations is current, and every rule of every step can be read there."""

from __future__ import annotations

from pathlib import Path

from pullback.operations.table import FUNCTIONS
from pullback.rendering.derivation import derive
from pullback.rendering.operations import described, page, used
from tests.derivation.examples import LAYERS

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make docs writes it anew"


def test_every_function_has_its_heading() -> None:
    text = PAGE.read_text(encoding="utf-8").splitlines()
    assert sorted(FUNCTIONS - {line.removeprefix("### ") for line in text}) == []


def test_an_entry_says_what_it_means_and_what_it_passes_back() -> None:
    found = described("cross_entropy")
    assert found is not None and len(found.meanings) == 2 and found.passes == ()
    found = described("inv")
    assert found is not None and found.source.startswith("Matrix Cookbook") and found.passes[0][0] == "A"
    assert described("reshape") is None


def test_the_rules_of_all_steps_are_on_the_page() -> None:
    headings = set(PAGE.read_text(encoding="utf-8").splitlines())
    for text, _ in LAYERS.values():
        for step in derive(text, check=False).steps:
            for inner in step.walk():
                if inner.rule is not None and inner.rule.is_entry:
                    assert f"### {inner.rule.name}" in headings


def test_a_derivation_names_the_entries_that_it_used() -> None:
    d = derive("h = tanh(W x); L = cross_entropy(h, t)", check=False)
    assert [found.name for found in used(d)] == ["cross_entropy", "tanh"]
