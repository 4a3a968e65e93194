"""Which clients belong to a run, which part each has, and what is said of those that have none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.federation.runs import words
from app.federation.runs.roster import Roster
from app.records import Client, ClientState
from shared.run_spec import RunSpec
from tests.support.records import a_client

RUN = "7f3a9c01"


def roster(**spec: Any) -> Roster:
    return Roster(RUN, RunSpec(**{"min_clients": 1, **spec}))


def ids(clients: list[Client]) -> list[str]:
    return [client.id for client in clients]


def lost(client_id: str) -> Client:
    return a_client(client_id, state=ClientState.LOST)


@given(st.permutations(["client-1", "client-2", "client-3", "client-10", "client-20"]))
def test_parts_follow_the_natural_order_of_ids_and_not_that_of_arrival(arrival: list[str]) -> None:
    members = roster()

    members.admit(map(a_client, arrival))

    expected = ["client-1", "client-2", "client-3", "client-10", "client-20"]
    assert members.parts.by_client == {client_id: part for part, client_id in enumerate(expected)}
    assert members.num_partitions == 5


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True), min_size=1, max_size=8))
def test_a_part_has_one_owner_for_the_whole_run(connected: list[list[str]]) -> None:
    members = roster(num_partitions=4)
    seen: dict[str, int] = {}
    for present in connected:
        members.admit(map(a_client, present))
        parts = dict(members.parts.by_client)
        assert seen.items() <= parts.items()
        assert len(set(parts.values())) == len(parts) <= 4
        assert all(0 <= part < 4 for part in parts.values())
        seen = parts


def test_a_newcomer_gets_the_lowest_free_part() -> None:
    members = roster(num_partitions=3)
    members.admit([a_client("b")])

    admitted = members.admit([a_client("b"), a_client("a"), a_client("c"), a_client("d")])

    assert ids(admitted) == ["a", "c"]
    assert members.parts.by_client == {"b": 0, "a": 1, "c": 2}


def test_a_newcomer_without_a_free_part_waits_for_the_next_run() -> None:
    members = roster()
    members.admit([a_client("a"), a_client("b")])
    newcomer = a_client("c")

    assert members.admit([a_client("a"), a_client("b"), newcomer]) == []
    assert members.objection(newcomer) == f"finds all 2 parts of run {RUN} taken, can join the next run"


def test_a_lost_client_gets_no_part_and_keeps_the_one_it_has() -> None:
    members = roster(num_partitions=2)
    members.admit([a_client("a")])

    members.admit([lost("a"), lost("b"), a_client("c")])

    assert members.parts.by_client == {"a": 0, "c": 1}
    assert members.objection(a_client("a")) is None


def test_a_run_never_has_fewer_parts_than_the_clients_that_it_needs() -> None:
    members = roster(min_clients=2)

    members.admit([a_client("a")])  # the other one left in this very moment

    assert members.num_partitions == 2
    assert ids(members.admit([a_client("a"), a_client("b")])) == ["b"]


def test_a_client_with_another_data_set_is_told_so() -> None:
    members = roster(dataset="mnist")

    assert members.objection(a_client(dataset="cifar10")) == f"holds cifar10, run {RUN} trains on mnist"


def test_a_client_without_the_model_is_told_so() -> None:
    members = roster(model="cnn")

    assert members.objection(a_client(models=("linear",))) == (f"trains linear models, run {RUN} needs cnn")


def test_only_connected_clients_that_fit_are_eligible() -> None:
    clients = [a_client("a"), lost("b"), a_client("c", dataset="mnist"), a_client("d", models=("linear",))]

    assert ids(roster().eligible(clients)) == ["a"]


def why_it_waits(roster: Roster, clients: list[Client], minimum: int) -> str:
    return words.waiting(roster.waiting_for(clients, minimum), roster.why_not(clients))


@pytest.mark.parametrize(
    ("clients", "minimum", "reason"),
    [
        ([], 1, "waiting for 1 more client (0 of 1)"),
        ([], 2, "waiting for 2 more clients (0 of 2)"),
        ([a_client("a")], 2, "waiting for 1 more client (1 of 2)"),
        (
            [a_client("a"), a_client("b", dataset="mnist")],
            2,
            f"waiting for 1 more client (1 of 2): b holds mnist, run {RUN} trains on digits",
        ),
        ([a_client("a"), lost("b")], 2, "waiting for 1 more client (1 of 2)"),
    ],
)
def test_what_a_run_waits_for_is_said_in_words(clients: list[Client], minimum: int, reason: str) -> None:
    assert why_it_waits(roster(min_clients=minimum), clients, minimum) == reason


def test_a_lost_member_is_named_as_what_the_run_waits_for() -> None:
    members = roster(min_clients=2)
    members.admit([a_client("a"), a_client("b")])

    reason = why_it_waits(members, [a_client("a"), lost("b")], 2)

    assert reason == "waiting for 1 more client (1 of 2): b is lost"
