"""Heartbeats of a ServerApp: without them the SuperLink fails its run after a minute."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BEAT_S = 10.0

log = logging.getLogger(__name__)


@contextmanager
def beating(beat: Callable[[], object], every_s: float = BEAT_S) -> Iterator[None]:
    """Have a thread of its own call `beat` again and again during the block: that may be busy with a large
    model for longer than the SuperLink waits for a beat."""
    over = threading.Event()
    threading.Thread(target=_beat_until, args=(over, beat, every_s), name="heartbeat", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _beat_until(over: threading.Event, beat: Callable[[], object], every_s: float) -> None:
    """The edge of a thread. A SuperLink that is away for a moment gets the next beat; where it refuses the
    token of the run, the thread that moves messages is told so too."""
    while not over.is_set():
        try:
            beat()
        except Exception as error:  # noqa: BLE001
            log.warning("The SuperLink has not taken a heartbeat: %s", error)
        over.wait(every_s)
