"""Every page in both themes, with something on it, shuts nobody out. Dialogs: test_page_dialogs.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.e2e.conftest import PAIR
from tests.e2e.test_page import open_page
from tests.support.api import Api
from tests.support.axe import violations_in_both_themes
from tests.support.processes import ServerProcess

OVER = {"num_rounds": 3, "min_clients": 2, "model": "linear", "alpha": 0.3}
LONG = {**OVER, "num_rounds": 10_000, "local_epochs": 5}
DRAWN = "[data-testid=chart-accuracy][aria-busy=false]:not([data-points='0'])"

SHOWS = {
    "/": DRAWN,
    "/?role=lost&events=error": "[data-testid=no-such-client]",
    "/runs": "[data-testid=run-row][data-state=completed]",
    "/runs?q=nothing": "[data-testid=search-runs]",
    "/runs/OVER/curves": DRAWN,
    "/runs/OVER/curves?round=2&clients=client-1": DRAWN,
    "/runs/OVER/clients": "[data-testid=run-client]",
    "/runs/OVER/data": "[data-testid=confusion]",
    "/runs/OVER/data?view=rounds": "[data-testid=class-rounds]",
    "/runs/OVER/events": "[data-testid=log-row], [data-testid=round-row]",
    "/runs/OVER/files": "[data-testid=checkpoint-row]",
    "/runs/none/curves": "[data-testid=no-such-run]",
    "/runs/OVER/nothing": "[data-testid=no-such-run]",
    "/runs/compare?ids=OVER,OTHER": "[data-testid=compare-chart][data-lines='2']",
    "/runs/compare": "text=No run is named in the address",
    "/clients": "[data-testid=client-row]",
    "/clients/client-1": "[data-testid=client-verdicts]",
    "/clients/nobody": "[data-testid=no-such-client]",
    "/data": "[data-testid=evaluation-round]",
    "/network": "[data-testid=network-node]",
    "/system": "[data-testid=system-row]",
    "/logs": "[data-testid=log-line]",
    "/trust": "[data-testid=audit-entry]",
    "/new": "[data-testid=preview]",
    "/nothing": "[data-testid=no-such-page]",
}
"""What is on the page at each address, once it is there. OVER and OTHER: runs that are complete."""


@dataclass(frozen=True)
class Lab:
    """A server with two clients at work, and what stands for OVER and OTHER."""

    server: ServerProcess
    over: str
    other: str

    def at(self, address: str) -> str:
        return address.replace("OVER", self.over).replace("OTHER", self.other)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    with Fleet() as fleet, closing(Api(server.url)) as api:
        Clients(fleet, server, tmp_path_factory.mktemp("data")).start(*PAIR)
        over, other = (
            api.wait_for_run(api.start(**OVER, lr=lr)["id"], "completed")["id"] for lr in (0.05, 0.01)
        )
        api.wait_for_round(api.start(**LONG)["id"], 2)
        yield Lab(server, over, other)
    server.end()


@pytest.mark.parametrize("address", SHOWS)
def test_a_page_shuts_nobody_out(page: Page, lab: Lab, address: str) -> None:
    open_page(page, lab.server, lab.at(address))
    expect(page.locator(SHOWS[address]).first).to_be_visible()

    assert violations_in_both_themes(page) == []
