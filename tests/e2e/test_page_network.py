"""The mesh on the server's page, and on a client's own while its server is away, in Chromium."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.api import Api
from tests.support.axe import violations
from tests.support.processes import Command, ServerProcess
from tests.support.raw_link import RawClient
from tests.support.screen import FITS
from tests.support.shifts import WATCH_SHIFTS, expect_still
from tests.support.waiting import wait_until

TRIO = ("client-1", "client-2", "client-3")
LIMIT_S = 240.0
SLOW_MS = 90_000

SITES = ("university-hospital-north", "university-hospital-south", "clinic-1", "clinic-2")
WITHIN = """() => {
  const plot = document.querySelector("[data-testid=network-graph]").getBoundingClientRect();
  const nodes = [...document.querySelectorAll("[data-testid=network-node], [data-testid=network-server]")];
  const boxes = nodes.map(node => node.getBoundingClientRect());
  const outside = boxes.filter(({ left, right }) => left < plot.left || right > plot.right);
  const meet = boxes.filter((a, at) => boxes.slice(at + 1).some(b =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom));
  return [outside.length, meet.length];
}"""
"""How many nodes leave the plot, and how many lie over another."""


@pytest.fixture
def clients(server: ServerProcess, ending: ExitStack) -> Mapping[str, Command]:
    """Three in the mesh, each with a page of its own."""
    flags = ("--server", server.link, "--threads", "1", "--enable-mesh", "--mesh-after", "1", "--page")
    commands = {
        name: Command("run_client.py", "--client-id", name, *flags, home=server.home) for name in TRIO
    }
    for command in commands.values():
        ending.callback(command.end)
    with closing(Api(server.url)) as api:
        for name in TRIO:
            api.wait_for_client(name, "idle", timeout_s=LIMIT_S)
    return commands


LINKED = re.compile(r"^server \d+(\.\d)? m?s away, \d.* [kM]?B/s to it, \d.* [kM]?B/s from it$")


def expect_peer(page: Page, name: str, state: str) -> None:
    """Graph and table agree."""
    for part in ("network-node", "peer-row"):
        shown = page.locator(f"[data-testid={part}][data-peer={name}]")
        expect(shown).to_have_attribute("data-state", re.compile(state), timeout=SLOW_MS)


def latency_is_known(page: Page) -> None:
    """Of each link, with what goes over it."""
    for link in page.get_by_test_id("network-link").all():
        expect(link).to_have_text(re.compile(r"\d ms.* [kM]?B/s$"), timeout=SLOW_MS)


def test_the_servers_page_shows_who_is_there_and_who_is_gone(
    page: Page, server: ServerProcess, clients: Mapping[str, Command]
) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.add_init_script(WATCH_SHIFTS)
    page.goto(f"http://localhost:{server.port}/network")
    for name in TRIO:
        expect_peer(page, name, "online|rejoined")
    expect(page.get_by_test_id("network-words")).to_contain_text("3 links", timeout=SLOW_MS)
    latency_is_known(page)
    assert page.evaluate(FITS)
    assert violations(page) == []

    clients["client-3"].signal(signal.SIGKILL)

    expect_peer(page, "client-3", "offline")
    for name in TRIO[:2]:
        expect_peer(page, name, "online")
    expect(page.get_by_test_id("network-words")).to_have_text("2 online, 1 offline; 1 link")
    expect_still(page)

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_test_id("view-live").click()
    expect(page.get_by_test_id("ready-check")).to_be_visible()  # there is no run yet


def test_nodes_with_long_names_stay_within_the_plot_and_apart(
    page: Page, server: ServerProcess, ending: ExitStack
) -> None:
    for name in SITES:
        ending.enter_context(RawClient(server.home)).hello(name)
    page.goto(f"http://localhost:{server.port}/network")
    for width, height in ((1280, 720), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        expect(page.get_by_test_id("network-node")).to_have_count(len(SITES))
        wait_until(lambda: page.evaluate(WITHIN) == [0, 0], f"all stay within it, {width} pixels wide")


def test_a_client_shows_itself_while_its_server_is_away(
    page: Page, server: ServerProcess, clients: Mapping[str, Command]
) -> None:
    with closing(Api(server.url)) as api:
        run = api.start(num_rounds=10_000, min_clients=3, model="linear", dataset="digits", num_partitions=3)
        api.wait_for_round(run["id"], 1, LIMIT_S)
        wait_until(
            lambda: [node["mesh"]["online"] for node in api.get("/mesh")["nodes"]] == [2, 2, 2],
            "each has heard of the others from the server, and reaches them",
            LIMIT_S,
        )
    address = clients["client-1"].wait_for_output(r"http://localhost:\d+/\?token=\S+")[0]
    page.set_viewport_size({"width": 1280, "height": 720})
    page.add_init_script(WATCH_SHIFTS)

    page.goto(address.partition("?")[0])
    expect(page.get_by_role("alert")).to_contain_text("Open the address that the client has printed")
    page.goto(address)

    link = page.get_by_test_id("field-link")
    expect(link).to_have_text(LINKED, timeout=SLOW_MS)
    own = page.locator("[data-testid=peer-row][data-peer=client-1]").get_by_test_id("peer-server")
    expect(own).to_have_text(re.compile(r"^\d+(\.\d)? m?s\d.* [kM]?B/s$"))

    server.signal(signal.SIGKILL)
    clients["client-1"].wait_for_output("mesh round 2: averaged", LIMIT_S)

    expect(link).to_have_text(re.compile(r"^not linked since \d+:\d\d:\d\d"))
    expect(own).to_have_text("––")
    expect(page.get_by_test_id("field-situation")).to_contain_text(
        f"Learning on run {run['id']} with the others"
    )
    assert "token" not in page.url
    for name in TRIO:
        expect_peer(page, name, "online|rejoined")
    expect(page.get_by_test_id("network-server")).to_have_text("server, away")
    chart = page.get_by_test_id("mesh-chart-mesh-divergence")
    expect(chart).not_to_have_attribute("data-points", "0")
    assert page.evaluate(FITS)
    expect_still(page)
    assert violations(page) == []

    page.get_by_test_id("invite-node").click()
    expect(page.get_by_test_id("invitation-withdraw")).to_be_visible()
    assert violations(page) == []
    page.get_by_test_id("invitation-withdraw").click()
    expect(page.get_by_role("dialog")).to_be_hidden()

    page.get_by_role("button", name="client-2", exact=True).click()
    page.get_by_test_id("peer-block").click()
    expect(page.get_by_test_id("peer-block-consequence")).to_contain_text("neither models nor files")
    assert violations(page) == []
    page.get_by_test_id("peer-block-confirm").click()
    expect(page.get_by_test_id("mesh-blocked")).to_contain_text("client-2")
    expect(page.locator("[data-testid=peer-row][data-peer=client-2]")).to_have_count(0)
    page.get_by_test_id("peer-unblock").click()
    page.get_by_test_id("peer-unblock-confirm").click()
    expect(page.get_by_test_id("mesh-blocked")).to_have_count(0)
    expect_peer(page, "client-2", "online|rejoined")

    clients["client-1"].signal(signal.SIGKILL)

    expect(page.get_by_role("alert")).to_contain_text("What is shown is from before.")


def test_the_server_vouches_for_a_client_no_more_and_again(
    page: Page, server: ServerProcess, clients: Mapping[str, Command]
) -> None:
    page.goto(f"http://localhost:{server.port}/network")
    for name in TRIO:
        expect_peer(page, name, "online|rejoined")

    page.get_by_role("button", name="client-3", exact=True).click()
    page.get_by_test_id("mesh-block").click()
    page.get_by_label("Why").fill("its laptop was stolen")
    assert violations(page) == []
    page.get_by_test_id("mesh-block-confirm").click()

    expect(page.get_by_test_id("mesh-blocked")).to_contain_text("client-3 by the server")
    expect(page.get_by_test_id("mesh-blocked")).to_contain_text("its laptop was stolen")
    expect_peer(page, "client-3", "blocked")
    expect(page.get_by_test_id("network-words")).to_have_text("2 online, 1 blocked; 1 link")

    page.get_by_test_id("mesh-unblock").click()
    page.get_by_test_id("mesh-unblock-confirm").click()

    expect(page.get_by_test_id("mesh-blocked")).to_have_count(0)
    for name in TRIO:
        expect_peer(page, name, "online|rejoined")
    with closing(Api(server.url)) as api:
        wait_until(lambda: len(mesh_entries(api)) >= 2, "both are entered in the audit log")
        assert mesh_entries(api) == [("mesh-unblocked", "client-3"), ("mesh-blocked", "client-3")]


def mesh_entries(api: Api) -> list[tuple[str, str]]:
    """What was done in the mesh and to whom, the newest first."""
    entries = api.get("/audit/entries", limit=10)["entries"]
    return [(entry["kind"], entry["fields"]["client"]) for entry in entries if "mesh" in entry["kind"]]


def test_folders_and_an_invitation(
    page: Page, server: ServerProcess, clients: Mapping[str, Command], tmp_path: Path
) -> None:
    for name in TRIO[:2]:
        (tmp_path / f"{name}-reports").mkdir()
        sync = ("sync", "--name", name, "add", str(tmp_path / f"{name}-reports"), "--id", "reports")
        assert Command("-m mesh", *sync, home=server.home).wait_for_exit(60) == 0
    (tmp_path / "client-1-reports" / "today.txt").write_text("rain")

    page.goto(f"http://localhost:{server.port}/network")

    for name in TRIO[:2]:
        row = page.locator(f"[data-testid=folder][data-client={name}]")
        expect(row).to_have_attribute("data-state", "in sync", timeout=SLOW_MS)
        expect(row).to_contain_text("1 file, 4 B", timeout=SLOW_MS)
        expect(row).to_contain_text("1 of 2", timeout=SLOW_MS)

    page.get_by_test_id("mesh-add").click()
    page.get_by_test_id("invite-submit").click()
    expect(page.get_by_test_id("invitation-command")).to_contain_text("--enable-mesh")
    expect(page.get_by_role("img", name="the invitation as QR code")).to_be_visible()
    expect(page.get_by_test_id("invitation")).to_have_attribute("data-state", "open")
    assert violations(page) == []
    page.get_by_role("button", name=re.compile("^Revoke the invitation")).click()
    expect(page.get_by_test_id("invitation")).to_have_attribute("data-state", "revoked")
