"""The page in Chromium, against a real server and real clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from app.demo.fleet import Fleet
from tests.conftest import Clients, StartServer
from tests.support.api import Api
from tests.support.module_servers import api_of_server
from tests.support.processes import ServerProcess

TRIO = ["client-1", "client-2", "client-3"]
SLOW_MS = 90_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with three clients that hold digits."""
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    with Fleet() as fleet:
        Clients(fleet, server, tmp_path_factory.mktemp("data")).start(*TRIO)
        api = Api(server.url)
        for client_id in TRIO:
            api.wait_for_client(client_id, "idle")
        yield server
        api.close()
    server.end()


api = api_of_server()


def open_page(page: Page, server: ServerProcess, at: str = "/") -> None:
    """Open the page at this address, and wait until it has what the server sends."""
    page.goto(f"http://localhost:{server.port}{at}")
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")


def start_with_form(page: Page, **values: str) -> None:
    """Open the form, fill in the fields by their names, send it."""
    page.get_by_test_id("new-run").click()
    for name, value in values.items():
        field = page.locator(f"[name={name}]")
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    page.get_by_test_id("start-submit").click()


def points(page: Page, metric: str) -> int:
    return int(page.get_by_test_id(f"chart-{metric}").get_attribute("data-points") or 0)


def wait_for_points(page: Page, metric: str, least: int) -> None:
    page.wait_for_function(
        "([chart, least]) => Number(document.querySelector(chart)?.dataset.points) >= least",
        arg=[f"[data-testid=chart-{metric}][aria-busy=false]", least],
        timeout=SLOW_MS,
    )


def picture(page: Page, metric: str) -> str:
    """What is drawn in a chart, once all is that it is to show now."""
    canvas = page.locator(f"[data-testid=chart-{metric}][aria-busy=false] canvas").first
    drawn: str = canvas.evaluate("canvas => canvas.toDataURL()")
    return drawn


def test_a_run_is_started_watched_and_stopped(page: Page, server: ServerProcess, api: Api) -> None:
    open_page(page, server)
    for client_id in TRIO:
        expect(page.locator(f"[data-testid=client-row][data-client={client_id}]")).to_be_visible()

    start_with_form(
        page, dataset="digits", num_rounds="200", min_clients="3", local_epochs="20", lr="0.0003", seed="1"
    )

    state = page.get_by_test_id("run-state")
    expect(state).to_have_attribute("data-state", "running", timeout=SLOW_MS)
    expect(page.get_by_test_id("start-form")).to_be_hidden()
    drawn = {}
    for metric in ("accuracy", "loss"):
        wait_for_points(page, metric, 2)
        drawn[metric] = picture(page, metric)
    expect(page.locator("[data-testid=client-row][data-state=training]").first).to_be_visible()
    for metric in ("accuracy", "loss"):
        wait_for_points(page, metric, 5)
        assert picture(page, metric) != drawn[metric], f"the curve of the {metric} moves"
        assert page.get_by_test_id(f"chart-{metric}").get_attribute("data-clients") == "3"
    run = api.get("/runs")["runs"][0]
    assert run["spec"]["num_rounds"] == 200
    assert run["spec"]["seed"] == 1
    expect(page.get_by_test_id("run-id")).to_have_text(run["id"])
    expect(
        page.locator("[data-testid=round-row]", has_text="aggregated from 3 of 3 clients").first
    ).to_be_visible()

    page.get_by_test_id("stop").click()
    expect(page.get_by_test_id("stop-consequence")).to_be_visible()
    assert api.run(run["id"])["state"] == "running", "it asks first"
    page.get_by_test_id("stop-confirm").click()

    expect(state).to_have_attribute("data-state", "stopped")
    assert api.run(run["id"])["state"] == "stopped"
    assert points(page, "accuracy") == len(api.rounds(run["id"]))
    expect(page.locator("[data-testid=client-row][data-state=idle]")).to_have_count(3)


def test_a_run_that_waits_says_for_what(page: Page, server: ServerProcess, api: Api) -> None:
    open_page(page, server)

    start_with_form(page, dataset="synthetic", min_clients="2")

    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "waiting")
    expect(page.get_by_test_id("run-situation")).to_contain_text(
        "for 2 more clients (0 of 2): client-1 holds digits"
    )
    run = api.get("/runs")["runs"][0]
    expect(page.get_by_test_id("client-reason").first).to_have_text(
        f"holds digits, run {run['id']} trains on synthetic"
    )


def test_a_wrong_value_is_marked_in_the_form_and_nothing_starts(
    page: Page, server: ServerProcess, api: Api
) -> None:
    before = len(api.get("/runs")["runs"])
    open_page(page, server)

    start_with_form(page, lr="1000", num_rounds="3")

    expect(page.locator("[name=lr]")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_test_id("start-form")).to_be_visible()
    assert len(api.get("/runs")["runs"]) == before
    page.locator("[name=lr]").fill("0.05")
    page.get_by_test_id("start-submit").click()
    expect(page.get_by_test_id("start-form")).to_be_hidden()
    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "completed", timeout=SLOW_MS)


def test_a_page_that_is_opened_later_shows_the_same(page: Page, server: ServerProcess, api: Api) -> None:
    run = api.start(num_rounds=3, min_clients=3)
    api.wait_for_run(run["id"], "completed")

    open_page(page, server)

    expect(page.get_by_test_id("run-id")).to_have_text(run["id"])
    expect(page.get_by_test_id("chart-accuracy")).to_have_attribute("data-points", "4")
    latest = float(page.get_by_test_id("chart-accuracy").get_attribute("data-latest") or "nan")
    assert latest == pytest.approx(api.run(run["id"])["final"]["accuracy"])


def test_the_page_outlives_its_server(page: Page, start_server: StartServer) -> None:
    server = start_server()
    open_page(page, server)
    page.evaluate("window.notReloaded = true")
    connection = page.get_by_test_id("connection")

    server.end()

    expect(connection).to_contain_text("reconnecting")
    second = start_server(port=server.port, link_port=server.link_port)
    expect(connection).to_have_attribute("data-state", "connected", timeout=SLOW_MS)
    api = Api(second.url)
    run = api.start(min_clients=2)
    expect(page.get_by_test_id("run-id")).to_have_text(run["id"])
    expect(page.get_by_test_id("run-situation")).to_contain_text("for 2 more clients (0 of 2)")
    api.close()
    assert page.evaluate("window.notReloaded") is True


def test_the_page_shows_how_to_join_when_nobody_is_there(page: Page, start_server: StartServer) -> None:
    server = start_server()
    open_page(page, server)

    expect(page.get_by_test_id("no-clients")).to_be_visible()
    expect(page.get_by_test_id("join-command").first).to_contain_text(
        f"python run_client.py --client-id client-1 --dataset digits --server {server.link}"
    )


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 720), (1920, 1080)])
def test_the_page_fits_the_screen(page: Page, server: ServerProcess, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    open_page(page, server)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_test_id("new-run")).to_be_in_viewport()
    for name in ("live", "trust"):  # the first and the last
        expect(page.get_by_test_id(f"view-{name}")).to_be_in_viewport(ratio=1)


def test_the_api_page_can_be_read(page: Page, server: ServerProcess) -> None:
    page.goto(f"http://localhost:{server.port}/api/docs")

    expect(page.get_by_role("heading", name="Queue a run").first).to_be_visible(timeout=SLOW_MS)
