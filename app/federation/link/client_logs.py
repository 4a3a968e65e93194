"""ClientLogs: publishes the lines that clients log, of each so many, and how many were left out."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.event_bus import EventBus
from app.federation.link.limits import LINE_BYTES, Clock, Limits
from app.federation.link.reports import log_record
from app.records import LogRecord
from shared.proto.link_pb2 import LogLine

SPELL_S = 30.0
"""How often it is told at most that lines were left out."""


class ClientLogs:
    """Of all clients. In the link thread."""

    def __init__(
        self,
        bus: EventBus,
        limits: Limits,
        run_of: Callable[[str], str | None],
        clock: Clock = time.monotonic,
    ) -> None:
        """`run_of`: the id of the run in which a client has a place."""
        self._bus = bus
        self._limits = limits
        self._run_of = run_of
        self._clock = clock

    def add(self, client_id: str, line: LogLine) -> None:
        """A client logs a line."""
        limits = self._limits.of(client_id)
        record = log_record(client_id, line, self._run_of(client_id))
        if not limits.log.take(LINE_BYTES + len(record.message) + len(record.traceback or "")):
            limits.left_out += 1
            return
        if limits.left_out and self._clock() - limits.told_at >= SPELL_S:
            self.tell(client_id)
        self._bus.publish(record)

    def tell(self, client_id: str) -> None:
        """Say how many lines of a client's were left out, if there were any."""
        limits = self._limits.of(client_id)
        if not limits.left_out:
            return
        limits.told_at = self._clock()
        self._bus.publish(
            LogRecord(
                level="warning",
                source=client_id,
                logger=__name__,
                message=f"{limits.left_out:,} more lines of this log were left out: a client may not write "
                "so much into the server's database. Its own terminal has all of them.",
                run_id=self._run_of(client_id),
                traceback=None,
            )
        )
        limits.left_out = 0
