"""The pictures of docs/tour.md, and README's: `python -m tests.pictures.tour`, in the repository's folder.

With a folder as argument they go there, each also in the dark theme and on a phone, for whoever looks.
"""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

from playwright.sync_api import expect

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.pictures.album import FOLDER, LIMIT_MS, LIMIT_S, Album, opened_page
from tests.support.api import Api
from tests.support.documents import commands
from tests.support.processes import ServerProcess

SERVER, CLIENT = commands("docs/tour.md")
CREW = [f"client-{number}" for number in range(1, 5)]
SLOW = "client-3"
LIVE = {"num_rounds": 100, "min_clients": 4, "local_epochs": 2, "batch_size": 8, "lr": 0.003, "seed": 3}


def main(folder: str | None = None) -> int:
    """Make all. Needs Chromium and the built page."""
    with tempfile.TemporaryDirectory() as home, opened_page() as page:
        album = Album(page, FOLDER if folder is None else Path(folder), looks=folder is not None)
        take_tour(album, Path(home))
    return 0


def take_tour(album: Album, home: Path) -> None:
    """From an empty server to a run that a client holds up. `home`: an empty folder for the server."""
    with ExitStack() as ending:
        server = ServerProcess(*shlex.split(SERVER)[2:], home=home)
        ending.callback(server.end)
        tour = _Tour(album, server, Clients(ending.enter_context(Fleet()), server, home / "data"))
        ending.enter_context(closing(tour.api))
        tour.ready_check()
        run = tour.new_run()
        other = tour.another_like(run)
        tour.data(run)
        tour.compare(run, other)
        tour.live()


class _Tour:
    def __init__(self, album: Album, server: ServerProcess, clients: Clients) -> None:
        self.album = album
        self.page = album.page
        self.api = Api(server.url)
        self._clients = clients
        self._url = f"http://localhost:{server.port}"

    def ready_check(self) -> None:
        self._join(*CREW[:2])
        self._open("/")
        expect(self.page.get_by_test_id("ready-clients")).to_contain_text("2 of 4", timeout=LIMIT_MS)
        self.album.take("tour-ready.png")
        self._join(*CREW[2:])

    def new_run(self) -> str:
        """Started with the form; its id, once it is complete."""
        page = self.page
        page.get_by_test_id("new-run").click()
        page.get_by_role("button", name="Unequal data").click()
        page.get_by_label("Min. clients").fill("4")
        expect(page.get_by_test_id("preview-labels")).to_be_visible(timeout=LIMIT_MS)
        self.album.take("tour-new-run.png")
        page.get_by_test_id("start-submit").click()
        expect(page.get_by_test_id("run-state")).to_have_attribute(
            "data-state", re.compile("running|completed"), timeout=LIMIT_MS
        )
        return self._done(self.api.get("/runs")["runs"][0]["id"], "usual steps")

    def another_like(self, run: str) -> str:
        """With a smaller learning rate."""
        spec = self.api.run(run)["spec"]
        return self._done(self.api.start(**{**spec, "lr": spec["lr"] / 10})["id"], "small steps")

    def data(self, run: str) -> None:
        self._open(f"/runs/{run}/data?view=labels")
        expect(self.page.get_by_test_id("unusual")).to_contain_text("most of all", timeout=LIMIT_MS)
        self.album.take("tour-data.png")

    def compare(self, *runs: str) -> None:
        page = self.page
        self._open("/runs")
        for run in runs:
            page.locator(f"[data-run='{run}']").get_by_test_id("select-run").check()
        page.get_by_test_id("compare").click()
        expect(page.get_by_test_id("compare-chart")).to_have_attribute("data-lines", "2", timeout=LIMIT_MS)
        self.album.take("tour-compare.png")

    def live(self) -> None:
        """A run as it goes, and as a client holds it up."""
        run = self.api.start(**LIVE)["id"]
        self._open("/")
        self.api.wait_for_round(run, 12, LIMIT_S)
        self._drawn(13)
        self.album.take("live.png")
        with self._clients.slowed(SLOW):
            waits = re.compile(rf"3 of 4, waiting for {SLOW} \(\d+ s, usually .+? s\)")
            self.album.take_showing("tour-held-up.png", waits)
        self.api.end_all_runs()

    def _join(self, *client_ids: str) -> None:
        self._clients.start(*client_ids)
        for client_id in client_ids:
            self.api.wait_for_client(client_id, "idle", timeout_s=LIMIT_S)

    def _open(self, address: str) -> None:
        self.page.goto(self._url + address)
        expect(self.page.get_by_test_id("connection")).to_have_attribute("data-state", "connected")

    def _done(self, run: str, name: str) -> str:
        self.api.wait_for_run(run, "completed", timeout_s=LIMIT_S)
        self.api.http.patch(f"/api/v1/runs/{run}", json={"name": name}).raise_for_status()
        return run

    def _drawn(self, points: int) -> None:
        self.page.wait_for_function(
            "([chart, least]) => Number(document.querySelector(chart)?.dataset.points) >= least",
            arg=["[data-testid=chart-accuracy][aria-busy=false]", points],
            timeout=LIMIT_MS,
        )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
