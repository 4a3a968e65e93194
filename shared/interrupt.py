"""SIGINT and SIGTERM end a process in order, and soon: at the latest after `GRACE_S`.

A process that has something to finish first may take its time for that after the first SIGTERM.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

GRACE_S = 2.8
"""How long an orderly end may take before the process ends all the same, in seconds."""

INTERRUPTED = 130
"""The exit code of a process that was interrupted before it had done its work."""


class Signalled(KeyboardInterrupt):
    """SIGINT or SIGTERM came. Another KeyboardInterrupt is an error of whoever raised it."""


def end_on_signals() -> None:
    """Let the next SIGINT or SIGTERM raise Signalled. Call this in the main thread.

    Further signals do not disturb the ending. Should some library swallow the interrupt, or the ending hang,
    the process ends after `GRACE_S`.
    """
    once = _Once()

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if once.first():
            raise Signalled

    for number in _SIGNALS:
        signal.signal(number, interrupt)


def drain_on_sigterm(drain: Callable[[], None]) -> None:
    """Have the first SIGTERM call `drain` in a thread of its own, and end the process when that returns.

    SIGINT, and a second SIGTERM, end it at once. Call this in the main thread, after `end_on_signals`.
    """
    ends = signal.getsignal(signal.SIGTERM)
    main = threading.get_ident()
    told: queue.SimpleQueue[None] = queue.SimpleQueue()

    def begin(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, ends)
        told.put(None)  # which, unlike the start of a thread, may happen in the middle of anything

    def work() -> None:
        told.get()
        try:
            drain()
        finally:
            signal.pthread_kill(main, signal.SIGTERM)

    if hasattr(signal, "pthread_kill"):  # Windows tells no process to end by SIGTERM
        threading.Thread(target=work, name="drain", daemon=True).start()
        signal.signal(signal.SIGTERM, begin)


def cancel_on_signals(task: asyncio.Task[None]) -> None:
    """The same in an event loop, where an interrupt would end all tasks at once: cancel just `task`."""
    loop = asyncio.get_running_loop()
    once = _Once()

    def cancel() -> None:
        if once.first():
            task.cancel()

    with suppress(NotImplementedError):  # Windows: `end_on_signals` remains in force
        for number in _SIGNALS:
            loop.add_signal_handler(number, cancel)


class _Once:
    """Tells the first signal from those after it, and limits the time from then on."""

    def __init__(self) -> None:
        self._signalled = False

    def first(self) -> bool:
        if self._signalled:
            return False
        self._signalled = True
        timer = threading.Timer(GRACE_S, os._exit, [INTERRUPTED])
        timer.daemon = True
        timer.start()
        return True


def leave(code: int) -> NoReturn:
    """End the process now. Taking PyTorch and its threads apart would need up to 2 s that change nothing."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
