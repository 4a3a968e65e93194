"""The page of a dashboard, below a path of its host, in a real browser."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.auth.page_key import PAGE_KEY
from shared.security.server_identity import KEYS
from tests.support.dashboards import Dashboard
from tests.support.processes import ServerProcess


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of the page, for whoever has the key."""
    home: Path = tmp_path_factory.mktemp("federation")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    public = f"http://localhost:{port}/study/fedloom"
    federation = ServerProcess("--role", "federation", "--public-url", public, home=home)
    dashboard = Dashboard("--public-url", public, home=home, federation=federation.url, port=port)
    said = federation.wait_for_output(r"need\w* the key: (\S+)")[1]
    assert said == f"{public}/?token={(home / KEYS / PAGE_KEY).read_text().strip()}"
    yield said
    dashboard.end()
    federation.end()


def test_all_of_it_works(page: Page, address: str) -> None:
    base = address.partition("?")[0].removesuffix("/")
    missing: list[str] = []
    page.on("response", lambda response: missing.append(response.url) if response.status == 404 else None)
    page.goto(address)
    expect(page).to_have_url(f"{base}/")
    (cookie,) = page.context.cookies()
    assert (cookie["path"], cookie["sameSite"], cookie["httpOnly"]) == ("/study/fedloom/", "Strict", True)
    expect(page.get_by_text("connected", exact=False).first).to_be_visible()
    icon = page.locator("link[rel=icon]").evaluate("link => link.href")
    assert (icon, page.request.get(icon).status) == (f"{base}/static/favicon.svg", 200)

    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page).to_have_url(f"{base}/runs")
    page.goto(f"{base}/new")  # asked of the server, which knows the addresses of what the page shows
    page.get_by_role("button", name="Start", exact=False).last.click()
    expect(page.get_by_text("waiting for", exact=False).first).to_be_visible()
    page.get_by_role("link", name="Runs", exact=True).click()
    page.reload()
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    assert missing == []

    page.goto(f"{base}/api/docs")
    expect(page).to_have_url(f"{base}/api/redoc")
