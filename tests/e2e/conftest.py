"""A browser for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, ViewportSize, sync_playwright

from tests.support.tools import require

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP: ViewportSize = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = require("chromium", why="the page is tested in a real browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must not fail, and must not ask another host for anything."""
    page = browser.new_page(viewport=DESKTOP, color_scheme="light", reduced_motion="reduce")
    failures: list[str] = []
    strangers: list[str] = []

    def requested(request: Request) -> None:
        if not request.url.startswith(("http://localhost:", "ws://localhost:", "data:", "blob:")):
            strangers.append(request.url)

    def failed(request: Request) -> None:
        if request.failure == "csp" and request.url in strangers:
            strangers.remove(request.url)  # the browser did not send it

    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("request", requested)
    page.on("requestfailed", failed)
    yield page
    page.close()
    assert failures == []
    assert strangers == []
