"""`flwr log`: what was logged of a run so far, and then what is, until the run has ended."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from app.environment import Environment
from app.event_bus import EventsGone
from app.events import LogEvent
from app.federation.runs.states import IDLE_STATES
from app.records import LogEntry, Run
from shared.errors import StoreUnavailable
from shared.flower_control import StreamLogsResponse

LOOK_S = 0.25
"""How often it is looked for news."""

QUIET_S = 10.0
"""After so long without any, something empty is sent: a command that has gone is noticed by that."""

MOST_LINES = 5_000
"""Of what was logged before, the newest."""

FLUSH_S = 1.0

_UNSEEN = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Colours, and whatever else would control the terminal of whoever reads the log."""

Sleep = Callable[[float], None]


def stream_log(env: Environment, run: Run, after: float, sleep: Sleep) -> Iterator[StreamLogsResponse]:
    """The log of a run from a time on (Unix seconds). `sleep` lets the web server do something else.

    The first message comes at once and has all that there is: `flwr log --show` reads only that.
    """
    seen = env.bus.last
    so_far = [entry for entry in _so_far(env, run.id, seen) if entry.time > after]
    yield _message(so_far, after) if so_far else _nothing_yet(env.book.run(run.id))
    last_sent = time.monotonic()
    has_ended = False
    while not has_ended:
        # What a run says when it ends is logged after its state has changed: it is looked once more.
        has_ended = env.book.run(run.id).state in IDLE_STATES
        sleep(LOOK_S)
        entries, seen = _news(env, run.id, seen)
        if entries or time.monotonic() - last_sent > QUIET_S:
            yield _message(entries, after)
            last_sent = time.monotonic()


def _so_far(env: Environment, run_id: str, until: int) -> list[LogEntry]:
    """What was logged up to an event, from the store, and from memory what is not there."""
    kept: list[LogEntry] = []
    with suppress(StoreUnavailable):  # the page says so, and there is what is in memory
        env.writer.flush(0.0 if env.writer.problem else FLUSH_S)
        kept = env.store.logs(MOST_LINES, run_id=run_id)
    in_memory = (entry for entry in env.bus.logs() if entry.run_id == run_id)
    entries = {entry.seq: entry for entry in (*kept, *in_memory) if entry.seq <= until}
    return [entry for _, entry in sorted(entries.items())]


def _news(env: Environment, run_id: str, seen: int) -> tuple[list[LogEntry], int]:
    """What was logged after an event, and the newest event now."""
    try:
        events = env.bus.since(seen)
    except EventsGone:  # more between two looks than is kept of events; of logs there may be more
        newest = env.bus.last
        logs = [entry for entry in env.bus.logs() if seen < entry.seq <= newest]
        return [entry for entry in logs if entry.run_id == run_id], newest
    entries = [
        LogEntry(seq=event.seq, time=event.time, **dict(event.data))
        for event in events
        if isinstance(event, LogEvent) and event.data.run_id == run_id
    ]
    return entries, events[-1].seq if events else seen


def _message(entries: Sequence[LogEntry], after: float) -> StreamLogsResponse:
    return StreamLogsResponse(
        log_output="".join(map(line_of, entries)),
        latest_timestamp=entries[-1].time if entries else after,
    )


def _nothing_yet(run: Run) -> StreamLogsResponse:
    reason = f": {run.reason}" if run.reason else ""
    return StreamLogsResponse(
        log_output=f"Nothing was logged of run {run.id} yet; it is {run.state}{reason}.\n"
    )


def line_of(entry: LogEntry) -> str:
    """A record as FedLoom's own commands show it, with what controls a terminal left out."""
    mark = f"{entry.level}: " if entry.level in ("warning", "error") else ""
    clock = time.strftime("%H:%M:%S", time.localtime(entry.time))
    trace = f"\n{entry.traceback.rstrip()}" if entry.traceback else ""
    return _UNSEEN.sub("", f"{clock} {entry.source:<9} {mark}{entry.message}{trace}") + "\n"
