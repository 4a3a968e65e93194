"""LogBatches: lines of the log on their way to who follows it, some at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

Line = TypeVar("Line")

GAP_S = 0.1
"""From one batch to the next."""

MOST = 500
"""Lines in a batch. Nobody reads more in a tenth of a second: a page asks for those that it looks at."""


class LogBatches(Generic[Line]):
    """Without I/O and clock: times are seconds that only grow."""

    def __init__(self) -> None:
        self._waiting: list[Line] = []
        self._overflown = False
        self._sent_at = -GAP_S

    def add(self, lines: Iterable[Line]) -> None:
        """These lines are next. Of too many none is kept."""
        if self._overflown:
            return
        self._waiting.extend(lines)
        if len(self._waiting) > MOST:
            self.lose()

    def lose(self) -> None:
        """Lines are missing: the next batch says so, and has none."""
        self._waiting = []
        self._overflown = True

    def take(self, now: float) -> tuple[list[Line], bool] | None:
        """The lines to send now, and whether they are all that came since the last; None: nothing yet."""
        if now - self._sent_at < GAP_S or not (self._waiting or self._overflown):
            return None
        batch, complete = self._waiting, not self._overflown
        self._waiting, self._overflown, self._sent_at = [], False, now
        return batch, complete
