"""Socket.IO: the pump from the event bus to the browsers, and the way back in for a browser that was away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from flask import Flask, request
from flask_socketio import SocketIO
from socketio.exceptions import ConnectionRefusedError

from app.auth.roles import Role, needs
from app.batches import SNAPSHOT_PARTS, Changes, batch_of, coalesce, parts_of, whole_batch
from app.event_bus import EventsGone
from app.events import Event
from app.records import LinkUpdate, UsageUpdate
from app.settings import AsyncMode
from app.web import socket_json
from app.web.link_news import LinkNews
from app.web.live import Live
from app.web.log_stream import LogStream
from app.web.socket_json import Encoded
from app.web.socket_roles import Members, RoleSocketIO
from app.web.viewers import Viewers
from shared.error_line import error_of
from shared.errors import StoreUnavailable
from shared.interrupt import Signalled

log = logging.getLogger(__name__)

LOOK_S = 0.01
"""How often it is looked whether there is something to send."""

BATCH_S = 0.1
"""From one batch to the next at least: a page is drawn again for each, at most ten times a second."""

USAGE_S = 2.0
"""From one batch with the use of machines and clients' links to the next; each is about all nodes."""

FLUSH_S = 0.5
"""How long a browser that comes waits at most for what is being written."""

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What the libraries raise for a packet of Socket.IO that cannot be read. Our own errors are told before."""


def create_socketio(flask_app: Flask, live: Live, members: Members, async_mode: AsyncMode) -> Pump:
    """Attach Socket.IO to the Flask app. The pump is started once that is served."""
    engine = logging.getLogger("engineio.server")
    engine.addFilter(_without_traceback)
    for library in (engine, logging.getLogger("socketio.server")):
        library.setLevel(logging.ERROR)  # told that, they do without a handler of their own
    socketio = RoleSocketIO(
        flask_app,
        members,
        async_mode=async_mode,
        json=socket_json,
        ping_interval=5,
        ping_timeout=10,
    )
    pump = Pump(socketio, live, members, LogStream(socketio), async_mode)

    @socketio.on("connect")
    @needs(Role.VIEWER)
    def _connect(auth: Any = None) -> None:
        pump.welcome(_sid(), auth if isinstance(auth, dict) else {})

    @socketio.on_error_default  # type: ignore[untyped-decorator]
    def _failed(error: Exception) -> None:
        log.error("a page could not be brought up to date", exc_info=error)
        raise ConnectionRefusedError("An unexpected error in the server; its log has the details.")

    flask_app.extensions["fedloom-pump"] = pump
    return pump


def _without_traceback(record: logging.LogRecord) -> bool:
    """A packet that cannot be read is its sender's error, and one line says enough."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, UNREADABLE):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = "%s: %s", (record.msg, error_of(error))
        record.exc_info = None
    return True


class Pump:
    """Moves events from the bus to all browsers, in at most ten batches a second.

    It runs in the web server's own thread (or green thread): emitting from a foreign thread is not safe under
    eventlet.
    """

    def __init__(
        self,
        socketio: SocketIO,
        live: Live,
        members: Members,
        log_stream: LogStream,
        async_mode: AsyncMode,
    ) -> None:
        self._socketio = socketio
        self._live = live
        self._log = live.log
        self._members = members
        self._viewers = Viewers(socketio)
        self._changes = Changes()
        self._sent = 0
        self._missed_at: object = None
        self._missed: dict[int, Encoded | None] = {}
        self._sent_at = 0.0
        self._links = LinkNews()
        self._usage_sent_at = 0.0
        self._start_over = False
        self._log_stream = log_stream
        # Welcome and pump take turns, so that a browser gets everything once and in order. Under eventlet
        # both run in one thread and neither yields in between.
        self._turn: AbstractContextManager[Any] = (
            nullcontext() if async_mode == "eventlet" else threading.Lock()
        )

    def start(self) -> None:
        """Begin, in a background task of the web server."""
        self._log = self._live.log
        self._sent = self._log.bus.last
        self._socketio.start_background_task(self._run)

    def stop(self) -> None:
        """It ends with the web server, whose task it is."""

    def welcome(self, sid: str, auth: dict[str, Any]) -> None:
        """Bring a browser up to date, with what it missed or with a snapshot, then let it follow.

        A snapshot may be newer than what the pump has sent; the browser tells by the numbers.
        """
        with suppress(StoreUnavailable):  # the page says so, and shows what there is
            self._live.settle(FLUSH_S)
        self._wait_to_be_as_far(auth)
        with self._turn:
            if self._log is self._live.log:  # else the next that all are sent is a snapshot
                self._bring_up_to_date(sid, auth)
            self._tell_links([sid])
            self._viewers.follow(sid)

    def _tell_links(self, sids: Sequence[str]) -> None:
        """All that the others know of clients' links, after which they can follow."""
        if (links := self._links.whole()) is not None:
            batch = Encoded(whole_batch((), links))
            for sid in sids:
                self._viewers.send("batch", batch, to=sid)

    def _wait_to_be_as_far(self, auth: dict[str, Any]) -> None:
        """A browser that comes from another dashboard may have been sent more than those here."""
        since, deadline = auth.get("since"), time.monotonic() + FLUSH_S
        if auth.get("instance") == self._log.instance and isinstance(since, int):
            while self._sent < since and time.monotonic() < deadline:
                self._socketio.sleep(LOOK_S)

    def _bring_up_to_date(self, sid: str, auth: dict[str, Any]) -> None:
        since = auth.get("since")
        if auth.get("instance") != self._log.instance or not isinstance(since, int):
            self._send_state([sid])
            return
        reached = self._log, self._sent
        if self._missed_at != reached:  # of many who come back at once, most have missed the same
            self._missed_at, self._missed = reached, {}
        if since not in self._missed:
            self._missed[since] = self._batch_after(since)
        batch = self._missed[since]
        if batch is None:
            self._send_state([sid])
        elif batch:
            self._viewers.send("batch", batch, to=sid)

    def _batch_after(self, since: int) -> Encoded | None:
        """What was sent after a number, empty for nothing; None: a browser does better with a snapshot."""
        try:
            missed = self._sent_after(since)
        except EventsGone:
            return None
        if parts_of(missed) > SNAPSHOT_PARTS:
            return None
        return Encoded(whole_batch(missed) if missed else "")

    def _sent_after(self, seq: int) -> list[Event]:
        """What the pump has sent after a number, coalesced. Raises EventsGone."""
        return coalesce(event for event in self._log.bus.since(seq) if event.seq <= self._sent)

    def _send_state(self, sids: Sequence[str]) -> None:
        """A snapshot, and what was sent since it was made."""
        snapshot = self._log.snapshot()
        later = self._sent_after(snapshot.seq)
        batch = Encoded(whole_batch(later)) if later else None
        for sid in sids:
            self._viewers.send("snapshot", Encoded(snapshot.json), to=sid)
            if batch is not None:
                self._viewers.send("batch", batch, to=sid)

    def _run(self) -> None:
        while True:
            self._socketio.sleep(LOOK_S)
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
        self._log_stream.tell()
        now = time.monotonic()
        if now - self._sent_at < BATCH_S:
            return
        if self._log is not self._live.log:  # the federation that a dashboard follows has started again
            self._log = self._live.log
            self._links = LinkNews()
            self._start_over = True
        if caught_up := self._viewers.caught_up():
            self._send_state(caught_up)
            self._tell_links(caught_up)
            for sid in caught_up:
                self._viewers.follow(sid)
        try:
            events = [] if self._start_over else self._live.shown(self._log.bus.since(self._sent))
        except EventsGone:  # more since the last batch than the ring holds
            self._start_over = True
        if self._start_over:
            self._changes = Changes()
            snapshot = self._log.snapshot()
            self._sent = snapshot.seq
            self._viewers.send_all("snapshot", Encoded(snapshot.json))
            self._start_over = False
            self._log_stream.lose()
        else:
            self._log_stream.add(events)
            usage, links = self._nodes(now)
            if not events and usage is None and links is None:
                return
            following = self._changes.following(events)
            self._viewers.send_all("batch", Encoded(batch_of(following, usage, links)))
            self._sent = events[-1].seq if events else self._sent
        self._sent_at = now

    def _nodes(self, now: float) -> tuple[UsageUpdate | None, LinkUpdate | None]:
        """Neither is an event, with a number: who was away does not get what was missed of the use of
        machines, and all of the links."""
        if now - self._usage_sent_at < USAGE_S:
            return None, None
        self._usage_sent_at = now
        nodes = self._live.take_usage()
        return UsageUpdate(nodes=nodes) if nodes else None, self._links.following(self._live.links())

    def _end(self, sid: str) -> None:
        server: Any = self._socketio.server
        server.disconnect(sid)


def _sid() -> str:
    sid: str = request.sid  # type: ignore[attr-defined]  # Flask-SocketIO adds it to the request
    return sid
