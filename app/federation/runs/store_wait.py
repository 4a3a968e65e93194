"""StoreWait: runs that the store has interrupted, until it works again."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.records import Cause, Run, RunState

FIRST_PAUSE_S = 1.0
LAST_PAUSE_S = 60.0
"""A run that the store interrupts again before it has come further waits twice as long, up to this."""


class StoreWait:
    """Says which run can be tried again. Used in the run thread."""

    def __init__(self, works: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        """`works`: whether the database keeps what happens.

        It says nothing of the folder of checkpoints, which may be on another disk: hence the pauses.
        """
        self._works = works
        self._clock = clock
        self._tries_at: dict[str, float] = {}
        self._pauses: dict[str, tuple[int, float]] = {}

    def __bool__(self) -> bool:
        """Whether any run waits."""
        return bool(self._tries_at)

    def has_ended(self, run: Run) -> None:
        """A run has left the run thread; it waits from now on if the store was why, and it can go on."""
        if run.state is not RunState.INTERRUPTED or run.cause is not Cause.STORE or not run.can_resume:
            self._pauses.pop(run.id, None)
            return
        self._tries_at[run.id] = self._clock() + (self._pause_s(run) if self._works() else 0.0)

    @property
    def holds_all_up(self) -> bool:
        """Whether the store still fails that has interrupted a run: the next one would fare no better."""
        return bool(self) and not self._works()

    def next_to_try(self) -> str | None:
        """The run that has waited longest, if it is time for it; it is no longer waited for then."""
        if not self or not self._works():
            return None
        run_id, tries_at = min(self._tries_at.items(), key=lambda item: item[1])
        if tries_at > self._clock():
            return None
        del self._tries_at[run_id]
        return run_id

    def _pause_s(self, run: Run) -> float:
        """How long to wait where it is not known when the cause has passed."""
        round_before, pause_s = self._pauses.get(run.id, (-1, 0.0))
        pause_s = FIRST_PAUSE_S if run.round > round_before else min(2 * pause_s, LAST_PAUSE_S)
        self._pauses[run.id] = run.round, pause_s
        return pause_s
