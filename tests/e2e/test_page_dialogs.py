"""Every dialog and menu of the page is opened in both themes, and axe finds nothing wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from app.demo.fleet import Fleet
from client.settings import MeshOptions
from tests.conftest import Clients
from tests.support.axe import violations
from tests.support.people import PASSWORD, add_user, administrator
from tests.support.processes import ROOT, ServerProcess
from tests.support.waiting import wait_until

SOURCE = ROOT / "app" / "frontend" / "src"
OPENS = re.compile(r"<(?:Asked|Modal|Menu|Popover|ConfirmDialog|Select|MultiSelect)\b")
CREW = ["client-1", "client-2", "client-3"]
PEER = "[data-testid=peer-row][data-peer=client-2] button"
SLOW_MS = 90_000


@dataclass(frozen=True)
class Opened:
    """By pressing, in turn, test ids or selectors. `source`: the file of the page that has it."""

    source: str
    address: str
    presses: tuple[str, ...]


OPENED = {
    "user menu": Opened("users/UserMenu.tsx", "/", ("user-menu",)),
    "users and tokens": Opened("users/UsersDialog.tsx", "/", ("user-menu", "open-users")),
    "password": Opened("users/PasswordDialog.tsx", "/", ("user-menu", "open-password")),
    "stop": Opened("runs/RunCommands.tsx", "/", ("stop",)),
    "restart of a lost client": Opened("runs/Holdups.tsx", "/", ("start-lost",)),
    "chart as a file": Opened("charts/ExportMenu.tsx", "/", ("save-accuracy",)),
    "metric of a chart": Opened("charts/MetricSelect.tsx", "/", ("metric-loss",)),
    "what a word means": Opened("ui/Explanation.tsx", "/trust", ("[data-testid=audit-summary] button",)),
    "invite": Opened("enrolment/InviteDialog.tsx", "/clients", ("invite",)),
    "invitation": Opened("enrolment/InviteDialog.tsx", "/clients", ("invite", "invite-submit")),
    "revoke": Opened("enrolment/ClientKey.tsx", "/clients/client-2", ("revoke",)),
    "run of the log": Opened("logs/RunSelect.tsx", "/logs", ("log-run",)),
    "client of the log": Opened("logs/LogControls.tsx", "/logs", ("log-client",)),
    "columns": Opened("runs/list/Filters.tsx", "/runs", ("columns",)),
    "states": Opened("runs/list/Filters.tsx", "/runs", ("filter-state",)),
    "delete": Opened("runs/list/SelectedRuns.tsx", "/runs", ("select-run", "delete-runs")),
    "peer": Opened("network/PeerDialog.tsx", "/network", (PEER,)),
    "block": Opened("network/BlockPeer.tsx", "/network", (PEER, "mesh-block")),
    "unblock": Opened("network/BlockPeer.tsx", "/network", ("mesh-unblock",)),
    "invite into the mesh": Opened("network/AddToMesh.tsx", "/network", ("mesh-add",)),
}

ELSEWHERE = {
    "notices/NoticesItem.tsx": "in the user menu",
    "ui/Asked.tsx": "all that ask before something is lost have it",
    "ui/ConfirmDialog.tsx": "all that ask before something is lost have it",
    "field/PeerActions.tsx": "a client's own page: tests/e2e/test_page_network.py",
    "field/InviteNode.tsx": "a client's own page: tests/e2e/test_page_network.py",
    "field/JoinNode.tsx": "a client's own page: tests/e2e/test_page_joining.py",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """With a paused run whose third client is lost, and one that is kept out of the mesh."""
    server = ServerProcess("--auth", home=tmp_path_factory.mktemp("server"))
    add_user(server, "ada", "admin")
    with Fleet() as fleet, closing(administrator(server)) as admin:
        clients = Clients(fleet, server, tmp_path_factory.mktemp("data"))
        clients.start(*CREW, mesh=MeshOptions())

        def states() -> dict[str, str]:
            return {each["id"]: each["state"] for each in admin.get("/api/v1/clients").json()["clients"]}

        wait_until(lambda: [*states().values()].count("idle") == 3, "all clients are there", 90.0)
        spec = {"num_rounds": 10_000, "min_clients": 3, "model": "linear"}
        run = admin.post("/api/v1/runs", json=spec).raise_for_status().json()["id"]
        wait_until(lambda: admin.get(f"/api/v1/runs/{run}").json()["round"] >= 2, "two rounds are done", 90.0)
        admin.post(f"/api/v1/runs/{run}/pause").raise_for_status()
        clients.kill("client-3")
        wait_until(lambda: states()["client-3"] == "lost", "client-3 is lost")
        known = admin.get("/api/v1/clients").json()["clients"]
        kept_out = next(each["key"] for each in known if each["id"] == "client-1")
        admin.post("/api/v1/mesh/block", json={"key": kept_out, "reason": "stolen"}).raise_for_status()
        yield server
    server.end()


@pytest.fixture(scope="module")
def ada(browser: Browser, server: ServerProcess) -> Iterator[Page]:
    """The page of an administrator who has logged in."""
    page = browser.new_page(
        viewport={"width": 1280, "height": 720}, color_scheme="light", reduced_motion="reduce"
    )
    page.goto(f"http://localhost:{server.port}/")
    page.get_by_label("name").fill("ada")
    page.get_by_label("password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")
    yield page
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", OPENED)
def test_it_shuts_nobody_out(ada: Page, server: ServerProcess, name: str, scheme: str) -> None:
    opened = OPENED[name]
    ada.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    ada.goto(f"http://localhost:{server.port}{opened.address}")
    for press in opened.presses:
        target = ada.locator(press) if press.startswith("[") else ada.get_by_test_id(press)
        target.first.click(timeout=SLOW_MS)

    shown = ada.locator("[role=dialog], [role=menu], [role=listbox]").filter(visible=True)
    expect(shown.first).to_be_visible()
    ada.wait_for_function("() => document.getAnimations().length === 0")
    assert violations(ada) == []


def test_nothing_of_the_page_that_opens_is_left_out() -> None:
    found = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.tsx")
        if not path.name.endswith(".test.tsx") and OPENS.search(path.read_text(encoding="utf-8"))
    }

    assert found == {each.source for each in OPENED.values()} | ELSEWHERE.keys()
