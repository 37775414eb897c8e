"""What a visitor takes from the page: copies, addresses, files, paper."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.paging import Visitor, closed_forms, program, settled

pytestmark = pytest.mark.xdist_group("taking")


def copied(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_every_tab_copies_what_it_shows(visitor: Visitor) -> None:
    page = visitor.open()
    for tab, part in {
        "LaTeX": r"W^\top", "MathML": "<math", "Plain": "dL/dx = W' g", "NumPy": "W.T @ g", "PyTorch": "import torch",
        "JAX": "import jax", "C": "#include",
    }.items():  # fmt: skip
        page.get_by_role("tab", name=tab, exact=True).click()
        shown = page.locator("#tabs [role=tabpanel]:not([hidden])")
        shown.locator(".copy").click()
        expect(shown.locator(".copy")).to_have_text("Copied")
        text = copied(page)
        assert part in text
        assert text == shown.locator("code").text_content()


def test_a_shared_address_holds_everything(visitor: Visitor) -> None:
    page = visitor.open(lang="ko")
    program(page, "A : (n, n) spd\nL = log(x' A x + α) # 𝔸 & = + %")
    page.locator("#cell-x-0-0").fill("-1.5")
    page.get_by_role("button", name="미분소로").click()
    page.get_by_role("button", name="자세히", exact=True).click()
    settled(page)
    page.get_by_role("button", name="링크 복사").click()
    expect(page.locator("#toast")).to_contain_text("링크를 복사했습니다")
    address = copied(page)
    assert address.startswith(f"{visitor.url}#v=1&")

    other = visitor.open(url=address)
    for field in ("#program", "#cell-x-0-0", "#cell-A-1-1"):
        expect(other.locator(field)).to_have_value(page.locator(field).input_value())
    expect(other.locator("html")).to_have_attribute("lang", "ko")
    assert closed_forms(other) == closed_forms(page)
    assert (
        other.locator("[aria-pressed=true]").all_inner_texts() == page.locator("[aria-pressed=true]").all_inner_texts()
    )


def test_the_back_button_leads_back(visitor: Visitor) -> None:
    page = visitor.open()
    page.locator("#gallery a[data-key='softmax']").click()
    settled(page)
    page.get_by_role("button", name="by differentials").click()
    settled(page)
    page.go_back()
    expect(page.locator("#method [aria-pressed=true]")).to_have_text("by entries")
    page.go_back()
    expect(page.locator("#program")).to_have_value("y = W x")
    settled(page)
    page.go_forward()
    expect(page.locator("#program")).to_have_value(re.compile("cross_entropy"))
    settled(page)


@pytest.mark.parametrize(
    "fragment",
    [
        "#v=9&p=x",
        "#v=1&p=%E0%A4%A",
        "#nonsense",
        "#v=1",
        "#v=1&p=y+=&want=pizza&.__proto__=1",
        "#v=1&p=y=2x&practice=99",
    ],
)
def test_a_broken_address_does_no_harm(visitor: Visitor, fragment: str) -> None:
    page = visitor.open(fragment)
    page.locator("#gallery a[data-key='lecture']").click()
    settled(page)
    assert closed_forms(page) == ["dL/dW = (dL/dy) x'", "dL/dx = W' dL/dy"]


def test_a_hostile_address_is_text_and_nothing_else(visitor: Visitor) -> None:
    attack = "<img src=x onerror=alert(1)>"
    page = visitor.open(f"#v=1&p={attack}&.W={attack}&wrt={attack}&by={attack}&lang=en")
    expect(page.locator("#error")).to_be_visible()
    expect(page.locator("img")).to_have_count(0)
    expect(page.locator("#program")).to_have_value(attack)


def test_pictures_are_saved_as_svg(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open()
    with page.expect_download() as download:
        page.locator("#pictures [role=tabpanel]:not([hidden])").get_by_role("button", name="Save as SVG").click()
    download.value.save_as(tmp_path / "graph.svg")
    text = (tmp_path / "graph.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg xmlns=") and "∂L/∂W" in text


def test_the_derivation_is_saved_as_json(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as JSON").click()
    download.value.save_as(tmp_path / "derivation.json")
    document = json.loads((tmp_path / "derivation.json").read_text(encoding="utf-8"))
    assert document["program"] == "y = W x"
    assert [entry["plain"] for entry in document["results"]] == ["g x'", "W' g"]


def test_on_paper_there_are_all_steps_and_no_buttons(visitor: Visitor) -> None:
    page = visitor.open()
    page.keyboard.press("ArrowRight")
    page.emulate_media(media="print")
    for gone in (".tools", ".player", ".gallery", "#want", ".tablist", "#saving"):
        expect(page.locator(gone).first).to_be_hidden()
    assert page.locator("#board [data-stop]").count() == page.locator("#board [data-stop]:visible").count()


def test_a_server_that_is_gone_is_said_to_be(visitor: Visitor) -> None:
    page = visitor.open()
    page.route("**/api/derive", lambda route: route.abort())
    program(page, "y = 3 x")
    expect(page.locator("#error")).to_contain_text("The server does not answer")
    page.unroute("**/api/derive")
    program(page, "y = 4 x")
    assert closed_forms(page) == ["dL/dx = 4 dL/dy"]
    visitor.complaints.clear()


def test_a_program_that_takes_too_long_is_ended_and_the_page_says_so(visitor: Visitor) -> None:
    page = visitor.open()
    page.route("**/api/derive", lambda route: route.fulfill(json={"ok": False, "error": {
        "type": "Limit", "reason": "time", "seconds": 6}}))  # fmt: skip
    program(page, "y = 3 x")
    expect(page.locator("#error")).to_contain_text("longer than 6 seconds")


def test_the_theme_is_kept(visitor: Visitor) -> None:
    page = visitor.open()
    root = page.locator("html")
    for theme in ("light", "dark", "auto", "light"):
        page.get_by_role("button", name="Light or dark").click()
        expect(root).to_have_attribute("data-theme", theme)
    page.reload()
    expect(root).to_have_attribute("data-theme", "light")
