"""A visitor of the page: opens it on a screen, in a language and in a scheme of colours, and notes what goes wrong."""

from __future__ import annotations

from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


class Visitor:
    """One browser window after another; complaints are errors and warnings in the console."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def open(
        self,
        fragment: str = "",
        *,
        url: str | None = None,
        lang: Literal["en", "ko"] = "en",
        phone: bool = False,
        dark: bool = False,
        **more: Any,
    ) -> Page:
        """Open the page in a window of its own and wait for its answer."""
        context = self.browser.new_context(
            viewport=PHONE if phone else DESK, has_touch=phone, is_mobile=phone,  # type: ignore[arg-type]
            locale={"en": "en-US", "ko": "ko-KR"}[lang], color_scheme="dark" if dark else "light",
            reduced_motion="reduce", permissions=["clipboard-read", "clipboard-write"], accept_downloads=True, **more,
        )  # fmt: skip
        context.set_default_timeout(30_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto((url or self.url) + fragment)
        settled(page)
        return page

    def leave(self) -> None:
        for context in self.contexts:
            context.close()


def settled(page: Page) -> None:
    """Wait until nothing is being asked."""
    expect(page.locator(".asking")).to_have_count(0)
    expect(page.locator("#check.waiting")).to_have_count(0)


def program(page: Page, text: str) -> None:
    """Type a program and wait for its answer."""
    page.locator("#program").fill(text)
    page.locator("#program").press("Control+Enter")
    settled(page)


def closed_forms(page: Page) -> list[str]:
    """The closed forms of the result, as they are read aloud."""
    return spoken(page.locator("#closed .closed-line .main math"))


def spoken(formulas: Locator) -> list[str]:
    """What a screen reader says of formulas."""
    return [str(math.get_attribute("aria-label")) for math in formulas.all()]


def pasted(page: Page, place: Locator, text: str) -> None:
    """Paste a text into a field, from the clipboard."""
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    place.click()
    page.keyboard.press("ControlOrMeta+V")
