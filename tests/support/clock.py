"""A clock that goes as a test says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Clock:
    """Seconds, as `time.monotonic` gives them."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now
