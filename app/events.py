"""What can happen: one class for each kind of event, as Socket.IO and REST tell of it.

The page's types are made from these. The store keeps those for which `app/store/changes.py` says how.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import Field

from app.records import (
    AuditStatus,
    Client,
    ClientGone,
    Judgement,
    LogRecord,
    Record,
    RoundUpdate,
    Run,
    RunGone,
    StoreStatus,
)


class _Event(Record):
    """Something that happened, with its place in the order in which all things happened."""

    seq: Annotated[int, Field(ge=1)]
    time: float

    @property
    def subject(self) -> object:
        """What it is about: the newest event of a subject makes the others needless; here none are."""
        return self.seq


class RunEvent(_Event):
    """A run as it is from now on."""

    type: Literal["run_update"] = "run_update"
    data: Run

    @property
    def subject(self) -> object:
        return "run", self.data.id


class RoundEvent(_Event):
    """A round as it is from now on."""

    type: Literal["metrics_update"] = "metrics_update"
    data: RoundUpdate

    @property
    def subject(self) -> object:
        return "round", self.data.run_id, self.data.round.round


class RunGoneEvent(_Event):
    """A run was deleted, with all that was of it."""

    type: Literal["run_gone"] = "run_gone"
    data: RunGone

    @property
    def subject(self) -> object:
        return "run", self.data.id


class ClientEvent(_Event):
    """A client as it is from now on."""

    type: Literal["client_update"] = "client_update"
    data: Client

    @property
    def subject(self) -> object:
        return "client", self.data.id


class ClientGoneEvent(_Event):
    """A client vanishes from the list: an ephemeral one has left, or one that waited does no longer."""

    type: Literal["client_gone"] = "client_gone"
    data: ClientGone

    @property
    def subject(self) -> object:
        return "client", self.data.id


class LogEvent(_Event):
    """A log record."""

    type: Literal["log"] = "log"
    data: LogRecord


class VerdictEvent(_Event):
    """What was decided of a reply."""

    type: Literal["verdict"] = "verdict"
    data: Judgement


class StoreEvent(_Event):
    """Whether what happens is kept, from now on."""

    type: Literal["store_update"] = "store_update"
    data: StoreStatus

    @property
    def subject(self) -> object:
        return "store"


class AuditEvent(_Event):
    """The audit log as it is from now on: there are new entries, or a client has cosigned a checkpoint."""

    type: Literal["audit_update"] = "audit_update"
    data: AuditStatus

    @property
    def subject(self) -> object:
        return "audit"


Event = Annotated[
    RunEvent
    | RunGoneEvent
    | RoundEvent
    | ClientEvent
    | ClientGoneEvent
    | LogEvent
    | VerdictEvent
    | StoreEvent
    | AuditEvent,
    Field(discriminator="type"),
]
"""Whatever can happen. A new kind is one more class above, named here, with its data below."""

EventData = (
    Run | RunGone | RoundUpdate | Client | ClientGone | LogRecord | Judgement | StoreStatus | AuditStatus
)

_KIND_OF: Mapping[type[EventData], type[Event]] = MappingProxyType(
    {kind.model_fields["data"].annotation: kind for kind in get_args(get_args(Event)[0])}
)
"""The class of the event that tells of data of a class."""


def event_of(seq: int, at: float, data: EventData) -> Event:
    """The event that tells of `data`, which is a validated record already: this runs very often."""
    return _KIND_OF[type(data)].model_construct(seq=seq, time=at, data=data)
