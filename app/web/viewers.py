"""The browsers that follow, and those that are too slow to."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask_socketio import SocketIO

from app.web.socket_json import Encoded

ROOM = "live"
NAMESPACE = "/"

MOST_WAITING = 20
"""Packets that wait to be taken by one browser: two seconds of batches."""


class Viewers:
    """Sends to one browser or all. One that does not take what it is sent is sent no more until it has taken
    all that waits for it; then it needs a snapshot. So nobody's queue grows without end."""

    def __init__(self, socketio: SocketIO) -> None:
        self._socketio = socketio
        self._behind: set[str] = set()

    def follow(self, sid: str) -> None:
        """A browser is up to date and gets what is sent to all from now on."""
        with suppress(KeyError, ValueError):  # it has left meanwhile
            self._server.enter_room(sid, ROOM, namespace=NAMESPACE)

    def send(self, event: str, payload: Encoded, *, to: str) -> None:
        """Send to one browser."""
        self._socketio.emit(event, payload, to=to)

    def send_all(self, event: str, payload: Encoded) -> None:
        """Send to all that follow; it is encoded once."""
        for sid, engine_sid in list(self._server.manager.get_participants(NAMESPACE, ROOM)):
            if self._waiting(engine_sid) > MOST_WAITING:
                self._server.leave_room(sid, ROOM, namespace=NAMESPACE)
                self._behind.add(sid)
        self._socketio.emit(event, payload, to=ROOM)

    def caught_up(self) -> list[str]:
        """Those that were too slow and have taken all that waited for them; whoever has left is forgotten."""
        ready = []
        for sid in list(self._behind):
            engine_sid = self._server.manager.eio_sid_from_sid(sid, NAMESPACE)
            if engine_sid is not None and self._waiting(engine_sid) > 0:
                continue
            self._behind.discard(sid)
            if engine_sid is not None:
                ready.append(sid)
        return ready

    @property
    def _server(self) -> Any:
        """Untyped, as the library is."""
        return self._socketio.server

    def _waiting(self, engine_sid: str) -> int:
        socket = self._server.eio.sockets.get(engine_sid)
        return 0 if socket is None else socket.queue.qsize()
