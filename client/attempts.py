"""Attempts: something that may fail is tried again, but after many failures in a row only now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import AppDied, AppEnded, AppInvalid

TRIES = 3
"""So many starts in a row may fail before that is tried less often."""
RETRY_S = 30.0

log = logging.getLogger(__name__)


class Attempts:
    """How the newest starts of a process went; when many have failed in a row, there is a pause."""

    def __init__(self) -> None:
        self.failed = 0
        """How many in a row."""
        self._error: AppDied | AppInvalid | None = None
        self._next_at = 0.0

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """In this block a start is tried; raises the error of the last one if it is too early for that."""
        if self._error is not None and self.failed >= TRIES and time.monotonic() < self._next_at:
            raise self._error
        try:
            yield
        except AppEnded:  # it says nothing of the app
            raise
        except (AppDied, AppInvalid) as error:
            self.failed += 1
            self._error = error
            self._next_at = time.monotonic() + RETRY_S
            if self.failed == TRIES:
                log.error("that was the third time in a row; it is not tried again for %.0f s", RETRY_S)
            raise
        self.failed = 0
