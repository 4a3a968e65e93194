"""What a client finds of its link to the server: bytes a second each way, and how far the server is."""

from __future__ import annotations

from client.link_measure import Carried, LinkMeasure, LinkView
from client.round_trip import RoundTrip
from shared.proto.link_pb2 import Heartbeat


class Linked:
    """A connection on which as many bytes go as a test wants, while as much time passes."""

    def __init__(self) -> None:
        self.now = 100.0
        self.round_trip = RoundTrip(lambda: self.now)
        carried = Carried()
        self._write = carried.counting_sent(bytes)
        self._read = carried.counting_received(len)
        self.measure = LinkMeasure(carried, self.round_trip, lambda: self.now)

    def carries(self, sent: int, received: int, seconds: float) -> LinkView:
        """And is looked at then."""
        assert self._write(bytearray(sent)) == bytes(sent)
        assert self._read(bytes(received)) == received
        self.now += seconds
        self.measure.measure()
        return self.measure.view()


def test_of_a_connection_that_is_new_nothing_is_known() -> None:
    linked = Linked()

    assert linked.measure.view() == LinkView(None, None, None)
    assert linked.carries(sent=9_000, received=9_000, seconds=0.01) == LinkView(None, None, None), (
        "how long that took is not known"
    )


def test_rates_are_of_the_time_since_the_last_look() -> None:
    linked = Linked()
    linked.carries(sent=9_000, received=9_000, seconds=0.01)

    assert linked.carries(sent=4_000, received=1_000, seconds=2.0) == LinkView(None, 2_000.0, 500.0)
    assert linked.carries(sent=0, received=0, seconds=2.0) == LinkView(None, 0.0, 0.0)


def test_how_far_the_server_is_is_known_with_the_first_answer() -> None:
    linked = Linked()
    beat = linked.round_trip.heartbeat()
    linked.now += 0.25

    linked.round_trip.answered(Heartbeat(stamp=beat.stamp))

    assert linked.measure.view() == LinkView(latency_s=0.25)
