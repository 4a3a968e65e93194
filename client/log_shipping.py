"""Sends this process's log to the server, where the page shows it beside everybody else's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import MappingProxyType

from client.site.policy import LogRule
from dashboard.log_text import without_secrets
from shared.console import level_name, traceback_of
from shared.proto.link_pb2 import LogLine
from shared.text import printable
from shared.wire import MAX_LOG_TEXT

LEVELS = MappingProxyType(
    {
        LogRule.OFF: logging.CRITICAL + 1,
        LogRule.ERROR: logging.ERROR,
        LogRule.WARNING: logging.WARNING,
        LogRule.INFO: logging.INFO,
    }
)


class LinkLogHandler(logging.Handler):
    """Passes records from the level on that the site lets leave to `send`, which must not block."""

    def __init__(self, send: Callable[[LogLine], None], rule: LogRule = LogRule.INFO) -> None:
        super().__init__(LEVELS[rule])
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        try:
            self._send(
                LogLine(
                    level=level_name(record.levelno),
                    logger=printable(record.name),
                    message=without_secrets(printable(record.getMessage())[:MAX_LOG_TEXT]),
                    traceback=without_secrets(traceback_of(record) or "")[-MAX_LOG_TEXT:],
                )
            )
        except Exception:  # noqa: BLE001 - logging's own way to report a handler that fails
            self.handleError(record)
