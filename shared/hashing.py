"""Hashes messages in other threads, while they come in or go out, so that no event loop stands still for it.

Hashing a message takes about as long as moving it within one machine. Small ones are hashed where they are:
to wake a thread and wait for it takes longer.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

from shared.security.digest import Digests, RunningDigests, digest_of

T = TypeVar("T")

SMALL = 256 << 10
"""Bytes that are hashed at once: it takes a quarter of a millisecond."""

SMALL_ARRIVING = 2 << 20
"""Bytes of a message that is hashed where its pieces come in: one or two milliseconds, in turns."""

MAX_BEHIND = 2 << 20
"""Bytes of one message that may have come and not been hashed yet."""

THREADS = 2


def hashing_threads() -> ThreadPoolExecutor:
    """Threads for one end of the link; whoever makes them shuts them down."""
    return ThreadPoolExecutor(THREADS, "hash")


def hashed(parts: Sequence[bytes], threads: Executor) -> Future[bytes]:
    """SHA-256 of the concatenation."""
    return computed(lambda: digest_of(parts), sum(map(len, parts)), threads)


def computed(compute: Callable[[], T], size: int, threads: Executor) -> Future[T]:
    """What a function makes of so many bytes: at once, or in another thread if they are many."""
    if size > SMALL:
        return threads.submit(compute)
    done: Future[T] = Future()
    done.set_result(compute())
    return done


async def result_of(future: Future[T]) -> T:
    """What others may wait for as well: whoever is cancelled here cancels it for nobody else."""
    if future.done():
        return future.result()
    return await asyncio.shield(asyncio.wrap_future(future))


class ArrivingDigests:
    """The hashes of a message that comes in pieces. Fed by one thread."""

    def __init__(self, skeleton_bytes: int, total_bytes: int, threads: Executor | None) -> None:
        """`threads` hash what is not small; None: whoever adds it does."""
        self._running = RunningDigests(skeleton_bytes)
        self._threads = threads if total_bytes > SMALL_ARRIVING else None
        self._lock = threading.Lock()
        """Guards what follows."""
        self._waiting: deque[bytes | memoryview] = deque()
        self._waiting_bytes = 0
        self._is_at_work = False
        self._caught_up: Future[None] | None = None
        self._whole: Future[Digests] | None = None

    def add(self, data: bytes | memoryview) -> None:
        """The next piece, which must not be changed any more; does not wait."""
        if self._threads is None:
            self._running.update(data)
            return
        with self._lock:
            self._waiting.append(data)
            self._waiting_bytes += len(data)
            must_start, self._is_at_work = not self._is_at_work, True
        if must_start:
            self._threads.submit(self._work)

    def behind(self) -> Future[None] | None:
        """When to go on, if so much has come that it is better to wait; else None."""
        with self._lock:
            if self._waiting_bytes <= MAX_BEHIND:
                return None
            if self._caught_up is None:
                self._caught_up = Future()
            return self._caught_up

    def finish(self) -> Future[Digests]:
        """Nothing more comes: the hashes, when they are known."""
        with self._lock:
            self._whole = Future()
            if not self._is_at_work:
                self._whole.set_result(self._running.digests())
            return self._whole

    def abandon(self) -> None:
        """Nobody needs the hashes."""
        with self._lock:
            self._waiting.clear()
            self._waiting_bytes = 0

    def _work(self) -> None:
        """Take in what has come; in another thread."""
        while (data := self._next()) is not None:
            self._running.update(data)

    def _next(self) -> bytes | memoryview | None:
        with self._lock:
            if self._waiting:
                data = self._waiting.popleft()
                self._waiting_bytes -= len(data)
                return data
            self._is_at_work = False
            caught_up, self._caught_up = self._caught_up, None
            if caught_up is not None:
                caught_up.set_result(None)
            if self._whole is not None:
                self._whole.set_result(self._running.digests())
            return None
