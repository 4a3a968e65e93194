"""Two readers look at one run in two browsers: both see what either does, and each looks in his own way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.e2e.conftest import DESKTOP, PAIR
from tests.e2e.test_page import SLOW_MS, wait_for_points
from tests.e2e.test_page_login import log_in
from tests.support.api import Api
from tests.support.people import add_user, administrator
from tests.support.processes import ServerProcess

LONG = {"num_rounds": 10_000, "min_clients": 2, "model": "linear", "local_epochs": 5}
SOON_MS = 5_000
"""A second, on a machine that has nothing else to do."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """With two clients, the administrator ada and the operator otto."""
    server = ServerProcess("--auth", home=tmp_path_factory.mktemp("server"))
    add_user(server, "ada", "admin")
    add_user(server, "otto", "operator")
    with Fleet() as fleet:
        Clients(fleet, server, tmp_path_factory.mktemp("data")).start(*PAIR)
        yield server
    server.end()


@pytest.fixture
def api(server: ServerProcess) -> Iterator[Api]:
    with Api(server.url) as api, administrator(server) as admin:
        api.http.headers["Authorization"] = admin.headers["Authorization"]
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")
        yield api
        api.end_all_runs()


@pytest.fixture
def readers(browser: Browser, server: ServerProcess) -> Iterator[tuple[Page, Page]]:
    """The pages of ada and of otto, in browsers that have nothing in common."""
    failures: list[str] = []
    with ExitStack() as closing:
        pages = []
        for name in ("ada", "otto"):
            context = browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
            closing.callback(context.close)
            page = context.new_page()
            page.on("pageerror", lambda error: failures.append(str(error)))
            log_in(page, server, name)
            pages.append(page)
        yield pages[0], pages[1]
    assert failures == []


def expect_state(page: Page, state: str, timeout_ms: float = SLOW_MS) -> None:
    shown = page.get_by_test_id("run-state")
    expect(shown).to_have_attribute("data-state", state, timeout=timeout_ms)


def shown(page: Page) -> dict[str, str | None]:
    """What stands on the page of a run that stands still."""
    chart = page.get_by_test_id("chart-accuracy")
    return {
        "run": page.get_by_test_id("run-id").text_content(),
        "situation": page.get_by_test_id("run-situation").text_content(),
        "round": page.get_by_test_id("round").text_content(),
        "accuracy": page.get_by_test_id("run-accuracy").text_content(),
        "points": chart.get_attribute("data-points"),
        "latest": chart.get_attribute("data-latest"),
    }


def test_what_one_does_both_see(readers: tuple[Page, Page], api: Api) -> None:
    ada, otto = readers
    run = api.start(**LONG)["id"]
    for page in readers:
        expect_state(page, "running")
        wait_for_points(page, "accuracy", 2)

    ada.get_by_test_id("pause").click()

    expect_state(ada, "paused")
    expect_state(otto, "paused", SOON_MS)
    for page in readers:
        wait_for_points(page, "accuracy", sum(each["complete"] for each in api.rounds(run)))
        expect(page.get_by_test_id("run-situation")).to_contain_text("by request")
    assert shown(ada) == shown(otto)
    assert shown(ada)["run"] == run

    otto.get_by_test_id("resume").click()
    expect_state(otto, "running")
    expect_state(ada, "running", SOON_MS)
    otto.get_by_test_id("pause").click()
    expect_state(otto, "paused")
    expect_state(ada, "paused", SOON_MS)


def test_each_looks_at_it_in_his_own_way(readers: tuple[Page, Page], api: Api) -> None:
    ada, otto = readers
    api.start(**LONG)
    for page in readers:
        wait_for_points(page, "accuracy", 2)

    ada.get_by_test_id("events-error").click()
    ada.get_by_test_id("y-zero").click()
    otto.get_by_test_id("events-warning").click()
    otto.get_by_test_id("x-elapsed").click()
    ada.get_by_test_id("pause").click()
    expect_state(otto, "paused")
    otto.reload()

    expect_state(otto, "paused")
    for page, pressed, not_pressed in (
        (ada, ("events-error", "y-zero", "x-round"), ("events-warning", "x-elapsed")),
        (otto, ("events-warning", "x-elapsed", "y-fit"), ("events-error", "y-zero")),
    ):
        for name in pressed:
            expect(page.get_by_test_id(name)).to_have_attribute("aria-pressed", "true")
        for name in not_pressed:
            expect(page.get_by_test_id(name)).to_have_attribute("aria-pressed", "false")


def test_who_may_only_look_sees_the_same_and_has_no_buttons(
    readers: tuple[Page, Page], server: ServerProcess, api: Api
) -> None:
    ada, otto = readers
    api.start(**LONG)
    for page in readers:
        expect(page.get_by_test_id("pause")).to_be_visible(timeout=SLOW_MS)
        wait_for_points(page, "accuracy", 2)

    with administrator(server) as admin:
        admin.patch("/api/v1/users/otto", json={"role": "viewer"}).raise_for_status()

    for name in ("pause", "stop", "new-run"):
        expect(otto.get_by_test_id(name)).to_have_count(0)
        expect(ada.get_by_test_id(name)).to_be_visible()
    ada.get_by_test_id("pause").click()
    expect_state(ada, "paused")
    expect_state(otto, "paused", SOON_MS)
    expect(otto.get_by_test_id("resume")).to_have_count(0)
    assert shown(ada) == shown(otto)
