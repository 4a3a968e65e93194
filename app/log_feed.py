"""Turns this process's log records into events, for the page and `GET /api/v1/logs`."""

from __future__ import annotations

import logging

from app.event_bus import EventBus
from app.records import LOG_SOURCE, LogRecord
from dashboard.log_text import without_secrets
from shared.console import level_name, traceback_of
from shared.interrupt import Signalled


class EventLogHandler(logging.Handler):
    """Publishes records from INFO up. A record's `run_id` attribute (`extra=`) names its run."""

    def __init__(self, bus: EventBus) -> None:
        super().__init__(logging.INFO)
        self._bus = bus

    def emit(self, record: logging.LogRecord) -> None:
        """Publish one record, unless it is a blank line, as Flower's strategies log them between others."""
        try:
            message, trace = record.getMessage(), traceback_of(record)
            if not message.strip():
                return
            self._bus.publish(
                LogRecord(
                    level=level_name(record.levelno),
                    source=LOG_SOURCE,
                    logger=record.name,
                    message=without_secrets(message),
                    run_id=getattr(record, "run_id", None),
                    traceback=trace and without_secrets(trace),
                )
            )
        except Signalled:
            raise
        except BaseException:  # noqa: BLE001 - logging's own way to report a handler that fails
            self.handleError(record)
