"""A server and a browser for a group of tests, a fresh page for each."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.rendering.chromium import executable
from tests.web.paging import Visitor
from tests.web.serving import Served, serving

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
PATIENCE = 30_000
"""Milliseconds after which a machine is not slow but wrong."""


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serving() as one:
        yield one


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as one:
        yield one


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    path = executable()
    assert path, "the tests of the page need Chromium: make browser"
    one = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
    expect.set_options(timeout=PATIENCE)
    yield one
    one.close()


@pytest.fixture
def visitor(browser: Browser, served: Served) -> Iterator[Visitor]:
    """Someone who opens the page; nothing may be complained of, and nothing asked of another machine."""
    one = Visitor(browser, served.url)
    yield one
    one.leave()
    assert not one.complaints, one.complaints
    assert {urlsplit(url).hostname for url in one.requests if not url.startswith(("data:", "blob:", "file:"))} <= {
        "localhost"
    }, one.requests
