"""Socket.IO: the pump from the event bus to the browsers, and the way back in for a browser that was away."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from flask import Flask, request
from flask_socketio import SocketIO, join_room
from socketio.exceptions import ConnectionRefusedError

from app.api.access import gate_of
from app.auth.roles import Role, needs
from app.environment import Environment
from app.event_bus import EventsGone
from app.events import Event
from app.web.refused import RefusedRequests
from app.web.socket_gate import SocketGate
from app.web.socket_roles import Members, RoleSocketIO
from shared.error_line import error_of
from shared.errors import StoreUnavailable
from shared.interrupt import Signalled

log = logging.getLogger(__name__)

PUMP_INTERVAL_S = 0.05
FLUSH_S = 0.5
"""How long a browser that comes waits at most for what is being written."""

ROOM = "live"

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What the libraries raise for a packet of Socket.IO that cannot be read. Our own errors are told before."""


def create_socketio(flask_app: Flask, env: Environment) -> SocketIO:
    """Attach Socket.IO to the Flask app; `Pump.start` is called once it is served."""
    # Known and decided (docs/decisions/0002): eventlet is used unpatched, threading mode tested beside it.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    engine = logging.getLogger("engineio.server")
    engine.addFilter(_without_traceback)
    for library in (engine, logging.getLogger("socketio.server")):
        library.setLevel(logging.ERROR)  # told that, they do without a handler of their own
    gate = gate_of(flask_app)
    members = Members(gate, env.auth)
    socketio = RoleSocketIO(
        flask_app, members, async_mode=env.settings.async_mode, ping_interval=5, ping_timeout=10
    )
    refused = RefusedRequests(SocketGate(flask_app.wsgi_app, env.settings, gate, Role.VIEWER))
    env.count_at_page(refused.counts)
    flask_app.wsgi_app = refused  # type: ignore[method-assign]
    pump = Pump(socketio, env, members)

    @socketio.on("connect")
    @needs(Role.VIEWER)
    def _connect(auth: Any = None) -> None:
        pump.welcome(_sid(), auth if isinstance(auth, dict) else {})

    @socketio.on_error_default  # type: ignore[untyped-decorator]
    def _failed(error: Exception) -> None:
        log.error("a page could not be brought up to date", exc_info=error)
        raise ConnectionRefusedError("An unexpected error in the server; its log has the details.")

    flask_app.extensions["fedloom-pump"] = pump
    return socketio


def _without_traceback(record: logging.LogRecord) -> bool:
    """A packet that cannot be read is its sender's error, and one line says enough."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, UNREADABLE):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = "%s: %s", (record.msg, error_of(error))
        record.exc_info = None
    return True


class Pump:
    """Moves events from the bus to all browsers, at most 20 times a second.

    It runs in the web server's own thread (or green thread): emitting from a foreign thread is not safe under
    eventlet.
    """

    def __init__(self, socketio: SocketIO, env: Environment, members: Members) -> None:
        self._socketio = socketio
        self._env = env
        self._members = members
        self._sent = 0
        self._start_over = False
        # Welcome and pump take turns, so that a browser gets everything once and in order. Under eventlet
        # both run in one thread and neither yields in between.
        self._turn: AbstractContextManager[Any] = (
            nullcontext() if env.settings.async_mode == "eventlet" else threading.Lock()
        )

    def start(self) -> None:
        """Begin, in a background task of the web server."""
        self._sent = self._env.bus.last
        self._socketio.start_background_task(self._run)

    def welcome(self, sid: str, auth: dict[str, Any]) -> None:
        """Bring a browser up to date, with what it missed or with a snapshot, then let it follow.

        What the pump has yet to send may be among it; the browser tells by the numbers.
        """
        with suppress(StoreUnavailable):  # the page says so, and shows what there is
            self._env.writer.flush(FLUSH_S)
        with self._turn:
            missed = self._missed(auth)
            if missed is None:
                self._emit_snapshot(to=sid)
            else:
                self._emit(coalesce(missed), to=sid)
            join_room(ROOM, sid=sid, namespace="/")

    def _missed(self, auth: dict[str, Any]) -> list[Event] | None:
        since = auth.get("since")
        if auth.get("instance") != self._env.instance or not isinstance(since, int):
            return None
        try:
            return self._env.bus.since(since)
        except EventsGone:
            return None

    def _run(self) -> None:
        while True:
            self._socketio.sleep(PUMP_INTERVAL_S)
            try:
                with self._turn:
                    self._pump()
            except Signalled:
                raise
            except BaseException:  # the edge of the task: without it, every page would stand still
                log.exception("the pages could not be brought up to date; they start over from a snapshot")
                self._start_over = True

    def _pump(self) -> None:
        for sid in self._members.outdated():  # before anything new goes to them
            self._end(sid)
        events: list[Event] = []
        try:
            events = self._shown(self._env.bus.since(self._sent))
        except EventsGone:  # more in 50 ms than the ring holds
            self._start_over = True
        if self._start_over:
            self._sent = self._emit_snapshot(to=ROOM)
            self._start_over = False
        elif events:
            self._sent = events[-1].seq
            self._emit(coalesce(events), to=ROOM)

    def _end(self, sid: str) -> None:
        server: Any = self._socketio.server
        server.disconnect(sid)

    def _shown(self, events: list[Event]) -> list[Event]:
        """Those that a restart would not lose; all, while nothing can be written, which the page says."""
        writer = self._env.writer
        durable = writer.written
        return events if writer.problem else [event for event in events if event.seq <= durable]

    def _emit_snapshot(self, *, to: str) -> int:
        snapshot = self._env.snapshot()
        self._socketio.emit("snapshot", snapshot.model_dump(mode="json"), to=to)
        return snapshot.seq

    def _emit(self, events: Iterable[Event], *, to: str) -> None:
        for event in events:
            self._socketio.emit(event.type, event.model_dump(mode="json"), to=to)


def coalesce(events: Iterable[Event]) -> list[Event]:
    """Only the last of the updates that replace each other (of a run, a round, a client); all logs."""
    last: dict[object, Event] = {}
    for event in events:
        last.pop(event.subject, None)  # so that it moves to its newest place
        last[event.subject] = event
    return list(last.values())


def _sid() -> str:
    sid: str = request.sid  # type: ignore[attr-defined]  # Flask-SocketIO adds it to the request
    return sid
