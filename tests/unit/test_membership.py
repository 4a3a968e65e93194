"""Who is in a run: clients are admitted, told their parts once, waited for, and told why they are not in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.event_bus import EventBus
from app.federation.runs import words
from app.federation.runs.book import RunBook
from app.federation.runs.membership import Membership
from app.federation.runs.run_status import RunStatus
from app.records import Client, ClientState, RunState, WaitKind
from shared.errors import StoreUnavailable
from shared.proto.link_pb2 import Assignment
from shared.wire import from_values
from tests.support.records import a_client, a_run

RUN = "7f3a9c01"


class Room:
    """A link, the clients on it, and where parts are kept: what a run's membership needs of the server."""

    def __init__(self) -> None:
        self.clients: list[Client] = []
        self.told: list[tuple[str, Assignment]] = []
        self.notes: dict[str, dict[str, Any]] = {}
        self.kept: tuple[dict[str, int], int] | None = None
        self.store_fails = False

    def snapshot(self) -> list[Client]:
        return self.clients

    def catch_up(self) -> None:
        """Nothing is under way."""

    def note(self, client_id: str, **changes: Any) -> None:
        self.notes.setdefault(client_id, {}).update(changes)

    def assign(self, client_id: str, assignment: Assignment) -> None:
        self.told.append((client_id, assignment))

    def num_partitions(self, run_id: str) -> int | None:
        return self.kept[1] if self.kept else None

    def parts(self, run_id: str) -> dict[str, int]:
        assert self.kept is not None
        return self.kept[0]

    def save_parts(self, run_id: str, parts: dict[str, int], num_partitions: int) -> None:
        if self.store_fails:
            raise StoreUnavailable("The disk is full.")
        self.kept = (parts, num_partitions)


class Member:
    """A run's membership, with its book."""

    def __init__(self, room: Room, known: tuple[str, ...] = (), **spec: Any) -> None:
        run = a_run(RUN, clients=known)
        run = run.changed(spec=run.spec.with_changes(**{"min_clients": 2, **spec}))
        self.book = RunBook(EventBus())
        self.book.add(run)
        shown = RunStatus(RUN, self.book)
        self.membership = Membership(run, {"lr": 0.5}, shown, self.book, room, room, room)


@pytest.fixture
def room() -> Room:
    return Room()


def told(room: Room) -> list[tuple[str, object]]:
    return [
        (client_id, from_values(assignment.node_config)["partition-id"])
        for client_id, assignment in room.told
    ]


def at_once(condition: Callable[[], bool], every_s: float | None) -> None:
    assert condition()


def test_those_that_are_admitted_are_told_their_part_once_and_it_is_kept(room: Room) -> None:
    run = Member(room)
    room.clients = [a_client("b"), a_client("a")]

    assert sorted(run.membership.admit()) == ["a", "b"]
    assert sorted(run.membership.admit()) == ["a", "b"]

    assert sorted(told(room)) == [("a", 0), ("b", 1)]
    assert room.kept == ({"a": 0, "b": 1}, 2)
    assert run.membership.size == 2
    assert sorted(run.book.run(RUN).clients) == ["a", "b"]


def test_a_client_is_told_again_when_another_one_shares_its_machine(room: Room) -> None:
    run = Member(room, num_partitions=2)
    room.clients = [a_client("a")]
    run.membership.admit()
    room.clients = [a_client("a"), a_client("b")]
    run.membership.admit()

    assert [(client_id, assignment.clients_on_host) for client_id, assignment in room.told] == [
        ("a", 1),
        ("a", 2),
        ("b", 2),
    ]


def test_one_that_is_not_in_is_told_why_once(room: Room) -> None:
    run = Member(room, min_clients=1)
    room.clients = [a_client("a"), a_client("b", dataset="mnist")]
    run.membership.admit()
    room.notes["b"] = {}
    run.membership.explain()

    assert room.notes["b"] == {}
    assert [client_id for client_id, _ in room.told] == ["a"]
    assert room.notes["a"]["reason"] is None

    run.membership.dismiss()
    assert room.notes["b"]["reason"] is None


def test_a_run_with_too_few_clients_waits_and_says_for_how_many(room: Room) -> None:
    run = Member(room)
    room.clients = [a_client("a")]

    def comes(condition: Callable[[], bool], every_s: float | None) -> None:
        assert not condition()
        waiting = run.book.run(RUN)
        assert (waiting.state, waiting.reason) == (RunState.WAITING, "waiting for 1 more client (1 of 2)")
        assert waiting.waiting_for is not None
        assert (waiting.waiting_for.kind, waiting.waiting_for.have) == (WaitKind.CLIENTS, 1)
        room.clients.append(a_client("b"))
        assert condition()

    assert not run.membership.are_enough()
    run.membership.wait(comes)

    assert run.membership.are_enough()


def test_a_run_that_was_cut_waits_a_while_for_those_that_it_had(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("app.federation.runs.membership.time.monotonic", lambda: now)
    room.kept = ({"a": 0, "b": 1}, 2)
    run = Member(room, known=("a", "b"), min_clients=1)
    room.clients = [a_client("a"), a_client("b", state=ClientState.LOST)]

    def in_vain(condition: Callable[[], bool], every_s: float | None) -> None:
        nonlocal now
        assert every_s is not None, "nobody comes or goes when the time is over"
        assert not condition()
        assert run.book.run(RUN).reason == "waiting up to 10 s for b to come back"
        now += words.RETURN_GRACE_S
        assert condition()

    run.membership.wait(in_vain)
    run.membership.wait(at_once)


def test_a_client_finds_the_part_that_it_had_before_the_run_was_cut(room: Room) -> None:
    room.kept = ({"b": 0, "a": 1}, 2)
    run = Member(room)
    room.clients = [a_client("a", run=RUN), a_client("b", run="another"), a_client("c")]

    run.membership.admit()
    run.membership.explain()

    assert sorted(told(room)) == [("a", 1), ("b", 0)]
    assert "all 2 parts" in room.notes["c"]["reason"]
    assert "samples" not in room.notes.get("a", {}), "what it has told of its part still holds"
    assert room.notes["b"]["run"] == RUN
    assert room.notes["b"]["label_counts"] is None, "what it has told is of another run"


def test_a_run_that_cannot_go_on_later_does_not_end_for_want_of_a_place_to_keep_its_parts(room: Room) -> None:
    run = Member(room, app="made-up")
    room.clients = [a_client("a"), a_client("b")]
    room.store_fails = True

    assert run.membership.admit() == ["a", "b"]
    assert room.kept is None

    room.store_fails = False
    run.membership.admit()
    assert room.kept == ({"a": 0, "b": 1}, 2)


def test_parts_that_cannot_be_kept_are_told_to_nobody(room: Room) -> None:
    run = Member(room)
    room.clients = [a_client("a"), a_client("b")]
    room.store_fails = True

    with pytest.raises(StoreUnavailable):
        run.membership.admit()

    assert room.told == []
