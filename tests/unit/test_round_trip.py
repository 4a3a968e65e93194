"""How far a client finds its server to be, by heartbeats that are answered."""

from __future__ import annotations

from client.round_trip import NEWEST, OPEN, RoundTrip
from shared.proto.link_pb2 import Heartbeat


class Beating:
    """A client whose heartbeats take as long as a test wants."""

    def __init__(self) -> None:
        self.now = 100.0
        self.trip = RoundTrip(lambda: self.now)

    def beat(self, took_s: float | None) -> Heartbeat:
        """None: the answer does not come."""
        beat = self.trip.heartbeat()
        self.now += took_s or 0.0
        if took_s is not None:
            self.trip.answered(Heartbeat(stamp=beat.stamp))
        return beat


def test_it_is_the_time_from_a_heartbeat_to_its_answer_told_in_the_next() -> None:
    beating = Beating()

    first, second = beating.beat(0.25), beating.beat(0.25)

    assert first.stamp
    assert not first.HasField("latency_s")
    assert second.latency_s == 0.25
    assert second.stamp != first.stamp


def test_what_waited_behind_a_model_counts_only_while_nothing_better_is_known() -> None:
    beating = Beating()
    beating.beat(5.0)
    assert beating.trip.latency_s == 5.0

    beating.beat(0.125)
    for _ in range(NEWEST - 1):
        beating.beat(3.0)
    assert beating.trip.latency_s == 0.125

    beating.beat(3.0)
    assert beating.trip.latency_s == 3.0, "the way has become longer"


def test_a_server_that_never_answers_leaves_it_unknown_and_costs_no_memory() -> None:
    beating = Beating()

    for _ in range(10 * OPEN):
        beat = beating.beat(None)

    assert not beat.HasField("latency_s")
    assert len(beating.trip._sent) == OPEN


def test_an_answer_to_nothing_or_for_the_second_time_changes_nothing() -> None:
    beating = Beating()
    beat = beating.beat(0.5)
    beating.now += 60.0

    for stamp in (beat.stamp, 0, 999):
        beating.trip.answered(Heartbeat(stamp=stamp))

    assert beating.trip.latency_s == 0.5


def test_an_answer_settles_the_heartbeats_before_it() -> None:
    beating = Beating()
    lost, second = beating.trip.heartbeat(), beating.trip.heartbeat()
    beating.now += 0.25

    beating.trip.answered(Heartbeat(stamp=second.stamp))
    beating.now += 9.0
    beating.trip.answered(Heartbeat(stamp=lost.stamp))

    assert beating.trip.latency_s == 0.25
