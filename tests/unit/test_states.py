"""A run goes from state to state only as the table says."""

from __future__ import annotations

from itertools import product

import pytest

from app.federation.runs.states import FINAL_STATES, IDLE_STATES, TRANSITIONS, check_transition
from app.records import RunState
from shared.errors import IllegalTransition

LEGAL = {
    ("queued", "waiting"),
    ("queued", "stopped"),
    ("queued", "failed"),
    ("queued", "interrupted"),
    ("waiting", "running"),
    ("waiting", "paused"),
    ("waiting", "stopped"),
    ("waiting", "failed"),
    ("waiting", "interrupted"),
    ("running", "waiting"),
    ("running", "paused"),
    ("running", "interrupted"),
    ("paused", "waiting"),
    ("paused", "running"),
    ("paused", "stopped"),
    ("paused", "failed"),
    ("paused", "interrupted"),
    ("interrupted", "queued"),
    ("interrupted", "stopped"),
    ("running", "completed"),
    ("running", "stopped"),
    ("running", "failed"),
}


@pytest.mark.parametrize(("current", "following"), list(product(RunState, RunState)))
def test_only_the_transitions_of_the_table_are_allowed(current: RunState, following: RunState) -> None:
    if current is following or (current.value, following.value) in LEGAL:
        check_transition(current, following)
    else:
        with pytest.raises(IllegalTransition, match=f"A run that is {current} cannot become {following}"):
            check_transition(current, following)


def test_the_final_states_are_those_without_a_way_on() -> None:
    assert {"completed", "stopped", "failed"} == FINAL_STATES
    assert set(TRANSITIONS) == set(RunState)
    assert {*FINAL_STATES, "interrupted"} == IDLE_STATES
