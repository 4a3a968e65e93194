"""Publisher: the thread "publisher" of a federation. It adds to the log in Redis what happens."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from app.event_bus import EventBus, EventsGone
from app.event_log.redis_log import RedisFails, RedisLog
from app.events import Event

LOOK_S = 0.05
"""From one look at the bus to the next: pages get a batch every 0.1 s."""

RETRY_S = 0.5
AT_ONCE = 1_000

log = logging.getLogger(__name__)


class Publisher:
    """Tells what may be shown. While Redis fails, dashboards ask the federation itself."""

    def __init__(
        self,
        instance: str,
        bus: EventBus,
        shown: Callable[[Sequence[Event]], Sequence[Event]],
        redis_log: RedisLog | None,
    ) -> None:
        """`shown`: those of some events that may be shown already. `redis_log` None: there is no Redis, and
        nothing to do."""
        self._instance = instance
        self._bus = bus
        self._shown = shown
        self._redis_log = redis_log
        self._sent = bus.last
        self._fails = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin with what has happened since this was made."""
        if self._redis_log is not None:
            work = self._work
            redis_log = self._redis_log
            self._thread = threading.Thread(target=lambda: work(redis_log), name="publisher", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """What has not been told is lost to Redis; a dashboard sees that the federation is gone."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _work(self, redis_log: RedisLog) -> None:
        while not self._stopping.wait(RETRY_S if self._fails else LOOK_S):
            try:
                self._tell(redis_log)
            except RedisFails as error:
                if not self._fails:
                    log.warning("%s; until it works again, dashboards ask this process for events", error)
                self._fails = True
            except Exception:  # the edge of the thread
                log.exception("dashboards could not be told what has happened")
                self._sent = self._bus.last  # they see the gap
        redis_log.close()

    def _tell(self, redis_log: RedisLog) -> None:
        try:
            events = self._shown(self._bus.since(self._sent))
        except EventsGone:  # Redis has failed for so long; dashboards see the gap
            self._sent = self._bus.last
            return
        for begin in range(0, len(events), AT_ONCE):
            some = events[begin : begin + AT_ONCE]
            redis_log.add(self._instance, some)
            self._sent = some[-1].seq
        if events and self._fails:
            self._fails = False
            log.info("%s works again", redis_log.name)
