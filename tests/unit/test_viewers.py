"""A browser that does not take what it is sent is sent no more, and gets a snapshot when it has caught up."""

from __future__ import annotations

from queue import Queue
from types import SimpleNamespace
from typing import Any, cast

from flask_socketio import SocketIO

from app.web.socket_json import Encoded, dumps
from app.web.viewers import MOST_WAITING, ROOM, Viewers


class Server:
    """What the libraries offer of connections, each with its queue."""

    def __init__(self, *sids: str) -> None:
        self.queues: dict[str, Queue[str]] = {sid: Queue() for sid in sids}
        self.room: set[str] = set()
        self.server = self
        self.manager = self
        self.eio = SimpleNamespace(sockets={sid: SimpleNamespace(queue=q) for sid, q in self.queues.items()})

    def enter_room(self, sid: str, room: str, namespace: str) -> None:
        if sid not in self.queues:
            raise KeyError(sid)
        self.room.add(sid)

    def leave_room(self, sid: str, room: str, namespace: str) -> None:
        self.room.discard(sid)

    def get_participants(self, namespace: str, room: str) -> list[tuple[str, str]]:
        return [(sid, sid) for sid in sorted(self.room)]

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        return sid if sid in self.queues else None

    def emit(self, event: str, payload: str, to: str) -> None:
        for sid in self.room if to == ROOM else {to}:
            self.queues[sid].put(payload)


def viewers_of(server: Server) -> Viewers:
    viewers = Viewers(cast(SocketIO, cast(Any, server)))
    for sid in server.queues:
        viewers.follow(sid)
    return viewers


def test_the_queue_of_one_that_is_too_slow_does_not_grow_and_the_others_miss_nothing() -> None:
    server = Server("quick", "slow")
    viewers = viewers_of(server)
    taken = 0
    for _ in range(100):
        viewers.send_all("batch", Encoded("{}"))
        while not server.queues["quick"].empty():
            server.queues["quick"].get()
            taken += 1

    assert taken == 100
    assert server.queues["slow"].qsize() == MOST_WAITING + 1
    assert viewers.caught_up() == []


def test_one_that_has_taken_all_can_follow_again() -> None:
    server = Server("slow")
    viewers = viewers_of(server)
    for _ in range(MOST_WAITING + 5):
        viewers.send_all("batch", Encoded("{}"))
    server.queues["slow"].queue.clear()

    assert viewers.caught_up() == ["slow"]
    assert viewers.caught_up() == []
    viewers.follow("slow")
    viewers.send_all("batch", Encoded("{}"))
    assert server.queues["slow"].qsize() == 1


def test_one_that_was_too_slow_and_left_is_forgotten() -> None:
    server = Server("slow")
    viewers = viewers_of(server)
    for _ in range(MOST_WAITING + 5):
        viewers.send_all("batch", Encoded("{}"))
    del server.queues["slow"]

    assert viewers.caught_up() == []
    viewers.follow("slow")


def test_what_is_json_already_is_not_encoded_again() -> None:
    assert dumps(["batch", Encoded('{"a":1}')]) == '["batch",{"a":1}]'
    assert dumps(["word", "é"], separators=(",", ":")) == '["word","\\u00e9"]'
