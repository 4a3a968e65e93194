"""SIGINT and SIGTERM end a process in order; more of them do not disturb the ending."""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def end_on_signals() -> None:
    """Let the next SIGINT or SIGTERM raise KeyboardInterrupt. Call this in the main thread."""
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def leave(code: int) -> NoReturn:
    """End the process now. Taking PyTorch and its threads apart would need up to 2 s that change nothing."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
