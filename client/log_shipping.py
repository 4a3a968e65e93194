"""Sends this process's log to the server, where the page shows it beside everybody else's."""

from __future__ import annotations

import logging
from collections.abc import Callable

from shared.console import level_name, traceback_of
from shared.proto.link_pb2 import LogLine
from shared.text import printable
from shared.wire import MAX_LOG_TEXT


class LinkLogHandler(logging.Handler):
    """Passes records from INFO up to `send`, which must not block."""

    def __init__(self, send: Callable[[LogLine], None]) -> None:
        super().__init__(logging.INFO)
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        try:
            self._send(
                LogLine(
                    level=level_name(record.levelno),
                    logger=printable(record.name),
                    message=printable(record.getMessage())[:MAX_LOG_TEXT],
                    traceback=(traceback_of(record) or "")[-MAX_LOG_TEXT:],
                )
            )
        except Exception:  # noqa: BLE001 - logging's own way to report a handler that fails
            self.handleError(record)
