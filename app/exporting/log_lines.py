"""Lines of the log as they stand in a file."""

from __future__ import annotations

from datetime import UTC, datetime

from app.records import LogEntry
from dashboard.log_text import for_file


def json_line(entry: LogEntry) -> str:
    """The record, as REST has it."""
    return f"{entry.model_dump_json()}\n"


def text_line(entry: LogEntry) -> str:
    """`2026-11-27T09:41:07.250Z client-1 warning logger: the message`; further lines, and the traceback, are
    indented, so that no message can look like another line."""
    at = _instant(entry.time)
    head = f"{at} {for_file(entry.source)} {entry.level} {for_file(entry.logger)}: "
    return head + _indented(f"{entry.message}\n{entry.traceback or ''}") + "\n"


def _instant(seconds: float) -> str:
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g}"
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _indented(text: str) -> str:
    return "\n    ".join(for_file(text).rstrip().split("\n"))
