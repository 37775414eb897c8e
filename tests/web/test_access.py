"""The page for everyone: axe finds nothing to object to, on any screen, in any colours, in any state."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.web.paging import Visitor, program, settled

pytestmark = pytest.mark.xdist_group("access")


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds: the rule, and the elements; of all rules where none is named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    # Style sheets are not fetched anew: a page that is a file may not.
    options = {"resultTypes": ["violations"], "preload": False, **({"runOnly": list(rules)} if rules else {})}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]


def _error(page: Page) -> None:
    program(page, "y = W x + )")


def _step(page: Page) -> None:
    for _ in range(9):
        page.keyboard.press("ArrowRight")


def _hessian(page: Page) -> None:
    page.locator("#gallery a[data-key='logistic']").click()
    settled(page)


def _full(page: Page) -> None:
    page.locator("#gallery a[data-key='softmax']").click()
    settled(page)
    page.locator("#detail [data-value=full]").click()


def _lit(page: Page) -> None:
    page.locator("#cell-W-0-1").focus()


def _declaring(page: Page) -> None:
    page.locator("#chips button").first.click()


def _keys(page: Page) -> None:
    page.keyboard.press("?")


def _empty(page: Page) -> None:
    program(page, "")


def _pictures(page: Page) -> None:
    for tab in page.locator("#pictures [role=tab]").all():
        tab.click()
        assert violations(page, "color-contrast", "svg-img-alt", "scrollable-region-focusable") == []


def _practice(page: Page) -> None:
    page.locator("#practice-open").click()
    page.locator("#practice-answer").fill("W g")
    page.locator("#practice-check").click()
    expect(page.locator(".verdict-box.wrong")).to_be_visible()
    assert violations(page) == []
    page.locator("#practice-answer").fill("W' g")
    page.locator("#practice-check").click()
    expect(page.locator(".verdict-box.right")).to_be_visible()


STATES: dict[str, Callable[[Page], None]] = {
    "lecture": lambda page: None,
    "error": _error,
    "step": _step,
    "hessian": _hessian,
    "full": _full,
    "lit": _lit,
    "declaring": _declaring,
    "keys": _keys,
    "empty": _empty,
    "pictures": _pictures,
    "practice": _practice,
}


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_no_violation(visitor: Visitor, state: str, phone: bool) -> None:
    page = visitor.open(phone=phone, lang="ko" if phone else "en")
    STATES[state](page)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, "color-contrast") == []


def test_nothing_is_wider_than_a_phone(visitor: Visitor) -> None:
    page = visitor.open(phone=True, lang="ko")
    for key in ("linear", "attention", "logistic"):
        page.locator(f"#gallery a[data-key='{key}']").click()
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, key


def test_everything_can_be_reached_by_keyboard(visitor: Visitor) -> None:
    page = visitor.open()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#program")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(" + b")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#result")).to_be_focused()
    expect(page.locator("[data-result=b]")).to_be_visible()
    settled(page)
    page.get_by_role("tab", name="LaTeX").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="MathML")).to_be_focused()
    expect(page.get_by_role("tab", name="MathML")).to_have_attribute("aria-selected", "true")
    page.locator("#cell-W-0-0").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#cell-W-1-0")).to_be_focused()


def test_no_control_is_without_a_name(visitor: Visitor) -> None:
    page = visitor.open()
    snapshot = page.locator("body").aria_snapshot()
    nameless = [line.strip() for line in snapshot.split("\n") if line.strip() in (
        "- button", "- textbox", "- link", "- slider", "- switch", "- combobox", "- tab", "- img", "- math",
    )]  # fmt: skip
    assert nameless == []


def test_formulas_are_read_as_they_would_be_said(visitor: Visitor) -> None:
    page = visitor.open()
    unnamed = page.locator("math:not([aria-label])").count()
    assert unnamed == 0
    expect(page.locator("#closed math").last).to_have_attribute("aria-label", "dL/dx = W' dL/dy")
