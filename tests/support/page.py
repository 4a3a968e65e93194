"""The page's side of Socket.IO, without a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import engineio
import socketio

from tests.support.waiting import wait_until

Json = dict[str, Any]

EVENTS = (
    "run_update",
    "metrics_update",
    "client_update",
    "client_gone",
    "log",
    "verdict",
    "store_update",
    "audit_update",
)


class _InOrderEngine(engineio.Client):
    """Handles one packet after the other; the library would start a thread for each and lose their order."""

    def _trigger_event(self, event: str, *args: object, **kwargs: object) -> object:
        base: Any = super()
        return base._trigger_event(event, *args, **{**kwargs, "run_async": False})


class _InOrderClient(socketio.Client):
    def _engineio_client_class(self) -> type[engineio.Client]:
        return _InOrderEngine


def _new_client() -> Any:
    """Untyped, as the library is."""
    make: Any = _InOrderClient
    return make(reconnection=False)


class Page:
    """Connects like the page does, and keeps all that it is sent in order. A context manager."""

    def __init__(self, url: str, *, instance: str | None = None, since: object = None) -> None:
        self.snapshots: list[Json] = []
        self.events: list[Json] = []
        self._socket: Any = _new_client()
        self._socket.on("snapshot", self._add(self.snapshots))
        for name in EVENTS:
            self._socket.on(name, self._add(self.events, name))
        self._socket.connect(url, auth={"instance": instance, "since": since}, transports=["websocket"])

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.disconnect()

    def _add(self, to: list[Json], name: str | None = None) -> Callable[[Json], None]:
        def handler(payload: Json) -> None:
            assert name is None or payload["type"] == name
            to.append(payload)

        return handler

    def snapshot(self) -> Json:
        """The first snapshot."""
        wait_until(lambda: self.snapshots, "a snapshot comes")
        return self.snapshots[0]

    def wait_for_seq(self, seq: int) -> None:
        """Wait until it has been sent all events up to this number, which must not be replaced by a newer."""
        self.wait_for(lambda event: bool(event["seq"] >= seq), f"event {seq} comes")

    def wait_for(self, matches: Callable[[Json], bool], what: str, timeout_s: float = 30.0) -> Json:
        """The first event that matches."""

        def look() -> Json | None:
            return next((event for event in self.events.copy() if matches(event)), None)

        return wait_until(look, what, timeout_s)
