"""Fallback: when a client learns without its server."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from client.offline.fallback import Fallback, Step

AFTER_S = 20.0


def a_client() -> Fallback:
    """One that is connected to its server."""
    fallback = Fallback(AFTER_S, 0.0)
    fallback.back()
    return fallback


def test_a_server_that_is_away_for_a_moment_is_waited_for() -> None:
    fallback = a_client()
    fallback.lost(100.0)

    assert fallback.step(119.9, can_learn=True) is None
    fallback.back()
    assert fallback.step(500.0, can_learn=True) is None


def test_one_that_stays_away_is_not() -> None:
    fallback = a_client()
    fallback.lost(100.0)
    fallback.lost(110.0)  # a try that failed

    assert fallback.seconds_left(105.0) == 15.0
    assert fallback.step(120.0, can_learn=True) is Step.BEGIN
    assert fallback.step(121.0, can_learn=True) is None


def test_without_a_run_that_may_there_is_nothing_to_learn() -> None:
    fallback = a_client()
    fallback.lost(100.0)

    assert fallback.step(130.0, can_learn=False) is None
    assert fallback.step(131.0, can_learn=True) is Step.BEGIN


def test_when_the_server_is_back_it_ends_in_order_and_once() -> None:
    fallback = a_client()
    fallback.lost(100.0)
    fallback.step(120.0, can_learn=True)
    fallback.back()

    assert fallback.step(130.0, can_learn=True) is Step.END
    assert fallback.step(131.0, can_learn=True) is None
    fallback.lost(132.0)
    assert fallback.step(160.0, can_learn=True) is None, "what is ending, ends first"
    fallback.ended()
    assert fallback.step(160.0, can_learn=True) is Step.BEGIN


def test_what_has_ended_by_itself_does_not_begin_again_while_the_server_is_away() -> None:
    fallback = a_client()
    fallback.lost(100.0)
    fallback.step(120.0, can_learn=True)
    fallback.ended()

    assert fallback.step(200.0, can_learn=True) is None
    assert fallback.step(201.0, can_learn=True, is_outdated=True) is Step.BEGIN


def test_a_newer_model_takes_the_place_of_an_older_one() -> None:
    fallback = a_client()
    fallback.lost(100.0)
    fallback.step(120.0, can_learn=True)

    assert fallback.step(130.0, can_learn=True, is_outdated=True) is Step.END
    fallback.ended()
    assert fallback.step(131.0, can_learn=True, is_outdated=True) is Step.BEGIN


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["lost", "back", "ended", "step"]),
        st.floats(min_value=0.0, max_value=30.0),
        st.booleans(),
        st.booleans(),
    ),
    max_size=60,
)


@given(EVENTS)
def test_it_learns_only_while_the_server_has_been_away_and_each_end_follows_a_beginning(
    events: list[tuple[str, float, bool, bool]],
) -> None:
    fallback = a_client()
    now, away_since, is_learning, is_ending = 0.0, None, False, False
    for kind, passed, can_learn, is_outdated in events:
        now += passed
        match kind:
            case "lost":
                fallback.lost(now)
                away_since = now if away_since is None else away_since
            case "back":
                fallback.back()
                away_since = None
            case "ended" if is_learning:
                fallback.ended()
                is_learning = is_ending = False
            case _:
                step = fallback.step(now, can_learn=can_learn, is_outdated=is_outdated)
                if step is Step.BEGIN:
                    assert not is_learning
                    assert can_learn
                    assert away_since is not None
                    assert now - away_since >= AFTER_S - 1e-6
                    is_learning = True
                elif step is Step.END:
                    assert is_learning
                    assert not is_ending
                    is_ending = True
        assert fallback.is_learning is is_learning
