"""What is measured of clients' links, and what of it pages are told."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path

import pytest

from app.batches import Batch, batch_of, whole_batch
from app.federation.link.link_measures import LinkMeasures
from app.federation.link.session import Session
from app.federation.link.spool import Spool
from app.federation.link.traffic import Traffic
from app.records import ClientLink
from app.web.link_news import LinkNews
from shared.errors import WireError
from shared.proto.link_pb2 import Heartbeat, ServerFrame
from tests.support.clock import Clock
from tests.support.records import a_hello
from tests.support.sealing import SERVER, THREADS, a_guest, a_key
from tests.support.working import Working


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Of client-1."""
    spool = Spool(tmp_path)
    return Session(a_guest(a_hello()), Working().reports, spool, a_key(SERVER), THREADS, Traffic())


def written(session: Session) -> list[ServerFrame]:
    """All that it has to write."""

    async def write() -> list[ServerFrame]:
        session.close()
        return [frame async for frame in session.outgoing() if isinstance(frame, ServerFrame)]

    return asyncio.run(write())


class TestHeartbeats:
    def test_one_that_asks_for_an_answer_gets_its_own_stamp(self, session: Session) -> None:
        session.beats(Heartbeat(stamp=7, latency_s=0.25))

        assert [frame.heartbeat.stamp for frame in written(session)] == [7]
        assert (session.measures, session.latency_s) == (True, 0.25)

    def test_a_client_of_an_older_fedloom_is_sent_nothing_that_it_does_not_know(
        self, session: Session
    ) -> None:
        session.beats(Heartbeat())

        assert written(session) == []
        assert (session.measures, session.latency_s) == (False, None)

    def test_however_many_come_while_nothing_is_read_one_answer_waits(self, session: Session) -> None:
        for stamp in range(1, 1_000):
            session.beats(Heartbeat(stamp=stamp))

        assert [frame.heartbeat.stamp for frame in written(session)] == [999]

    @pytest.mark.parametrize("latency_s", [-1.0, math.nan, math.inf, 1e9])
    def test_a_distance_that_cannot_be_ends_the_connection(self, session: Session, latency_s: float) -> None:
        with pytest.raises(WireError, match="distance"):
            session.beats(Heartbeat(stamp=1, latency_s=latency_s))


class TestMeasuring:
    def test_rates_are_what_was_carried_since_the_last_time(self, session: Session) -> None:
        clock = Clock()
        measures = LinkMeasures({"client-1": session}, clock)
        session.traffic.sent = 5_000
        measures.measure()
        first = measures.newest["client-1"]

        session.traffic.sent, session.traffic.received = 11_000, 300
        session.beats(Heartbeat(stamp=1, latency_s=0.01234))
        clock.now += 2.0
        measures.measure()

        assert (first.sent_per_s, first.received_per_s) == (None, None), "it was not there before"
        assert measures.newest["client-1"] == ClientLink(
            client="client-1", measures=True, latency_s=0.012, sent_per_s=3_000, received_per_s=150
        )

    def test_a_client_that_is_gone_has_no_link_and_a_new_one_of_its_name_no_rate_yet(
        self, session: Session
    ) -> None:
        sessions = {"client-1": session}
        measures = LinkMeasures(sessions, Clock())
        session.traffic.sent = 5_000
        measures.measure()

        session.traffic = Traffic()  # it was forgotten, and another one has come by its name
        measures.measure()
        assert measures.newest["client-1"].sent_per_s is None

        del sessions["client-1"]
        measures.measure()
        assert measures.newest == {}

    def test_what_differs_in_the_third_digit_is_no_news(self, session: Session) -> None:
        clock, news = Clock(), LinkNews()
        measures = LinkMeasures({"client-1": session}, clock)
        told = []
        for carried in (0, 10_000, 20_010, 30_000, 50_000):
            session.traffic.sent = carried
            measures.measure()
            told.append(news.following(measures.newest))
            clock.now += 1.0

        assert [None if each is None else each.links["client-1"].get("sent_per_s") for each in told] == [
            None,
            10_000,
            None,
            None,
            20_000,
        ]


def a_link(client: str, **fields: float) -> ClientLink:
    return ClientLink(client=client, measures=True, **fields)


class TestNews:
    def test_the_first_time_all_is_told_and_then_the_fields_that_have_changed(self) -> None:
        news = LinkNews()
        before = {"a": a_link("a", sent_per_s=1.0, latency_s=0.1), "b": a_link("b", sent_per_s=1.0)}
        after = {"a": a_link("a", sent_per_s=2.0, latency_s=0.1), "b": a_link("b", sent_per_s=1.0)}

        first, second = news.following(before), news.following(after)

        assert first is not None
        assert second is not None
        assert first.links == {name: link.model_dump() for name, link in before.items()}
        assert second.links == {"a": {"sent_per_s": 2.0}}
        assert news.following(dict(after)) is None, "nothing has changed"

    def test_who_is_gone_is_told_once(self) -> None:
        news = LinkNews()
        news.following({"a": a_link("a"), "b": a_link("b")})

        told = news.following({"b": a_link("b")})

        assert told is not None
        assert (told.gone, told.links) == (("a",), {})
        assert news.following({"b": a_link("b")}) is None

    def test_who_comes_later_is_told_all_that_the_others_know(self) -> None:
        news = LinkNews()
        assert news.whole() is None, "nobody has been told anything, and the next tells all"
        news.following({"a": a_link("a", sent_per_s=1.0)})

        whole = news.whole()
        assert whole is not None
        assert whole.whole
        assert whole.links == {"a": a_link("a", sent_per_s=1.0).model_dump()}

        news.following({})
        emptied = news.whole()
        assert emptied is not None
        assert emptied.links == {}, "who was away may know of links that are gone"

    def test_it_travels_in_a_batch(self) -> None:
        news = LinkNews()
        update = news.following({"a": a_link("a", latency_s=0.5)})

        for text in (batch_of([], None, update), whole_batch((), update)):
            assert Batch.model_validate_json(text).links == update
        assert json.loads(batch_of([]))["links"] is None
