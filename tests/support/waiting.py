"""The one place where a test waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

INTERVAL_S = 0.03
LIMIT_S = 120.0
"""For what does not happen at all, also on a machine that has ten times as much to do as it has cores."""


def wait_until(condition: Callable[[], T | None], what: str, timeout_s: float = LIMIT_S) -> T:
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
