"""What others can cause any number of times is said in the log without filling it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable

IN_FULL = 10
"""Lines in one spell."""
SPELL_S = 60.0
ONCE_S = 600.0


class SparseLog:
    """Lines of one kind."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._log = log
        self._clock = clock
        self._begun = -SPELL_S
        self._said = 0

    def warning(self, message: str, *arguments: object) -> None:
        """As a logger's, but for what comes after IN_FULL lines in a spell: the last of them says so."""
        self._say(logging.WARNING, message, arguments)

    def info(self, message: str, *arguments: object) -> None:
        """The same."""
        self._say(logging.INFO, message, arguments)

    def _say(self, level: int, message: str, arguments: tuple[object, ...]) -> None:
        now = self._clock()
        if now - self._begun >= SPELL_S:
            self._begun, self._said = now, 0
        self._said += 1
        if self._said > IN_FULL:
            return
        if self._said == IN_FULL:
            message += ". More of this is not said for the next minute"
        self._log.log(level, message, *arguments)


class OnceLog:
    """Says what is about the same once in ONCE_S, however often it happens; who else does it, is said as
    well. What it can be about is bounded by whoever uses it."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._log = log
        self._clock = clock
        self._said: dict[Hashable, float] = {}

    def say(self, level: int, about: Hashable, message: str, *arguments: object) -> None:
        """As a logger's `log`, unless it was said of this a short time ago."""
        now = self._clock()
        if now < self._said.get(about, now - ONCE_S) + ONCE_S:
            return
        self._said = {each: at for each, at in self._said.items() if now < at + ONCE_S} | {about: now}
        self._log.log(level, message, *arguments)
