"""Tracking: keeps a tracker at what the run book has, in a thread of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from app.bus_follower import BusFollower
from app.event_bus import EventBus
from app.events import Event, RoundEvent, RunEvent, RunGoneEvent
from app.records import Round, Run, RunState
from app.records.outlets import TrackerStatus
from app.trackers.tracker import Tracker, TrackerFailed, TrackerSettings

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 60.0

STOP_S = 5.0
"""How long the end of a server waits for what is left to be written."""

_ENDS = frozenset({RunState.COMPLETED, RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED})

log = logging.getLogger(__name__)


class Book(Protocol):
    """The runs and their rounds as they are now."""

    def get(self, run_id: str) -> Run | None: ...

    def rounds(self, run_id: str) -> list[Round]: ...

    def newest_first(self) -> list[Run]: ...


class Tracking:
    """Of one tracker. Whatever becomes of it, runs go on; what it lacks is written once it works again."""

    def __init__(
        self,
        settings: TrackerSettings,
        bus: EventBus,
        book: Book,
        make: Callable[[TrackerSettings], Tracker] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._book = book
        self._tracker = (make or _tracker)(settings)
        self._clock = clock
        self._behind: dict[str, None] = {}
        """Runs of which there is something to write, in the order in which it happened."""
        self._written: dict[str, int] = {}
        """The newest round that is written, of runs that have been looked for there."""
        self._going = {run.id for run in book.newest_first() if run.state not in _ENDS}
        """Runs that have not ended yet, as far as the tracker was told."""
        self._retry_at = 0.0
        self._retry_s = FIRST_RETRY_S
        self._problem: str | None = None
        self._follower = BusFollower(bus, f"tracker-{settings.kind}", self._take, self._start_over)

    def start(self) -> None:
        """Follow what happens from now on."""
        self._follower.start()

    def stop(self) -> None:
        """Write what is left, if that works now."""
        self._follower.stop(STOP_S)
        self._tracker.close()

    def status(self) -> TrackerStatus:
        """How it goes."""
        return TrackerStatus(
            kind=self._settings.kind,
            where=self._settings.where,
            behind=len(self._behind),
            problem=self._problem,
        )

    # in the thread

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case RunEvent():
                    self._note(event.data)
                case RoundEvent() if event.data.round.complete:
                    self._behind[event.data.run_id] = None
                case RunGoneEvent():
                    self._behind.pop(event.data.id, None)
        self._write_what_is_there()

    def _note(self, run: Run) -> None:
        if run.state not in _ENDS:
            self._going.add(run.id)
        elif run.id in self._going:
            self._behind[run.id] = None

    def _start_over(self) -> None:
        for run in self._book.newest_first():
            self._note(run)
        self._behind.update(dict.fromkeys(self._going))
        self._write_what_is_there()

    def _write_what_is_there(self) -> None:
        if not self._behind or self._clock() < self._retry_at:
            return
        try:
            for run_id in list(self._behind):
                if (run := self._book.get(run_id)) is not None:
                    self._write(run)
                del self._behind[run_id]
        except TrackerFailed as error:
            self._failed(str(error))
        except Exception as error:  # whatever it is, the next try may be another
            log.exception("the tracker %s: an unexpected error", self._shown)
            self._failed(f"an unexpected error: {type(error).__name__}")
        else:
            self._works()

    def _write(self, run: Run) -> None:
        if run.id not in self._written:
            self._written[run.id] = self._tracker.rounds_there(run)
        newest = self._written[run.id]
        for round_ in self._book.rounds(run.id):
            if round_.complete and round_.round > newest:
                self._tracker.write(run, [round_])
                self._written[run.id] = round_.round
        if run.state in _ENDS and run.id in self._going:
            self._tracker.end(run)
            self._going.discard(run.id)

    def _failed(self, problem: str) -> None:
        """Say so once, and wait longer each time."""
        if self._problem is None:
            log.warning(
                "the tracker %s cannot be written: %s. Runs go on; it gets what it lacks when it works again",
                self._shown,
                problem,
            )
        self._problem = problem
        self._written.clear()  # what has come through is asked again
        self._retry_at = self._clock() + self._retry_s
        self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)

    def _works(self) -> None:
        if self._problem is not None:
            log.info("the tracker %s works again", self._shown)
        self._problem = None
        self._retry_s = FIRST_RETRY_S

    @property
    def _shown(self) -> str:
        return f"{self._settings.kind}:{self._settings.where}"


def _tracker(settings: TrackerSettings) -> Tracker:
    if settings.kind == "tensorboard":
        from app.trackers.tensorboard import TensorBoard  # only now: TensorBoard's messages take a while

        return TensorBoard(Path(settings.where))
    from app.trackers.mlflow import Mlflow

    return Mlflow(settings.where)
