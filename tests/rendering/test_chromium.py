"""What a real browser makes of the pages: formulas are shown, the network is left alone, nothing overflows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from pullback.rendering.derivation import derive
from tests.derivation.examples import LAYERS, draw, lecture
from tests.rendering.chromium import executable
from tests.rendering.corpus import FILES, cases, results

EMPTY = """() => [...document.querySelectorAll('math, math mi, math mn, math mfrac, math msup, math msub, math mtable')]
  .filter(e => { const box = e.getBoundingClientRect(); return box.width === 0 || box.height === 0; })
  .map(e => e.outerHTML.slice(0, 200))"""
"""Elements with something to show and no size."""

TALL = """() => {
  const high = e => e.getBoundingClientRect().height;
  const [plain, fraction, matrix] = ['p', 'f', 'm'].map(id => high(document.getElementById(id)));
  return [fraction > 1.3 * plain, matrix > 1.7 * plain];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = executable()
    if path is None:
        pytest.skip("Chromium is not installed: make browser installs it")
    with sync_playwright() as started:
        launched = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1000, "height": 800})
    opened.said = []
    opened.on("console", lambda message: opened.said.append(message.text))
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.on("request", lambda request: opened.said.append(request.url) if request.url.startswith("http") else None)
    yield opened
    assert opened.said == []
    opened.close()


def test_this_browser_lays_mathml_out(page: Page) -> None:
    page.set_content(
        '<math id="p"><mi>x</mi></math><br>'
        '<math id="f" displaystyle="true"><mfrac><mi>x</mi><mi>y</mi></mfrac></math><br>'
        '<math id="m"><mtable><mtr><mtd><mi>x</mi></mtd></mtr><mtr><mtd><mi>y</mi></mtd></mtr></mtable></math>'
    )
    assert page.evaluate(TALL) == [True, True]


@pytest.mark.parametrize("file", FILES)
def test_the_closed_forms_of_the_corpus_are_shown(page: Page, file: str) -> None:
    rows = [f"<p>{e.mathml()}</p>" for case in cases(file) for e in results(case)]
    page.set_content(f"<!DOCTYPE html><body>{''.join(rows)}</body>")
    assert page.locator("math").count() == len(rows)
    assert page.evaluate(EMPTY) == []


@pytest.mark.parametrize("name", ["linear", "two layers", "softmax with cross-entropy", "batch", "norm"])
@pytest.mark.parametrize("code", ["en", "ko"])
def test_a_derivation_is_shown_on_any_width(page: Page, tmp_path: Path, name: str, code: str) -> None:
    text, shapes = LAYERS[name]
    file = tmp_path / "derivation.html"
    file.write_text(derive(text, values=draw(shapes), lang=code).html(), encoding="utf-8")
    for width in (1200, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(file.as_uri())
        assert page.evaluate(EMPTY) == []
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_steps_fold_to_one_line_and_rules_lead_to_the_table(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "derivation.html"
    file.write_text(derive("h = tanh(x)").html(), encoding="utf-8")
    page.goto(file.as_uri())
    operand = page.locator("li.operand > details")
    assert operand.locator("ol.steps").first.is_visible()
    operand.locator("summary > math").click()
    assert not operand.locator("ol.steps").first.is_visible()
    assert operand.locator("summary").is_visible()
    page.get_by_role("link", name="rule: tanh").click()
    assert page.locator("dt#tanh").is_visible() and page.url.endswith("#tanh")


def test_the_page_follows_the_light_of_the_room_and_prints(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "derivation.html"
    file.write_text(lecture().html(), encoding="utf-8")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(file.as_uri())
        found.append(page.evaluate(paper))
    assert found[0] != found[1]
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")
