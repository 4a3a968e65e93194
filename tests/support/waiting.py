"""The one place where a test waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

INTERVAL_S = 0.03


def wait_until(condition: Callable[[], T | None], what: str, timeout_s: float = 60.0) -> T:
    """Ask `condition` until its answer is true, and return that; AssertionError after `timeout_s`.

    `what` completes the sentence "waited in vain until ...".
    """
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s:.0f} s in vain until {what}; last answer: {answer!r}")
        time.sleep(INTERVAL_S)
