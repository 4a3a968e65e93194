"""A thousand clients, simulated by Flower's engine on one machine: what docs/engines.md promises."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import psutil
import pytest
from playwright.sync_api import Page, expect

from bench.page import longest_lag
from bench.watched_page import WatchedPage, browser_page
from tests.support.api import Api, Json
from tests.support.processes import ServerProcess
from tests.support.tools import require

pytestmark = [pytest.mark.alone, pytest.mark.timeout(600)]

CLIENTS = 1_000
EVALUATE = 100
"""Of them, in each round."""
ROUNDS = 2
AT_ONCE = 2
"""Clients that work at the same time, on however many CPUs."""

MOST_BYTES = 3 << 30
"""docs/engines.md: with so many at once."""

SAID = """
window.said = new Set();
window.delivered = new Set();
const keep = (kept, name) => {
  const shown = document.querySelector(`[data-testid=${name}]`);
  if (shown !== null) kept.add(shown.textContent);
};
new MutationObserver(() => {
  keep(window.said, "run-situation");
  if (document.querySelector("[data-testid=client-tile]") !== null) keep(window.delivered, "role-delivered");
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
"""Run in the page before anything else: keeps what stands beside the run's state, and, where there are tiles,
how many clients have delivered."""


@dataclass
class Watched:
    """What a server and all that it has started take together, at most."""

    server: ServerProcess
    most: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.over.wait(0.5):
            self.most = max(self.most, sum(map(_bytes, self.server.family())))


def _bytes(process: psutil.Process) -> int:
    """Of its own; what it shares with others, such as libraries, is counted in parts."""
    with suppress(psutil.Error):
        return int(process.memory_full_info().pss)
    return 0


@contextmanager
def watched(server: ServerProcess) -> Iterator[Watched]:
    watched = Watched(server)
    thread = threading.Thread(target=watched.watch)
    thread.start()
    try:
        yield watched
    finally:
        watched.over.set()
        thread.join()


@dataclass(frozen=True)
class Done:
    """The run as the server has it, and what its reader saw on Live."""

    run: Json
    rounds: list[Json]
    most_bytes: int
    said: list[str]
    """Beside the state: how far it was, each once."""
    delivered: list[str]
    """Above the tiles: how many clients had delivered, each once."""
    page: Page
    failures: list[str]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    """A run of a thousand clients that really train, watched in Chromium from its start to its end."""
    require("chromium", why="the page is watched meanwhile")
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    failures: list[str] = []
    with closing(Api(server.url)) as api, watched(server) as memory, browser_page() as page:
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.add_init_script(SAID)
        reader = WatchedPage(page)
        reader.open(f"http://localhost:{server.port}/")
        reader.forget()
        run = api.start(
            engine="simulation",
            simulated_clients=CLIENTS,
            simulated_client_cpus=(os.cpu_count() or 1) / AT_ONCE,
            min_clients=CLIENTS,
            num_rounds=ROUNDS,
            fraction_evaluate=EVALUATE / CLIENTS,
            model="linear",
            alpha=None,
        )
        reader.wait_for_round(ROUNDS, 500.0)
        ended = api.wait_for_run(run["id"], "completed")
        rounds = api.rounds(run["id"])
        sys.stdout.write(
            f"longest task of the page: {reader.longest_task_ms():.0f} ms; "
            f"lag of a round: {longest_lag(rounds, reader.shown_at()):.2f} s\n"
        )
        said, delivered = (page.evaluate(f"[...window.{kept}]") for kept in ("said", "delivered"))
        yield Done(ended, rounds, memory.most, said, delivered, page, failures)
    server.end()


def test_a_thousand_clients_complete_their_rounds_within_a_laptops_memory(done: Done) -> None:
    assert len(done.run["clients"]) == CLIENTS
    assert [each["round"] for each in done.rounds] == list(range(ROUNDS + 1))
    assert all(each["complete"] for each in done.rounds)
    assert all(len(each["per_client"]) == CLIENTS for each in done.rounds[1:])
    assert 0 < done.most_bytes < MOST_BYTES, f"{done.most_bytes / 1e9:.2f} GB"


def test_live_shows_all_of_a_thousand_clients(done: Done) -> None:
    page = done.page
    far = [re.fullmatch(rf"Round \d+: training ([\d,]+) of {CLIENTS:,}", each) for each in done.said]
    seen = {int(each[1].replace(",", "")) for each in far if each is not None}
    assert len(seen) > 10, done.said
    assert max(seen) <= CLIENTS

    expect(page.get_by_test_id("run-state")).to_have_attribute("data-state", "completed")
    expect(page.get_by_test_id("chart-accuracy")).to_have_attribute("data-clients", str(EVALUATE))
    expect(page.locator(f"[data-testid=round-row][data-round='{ROUNDS}']")).to_contain_text(
        f"aggregated from {CLIENTS:,} of {CLIENTS:,} clients"
    )
    assert done.failures == []


def test_each_of_a_thousand_clients_has_a_tile_from_the_start(done: Done) -> None:
    page = done.page
    counts = {int(each.removesuffix(" delivered").replace(",", "")) for each in done.delivered}
    assert len(counts) > 10, "the tiles followed the round"
    assert max(counts) <= CLIENTS

    expect(page.get_by_test_id("run-client")).to_have_count(0)
    everybody = sorted(done.run["clients"], key=lambda name: int(name.rpartition("-")[2]))
    for place in (*range(0, CLIENTS, 50), CLIENTS - 1):
        page.get_by_test_id("clients").evaluate(
            "(box, part) => { box.scrollTop = part * (box.scrollHeight - box.clientHeight); }",
            place / (CLIENTS - 1),
        )
        name = everybody[place]
        expect(page.locator(f"[data-testid=client-tile][data-client='{name}']")).to_be_visible()

    expect(page.get_by_test_id("role-delivered")).to_have_text(f"{CLIENTS - EVALUATE} delivered")
    page.get_by_test_id("role-evaluated").click()
    tiles = page.get_by_test_id("client-tile")
    expect(tiles).to_have_count(EVALUATE)
    tiles.first.focus()
    named = page.get_by_test_id("client-named")
    expect(named).to_contain_text(re.compile(r"evaluated.* %"))
    before = named.inner_text()
    page.keyboard.press("ArrowRight")
    expect(named).not_to_have_text(before)
    page.get_by_test_id("role-evaluated").click()
    assert done.failures == []
