"""What browsers are sent: batches of what is new, as JSON that is made once for all of them.

A batch has each event whole, or, for those who were sent everything before it, only the changed fields of a
client or a round: a thousand clients that train say little more than how far they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from app.events import ClientEvent, ClientGoneEvent, Event, RoundEvent, RunEvent
from app.records import Client, ClientRound, LinkUpdate, Record, Round, UsageUpdate

SNAPSHOT_PARTS = 2_500
"""Clients' parts in rounds that a page takes at once without standing still."""


class ClientChange(Record):
    """What of a client is other than it was in the batch before."""

    id: str
    fields: dict[str, Any] = Field(description="those of a Client that have changed, with their values")


class RoundChange(Record):
    """What of a run's newest round is other than it was in the batch before."""

    run_id: str
    round: int
    fields: dict[str, Any] = Field(description="those of a Round that have changed, but for `per_client`")
    per_client: dict[str, ClientRound] = Field(description="the parts that have changed, each whole")


class _Change(Record):
    seq: Annotated[int, Field(ge=1, description="of the newest event that it stands for")]
    time: float


class ClientChangeEvent(_Change):
    """In place of a `client_update`, for those who know the client."""

    type: Literal["client_change"] = "client_change"
    data: ClientChange


class RoundChangeEvent(_Change):
    """In place of a `metrics_update`, for those who know the round."""

    type: Literal["metrics_change"] = "metrics_change"
    data: RoundChange


Change = Annotated[ClientChangeEvent | RoundChangeEvent, Field(discriminator="type")]


class Batch(Record):
    """All that is new since the last one, oldest first; of updates that replace each other, the newest."""

    events: tuple[Event | Change, ...]
    usage: UsageUpdate | None = Field(
        default=None, description="what machines are used for; it has no number, and is not sent again"
    )
    links: LinkUpdate | None = Field(
        default=None, description="how clients' links are; it has no number: all of it comes first of all"
    )


def coalesce(events: Iterable[Event]) -> list[Event]:
    """Only the last of the updates that replace each other (of a run, a round, a client); all logs."""
    last: dict[object, Event] = {}
    for event in events:
        last.pop(event.subject, None)  # so that it moves to its newest place
        last[event.subject] = event
    return list(last.values())


def parts_of(events: Iterable[Event]) -> int:
    """How many clients' parts in rounds there are in events: most of what they weigh."""
    return sum(len(event.data.round.per_client) for event in events if isinstance(event, RoundEvent))


def whole_batch(events: Iterable[Event], links: LinkUpdate | None = None) -> str:
    """A batch for somebody who may know nothing of what the events are about, as JSON."""
    return batch_of([_whole(event) for event in events], links=links)


def batch_of(events: Sequence[str], usage: UsageUpdate | None = None, links: LinkUpdate | None = None) -> str:
    """A Batch as JSON, of events that are JSON already."""
    return f'{{"events":[{",".join(events)}],"usage":{_or_null(usage)},"links":{_or_null(links)}}}'


def _or_null(record: Record | None) -> str:
    return "null" if record is None else record.model_dump_json()


class Changes:
    """Turns events into changes, for readers who got all that it was given before.

    A reader may also know more, by a snapshot from between two batches: a field is among the changes if any
    event has changed it, though it may be again what it was.
    """

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._rounds: dict[str, Round] = {}  # the newest of each run
        self._reached: dict[str, int] = {}

    def following(self, events: Sequence[Event]) -> list[str]:
        """The events of a batch, coalesced, as JSON."""
        clients, rounds = self._follow(events)
        return [_encoded(event, clients, rounds) for event in coalesce(events)]

    def _follow(self, events: Sequence[Event]) -> tuple[_Fields, dict[object, _RoundFields]]:
        """What has changed of the clients and rounds that readers know, by subject; the others are new."""
        clients: _Fields = {}
        rounds: dict[object, _RoundFields] = {}
        new: set[object] = set()
        for event in events:
            if isinstance(event, ClientEvent):
                before = self._clients.get(event.data.id)
                self._clients[event.data.id] = event.data
                if before is None:
                    new.add(event.subject)
                elif event.subject not in new:
                    clients.setdefault(event.subject, set()).update(_changed(before, event.data))
            elif isinstance(event, ClientGoneEvent):
                self._clients.pop(event.data.id, None)
                clients.pop(event.subject, None)
            elif isinstance(event, RunEvent):
                if event.data.round < self._reached.get(event.data.id, 0):
                    self._rounds.pop(event.data.id, None)  # it does the rounds after this one anew
                self._reached[event.data.id] = event.data.round
            elif isinstance(event, RoundEvent):
                self._follow_round(event, rounds, new)
        return clients, rounds

    def _follow_round(self, event: RoundEvent, rounds: dict[object, _RoundFields], new: set[object]) -> None:
        run_id, now = event.data.run_id, event.data.round
        before = self._rounds.get(run_id)
        self._rounds[run_id] = now
        if (
            before is None
            or before.round != now.round
            or not before.per_client.keys() <= now.per_client.keys()
        ):
            new.add(event.subject)
            rounds.pop(event.subject, None)
        elif event.subject not in new:
            known = rounds.setdefault(event.subject, (before, set()))
            known[1].update(_changed(before, now))


_Fields = dict[object, set[str]]
_RoundFields = tuple[Round, set[str]]
"""The round as readers know it, and which of its fields have changed since."""


def _changed(before: BaseModel, after: BaseModel) -> set[str]:
    """Fields with another value; of a round, not its clients' parts."""
    now = after.__dict__
    return {name for name, value in before.__dict__.items() if name != "per_client" and now[name] != value}


def _encoded(event: Event, clients: _Fields, rounds: dict[object, _RoundFields]) -> str:
    if isinstance(event, ClientEvent) and event.subject in clients:
        return _client_change(event, clients[event.subject])
    if isinstance(event, RoundEvent) and event.subject in rounds:
        return _round_change(event, *rounds[event.subject])
    return _whole(event)


def _whole(event: Event) -> str:
    if isinstance(event, RoundEvent):
        round_ = event.data.round.with_spread()
        event = event.model_copy(update={"data": event.data.model_copy(update={"round": round_})})
    return event.model_dump_json()


def _client_change(event: ClientEvent, fields: set[str]) -> str:
    changed = event.data.model_dump_json(include=fields)
    return _change(event, "client_change", f'{{"id":{json.dumps(event.data.id)},"fields":{changed}}}')


def _round_change(event: RoundEvent, known: Round, fields: set[str]) -> str:
    now = event.data.round.with_spread()
    changed = now.model_dump_json(include=fields | ({"spread"} if now.spread else set()))
    parts = (
        # A part that was replaced is another object: also one that has become again what it was.
        f"{json.dumps(name)}:{part.model_dump_json()}"
        for name, part in now.per_client.items()
        if part is not known.per_client.get(name)
    )
    data = f'"fields":{changed},"per_client":{{{",".join(parts)}}}'
    of = f'"run_id":{json.dumps(event.data.run_id)},"round":{now.round}'
    return _change(event, "metrics_change", f"{{{of},{data}}}")


def _change(event: Event, kind: str, data: str) -> str:
    return f'{{"seq":{event.seq},"time":{event.time!r},"type":"{kind}","data":{data}}}'
