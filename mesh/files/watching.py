"""What the operating system tells of a folder that changes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from watchfiles import Change, watch

from mesh.files.names import OWN_FOLDER
from shared.errors import FedLoomError

_BEAT_MS = 500
"""How soon it is known that the system watches, and how long the thread may go on after the end."""


class CannotWatch(FedLoomError):
    """The operating system does not tell of changes. Says why, for people."""


async def changes(folder: Path, quiet_s: float) -> AsyncIterator[None]:
    """Once as soon as the system watches a folder, since it may have changed until then; and then once after
    each burst of changes, but for FedLoom's own. Raises CannotWatch.

    The system is asked in a thread: to begin takes its time in a large folder.
    """
    folder = folder.resolve()  # the system names what has changed so
    loop, is_over, news = asyncio.get_running_loop(), threading.Event(), asyncio.Event()
    watching = asyncio.ensure_future(
        asyncio.to_thread(_watch, folder, quiet_s, is_over, lambda: loop.call_soon_threadsafe(news.set))
    )
    watching.add_done_callback(lambda _: news.set())
    try:
        while True:
            await news.wait()
            news.clear()
            if watching.done():
                watching.result()
                return
            yield
    finally:
        is_over.set()
        await asyncio.wait([watching])


def _watch(folder: Path, quiet_s: float, is_over: threading.Event, tell: Callable[[], object]) -> None:
    own = str(folder / OWN_FOLDER)

    def is_theirs(_: Change, path: str) -> bool:
        return path != own and not path.startswith(own + "/")

    burst_ms = max(int(quiet_s * 1000), 1)
    is_first = True
    try:
        for found in watch(
            folder,
            watch_filter=is_theirs,
            debounce=burst_ms,
            step=max(burst_ms // 4, 1),
            stop_event=is_over,
            rust_timeout=_BEAT_MS,
            yield_on_timeout=True,
        ):
            if found or is_first:
                tell()
            is_first = False
    except (OSError, RuntimeError) as error:
        raise CannotWatch(_in_words(error)) from error


def _in_words(error: Exception) -> str:
    if "limit" in str(error).lower() or "no space" in str(error).lower():
        return (
            "The system watches no more folders for changes: its limit is reached. Changes are seen by scans "
            "alone. `sysctl fs.inotify.max_user_watches=524288` raises the limit."
        )
    return f"The system does not tell of changes in the folder ({error}). They are seen by scans alone."
