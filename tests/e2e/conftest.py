"""A browser for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, ViewportSize, expect, sync_playwright

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.support.processes import ServerProcess
from tests.support.tools import require

expect.set_options(timeout=60_000)  # a limit for what does not come, not for what is slow on a busy machine

PAIR = ["client-1", "client-2"]

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


@pytest.fixture(scope="module")
def paired_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the clients of PAIR."""
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    with Fleet() as fleet:
        Clients(fleet, server, tmp_path_factory.mktemp("data")).start(*PAIR)
        yield server
    server.end()


@pytest.fixture
def server(tmp_path: Path, ending: ExitStack) -> ServerProcess:
    """A test's own, without clients. Modules whose tests share one have another in its place."""
    server = ServerProcess(home=tmp_path)
    ending.callback(server.end)
    return server


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
