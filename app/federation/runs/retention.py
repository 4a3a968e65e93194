"""Retention: now and then has the server forget old runs and checkpoints, within what the settings keep."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from app.audit.entry import Kind
from app.federation.runs.states import FINAL_STATES
from app.records import Cause, Run, RunState
from shared.errors import IllegalTransition, StoreUnavailable

GAP_S = 60.0
"""From one look to the next."""

AT_ONCE = 20
"""Runs that one look forgets at most: what else its thread does must not wait long."""

DAY_S = 86_400.0
MEGABYTE = 1_000_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """What is kept: the newest `runs`, none that ended more than `days` ago, and of checkpoints of runs that
    have ended `megabytes` in all, or those of the one that ended last. None: whatever there is. With
    `spares_best` the newest and the best checkpoint of each run stay, whatever they take."""

    runs: int
    days: int | None = None
    megabytes: int | None = None
    spares_best: bool = False


class Checkpoints(Protocol):
    """The checkpoints of all runs."""

    def bytes_of(self, run_id: str) -> int:
        """What those of a run take. Raises StoreUnavailable."""

    def prune(self, run_id: str, keep_newest: int, best: int | None) -> None:
        """Delete those of a run but the newest and that of the round `best`. Raises StoreUnavailable."""

    def remove(self, run_id: str) -> None:
        """Delete those of a run. Raises StoreUnavailable."""


class Retention:
    """In one thread. What it deletes is entered in the audit log by `enter`, and never of it."""

    def __init__(
        self,
        runs: Callable[[], list[Run]],
        delete: Callable[[str], None],
        checkpoints: Checkpoints,
        best: Callable[[str], int | None],
        kept: Kept,
        enter: Callable[..., None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`runs`: all of them, newest first. `delete`: deletes one with all that is kept of it; raises what
        RunManager's does."""
        self._runs = runs
        self._delete = delete
        self._checkpoints = checkpoints
        self._best = best
        self._kept = kept
        self._enter = enter
        self._clock = clock
        self._looked_at = 0.0
        self._bytes: dict[str, int] = {}
        self._thinned: set[str] = set()
        self._told: set[str] = set()
        """Runs of which was said that they, or their checkpoints, cannot be deleted."""

    def hold(self) -> None:
        """Forget what is beyond what is kept, if it was not looked for a minute."""
        now = self._clock()
        if 0 <= now - self._looked_at < GAP_S:
            return
        self._looked_at = now
        self._forget_runs(now)
        with suppress(StoreUnavailable):  # the writer says so, and there will be another minute
            self._forget_checkpoints()

    def _forget_runs(self, now: float) -> None:
        oldest_first = list(self._beyond(now))[::-1]
        oldest_first.sort(key=lambda beyond: beyond[0].id in self._told)  # those hold up no others
        for run, why in oldest_first[:AT_ONCE]:
            with suppress(IllegalTransition, KeyError), self._telling(run):  # somebody was faster
                self._delete(run.id)
                self._bytes.pop(run.id, None)
                self._thinned.discard(run.id)
                self._told.discard(run.id)
                self._enter(
                    Kind.RUN_DELETED, run=run.id, state=run.state, by=f"the server, {why}", address=None
                )
                log.info("run %s is deleted by the server, %s", run.id, why)

    def _beyond(self, now: float) -> Iterator[tuple[Run, str]]:
        """Newest first, each with why it goes."""
        days = self._kept.days
        for place, run in enumerate(self._runs()):
            if not _is_over(run):
                continue
            if place >= self._kept.runs:
                yield run, f"which keeps the newest {self._kept.runs:,} runs"
            elif days is not None and (run.finished_at or run.created_at) < now - days * DAY_S:
                yield run, f"which keeps runs for {days:,} days"

    def _forget_checkpoints(self) -> None:
        """First all but the newest and the best of each run go, then these, unless they are spared: the
        oldest run's first, and none of the run that ended last of those that have some. Raises
        StoreUnavailable while the best are not known."""
        if self._kept.megabytes is None:
            return
        over = [run for run in self._runs() if _is_over(run)]
        self._bytes = {run.id: self._bytes.get(run.id) or self._bytes_of(run) for run in over}
        with_some = (run for run in over if self._bytes[run.id] > 0)
        last = max(with_some, key=lambda run: run.finished_at or run.created_at, default=None)
        oldest_first = [run for run in reversed(over) if run is not last]
        surplus = sum(self._bytes.values()) - self._kept.megabytes * MEGABYTE
        why = f"which keeps {self._kept.megabytes:,} MB of checkpoints"
        for run in oldest_first:
            if surplus > 0 and self._bytes[run.id] > 0 and run.id not in self._thinned:
                thin = partial(self._checkpoints.prune, keep_newest=1, best=self._best(run.id))
                surplus -= self._freed(run, thin, f"{why}; the newest and the best of the run stay")
                if self._bytes[run.id] > 0:  # it did not fail
                    self._thinned.add(run.id)
        if self._kept.spares_best:
            return
        for run in oldest_first:
            if surplus > 0 and self._bytes[run.id] > 0:
                surplus -= self._freed(run, self._checkpoints.remove, why)

    def _bytes_of(self, run: Run) -> int:
        """What its checkpoints take; none where that cannot be told."""
        with self._telling(run):
            return self._checkpoints.bytes_of(run.id)
        return 0

    def _freed(self, run: Run, delete: Callable[[str], None], why: str) -> int:
        """Delete checkpoints of a run, and return how many bytes there are less. Where it fails, all count
        as gone until the next look, so that those of no other run go in their place."""
        before, self._bytes[run.id] = self._bytes[run.id], 0
        with self._telling(run):
            delete(run.id)
            self._bytes[run.id] = self._checkpoints.bytes_of(run.id)
            if self._bytes[run.id] < before:
                self._enter(Kind.CHECKPOINTS_DELETED, run=run.id, by=f"the server, {why}", address=None)
                log.info(
                    "checkpoints of run %s are deleted by the server, %s",
                    run.id,
                    why,
                    extra={"run_id": run.id},
                )
        return before - self._bytes[run.id]

    @contextmanager
    def _telling(self, run: Run) -> Iterator[None]:
        """Say once for each run that its files cannot be deleted, and go on with the next."""
        try:
            yield
        except StoreUnavailable as error:
            if run.id not in self._told:
                self._told.add(run.id)
                log.warning(
                    "run %s or its checkpoints are to be deleted, and cannot be: %s The server goes on with "
                    "other runs, and tries again each minute.",
                    run.id,
                    error,
                    extra={"run_id": run.id},
                )


def _is_over(run: Run) -> bool:
    """Whether it can never go on, and is known in full."""
    ended = run.state in FINAL_STATES or (run.state is RunState.INTERRUPTED and not run.can_resume)
    return ended and run.cause is not Cause.RECORD
