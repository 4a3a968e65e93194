"""What browsers are sent: changed fields to those who know the rest; each ends with what the server has."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.batches import Batch, Changes, batch_of, coalesce, whole_batch
from app.event_bus import EventBus
from app.events import EventData
from app.records import ClientGone, ClientRound, LogRecord, Round, RoundUpdate
from tests.support.records import a_client, a_run

Json = dict[str, Any]


class Reader:
    """Puts a snapshot and batches together as the page does: an event that is older changes nothing."""

    def __init__(self, seq: int = 0, known: Json | None = None) -> None:
        self.known: Json = known or {}
        self._seen = dict.fromkeys(self.known, seq)
        self._from = seq

    def take(self, batch: str) -> None:
        Batch.model_validate_json(batch)
        for event in json.loads(batch)["events"]:
            self._take(event["seq"], event["type"], event["data"])

    def _take(self, seq: int, kind: str, data: Json) -> None:
        if kind == "log":
            return
        key = f"round {data['round']}" if kind == "metrics_change" else subject(kind, data)
        if seq <= max(self._from, self._seen.get(key, 0)):
            return
        self._seen[key] = seq
        if kind == "client_gone":
            self.known.pop(key, None)
        elif kind.endswith("_change"):
            before = self.known[key]
            parts = {**before.get("per_client", {}), **data.get("per_client", {})}
            self.known[key] = {**before, **data["fields"], **({"per_client": parts} if parts else {})}
        else:
            self.known[key] = data["round"] if kind == "metrics_update" else data


def subject(kind: str, data: Json) -> str:
    return f"round {data['round']['round']}" if kind == "metrics_update" else f"client {data['id']}"


def of(clients: Iterable[str], changes: list[tuple[str, int]]) -> list[EventData]:
    """What happens: a client has so many samples from now on, or is gone and back; a round has its part."""
    parts: dict[str, ClientRound] = {}
    happened: list[EventData] = [a_client(name) for name in clients]
    for name, samples in changes:
        if samples == 0:
            happened += [ClientGone(id=name), a_client(name)]
        else:
            happened.append(a_client(name, samples=samples % 3 or None))
            parts = {**parts, name: ClientRound(samples=samples % 3)}
            happened.append(a_round(samples // 4, per_client=parts))
    return happened


def a_round(number: int, **fields: Any) -> RoundUpdate:
    return RoundUpdate(run_id="r", round=Round(round=number, started_at=0.0, **fields))


NAMES = ("a", "b")


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 8)), max_size=12),
    st.lists(st.integers(0, 40), max_size=5),
    st.integers(0, 40),
)
def test_whoever_follows_ends_with_what_the_server_has(
    changes: list[tuple[str, int]], cuts: list[int], joins: int
) -> None:
    """Also a browser that joins by a snapshot from between two batches."""
    bus = EventBus()
    for data in of(NAMES, changes):
        bus.publish(data)
    events = bus.since(0)
    joins = min(joins, len(events))
    late = Reader()
    late.take(whole_batch(coalesce(events[:joins])))
    late = Reader(joins, late.known)
    changed, first = Changes(), Reader()
    begin = 0
    for end in sorted({*(min(cut, len(events)) for cut in cuts), len(events)}):
        batch = batch_of(changed.following(events[begin:end]))
        first.take(batch)
        if end > joins:
            late.take(batch)
        begin = end
    whole = Reader()
    whole.take(whole_batch(coalesce(events)))

    assert first.known == whole.known
    assert late.known == whole.known


def following(*batches: list[EventData]) -> list[list[Json]]:
    bus, changes, sent = EventBus(), Changes(), []
    for batch in batches:
        seq = bus.last
        for data in batch:
            bus.publish(data)
        sent.append(json.loads(batch_of(changes.following(bus.since(seq))))["events"])
    return sent


def test_a_client_that_is_known_is_told_of_by_what_has_changed() -> None:
    first, second = following([a_client("a", samples=5)], [a_client("a", samples=5, round=2)])

    assert first[0]["type"] == "client_update"
    assert (second[0]["type"], second[0]["data"]) == ("client_change", {"id": "a", "fields": {"round": 2}})


def test_of_a_round_only_the_parts_that_are_new_are_told() -> None:
    a, b = ClientRound(samples=1), ClientRound(samples=2)

    first, second = following([a_round(1, per_client={"a": a})], [a_round(1, per_client={"a": a, "b": b})])

    assert set(first[0]["data"]["round"]["per_client"]) == {"a"}
    assert second[0]["type"] == "metrics_change"
    assert set(second[0]["data"]["per_client"]) == {"b"}


def test_a_round_that_a_run_does_anew_is_told_of_whole() -> None:
    *_, last = following(
        [a_run("r", round=5), a_round(5, loss=0.5)], [a_run("r", round=4), a_round(5, loss=0.5)]
    )

    assert [event["type"] for event in last] == ["run_update", "metrics_update"]


def test_every_log_line_and_the_number_of_the_newest_event_are_among_it() -> None:
    line = LogRecord(level="info", source="server", logger="x", message="the same")

    (events,) = following([a_client("a"), line, line, a_client("a")])

    assert [(event["seq"], event["type"]) for event in events] == [
        (2, "log"),
        (3, "log"),
        (4, "client_update"),
    ]


def test_the_spread_of_many_clients_is_told_when_the_round_is_complete() -> None:
    parts = {f"client-{n}": ClientRound(accuracy=n / 100) for n in range(21)}

    open_, complete = following([a_round(1, per_client=parts)], [a_round(1, per_client=parts, complete=True)])

    assert open_[0]["data"]["round"]["spread"] == {}
    fields = complete[0]["data"]["fields"]
    assert fields["spread"] == {
        "accuracy": {"count": 21, "min": 0.0, "q1": 0.05, "median": 0.1, "q3": 0.15, "max": 0.2}
    }
    assert complete[0]["data"]["per_client"] == {}
