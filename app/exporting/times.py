"""When something happened, as exports need it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.records import Round, Run


def ended_at(round_: Round) -> float | None:
    """When a round was over, in Unix seconds; None: it is not complete."""
    return None if round_.duration_s is None else round_.started_at + round_.duration_s


def duration_s(run: Run, now: float) -> float | None:
    """From a run's start to its end, or so far; None before its start."""
    return None if run.started_at is None else max(0.0, (run.finished_at or now) - run.started_at)


def last_known(run: Run, rounds: Sequence[Round]) -> float:
    """The last moment of which a run's record tells, in Unix seconds."""
    ends = (end for round_ in rounds if (end := ended_at(round_)) is not None)
    return run.finished_at or max(ends, default=run.started_at or run.created_at)


def iso(seconds: float | None) -> str | None:
    """Unix seconds as ISO 8601 in UTC, to the millisecond; None also beyond the years 1 to 9999."""
    if seconds is None:
        return None
    try:
        at = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
