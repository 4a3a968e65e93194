"""Pauses are counted once, however often they are asked for."""

from __future__ import annotations

from app.federation.grid.pause import PauseClock


def test_the_time_of_all_pauses_that_are_over_counts() -> None:
    now = 10.0
    clock = PauseClock(lambda: now)
    assert not clock.is_paused

    assert clock.set(True)
    now = 12.0
    assert not clock.set(True)
    assert (clock.is_paused, clock.held_s) == (True, 0.0)
    now = 15.0
    assert clock.set(False)
    assert not clock.set(False)
    assert (clock.is_paused, clock.held_s) == (False, 5.0)

    clock.set(True)
    now = 16.0
    clock.set(False)
    assert clock.held_s == 6.0
