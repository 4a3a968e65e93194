"""LogStream: new lines of the log, to the browsers that look at the log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from flask import request
from flask_socketio import SocketIO, join_room, leave_room

from app.auth.roles import Role, needs
from app.events import Event
from app.records import LogBatch, LogEntry, LogRecord
from app.web.socket_roles import RoleSocketIO
from dashboard.log_batches import LogBatches

ROOM = "log"


class LogStream:
    """In the task of the pump. A browser joins by `follow_log`, whose answer says that it does, and leaves by
    `leave_log`."""

    def __init__(self, socketio: RoleSocketIO) -> None:
        self._socketio = socketio
        self._batches: LogBatches[LogEntry] = LogBatches()

        @socketio.on("follow_log")
        @needs(Role.VIEWER)
        def _follow(*_: Any) -> bool:
            join_room(ROOM, sid=_sid(), namespace="/")
            return True

        @socketio.on("leave_log")
        @needs(Role.VIEWER)
        def _leave(*_: Any) -> bool:
            leave_room(ROOM, sid=_sid(), namespace="/")
            return True

    def add(self, events: Sequence[Event]) -> None:
        """This happened, and is on the disk."""
        if self._has_followers():
            self._batches.add(
                LogEntry.model_construct(seq=event.seq, time=event.time, **dict(event.data))
                for event in events
                if isinstance(event.data, LogRecord)
            )

    def lose(self) -> None:
        """More happened than can be told."""
        self._batches.lose()

    def tell(self) -> None:
        """Send what is due."""
        if (batch := self._batches.take(time.monotonic())) is None:
            return
        logs, complete = batch
        told = LogBatch(logs=tuple(logs), complete=complete)
        socketio: SocketIO = self._socketio
        socketio.emit("log_lines", told.model_dump(mode="json"), to=ROOM)

    def _has_followers(self) -> bool:
        server: Any = self._socketio.server
        return next(iter(server.manager.get_participants("/", ROOM)), None) is not None


def _sid() -> str:
    sid: str = request.sid  # type: ignore[attr-defined]  # Flask-SocketIO adds it to the request
    return sid
