"""A federation with its dashboards, each a process of its own, and pages that are open at them."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from socketio.exceptions import ConnectionError

from app.auth.page_key import PAGE_KEY
from shared.security.server_identity import KEYS
from tests.support.api import Api, Json
from tests.support.page import Page
from tests.support.processes import START_TIMEOUT_S, Command, ServerProcess
from tests.support.waiting import wait_until

READY = re.compile(r"The dashboard is ready at http://\S+:(\d+)/?\S* and shows")


class Dashboard(Command):
    """`run_server.py --role dashboard`."""

    def __init__(
        self,
        *flags: str,
        home: Path,
        federation: str,
        port: int = 0,
        address: str = "127.0.0.1",
        **options: Any,
    ) -> None:
        """`home`: the federation's, for the secret that both have. `address`: of this machine."""
        role = ("--role", "dashboard", "--federation", federation, "--host", address, "--port", str(port))
        super().__init__("run_server.py", *role, *flags, home=home, **options)
        said = int(self.wait_for_output(READY, START_TIMEOUT_S)[1])
        self.port = port or said  # with --public-url it tells that one's
        self.address = address

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"


class Deployment:
    """One federation and two dashboards, of which the second is on the other web server."""

    def __init__(self, home: Path, *flags: str) -> None:
        """`flags`: of the federation and of the dashboards, such as --redis."""
        self.home = home
        self.flags = flags
        self._own: tuple[str, ...] = ()
        self.dashboards: list[Dashboard] = []

    def start(self, *own: str) -> None:
        """`own`: further flags of the federation."""
        self.start_federation(*own)
        self.start_dashboard("--async-mode", "eventlet")
        self.start_dashboard("--async-mode", "threading")

    def start_federation(self, *own: str) -> None:
        """`own`: further flags of it."""
        self._own = own
        self.federation = ServerProcess("--role", "federation", *self.flags, *own, home=self.home)

    def start_dashboard(self, *flags: str, **where: Any) -> Dashboard:
        """One more, which shows what happens. `where`: port and address."""
        made = Dashboard(*self.flags, *flags, home=self.home, federation=self.federation.url, **where)
        self.dashboards.append(made)
        wait_until(lambda: self.is_let_in(made), "the dashboard shows the federation")
        return made

    def kill(self, process: Command) -> None:
        """SIGKILL, for a dashboard or the federation."""
        process.process.kill()
        process.process.wait()
        process.end()
        self.dashboards = [each for each in self.dashboards if each is not process]

    def is_let_in(self, dashboard: Dashboard) -> bool:
        """Whether whoever has the key can open the page there."""
        with Api(dashboard.url) as api:
            return '"ok"' in api.http.get("/healthz").text

    def restart_federation(self) -> None:
        """It was killed, and is started again as it was."""
        port, link_port = self.federation.port, self.federation.link_port
        self.federation = ServerProcess(
            "--role", "federation", *self.flags, *self._own, home=self.home, port=port, link_port=link_port
        )

    def end(self) -> None:
        """All of them."""
        for each in self.dashboards:
            each.end()
        self.federation.end()

    @property
    def headers(self) -> dict[str, str]:
        """Of somebody with the server's key."""
        key = (self.home / KEYS / PAGE_KEY).read_text().strip()
        return {"Authorization": f"Bearer {key}"}

    def api(self, at: Dashboard | ServerProcess | None = None) -> Api:
        """REST for whoever has the key; of the federation itself, unless `at` is given."""
        api = Api((at or self.federation).url)
        api.http.headers.update(self.headers)
        return api

    def page(self, at: Dashboard, **options: Any) -> Page:
        """A page that somebody with the key has open."""
        return Page(at.url, headers=self.headers, **options)


def newest_of_each(events: Sequence[Json]) -> list[Json]:
    """All log lines, and of the updates that replace each other the last, by their numbers."""
    last = {_subject(event): event for event in sorted(events, key=lambda each: int(each["seq"]))}
    return sorted(last.values(), key=lambda each: int(each["seq"]))


def _subject(event: Json) -> object:
    data = event["data"]
    match event["type"]:
        case "log" | "verdict":
            return event["seq"]
        case "run_update" | "client_update":
            return event["type"], data["id"]
        case "metrics_update":
            return "round", data["run_id"], data["round"]["round"]
    return event["type"]


def but_of_the_audit_log(events: Sequence[Json]) -> list[Json]:
    """Whose newest state comes a moment after what it tells of, once that is on the disk: `has_audit_log`."""
    return [event for event in events if event["type"] != "audit_update"]


def has_audit_log(seen: Sequence[Json], happened: Sequence[Json]) -> bool:
    """Whether the newest state of the audit log that there was, or one after it, was seen."""

    def newest(events: Sequence[Json]) -> int:
        return max((int(event["seq"]) for event in events if event["type"] == "audit_update"), default=0)

    return newest(seen) >= newest(happened)


def numbers(page: Page) -> list[int]:
    """Of the events that a page was sent, in the order in which they came."""
    return [event["seq"] for event in page.events]


class Viewer:
    """A page that goes on at the next dashboard when its own is gone. A context manager."""

    def __init__(self, urls: Sequence[str], headers: dict[str, str]) -> None:
        self._urls = list(urls)
        self._headers = headers
        self._leaving = threading.Event()
        self._earlier: list[Page] = []
        self._known: dict[tuple[str, ...], Json] = {}
        self.came_back = threading.Event()
        self._page = self._open(None, None)
        self._thread = threading.Thread(target=self._stay, daemon=True)

    def _open(self, instance: str | None, since: int | None) -> Page:
        return Page(self._urls[0], instance=instance, since=since, headers=self._headers, known=self._known)

    def __enter__(self) -> Self:
        self._page.snapshot()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()
        self._page.__exit__()

    @property
    def snapshots(self) -> list[Json]:
        """All that it was sent."""
        return [snapshot for page in (*self._earlier, self._page) for snapshot in page.snapshots]

    @property
    def instance(self) -> str:
        """The start of the federation that it follows."""
        return str(self.snapshots[-1]["instance"])

    @property
    def began(self) -> int:
        """The number of its newest snapshot."""
        return int(self.snapshots[-1]["seq"])

    @property
    def events(self) -> list[Json]:
        """All that it was sent."""
        return [event for page in (*self._earlier, self._page) for event in page.events.copy()]

    def since_snapshot(self) -> list[Json]:
        """Those after its newest snapshot, which came over its connection of now."""
        return [event for event in self._page.events.copy() if event["seq"] > self.began]

    @property
    def newest(self) -> int:
        """The number of the newest event that its connection of now has brought."""
        return max([self.began, *numbers(self._page)])

    def _stay(self) -> None:
        while not self._leaving.wait(0.05):
            if not self._page.is_open:
                self._come_back()

    def _come_back(self) -> None:
        instance, since = self.instance, max([self.began, *(event["seq"] for event in self.events)])
        while not self._leaving.is_set():
            self._urls = self._urls[1:] + self._urls[:1]
            with suppress(ConnectionError):
                page = self._open(instance, since)
                self._earlier.append(self._page)
                self._page = page
                self.came_back.set()
                return
            self._leaving.wait(0.1)
