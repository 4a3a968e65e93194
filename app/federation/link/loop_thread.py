"""LoopThread: an asyncio loop in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

R = TypeVar("R")

log = logging.getLogger(__name__)


class LoopThread:
    """`start` and `stop` are called once; the rest from any other thread in between.

    The thread ends by `stop` only. What is raised in its callbacks, of whatever kind, is logged.
    """

    def __init__(self, name: str) -> None:
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._posting = threading.Lock()
        self._posted: deque[Callable[[], object]] = deque()
        self._is_ending = False

    @property
    def is_alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        self._started.result()

    def stop(self) -> None:
        """End the thread, and wait for it."""
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join()

    def run(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Run a coroutine in the thread and wait for its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Run a function in the thread, after all that was posted before."""
        if self._loop.is_closed():  # the thread has ended, and who posts has not noticed
            return
        with self._posting:
            must_wake = not self._posted  # one wake-up serves all that is posted until the thread gets to it
            self._posted.append(partial(function, *args))
        if must_wake:
            self._loop.call_soon_threadsafe(self._run_posted)

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return self._started.result()

    # in the thread

    def _work(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.call_soon(self._started.set_result, loop)
        try:
            while not self._is_ending:
                self._run_until_it_ends_or_something_escapes(loop)
        finally:
            loop.close()

    def _run_until_it_ends_or_something_escapes(self, loop: asyncio.AbstractEventLoop) -> None:
        """asyncio lets through what is no Exception; without a loop the thread would be of no use."""
        try:
            loop.run_forever()
        except BaseException:  # the edge of the thread
            log.exception("something in the %s thread was ended in an unusual way", self._thread.name)

    def _end(self) -> None:
        self._is_ending = True
        asyncio.get_running_loop().stop()

    def _run_posted(self) -> None:
        with self._posting:
            functions, self._posted = self._posted, deque()
        for function in functions:
            try:
                function()
            except BaseException:  # the edge of the thread, for what other threads ask of it
                log.exception("a command to the %s thread failed", self._thread.name)
