"""The states of a run and the only ways between them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from app.records import RunState
from shared.errors import IllegalTransition

TRANSITIONS: Mapping[RunState, frozenset[RunState]] = MappingProxyType(
    {
        RunState.QUEUED: frozenset({RunState.WAITING, RunState.RUNNING, RunState.STOPPED, RunState.FAILED}),
        RunState.WAITING: frozenset({RunState.RUNNING, RunState.STOPPED, RunState.FAILED}),
        RunState.RUNNING: frozenset(
            {RunState.WAITING, RunState.COMPLETED, RunState.STOPPED, RunState.FAILED},
        ),
        RunState.COMPLETED: frozenset(),
        RunState.STOPPED: frozenset(),
        RunState.FAILED: frozenset(),
    }
)

FINAL_STATES = frozenset(state for state, following in TRANSITIONS.items() if not following)


def check_transition(current: RunState, following: RunState) -> None:
    """Raise `IllegalTransition` unless `following` is `current` or may come after it."""
    if following is not current and following not in TRANSITIONS[current]:
        raise IllegalTransition(f"A run that is {current} cannot become {following}.")
