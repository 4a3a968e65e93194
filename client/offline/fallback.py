"""Fallback: when a client begins to learn without its server, and when it ends. No I/O, no clock of its own.

A server that is away for a moment is waited for. One that is back is not left again before the learning has
ended in order, so that what it has come to can be contributed.
"""

from __future__ import annotations

from enum import StrEnum


class Step(StrEnum):
    """What is to be done now."""

    BEGIN = "begin"
    """learn without the server"""
    END = "end"
    """end that in order"""


class Fallback:
    """Of one client. Times are monotonic seconds."""

    def __init__(self, after_s: float, now: float, *, has_server: bool = True) -> None:
        """`after_s`: how long the server has to be away. `has_server`: with none, nothing is waited for."""
        self._after_s = after_s if has_server else 0.0
        self._away_since: float | None = now
        self._is_learning = False
        self._is_ending = False
        self._is_done = False

    @property
    def is_learning(self) -> bool:
        """Whether it has begun, and not ended."""
        return self._is_learning

    @property
    def is_away(self) -> bool:
        """Whether there is no connection to the server."""
        return self._away_since is not None

    def lost(self, now: float) -> None:
        """There is no connection to the server any more."""
        if self._away_since is None:
            self._away_since = now
            self._is_done = False

    def back(self) -> None:
        """There is a connection to the server."""
        self._away_since = None

    def ended(self) -> None:
        """The learning has ended, as it was told, or by itself: then it does not begin again while the server
        is away, unless there is something new to learn from."""
        self._is_done = not self._is_ending
        self._is_learning = self._is_ending = False

    def step(self, now: float, *, can_learn: bool, is_outdated: bool = False) -> Step | None:
        """What is to be done, once. `can_learn`: whether there is a run that may go on without the server.
        `is_outdated`: whether there is a newer model than the one that was learned from last."""
        if self._is_learning:
            if self._is_ending or (self._away_since is not None and can_learn and not is_outdated):
                return None
            self._is_ending = True
            return Step.END
        if is_outdated:
            self._is_done = False
        if not can_learn or self._is_done or self.seconds_left(now) != 0.0:
            return None
        self._is_learning = True
        return Step.BEGIN

    def seconds_left(self, now: float) -> float | None:
        """Until the server has been away for long enough; None: it is not away."""
        if self._away_since is None:
            return None
        return max(self._away_since + self._after_s - now, 0.0)
