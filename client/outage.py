"""Outage: what a client says of a server that is away, and how long it waits between two tries."""

from __future__ import annotations

import logging
import random
import time

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 2.0
STABLE_S = 1.0
"""A connection that held for this long makes the first try after it quick again."""

log = logging.getLogger(__name__)


class Outage:
    """Says once that the server is away and once that it is back, and how long to wait between tries."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._since: float | None = None
        self._said: str | None = None
        self._delay_s = FIRST_DELAY_S
        self._connected_at: float | None = None
        self._has_hinted = False

    def began(self, reason: str, error: BaseException | None = None) -> None:
        """A try failed, or a connection ended; with the `error`, if it was not expected."""
        if self._connected_at is not None and time.monotonic() - self._connected_at > STABLE_S:
            self._delay_s = FIRST_DELAY_S  # it held: what comes now is another outage
        self._connected_at = None
        if self._since is None:
            self._since = time.monotonic()
            log.warning(
                "no connection to %s: %s. Trying again until there is one.",
                self._server,
                reason,
                exc_info=error,
            )
            self._hint()

    def is_elsewhere(self, found: str) -> None:
        """The address is somebody else's; worth a line of its own, once."""
        self._say_once("no connection to %s: %s. Trying again until there is one.", found.rstrip("."))

    def refused(self, reason: str) -> None:
        """The server is there but does not take this client for now; worth a line of its own, once."""
        self._say_once("not admitted by %s: %s Trying again until it is.", reason)

    def _say_once(self, line: str, reason: str) -> None:
        self._since = self._since or time.monotonic()
        if reason != self._said:
            self._said = reason
            log.warning(line, self._server, reason)
            self._hint()

    def _hint(self) -> None:
        """Where to find out more; once there has been a connection, this machine lacks nothing."""
        if not self._has_hinted:
            self._has_hinted = True
            log.info("`python -m client.doctor` with the same flags says what this machine lacks to join")

    def over(self) -> None:
        """There is a connection."""
        away = "" if self._since is None else f" after {time.monotonic() - self._since:.1f} s"
        log.info("connected to the server at %s%s", self._server, away)
        self._since = self._said = None
        self._has_hinted = True
        self._connected_at = time.monotonic()

    def next_delay(self) -> float:
        """Seconds until the next try: doubling, with jitter so that not all clients come back at once."""
        delay = self._delay_s * random.uniform(0.8, 1.2)
        self._delay_s = min(self._delay_s * 2, LONGEST_DELAY_S)
        return delay
