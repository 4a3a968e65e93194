"""Lines of the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import Field

from app.records.base import Record

LOG_SOURCE = "server"
"""The source of this process's own log records; no client may have this name."""

PRINTED = "app"
"""The logger of what a Flower app prints, at the level info."""

LogLevel = Literal["debug", "info", "warning", "error"]
LOG_LEVELS: tuple[LogLevel, ...] = ("debug", "info", "warning", "error")

LogKind = Literal["debug", "info", "warning", "error", "printed"]
"""As lines are counted: what a Flower app printed stands for itself, since it may be a lot."""

LOG_KINDS: tuple[LogKind, ...] = get_args(LogKind)


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


class LogBatch(Record):
    """New lines, for who looks at the log."""

    logs: tuple[LogEntry, ...] = Field(description="oldest first")
    complete: bool = Field(description="false: there were too many, and none is here; ask for them")


class LogCounts(Record):
    """How many log records there are, by level; what a Flower app printed is counted apart."""

    debug: int = 0
    info: int = 0
    warning: int = 0
    error: int = 0
    printed: int = 0
    first: int = Field(default=0, description="the sequence number of the oldest that is counted")
    last: int = Field(default=0, description="the sequence number of the newest that is counted")


@dataclass(frozen=True)
class RunPeriod:
    """A run, and from when to when (Unix seconds) what belongs to no run belongs with it; `until` None: to
    this moment."""

    run_id: str
    since: float
    until: float | None

    def has(self, entry: LogEntry) -> bool:
        """Whether it is a line of the run, or one of no run while it ran."""
        if entry.run_id is not None:
            return entry.run_id == self.run_id
        return self.since <= entry.time and (self.until is None or entry.time <= self.until)


@dataclass(frozen=True)
class LogFilter:
    """Which lines are looked for. No `kinds`: all of them. `text` is somewhere in the message, the traceback
    or the logger's name, in capitals or not. Of those the ones after `since` (Unix seconds)."""

    kinds: frozenset[LogKind] = frozenset()
    source: str | None = None
    run: RunPeriod | None = None
    text: str = ""
    since: float | None = None

    def passes(self, entry: LogEntry) -> bool:
        """As the database decides it, but that it tells capitals beyond ASCII apart."""
        words = self.text.lower()
        return (
            (not self.kinds or kind_of(entry) in self.kinds)
            and (self.source is None or entry.source == self.source)
            and (self.run is None or self.run.has(entry))
            and (self.since is None or entry.time > self.since)
            and any(words in text.lower() for text in (entry.message, entry.traceback or "", entry.logger))
        )


def kind_of(record: LogRecord) -> LogKind:
    """As what a line is counted."""
    return "printed" if record.logger == PRINTED and record.level == "info" else record.level
