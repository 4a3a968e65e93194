"""When something happened, as exports need it."""

from __future__ import annotations

from datetime import UTC, datetime

from app.records import Round


def ended_at(round_: Round) -> float | None:
    """When a round was over, in Unix seconds; None: it is not complete."""
    return None if round_.duration_s is None else round_.started_at + round_.duration_s


def iso(seconds: float | None) -> str | None:
    """Unix seconds as ISO 8601 in UTC, to the millisecond; None also beyond the years 1 to 9999."""
    if seconds is None:
        return None
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
