"""The live page says who holds up the round, and what can be done about it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.demo.fleet import Fleet
from tests.conftest import Clients, StartServer
from tests.e2e.test_page import SLOW_MS, TRIO, open_page
from tests.e2e.test_page_engine import client_row
from tests.support.api import Api
from tests.support.processes import ServerProcess

SLOW = {"num_rounds": 10_000, "min_clients": 2, "min_replies": 2, "num_partitions": 3, "batch_size": 8}
MANY = [f"client-{number}" for number in range(1, 15)]


class Crew:
    """A server with clients that can be stopped."""

    def __init__(self, server: ServerProcess, clients: Clients) -> None:
        self.server = server
        self.clients = clients
        self.api = Api(server.url)


@pytest.fixture(scope="module")
def shared_crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    with Fleet() as fleet:
        clients = Clients(fleet, server, tmp_path_factory.mktemp("data"))
        clients.start(*TRIO)
        crew = Crew(server, clients)
        yield crew
        crew.api.close()
    server.end()


@pytest.fixture
def crew(shared_crew: Crew) -> Iterator[Crew]:
    for client_id in TRIO:
        shared_crew.api.wait_for_client(client_id, "idle")
    yield shared_crew
    shared_crew.api.end_all_runs()


def picture(page: Page, name: str, tmp_path: Path) -> None:
    """What the page looks like in both themes, for whoever looks at the pictures."""
    folder = Path(os.environ.get("FEDLOOM_SCREENSHOT_DIR") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=folder / f"{name}-{scheme}.png")


def test_a_round_goes_on_without_a_client_that_holds_it_up(page: Page, crew: Crew, tmp_path: Path) -> None:
    open_page(page, crew.server)
    run = crew.api.start(**SLOW, local_epochs=5)
    crew.api.wait_for_round(run["id"], 3)  # of three times one may be unusual: the first, on a busy machine
    with crew.clients.slowed("client-3"):
        said = page.get_by_test_id("run-situation")
        expect(said).to_contain_text(
            re.compile(r"Round \d+: training 2 of 3, waiting for client-3 \(\d+ s, usually .+ s\)"),
            timeout=SLOW_MS,
        )
        expect(page.get_by_test_id("client-row").first).to_have_attribute("data-client", "client-3")
        expect(client_row(page, "client-1")).to_have_attribute("data-role", "delivered")
        expect(client_row(page, "client-1")).to_contain_text(re.compile(r"delivered.*in \d+(\.\d)? s"))
        picture(page, "live-held-up", tmp_path)
        held_up = crew.api.run(run["id"])["round"]

        page.get_by_test_id("go-on").click()

        crew.api.wait_for_round(run["id"], held_up)
        expect(page.locator(f"[data-testid=round-row][data-round='{held_up}']")).to_contain_text(
            "aggregated from 2 of 3 clients, without client-3", timeout=SLOW_MS
        )
    page.goto(f"http://localhost:{crew.server.port}/?role=lost&events=error")
    expect(page.get_by_test_id("role-lost")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("no-such-client")).to_have_text(re.compile("No client is lost now"))
    expect(page.get_by_test_id("events-error")).to_have_attribute("aria-pressed", "true")


def test_on_a_phone_who_holds_it_up_and_accuracy_come_before_the_clients(
    page: Page, crew: Crew, tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, crew.server)
    run = crew.api.start(**SLOW, local_epochs=1)
    crew.api.wait_for_round(run["id"], 1)

    parts = [page.get_by_test_id(name) for name in ("run-situation", "chart-accuracy", "clients", "events")]

    for part in parts:
        expect(part).to_be_attached()
    tops = [box["y"] for part in parts if (box := part.bounding_box())]
    assert tops == sorted(tops)
    assert len(tops) == len(parts)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "live-phone", tmp_path)

    page.set_viewport_size({"width": 1280, "height": 720})

    assert page.evaluate("document.documentElement.scrollHeight") <= 720
    bar, curves = (page.get_by_test_id(name).bounding_box() for name in ("run-bar", "chart-accuracy"))
    assert bar is not None
    assert curves is not None
    assert bar["y"] < curves["y"]
    picture(page, "live-small", tmp_path)


def test_a_page_whose_server_was_killed_greys_out_and_says_how_old_it_is(
    page: Page, start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    with Fleet() as fleet:
        Clients(fleet, server, tmp_path).start(*TRIO[:2])
        open_page(page, server)
        api = Api(server.url)
        run = api.start(num_rounds=10_000, min_clients=2, local_epochs=5)
        api.wait_for_round(run["id"], 1)
        api.close()
        expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "running")

        server.process.kill()
        server.process.wait()

        expect(page.locator("main")).to_have_attribute("data-stale", "true", timeout=SLOW_MS)
        expect(page.get_by_test_id("stale")).to_have_text(
            re.compile(r"as of \d\d:\d\d:\d\d( [ap]m)?, \d:\d\d old:")
        )
        assert "grayscale(1)" in page.locator("main").evaluate("main => getComputedStyle(main).filter")


def test_from_thirteen_clients_on_each_has_one_line(
    page: Page, start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server()
    with Fleet() as fleet:
        Clients(fleet, server, tmp_path).start(*MANY)
        api = Api(server.url)
        for client_id in MANY:
            api.wait_for_client(client_id, "idle", timeout_s=120.0)
        open_page(page, server)
        api.start(num_rounds=10_000, min_clients=len(MANY))
        rows = page.get_by_test_id("client-row")
        expect(rows).to_have_count(len(MANY))
        assert {round(box["height"]) for row in rows.all() if (box := row.bounding_box())} == {24}
        expect(page.get_by_test_id("role-delivered")).to_be_visible()
        picture(page, "live-many", tmp_path)
        api.end_all_runs()
        api.close()
