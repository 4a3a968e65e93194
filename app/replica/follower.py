"""Follower: the thread "follower" of a dashboard. It reads the federation's log of events, without a gap.

Events come from Redis, if there is one. What is missing there, and all while Redis fails, comes from the
federation itself; so does a snapshot, when the federation has started again or more is missing than it has.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from app.batches import SNAPSHOT_PARTS
from app.event_bus import EventsGone
from app.event_log.redis_log import RedisFails, RedisLog
from app.events import Event
from app.replica.federation import Federation, FederationAway, LogGone
from app.replica.followed import FollowedLog

WAIT_S = 0.5
"""How long one question waits for events."""

RETRY_S = 0.2
"""From one try to reach the federation to the next."""

REDIS_RETRY_S = 1.0

LEAST_S = 1.0
RENEW_EVENTS = 1_000
RENEW_S = 30.0
"""A page that comes is sent the snapshot that is kept and what has happened since; this bounds how much."""

log = logging.getLogger(__name__)


class Follower:
    """Of one federation."""

    def __init__(self, federation: Federation, redis_log: RedisLog | None) -> None:
        self._federation = federation
        self._redis_log = redis_log
        self._redis_again_at = 0.0
        self._redis_fails = False
        self._log = FollowedLog.nothing()
        self._renewed_at = 0.0
        self._heard: tuple[str, int] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="follower", daemon=True)

    @property
    def log(self) -> FollowedLog:
        """Another one once the federation has started again, or too much was missed."""
        return self._log

    def hear(self, instance: str, last: int) -> None:
        """The federation says which start of it this is, and which event is its newest. From any thread."""
        self._heard = instance, last

    def start(self) -> None:
        """Begin; pages are let in once the federation has answered."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; it is not waited for."""
        self._stopping.set()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self._step()
            except (FederationAway, LogGone) as error:  # said by the thread "pulse"
                log.debug("%s", error)
                self._stopping.wait(RETRY_S)
            except Exception:  # the edge of the thread
                log.exception("the federation's events could not be taken in; pages start from a snapshot")
                self._log = FollowedLog.nothing()
                self._stopping.wait(REDIS_RETRY_S)

    def _step(self) -> None:
        followed, heard = self._log, self._heard
        if not followed.instance or (heard is not None and heard[0] != followed.instance):
            self._start_over()
            return
        try:
            self._follow(followed)
            self._renew(followed)
        except LogGone:
            self._start_over()

    def _start_over(self) -> None:
        snapshot = self._federation.snapshot()
        followed = FollowedLog.from_snapshot(snapshot, self._federation.recent())
        self._fill(followed, followed.snapshot().seq)
        if followed.bus.last < followed.snapshot().seq:
            raise FederationAway("The federation's database is too slow to tell what has happened.")
        self._heard = None
        self._renewed_at = time.monotonic()
        self._log = followed

    def _follow(self, followed: FollowedLog) -> None:
        """Take in what is new."""
        try:
            followed.take(self._from_redis(followed))
        except EventsGone:  # Redis does not have those between
            self._fill(followed)

    def _from_redis(self, followed: FollowedLog) -> Sequence[Event]:
        """What Redis has; what the federation has, where that is more."""
        if self._redis_log is None or time.monotonic() < self._redis_again_at:
            return self._federation.events(followed.instance, followed.bus.last, WAIT_S)
        try:
            events = self._redis_log.read(followed.instance, followed.bus.last, WAIT_S)
        except RedisFails as error:
            self._report(error)
            self._redis_again_at = time.monotonic() + REDIS_RETRY_S
            return self._federation.events(followed.instance, followed.bus.last, 0.0)
        self._report(None)
        heard = self._heard
        if not events and heard is not None and heard[1] > followed.bus.last:
            return self._federation.events(followed.instance, followed.bus.last, 0.0)
        return events

    def _fill(self, followed: FollowedLog, up_to: int = 0) -> None:
        """Take in what the federation itself has; up to a number, what it will have in a moment."""
        while True:
            wait_s = WAIT_S if followed.bus.last < up_to else 0.0
            events = self._federation.events(followed.instance, followed.bus.last, wait_s)
            followed.take(events)
            if not events:
                return

    def _renew(self, followed: FollowedLog) -> None:
        """Keep what a page that comes is sent short."""
        since = followed.bus.last - followed.snapshot().seq
        age = time.monotonic() - self._renewed_at
        if age < LEAST_S:
            return
        if since == 0 or (age < RENEW_S and since < RENEW_EVENTS and followed.parts < SNAPSHOT_PARTS):
            return
        self._renewed_at = time.monotonic()
        newer = FollowedLog.from_snapshot(self._federation.snapshot())
        if newer.instance != followed.instance:
            raise LogGone
        self._fill(followed, newer.snapshot().seq)
        if followed.bus.last >= newer.snapshot().seq:
            followed.renew(newer)

    def _report(self, error: RedisFails | None) -> None:
        """Say once that Redis fails, and that it works again."""
        if error is not None and not self._redis_fails:
            log.warning("%s; events come from the federation itself until it works again", error)
        elif error is None and self._redis_fails:
            log.info("Redis works again")
        self._redis_fails = error is not None
