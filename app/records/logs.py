"""Lines of the log."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.records.base import Record

LOG_SOURCE = "server"
"""The source of this process's own log records; no client may have this name."""

LogLevel = Literal["debug", "info", "warning", "error"]
LOG_LEVELS: tuple[LogLevel, ...] = ("debug", "info", "warning", "error")


class LogRecord(Record):
    level: LogLevel
    source: str = Field(description='"server" or a client\'s id')
    logger: str
    message: str
    run_id: str | None = None
    traceback: str | None = None


class LogEntry(LogRecord):
    """A log record with its place in the sequence of events."""

    seq: int
    time: float
