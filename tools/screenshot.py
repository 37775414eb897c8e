"""Draw the picture of the page in the documentation, from the page itself."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright
from tests.rendering.chromium import executable
from tests.web.paging import settled
from tests.web.serving import serving

PLACE = Path(__file__).parents[1] / "docs" / "images" / "page.png"
STEPS = 13


def main() -> None:
    """Write docs/images/page.png: the lecture at the step where the transpose is recognised."""
    with serving() as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1240, "height": 800}, reduced_motion="reduce")
        page.goto(served.url)
        settled(page)
        for _ in range(STEPS):
            page.keyboard.press("ArrowRight")
        page.locator("#board .current [data-entry='w.1.2']").first.hover()
        page.screenshot(path=PLACE)
        browser.close()


if __name__ == "__main__":
    main()
