"""SIGINT and SIGTERM end a process in order, and soon: at the latest after `GRACE_S`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

GRACE_S = 2.8
"""How long an orderly end may take before the process ends all the same, in seconds."""

INTERRUPTED = 130
"""The exit code of a process that was interrupted before it had done its work."""


def end_on_signals() -> None:
    """Let the next SIGINT or SIGTERM raise KeyboardInterrupt. Call this in the main thread.

    Further signals do not disturb the ending. Should some library swallow the interrupt, or the ending hang,
    the process ends after `GRACE_S`.
    """
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


def cancel_on_signals(task: asyncio.Task[None]) -> None:
    """The same in an event loop, where an interrupt would end all tasks at once: cancel just `task`."""
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        _limit_ending()
        task.cancel()

    with suppress(NotImplementedError):  # Windows: `end_on_signals` remains in force
        for number in _SIGNALS:
            loop.add_signal_handler(number, cancel)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    _limit_ending()
    raise KeyboardInterrupt


def _limit_ending() -> None:
    timer = threading.Timer(GRACE_S, os._exit, [INTERRUPTED])
    timer.daemon = True
    timer.start()


def leave(code: int) -> NoReturn:
    """End the process now. Taking PyTorch and its threads apart would need up to 2 s that change nothing."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
