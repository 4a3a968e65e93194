"""A deployment in which a run goes on and on, and what pages of it must have been sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from tests.support.api import Api, Json
from tests.support.dashboards import (
    Dashboard,
    Deployment,
    but_of_the_audit_log,
    has_audit_log,
    newest_of_each,
)
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until

QUIET_S = 1.0


@dataclass
class Site:
    """A deployment in which a run goes on and on."""

    deployment: Deployment
    postgres: PostgresServer
    redis: RedisServer
    run_id: str

    @property
    def dashboards(self) -> list[Dashboard]:
        return self.deployment.dashboards

    def api(self) -> Api:
        return self.deployment.api()

    def wait_for_rounds(self, count: int) -> None:
        """Until so many more rounds are complete."""
        with self.api() as api:
            until = api.run(self.run_id)["round"] + count
            wait_until(lambda: api.run(self.run_id)["round"] >= until, f"round {until} is complete", 90.0)

    def happened(self, since: int) -> list[Json]:
        """All events after a number; the run stands still while they are compared with what pages have."""
        with self.api() as api:
            wait_until(lambda: api.run(self.run_id)["state"] == "running", "the run goes on")
            api.command(self.run_id, "pause")
            seen: list[tuple[int, float]] = []

            def is_quiet() -> bool:
                newest = api.get("/status")["seq"]
                if not seen or seen[-1][0] != newest:
                    seen.append((newest, time.monotonic()))
                return time.monotonic() - seen[-1][1] > QUIET_S

            wait_until(is_quiet, "nothing more happens")
            events: list[Json] = api.get("/events", since=since)["events"]
            return events

    def go_on(self) -> None:
        with self.api() as api:
            api.command(self.run_id, "resume")


def require_all_seen(events: list[Json], since: int, happened: list[Json]) -> None:
    """That what a page was sent comes to the same as all that happened after a number, each of it once."""
    up_to = happened[-1]["seq"]

    def of(what: list[Json]) -> list[Json]:
        kept = [event for event in what if since < event["seq"] <= up_to]
        return but_of_the_audit_log(newest_of_each(kept))

    seen, told = of(events), of(happened)
    assert [event for event in told if event not in seen] == []
    assert [event for event in seen if event not in told] == []
    assert has_audit_log(events, happened)
    sent = [event["seq"] for event in events]
    assert [number for before, number in pairwise(sent) if number <= before] == []


@contextmanager
def something_happens(site: Site) -> Iterator[None]:
    """Runs come and go while that of the site stands still, so that the machine has time for the pages."""
    over = threading.Event()

    def go_on() -> None:
        with site.api() as api:
            while not over.wait(0.1):
                api.stop(api.start()["id"])

    with site.api() as api:
        wait_until(lambda: api.run(site.run_id)["state"] == "running", "the run goes on")
        api.command(site.run_id, "pause")
        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            api.command(site.run_id, "resume")
