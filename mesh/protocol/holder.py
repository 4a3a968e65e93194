"""Holder: one of those who have content, and how many chunks may be asked of it at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from mesh.protocol.limits import Pace

FIRST_WINDOW = 4.0
LARGEST_WINDOW = 16.0
SHORTEST_WAIT_S = 1.0
LONGEST_WAIT_S = 16.0
ATTEMPTS = 6
"""In a row that were in vain; then it is asked no more."""


@dataclass
class Holder:
    """Its window grows with each chunk that comes, and is halved when one does not: somebody on the way has
    more to carry than fits. How long is waited follows from how long it took before (RFC 6298)."""

    pace: Pace
    asked: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Chunks that are on their way: when they were asked for, and until when they are waited for."""
    in_vain: int = 0
    """Waits that were over, since the last chunk came."""
    _late: dict[int, float] = field(default_factory=dict)
    """Chunks that are waited for no more, but may come: when they were asked for first."""
    _slowed_at: float = float("-inf")
    _window: float = FIRST_WINDOW
    _took_s: float | None = None
    _varies_s: float = 0.0

    @property
    def has_room(self) -> bool:
        """Whether it may be asked for one chunk more."""
        return len(self.asked) < int(self._window)

    @property
    def is_silent(self) -> bool:
        """Whether it was asked in vain too often."""
        return self.in_vain >= ATTEMPTS

    def ask(self, index: int, now: float) -> None:
        """It is asked for a chunk."""
        self.asked[index] = (now, now + self._wait_s())

    def answered(self, index: int, now: float) -> None:
        """The chunk has come; it may be one that is not waited for any more."""
        self.in_vain = 0
        self._window = min(self._window + 1.0, LARGEST_WINDOW)
        asked_at, _ = self.asked.pop(index, (now, now))
        took = now - self._late.pop(index, asked_at)
        if self._took_s is None:
            self._took_s, self._varies_s = took, took / 2
        else:
            self._varies_s += (abs(self._took_s - took) - self._varies_s) / 4
            self._took_s += (took - self._took_s) / 8

    def overdue(self, now: float) -> list[int]:
        """Chunks that are waited for no more. Those that were asked for before it was slowed down say nothing
        new, and do not slow it down once more."""
        late = {index: at for index, (at, until) in self.asked.items() if until <= now}
        for index, at in late.items():
            del self.asked[index]
            self._late.setdefault(index, at)
        if any(at >= self._slowed_at for at in late.values()):
            self.in_vain += 1
            self._slowed_at = now
            self._window = max(1.0, self._window / 2)
        return list(late)

    def _wait_s(self) -> float:
        if self._took_s is None:
            wait = self.pace.chunk_s
        else:
            wait = max(SHORTEST_WAIT_S, self._took_s + 4 * self._varies_s)
        for _ in range(self.in_vain):
            wait *= 2
        return min(wait, LONGEST_WAIT_S)
