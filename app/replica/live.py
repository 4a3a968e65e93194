"""What happens in the federation, for the page's sockets of a dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.events import Event
from app.records import ClientLink, NodeUsage
from app.replica.followed import FollowedLog
from app.replica.follower import Follower
from app.replica.pulse import Pulse


class FollowedLive:
    """Live: the federation tells only what may be shown."""

    def __init__(self, follower: Follower, pulse: Pulse) -> None:
        self._follower = follower
        self._pulse = pulse
        self._told: dict[str | None, float] = {}

    @property
    def log(self) -> FollowedLog:
        return self._follower.log

    def settle(self, timeout_s: float) -> None:
        """There is nothing to wait for."""

    def shown(self, events: Sequence[Event]) -> list[Event]:
        return list(events)

    def take_usage(self) -> tuple[NodeUsage, ...]:
        """In the pump's task alone."""
        now = self._pulse.usage()
        news = tuple(node for node in now.values() if self._told.get(node.client) != node.usage.time)
        self._told = {node.client: node.usage.time for node in now.values()}
        return news

    def links(self) -> Mapping[str, ClientLink]:
        return self._pulse.links
