"""FollowedLog: what happens in a federation, as one of its dashboards has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Self

from pydantic import BaseModel

from app.event_bus import EventBus
from app.events import Event, RoundEvent
from app.records import Round
from app.web.live import State


class _Head(BaseModel):
    """Of a Snapshot, all that a dashboard needs to know itself."""

    seq: int
    instance: str


class FollowedLog:
    """Of one start of the federation. One thread changes it, any reads."""

    def __init__(self, instance: str, state: State, recent: Sequence[Event] = ()) -> None:
        """`recent`: events from before, for pages that were away."""
        self.instance = instance
        self.bus = EventBus(first_seq=recent[0].seq if recent else state.seq + 1)
        self._state = state
        self._rounds: dict[str, Round] = {}
        self._parts: dict[tuple[str, int], int] = {}
        self.take(recent)

    @classmethod
    def nothing(cls) -> Self:
        """Before anything is known."""
        return cls("", State(0, "{}"))

    @classmethod
    def from_snapshot(cls, json: str, recent: Sequence[Event] = ()) -> Self:
        """Raises ValidationError."""
        head = _Head.model_validate_json(json)
        return cls(head.instance, State(head.seq, json), recent)

    def snapshot(self) -> State:
        return self._state

    def take(self, events: Iterable[Event]) -> None:
        """What follows. Raises EventsGone where something is missing in between."""
        self.bus.take(self._with_known_parts(events))

    def renew(self, newer: FollowedLog) -> None:
        """Have pages start from a newer snapshot, up to which all events are here."""
        self._state = newer.snapshot()
        self._parts = {}

    @property
    def parts(self) -> int:
        """How many clients' parts in rounds a page is sent beside the snapshot."""
        return sum(self._parts.values())

    def _with_known_parts(self, events: Iterable[Event]) -> Iterator[Event]:
        """Parts of a round that have not changed are the same objects, as in the federation: pages are sent
        those that are others (`app/batches.py`)."""
        for event in events:
            if isinstance(event, RoundEvent):
                event = _sharing(event, self._rounds.get(event.data.run_id))
                run_id, round_ = event.data.run_id, event.data.round
                self._rounds[run_id] = round_
                self._parts[run_id, round_.round] = len(round_.per_client)
            yield event


def _sharing(event: RoundEvent, before: Round | None) -> RoundEvent:
    now = event.data.round
    if before is None or before.round != now.round:
        return event
    known = before.per_client
    parts = {name: known[name] if known.get(name) == part else part for name, part in now.per_client.items()}
    round_ = now.model_copy(update={"per_client": parts})
    return event.model_copy(update={"data": event.data.model_copy(update={"round": round_})})
