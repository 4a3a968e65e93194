"""What happens in this server itself, for the page's sockets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.environment import Environment
from app.event_bus import EventBus
from app.events import Event
from app.records import ClientLink, NodeUsage
from app.web.live import State


class OwnLog:
    """The EventLog of this start."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    @property
    def instance(self) -> str:
        return self._env.instance

    @property
    def bus(self) -> EventBus:
        return self._env.bus

    def snapshot(self) -> State:
        snapshot = self._env.snapshot()
        return State(snapshot.seq, snapshot.model_dump_json())


class OwnLive:
    """Live: pages are shown what is on the disk."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._log = OwnLog(env)

    @property
    def log(self) -> OwnLog:
        return self._log

    def settle(self, timeout_s: float) -> None:
        self._env.writer.flush(timeout_s)

    def shown(self, events: Sequence[Event]) -> list[Event]:
        return self._env.writer.shown(events)

    def take_usage(self) -> tuple[NodeUsage, ...]:
        return self._env.usage.take_news()

    def links(self) -> Mapping[str, ClientLink]:
        return self._env.link.measures.newest
