"""The page's addresses: what it shows stands in them, for a reload, the way back, and a link that is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.demo.fleet import Fleet
from tests.conftest import Clients, StartServer
from tests.e2e.conftest import PAIR
from tests.e2e.test_page import SLOW_MS, open_page
from tests.support.api import Api, Json
from tests.support.people import PASSWORD, administrator
from tests.support.processes import ServerProcess

SHORT = {"num_rounds": 2, "min_clients": 2, "model": "linear"}
NAV = ("/", "/runs", "/clients", "/data", "/network", "/system", "/logs", "/trust")
PARTS = ("curves", "clients", "data", "events", "files")


@pytest.fixture(scope="module")
def api(paired_server: ServerProcess) -> Iterator[Api]:
    with closing(Api(paired_server.url)) as api:
        yield api


@pytest.fixture(scope="module")
def runs(api: Api) -> tuple[Json, Json]:
    """Two that are over, the older one first."""
    older, newer = (api.wait_for_run(api.start(**SHORT, seed=seed)["id"], "completed") for seed in (1, 2))
    return older, newer


@pytest.fixture
def older(runs: tuple[Json, Json]) -> str:
    """The run that the page does not show by itself."""
    return str(runs[0]["id"])


def expect_part(page: Page, server: ServerProcess, run: str, part: str) -> None:
    """The page shows this part of this run, and its address says so."""
    expect(page).to_have_url(re.compile(rf"^http://localhost:{server.port}/runs/{run}/{part}(\?|$)"))
    expect(page.get_by_test_id("run-id")).to_have_text(run)
    expect(page.get_by_test_id(f"part-{part}")).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("part", PARTS)
def test_a_reload_keeps_the_run_and_its_part(
    page: Page, paired_server: ServerProcess, older: str, part: str
) -> None:
    open_page(page, paired_server, f"/runs/{older}/{part}")
    expect_part(page, paired_server, older, part)

    page.reload()

    expect_part(page, paired_server, older, part)


def test_the_way_back_and_the_way_forth_lead_where_the_reader_was(
    page: Page, paired_server: ServerProcess, runs: tuple[Json, Json]
) -> None:
    older, newer = (run["id"] for run in runs)
    at = f"http://localhost:{paired_server.port}"
    open_page(page, paired_server)
    page.get_by_test_id("view-runs").click()
    page.locator(f"[data-testid=run-row][data-run='{older}']").click()
    expect_part(page, paired_server, older, "curves")
    page.get_by_test_id("part-clients").click()
    expect_part(page, paired_server, older, "clients")

    page.go_back()
    expect_part(page, paired_server, older, "curves")
    expect(page.get_by_test_id("chart-accuracy")).to_have_attribute("data-run", older)
    page.go_back()
    expect(page).to_have_url(re.compile(rf"^{at}/runs(\?|$)"))
    page.go_back()
    expect(page).to_have_url(f"{at}/")
    expect(page.get_by_test_id("chart-accuracy")).to_have_attribute("data-run", newer)
    for _ in range(3):
        page.go_forward()
    expect_part(page, paired_server, older, "clients")


def test_a_link_shows_the_same_in_another_browser(
    page: Page, browser: Browser, paired_server: ServerProcess, older: str
) -> None:
    open_page(page, paired_server, f"/runs/{older}")
    expect_part(page, paired_server, older, "curves")
    elsewhere = browser.new_context()
    other = elsewhere.new_page()

    other.goto(page.url)

    expect_part(other, paired_server, older, "curves")
    shown = page.get_by_test_id("chart-accuracy")
    expect(shown).to_have_attribute("data-points", "3")
    for name in ("data-run", "data-points", "data-latest"):
        value = shown.get_attribute(name)
        assert value is not None
        expect(other.get_by_test_id("chart-accuracy")).to_have_attribute(name, value)
    elsewhere.close()


def test_the_address_of_a_run_that_is_not_there_says_so_and_leads_on(
    page: Page, paired_server: ServerProcess, older: str
) -> None:
    open_page(page, paired_server, "/runs/none/curves")
    expect(page.get_by_test_id("no-such-run")).to_contain_text("This server has no run none")

    page.get_by_test_id("no-such-run").get_by_role("link").click()

    expect(page.locator(f"[data-testid=run-row][data-run='{older}']")).to_be_visible()


def test_a_part_that_no_run_has_says_so(page: Page, paired_server: ServerProcess, older: str) -> None:
    open_page(page, paired_server, f"/runs/{older}/nothing")

    expect(page.get_by_test_id("no-such-run")).to_contain_text("A run has no page nothing")


@pytest.mark.parametrize("path", ["/nothing", "/nothing/at/all", "/trust/nothing"])
def test_an_unknown_address_is_told_in_words_to_a_reader(
    page: Page, paired_server: ServerProcess, path: str
) -> None:
    open_page(page, paired_server, path)

    expect(page.get_by_test_id("no-such-page")).to_contain_text(f"There is nothing at {path}")


def test_no_page_asks_for_what_is_not_there(
    page: Page, paired_server: ServerProcess, runs: tuple[Json, Json]
) -> None:
    older, newer = (run["id"] for run in runs)
    missing: list[str] = []
    page.on("response", lambda response: missing.append(response.url) if response.status == 404 else None)
    of_runs = (f"/runs/{older}/curves", f"/runs/{older}/files", f"/runs/compare?ids={older},{newer}")

    for path in (*NAV, *of_runs, f"/clients/{PAIR[0]}", "/new"):
        open_page(page, paired_server, path)
        page.wait_for_load_state("networkidle")
        icon = page.locator("link[rel=icon]").evaluate("link => link.href")
        assert icon.startswith("data:") or page.request.get(icon).ok, path

    assert missing == []


def test_an_unknown_address_is_not_found_by_programs(api: Api) -> None:
    below_api = api.http.get("/api/v1/nothing", headers={"Accept": "text/html"})
    file = api.http.get("/static/nothing.js")

    assert (below_api.status_code, below_api.headers["Content-Type"]) == (404, "application/problem+json")
    assert file.status_code == 404


def test_who_is_not_logged_in_is_led_by_the_login_to_the_address(
    page: Page, start_server: StartServer
) -> None:
    server = start_server("--auth")
    with administrator(server) as admin:
        admin.post("/api/v1/users", json={"name": "vera", "role": "viewer", "password": PASSWORD})
        run = admin.post("/api/v1/runs", json={}).json()["id"]
    page.goto(f"http://localhost:{server.port}/runs/{run}/events")
    expect(page.get_by_test_id("entry-form")).to_be_visible()
    expect(page.get_by_test_id("run-id")).to_have_count(0)

    page.get_by_label("name").fill("vera")
    page.get_by_label("password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    expect_part(page, server, run, "events")


def test_a_restarted_server_leaves_the_reader_where_he_is(
    page: Page, start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    with Fleet() as fleet, closing(Api(server.url)) as api:
        Clients(fleet, server, tmp_path).start(*PAIR)
        older, newer = (
            api.wait_for_run(api.start(**SHORT, seed=seed)["id"], "completed")["id"] for seed in (1, 2)
        )
        open_page(page, server, f"/runs/{older}/clients")
        expect(page.get_by_test_id("run-client")).to_have_count(len(PAIR))
        page.evaluate("window.notReloaded = true")
        server.end()
        expect(page.get_by_test_id("connection")).to_contain_text("reconnecting")

        start_server(port=server.port, link_port=server.link_port)

        expect(page.get_by_test_id("connection")).to_have_attribute(
            "data-state", "connected", timeout=SLOW_MS
        )
        expect_part(page, server, older, "clients")
        expect(page.get_by_test_id("run-client")).to_have_count(len(PAIR))
        page.get_by_test_id("view-live").click()
        expect(page.get_by_test_id("run-id")).to_have_text(newer)
        assert page.evaluate("window.notReloaded") is True
