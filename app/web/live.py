"""What the page's sockets need to know of: this server, or the federation that it follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from app.event_bus import EventBus
from app.events import Event
from app.records import ClientLink, NodeUsage


class State(NamedTuple):
    """A Snapshot as JSON, and the number of the newest event that is surely in it."""

    seq: int
    json: str


class EventLog(Protocol):
    """What happens in one start of a federation."""

    @property
    def instance(self) -> str:
        """Of the federation's process: numbers mean nothing to another."""

    @property
    def bus(self) -> EventBus:
        """The events with their numbers."""

    def snapshot(self) -> State:
        """What a page starts from. All events after its number are in the bus."""


class Live(Protocol):
    """Any thread asks."""

    @property
    def log(self) -> EventLog:
        """The same object as long as the federation does not start again."""

    def settle(self, timeout_s: float) -> None:
        """Return once what has happened may be shown. Raises StoreUnavailable."""

    def shown(self, events: Sequence[Event]) -> list[Event]:
        """Those that may be shown already."""

    def take_usage(self) -> tuple[NodeUsage, ...]:
        """What machines are used for, of each of which there is news."""

    def links(self) -> Mapping[str, ClientLink]:
        """How clients' links are, by client; another object whenever they were looked at again."""
