"""Webhook: sends notices to an address that the administrator has named on the command line.

Two threads of its own: `notices` hears of what happens, `webhook` sends. Nothing else waits for a receiver.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence

import httpx

from app.bus_follower import BusFollower
from app.event_bus import EventBus
from app.events import Event
from app.exporting.http import client_for
from app.notices.address import WebhookSettings
from app.notices.outbox import KeptNotices, Outbox
from app.notices.signing import load_or_make_secret, signed_headers
from app.notices.watch import Watch
from app.records import Client, Run
from app.records.outlets import WebhookStatus
from shared.version import __version__

TIMEOUT_S = 10.0
"""For connecting, and for each step of a request."""

LAST_S = 3.0
"""How long the end of a server waits for what is being sent."""

log = logging.getLogger(__name__)


class Webhook:
    """Of one server."""

    def __init__(
        self,
        settings: WebhookSettings,
        server: str,
        bus: EventBus,
        kept: KeptNotices,
        state: Callable[[], tuple[Iterable[Run], Iterable[Client]]],
    ) -> None:
        """`state`: all runs and clients as they are now. Raises SettingsInvalid, StoreUnavailable."""
        self._settings = settings
        self._http = client_for(settings.url, timeout=TIMEOUT_S, follow_redirects=False)
        self._secret, self._is_new_secret = load_or_make_secret(settings.secret_file)
        self._outbox = Outbox(kept)
        self._state = state
        self._follower = BusFollower(bus, "notices", self._take, self._start_over)
        self._watch = Watch(server, settings.waiting_s, *state())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._deliver, name="webhook", daemon=True)
        self._delivered = 0
        self._delivered_at: float | None = None
        self._problem: str | None = None

    def start(self) -> None:
        """Send what is left from before, and then what happens."""
        if self._is_new_secret:
            log.warning(
                "the webhook's secret was made: give the line in %s to the receiver",
                self._settings.secret_file,
            )
        self._follower.start()
        self._thread.start()

    def stop(self) -> None:
        """Take in what has happened, and end. What has not arrived is sent after the next start."""
        self._follower.stop(LAST_S)
        if self._thread.ident is not None and self._problem is None:
            self._outbox.wait_until_empty(LAST_S)
        self._stopping.set()
        self._outbox.wake()
        if self._thread.ident is not None:
            self._thread.join(LAST_S)

    def test(self) -> str:
        """Send a notice that says nothing; returns its id."""
        notice = self._watch.test(time.time())
        self._outbox.add(notice, time.time())
        return notice.id

    def status(self) -> WebhookStatus:
        """How it goes."""
        return WebhookStatus(
            receiver=self._settings.shown,
            waiting=len(self._outbox),
            delivered=self._delivered,
            delivered_at=self._delivered_at,
            lost=self._outbox.lost,
            problem=self._problem,
        )

    # in the thread "notices"

    def _take(self, events: Sequence[Event]) -> None:
        now = time.time()
        for notice in self._watch.take(events, now):
            self._outbox.add(notice, now)

    def _start_over(self) -> None:
        now = time.time()
        for notice in self._watch.take_all(*self._state(), now):
            self._outbox.add(notice, now)

    # in the thread "webhook"

    def _deliver(self) -> None:
        with self._http as client:
            while (notice := self._outbox.next_due(time.time, self._stopping.is_set)) is not None:
                problem = self._send(client, notice.id, notice.model_dump_json().encode())
                self._say(problem)
                if problem is None:
                    self._delivered += 1
                    self._delivered_at = time.time()
                    self._outbox.arrived(notice)
                else:
                    self._outbox.failed(notice, time.time())

    def _send(self, client: httpx.Client, notice_id: str, body: bytes) -> str | None:
        """Why it did not arrive; None: it did. The answer's body is not read."""
        headers = {
            "content-type": "application/json",
            "user-agent": f"FedLoom/{__version__}",
            **signed_headers(self._secret, notice_id, int(time.time()), body),
        }
        try:
            with client.stream("POST", self._settings.url, content=body, headers=headers) as response:
                if response.is_success:
                    return None
                moved = "; redirects are not followed" if response.is_redirect else ""
                return f"it answered {response.status_code}{moved}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        except Exception as error:  # the edge of the thread, which outlives whatever a receiver answers
            log.exception("the webhook could not be sent")
            return f"an unexpected error: {type(error).__name__}"

    def _say(self, problem: str | None) -> None:
        """Once when it fails, and once when it works again."""
        if problem is not None and self._problem is None:
            log.warning(
                "the webhook %s was not reached: %s. Notices wait, and are sent again",
                self._settings.shown,
                problem,
            )
        if problem is None and self._problem is not None:
            log.info("the webhook %s works again", self._settings.shown)
        self._problem = problem
