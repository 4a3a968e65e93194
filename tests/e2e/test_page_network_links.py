"""On the page's Network: how far clients are from the server, and what was refused in the mesh."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from mesh.trust.folder import folder_of
from shared.proto.link_pb2 import Heartbeat
from tests.support.api import Api
from tests.support.axe import violations
from tests.support.forger import Forger
from tests.support.processes import Command, ServerProcess
from tests.support.raw_link import RawClient
from tests.support.screen import FITS
from tests.support.shifts import WATCH_SHIFTS, expect_still
from tests.support.waiting import wait_until

LIMIT_S = 240.0
SLOW_MS = 90_000
MEASURED = re.compile(r"^\d+(\.\d)? m?s\d.* [kM]?B/s$")

CUT = """() => [...document.querySelectorAll("[data-testid=peer-row] > [role=cell]")]
  .filter(cell => ["hops", "mesh", "server", "links", "refused"].includes(cell.dataset.label))
  .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1).length"""
"""How many numbers of the table do not fit into their cells."""

StartClient = Callable[..., Command]


@pytest.fixture
def start_client(server: ServerProcess, ending: ExitStack) -> StartClient:
    """Start a client and wait until the server has it."""

    def start(name: str, *flags: str) -> Command:
        client = Command(
            "run_client.py", "--client-id", name, "--server", server.link, "--threads", "1", *flags,
            home=server.home,
        )  # fmt: skip
        ending.callback(client.end)
        with closing(Api(server.url)) as api:
            api.wait_for_client(name, "idle", timeout_s=LIMIT_S)
        return client

    return start


def row(page: Page, name: str) -> Locator:
    return page.locator(f"[data-testid=peer-row][data-peer='{name}']")


def test_how_far_clients_are_and_what_their_links_carry(
    page: Page, server: ServerProcess, start_client: StartClient, ending: ExitStack
) -> None:
    start_client("client-1")
    start_client("client-2")
    page.set_viewport_size({"width": 1280, "height": 720})
    page.add_init_script(WATCH_SHIFTS)

    page.goto(f"http://localhost:{server.port}/network")

    for name in ("client-1", "client-2"):
        expect(row(page, name).get_by_test_id("peer-server")).to_have_text(MEASURED, timeout=SLOW_MS)
        label = page.locator(f"[data-testid=network-server-link][data-peer={name}]")
        expect(label).to_have_text(MEASURED)
    older = ending.enter_context(RawClient(server.home))
    older.hello("client-3")
    older.send(heartbeat=Heartbeat())
    of_older = row(page, "client-3").get_by_test_id("peer-server")
    expect(of_older.get_by_label("FedLoom is an older one")).to_have_count(1)
    with closing(Api(server.url)) as api:
        links = {link["client"]: link for link in api.get("/links")["links"]}
        assert list(links) == ["client-1", "client-2", "client-3"]
        assert 0 < links["client-1"]["latency_s"] < 60
        assert links["client-3"]["latency_s"] is None
        assert not links["client-3"]["measures"]
        run = api.start(num_rounds=10_000, min_clients=2, model="linear", dataset="digits", num_partitions=2)
        expect(row(page, "client-1").get_by_test_id("peer-server")).to_have_text(
            re.compile(r"[kM]B/s$"), timeout=SLOW_MS
        )
        api.stop(run["id"])
    assert page.evaluate(FITS)
    assert page.evaluate(CUT) == 0
    expect_still(page)
    assert violations(page) == []

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
    expect(row(page, "client-1").get_by_test_id("peer-server")).to_be_visible()
    assert violations(page) == []


def test_a_page_that_comes_later_knows_all_links_and_forgets_those_that_are_gone(
    page: Page, server: ServerProcess, start_client: StartClient
) -> None:
    client = start_client("client-1")
    start_client("client-2")
    with closing(Api(server.url)) as api:
        wait_until(
            lambda: all(link["latency_s"] is not None for link in api.get("/links")["links"]),
            "both are measured",
        )

    page.goto(f"http://localhost:{server.port}/")
    page.get_by_test_id("view-network").click()

    for name in ("client-1", "client-2"):
        expect(row(page, name).get_by_test_id("peer-server")).to_have_text(MEASURED)
    client.end()
    expect(row(page, "client-1").get_by_test_id("peer-server")).to_have_text("––")
    expect(page.get_by_test_id("network-server-link")).to_have_count(1)


def test_what_a_node_refuses_is_shown_at_the_server_and_at_the_node(
    page: Page, server: ServerProcess, start_client: StartClient, ending: ExitStack, tmp_path: Path
) -> None:
    client = start_client("client-1", "--enable-mesh", "--page")
    start_client("client-2", "--enable-mesh")
    mallory = Forger(folder_of(server.home, "client-1"), tmp_path / "mallory")
    forger = f"{str(mallory.key.public.id)[:7]}…"
    page.set_viewport_size({"width": 1280, "height": 720})
    page.add_init_script(WATCH_SHIFTS)
    page.goto(f"http://localhost:{server.port}/network")
    expect(row(page, "client-2")).to_have_attribute(
        "data-state", re.compile("online|rejoined"), timeout=SLOW_MS
    )

    ending.enter_context(mallory)

    refused = row(page, forger).get_by_test_id("peer-refused")
    expect(refused).to_have_text(re.compile(r"^\d+ of it$"), timeout=SLOW_MS)
    expect(row(page, "client-1").get_by_test_id("peer-refused")).to_have_text(re.compile(r"^\d+ by it$"))
    refused.get_by_role("button").focus()
    page.keyboard.press("Enter")
    said = page.get_by_text(re.compile(r"× a forged message: its signature is wrong \(refused by client-1\)"))
    expect(said).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    assert page.evaluate(FITS)
    assert page.evaluate(CUT) == 0
    expect_still(page)

    page.get_by_test_id("view-live").click()
    event = page.get_by_text(re.compile(r"^dropped what came from \S+: bad-signature, .*a forged message"))
    expect(event).to_have_count(1)

    with closing(Api(server.url)) as api:
        nodes = {node["id"]: node for node in api.get("/mesh")["nodes"]}
        of_forger = [
            each for each in nodes["client-1"]["now"]["refused"] if each["key"] == str(mallory.key.public.id)
        ]
        assert {each["reason"] for each in of_forger} == {"bad-signature"}
        metric = re.compile(r'fedloom_mesh_refusals_total\{client="client-1",reason="bad-signature"\} [1-9]')
        assert metric.search(api.http.get("/metrics").text)

    address = client.wait_for_output(r"http://localhost:\d+/\?token=\S+")[0]
    page.goto(address)
    expect(row(page, "mallory").get_by_test_id("peer-refused")).to_have_text(re.compile(r"^\d+ of it$"))
    page.get_by_role("button", name="mallory", exact=True).click()
    expect(page.get_by_test_id("peer-refusals")).to_contain_text("a forged message: its signature is wrong")
    assert violations(page) == []

    page.set_viewport_size({"width": 390, "height": 844})
    page.keyboard.press("Escape")
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
