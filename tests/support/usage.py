"""What machines are used for, as tests need it."""

from __future__ import annotations

from typing import Any

from app.records import Usage
from app.usage.minutes import MinuteMean
from dashboard.reading import Counters
from shared.errors import StoreUnavailable


def a_usage(time: float, **fields: Any) -> Usage:
    """Of a small machine."""
    known: dict[str, Any] = {
        "cpu": 0.5,
        "cores": 4,
        "process_cores": 1.0,
        "memory_used": 4_000,
        "memory_total": 8_000,
        "process_memory": 1_000,
        "disk_used": 30_000,
        "disk_total": 100_000,
        "disk_read": 0.0,
        "disk_written": 10.0,
        "sent": 20.0,
        "received": 30.0,
    }
    return Usage(time=time, **{**known, **fields})


def counters(at: float, **fields: Any) -> Counters:
    """A machine of four cores that has done nothing so far."""
    known: dict[str, Any] = {
        "cpu_busy": 0.0,
        "cpu_total": 4 * at,
        "cores": 4,
        "memory_used": 4_000,
        "memory_total": 8_000,
        "disk_used": 30_000,
        "disk_total": 100_000,
        "disk_read": 0,
        "disk_written": 0,
        "sent": 0,
        "received": 0,
        "processes": {},
        "process_memory": 1_000,
    }
    return Counters(at=at, **{**known, **fields})


class KeptInMemory:
    """In place of the store; `problem`: why it keeps nothing now."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str | None, int], MinuteMean] = {}
        self.problem: str | None = None

    def keep(self, minutes: list[MinuteMean], oldest: int) -> None:
        if self.problem is not None:
            raise StoreUnavailable(self.problem)
        self.kept |= {(minute.node, minute.minute): minute for minute in minutes}
        self.kept = {key: minute for key, minute in self.kept.items() if minute.minute >= oldest}

    def between(self, first: int, last: int) -> list[MinuteMean]:
        found = [minute for minute in self.kept.values() if first <= minute.minute <= last]
        return sorted(found, key=lambda minute: minute.minute)

    def forget(self, node: str | None) -> None:
        self.kept = {key: minute for key, minute in self.kept.items() if key[0] != node}
