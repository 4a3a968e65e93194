"""A run that the store has interrupted is tried again when the store works, less often if that is in vain."""

from __future__ import annotations

from typing import Any

import pytest

from app.federation.runs.store_wait import FIRST_PAUSE_S, LAST_PAUSE_S, StoreWait
from app.records import Cause, Run, RunState
from tests.support.records import a_run


class Waiting:
    """A wait for a store that a test breaks and mends, on a clock of its own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.works = True
        self.wait = StoreWait(lambda: self.works, lambda: self.now)


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


def interrupted(run_id: str = "a", **fields: Any) -> Run:
    known = {"state": RunState.INTERRUPTED, "cause": Cause.STORE, "can_resume": True}
    return a_run(run_id, **{**known, **fields})


def test_a_run_is_tried_again_once_when_the_store_works(waiting: Waiting) -> None:
    waiting.works = False
    waiting.wait.has_ended(interrupted())
    waiting.now += LAST_PAUSE_S
    assert waiting.wait.next_to_try() is None
    assert waiting.wait.holds_all_up

    waiting.works = True

    assert not waiting.wait.holds_all_up
    assert waiting.wait.next_to_try() == "a"
    assert waiting.wait.next_to_try() is None
    assert not waiting.wait


@pytest.mark.parametrize(
    "fields",
    [
        {"cause": Cause.SHUTDOWN},
        {"cause": Cause.DATA},
        {"can_resume": False},
        {"state": RunState.FAILED},
        {"state": RunState.COMPLETED},
    ],
)
def test_no_other_run_waits(waiting: Waiting, fields: dict[str, Any]) -> None:
    waiting.wait.has_ended(interrupted(**fields))

    assert not waiting.wait


def test_a_run_that_comes_no_further_waits_longer_each_time(waiting: Waiting) -> None:
    """The folder of checkpoints may be on a disk that is full, of which the database knows nothing."""
    pauses = []
    for _ in range(9):
        waiting.wait.has_ended(interrupted(round=3))
        began = waiting.now
        while waiting.wait.next_to_try() is None:
            waiting.now += FIRST_PAUSE_S
        pauses.append(waiting.now - began)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]

    waiting.wait.has_ended(interrupted(round=4))
    waiting.now += FIRST_PAUSE_S
    assert waiting.wait.next_to_try() == "a"


def test_the_run_that_has_waited_longest_goes_first(waiting: Waiting) -> None:
    waiting.wait.has_ended(interrupted("b"))
    waiting.now += 0.5
    waiting.wait.has_ended(interrupted("a"))
    waiting.now += 10

    assert [waiting.wait.next_to_try() for _ in range(3)] == ["b", "a", None]
