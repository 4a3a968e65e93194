"""What a dashboard has of its federation: the events without a gap, and who still may look."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from flask import Flask, Request
from werkzeug.test import EnvironBuilder

from app.api.access import Gate
from app.auth.identity import By, Credential, Identity
from app.auth.peer import PEER, Peer
from app.auth.replica_key import FOR_ANOTHER_HEADER, REPLICA
from app.auth.roles import REPLICAS, Role
from app.event_bus import EventBus, EventsGone
from app.events import Event, event_of
from app.records import ClientRound, LogRecord, Round, RoundUpdate
from app.replica.federation import Federation, FederationAway
from app.replica.followed import FollowedLog
from app.replica.known import CONFIRMED_S, UNASKED_S, Known
from app.settings import parse
from tests.support.clock import Clock

SNAPSHOT = '{"seq": 10, "instance": "a", "runs": []}'
ANN = Identity(Role.OPERATOR, By.SESSION, "ann", Credential(By.SESSION, "1", cookie=True), "ann")


def line(seq: int) -> Event:
    return event_of(seq, 0.0, LogRecord(level="info", source="server", logger="x", message=str(seq)))


def round_(seq: int, **losses: float) -> Event:
    parts = {name: ClientRound(train_loss=loss) for name, loss in losses.items()}
    return event_of(seq, 0.0, RoundUpdate(run_id="r", round=Round(round=1, started_at=0.0, per_client=parts)))


def test_a_bus_takes_what_another_has_numbered_and_leaves_out_what_it_has() -> None:
    bus = EventBus(first_seq=5)

    bus.take([line(4), line(5), line(6)])
    bus.take([line(6), line(7)])

    assert [event.seq for event in bus.since(4)] == [5, 6, 7]
    assert [entry.seq for entry in bus.logs()] == [5, 6, 7]
    assert bus.wait_for_news(6, 0.0)


def test_a_bus_refuses_a_gap_and_keeps_what_came_before_it() -> None:
    bus = EventBus(first_seq=5)

    with pytest.raises(EventsGone, match="Event 8 came after 6"):
        bus.take([line(5), line(6), line(8)])

    assert bus.last == 6


def test_a_dashboard_knows_what_happened_before_its_snapshot() -> None:
    followed = FollowedLog.from_snapshot(SNAPSHOT, [line(8), line(9), line(10), line(11)])

    assert followed.instance == "a"
    assert followed.snapshot().seq == 10
    assert [event.seq for event in followed.bus.since(7)] == [8, 9, 10, 11]
    with pytest.raises(EventsGone):
        followed.bus.since(6)


def test_parts_of_a_round_that_have_not_changed_are_the_same_objects() -> None:
    """By that it is told what pages are sent of a round."""
    followed = FollowedLog.from_snapshot(SNAPSHOT)

    followed.take([round_(11, a=1.0, b=1.0), round_(12, a=1.0, b=2.0)])

    before, after = (event.data.round.per_client for event in followed.bus.since(10))  # type: ignore[union-attr]
    assert after["a"] is before["a"]
    assert after["b"].train_loss == 2.0
    assert followed.parts == 2
    followed.renew(FollowedLog.from_snapshot('{"seq": 12, "instance": "a"}'))
    assert (followed.parts, followed.snapshot().seq) == (0, 12)


class Asked(Federation):
    """A federation that answers from memory, or not at all."""

    def __init__(self, identity: Identity | None) -> None:
        super().__init__("http://localhost:1", "k" * 43)
        self.known = identity
        self.asked = 0
        self.is_away = False

    def identity(self, headers: object) -> Identity | None:
        self.asked += 1
        if self.is_away:
            raise FederationAway("it is away")
        return self.known


def request(**headers: str) -> Request:
    return Request(EnvironBuilder(headers=list(headers.items())).get_environ())


@pytest.fixture
def federation() -> Asked:
    return Asked(ANN)


def known_by(federation: Asked, clock: Clock) -> Known:
    return Known(federation, lambda _: None, lambda: True, clock)


def confirm(known: Known, identities: Sequence[Identity | None]) -> None:
    known.confirm(known.credentials(), identities)


def test_the_same_secret_is_asked_about_once(federation: Asked) -> None:
    known = known_by(federation, Clock())

    assert [known.identify(request(Cookie="fedloom=1")) for _ in range(3)] == [ANN] * 3
    assert federation.asked == 1
    known.identify(request(Cookie="fedloom=2"))
    assert federation.asked == 2


def test_the_connection_of_whoever_is_known_is_kept(federation: Asked) -> None:
    known = known_by(federation, Clock())
    kept: list[int] = []
    with socket.socket() as connection:
        peer = Peer(connection, lambda: kept.append(1))
        asking = request(Cookie="fedloom=1")
        asking.environ[PEER] = peer

        for number in (1, 2):  # whether it is asked, or known already
            known.identify(asking)
            assert len(kept) == number
        federation.known = None
        asking = request(Cookie="fedloom=2")
        asking.environ[PEER] = peer
        assert known.identify(asking) is None
        assert len(kept) == 2


def test_the_connection_of_a_dashboard_itself_is_kept_by_the_federation() -> None:
    kept: list[int] = []
    gate = Gate(parse([]), SimpleNamespace(cookie="fedloom"))  # type: ignore[arg-type]
    with socket.socket() as connection:
        asking = request()
        asking.environ |= {PEER: Peer(connection, lambda: kept.append(1)), REPLICA: True}
        assert gate.refusal(REPLICAS, None, asking) is None
        assert len(kept) == 1

        passed_on = request(**{FOR_ANOTHER_HEADER: "1"})
        passed_on.environ |= asking.environ | passed_on.environ
        with Flask(__name__).test_request_context():
            assert gate.refusal(REPLICAS, None, passed_on) is not None
        assert len(kept) == 1


def test_who_shows_nothing_is_nobody_and_not_asked_about(federation: Asked) -> None:
    known = known_by(federation, Clock())

    assert known.identify(request()) is None
    assert federation.asked == 0


def test_what_is_not_confirmed_does_not_hold_for_long(federation: Asked) -> None:
    clock = Clock()
    known = known_by(federation, clock)
    known.identify(request(Cookie="fedloom=1"))

    clock.now = CONFIRMED_S - 1
    assert known.identity(ANN.credential) == ANN
    confirm(known, [ANN])
    clock.now += CONFIRMED_S - 1
    assert known.identity(ANN.credential) == ANN
    clock.now += 2
    assert known.identity(ANN.credential) is None


def test_who_has_lost_something_is_seen_at_once(federation: Asked) -> None:
    known = known_by(federation, Clock())
    known.identify(request(Cookie="fedloom=1"))
    before = known.version

    confirm(known, [ANN])
    assert known.version == before
    viewer = Identity(Role.VIEWER, ANN.by, ANN.name, ANN.credential)
    confirm(known, [viewer])
    assert known.version > before
    assert known.identity(ANN.credential) == viewer
    refusal = known.socket_refusal(request(Cookie="fedloom=1"), Role.OPERATOR)
    assert refusal is not None
    assert refusal.status_code == 403
    confirm(known, [None])
    federation.known = None
    refusal = known.socket_refusal(request(Cookie="fedloom=1"), Role.VIEWER)
    assert refusal is not None
    assert refusal.status_code == 401


def test_nobody_new_is_let_in_while_the_federation_is_away(federation: Asked) -> None:
    known = known_by(federation, Clock())
    federation.is_away = True

    refusal = known.socket_refusal(request(Cookie="fedloom=1"), Role.VIEWER)

    assert refusal is not None
    assert refusal.status_code == 503


def test_credentials_that_nobody_uses_are_forgotten(federation: Asked) -> None:
    clock = Clock()
    known = known_by(federation, clock)
    known.identify(request(Cookie="fedloom=1"))

    clock.now = UNASKED_S + 1

    assert known.credentials() == []
