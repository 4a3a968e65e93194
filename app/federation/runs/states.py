"""The states of a run and the only ways between them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from app.records import RunState
from shared.errors import IllegalTransition

_ENDINGS = (RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED)

TRANSITIONS: Mapping[RunState, frozenset[RunState]] = MappingProxyType(
    {
        RunState.QUEUED: frozenset({RunState.WAITING, *_ENDINGS}),
        RunState.WAITING: frozenset({RunState.RUNNING, RunState.PAUSED, *_ENDINGS}),
        RunState.RUNNING: frozenset(
            {RunState.WAITING, RunState.PAUSED, RunState.COMPLETED, *_ENDINGS},
        ),
        RunState.PAUSED: frozenset({RunState.WAITING, RunState.RUNNING, *_ENDINGS}),
        RunState.INTERRUPTED: frozenset({RunState.QUEUED, RunState.STOPPED}),
        RunState.COMPLETED: frozenset(),
        RunState.STOPPED: frozenset(),
        RunState.FAILED: frozenset(),
    }
)

FINAL_STATES = frozenset(state for state, following in TRANSITIONS.items() if not following)

IDLE_STATES = FINAL_STATES | {RunState.INTERRUPTED}
"""In these a run does not go on by itself, and holds no other up."""


def check_transition(current: RunState, following: RunState) -> None:
    """Raise `IllegalTransition` unless `following` is `current` or may come after it."""
    if following is not current and following not in TRANSITIONS[current]:
        raise IllegalTransition(f"A run that is {current} cannot become {following}.")
