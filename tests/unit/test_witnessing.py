"""The server shows each client one checkpoint at a time, and takes cosignatures of those only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from app.audit.entry import Kind
from app.audit.log import AuditLog
from app.federation.link.clients_at_work import OutgoingFrame
from app.federation.link.task import Task
from app.federation.link.witnessing import Witnessing
from app.store.store import Store
from app.store.urls import default_url
from shared.errors import WireError
from shared.proto.link_pb2 import Cosignature, LogCheckpoint, ServerFrame
from shared.security.checkpoint import Checkpoint
from shared.security.merkle import has_grown
from tests.support.audit import LOG_ID, a_key, begin, write


class Stream:
    """A client's connection."""

    def __init__(self) -> None:
        self.sent: list[LogCheckpoint] = []

    def send(self, frames: Iterable[OutgoingFrame]) -> None:
        for frame in frames:
            assert isinstance(frame, ServerFrame)
            self.sent.append(frame.checkpoint)

    def drop(self, message_id: str) -> None:
        raise AssertionError

    def transmit(self, task: Task) -> None:
        raise AssertionError


class Server:
    def __init__(self, store: Store) -> None:
        self.log = AuditLog.open(store, a_key())
        self.stream = Stream()
        self._store = store
        self.connect()
        begin(self.log)
        write(self.log, store)

    def connect(self) -> None:
        self.witnessing = Witnessing("client-1", a_key("client-1").public, self.stream, self.log)

    def goes_on(self, kind: Kind = Kind.ROUND_COMPLETED) -> None:
        self.log.record(kind, run="aa", round=1, clients=[])
        write(self.log, self._store)
        self.witnessing.look()

    def answer(self, frame: LogCheckpoint, whose: str = "client-1") -> None:
        checkpoint = Checkpoint.of_frame(frame, a_key().public.id)
        signature = checkpoint.cosign(a_key(whose))
        self.witnessing.answered(Cosignature(log=frame.log, size=frame.size, signature=signature))
        write(self.log, self._store)

    @property
    def shown(self) -> list[tuple[int, int]]:
        """The sizes that were shown, and since which."""
        return [(frame.size, frame.since) for frame in self.stream.sent]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Store.open(default_url(tmp_path)) as store:
        yield Server(store)


def test_a_client_is_shown_nothing_before_it_has_said_what_it_has_seen(server: Server) -> None:
    server.goes_on()

    assert server.shown == []


def test_one_checkpoint_is_shown_at_a_time_and_proven_from_the_last_that_was_cosigned(
    server: Server,
) -> None:
    server.witnessing.answered(Cosignature())
    for _ in range(3):
        server.goes_on()
    assert server.shown == [(1, 0)]

    server.answer(server.stream.sent[-1])
    assert server.shown == [(1, 0), (4, 1)]

    first, second = server.stream.sent
    assert has_grown(first.size, first.root, second.size, second.root, second.proof)
    assert server.log.status().witnesses[0].size == 1
    server.answer(second)
    assert server.log.status().witnesses[0].size == 4
    assert server.shown == [(1, 0), (4, 1)]


def test_what_is_no_end_of_a_round_waits_for_one(server: Server) -> None:
    server.witnessing.answered(Cosignature())
    server.answer(server.stream.sent[-1])

    server.goes_on(Kind.RUN_PAUSED)
    assert server.shown == [(1, 0)]
    server.goes_on()
    assert server.shown == [(1, 0), (3, 1)]


def test_a_client_that_comes_back_is_shown_the_log_from_what_it_has_seen(server: Server) -> None:
    server.goes_on()
    server.goes_on()
    server.connect()

    server.witnessing.answered(Cosignature(log=server.log.id, size=2))

    assert server.shown == [(3, 2)]


@pytest.mark.parametrize(("log", "size"), [(bytes(16), 2), (None, 7), (None, 2**63)])
def test_what_cannot_be_proven_is_shown_without_a_proof(server: Server, log: bytes | None, size: int) -> None:
    server.goes_on()

    server.witnessing.answered(Cosignature(log=log or server.log.id, size=size))

    assert server.shown == [(2, 0)]
    assert list(server.stream.sent[0].proof) == []


def test_a_signature_of_somebody_else_is_not_taken(server: Server) -> None:
    server.witnessing.answered(Cosignature())

    with pytest.raises(WireError, match="a signature that is not its own"):
        server.answer(server.stream.sent[-1], "client-2")

    assert server.log.status().witnesses == ()


@pytest.mark.parametrize("frame", [Cosignature(log=LOG_ID, size=9), Cosignature(size=1), Cosignature()])
def test_what_was_not_shown_is_not_cosigned(server: Server, frame: Cosignature) -> None:
    server.witnessing.answered(Cosignature())

    with pytest.raises(WireError, match="a checkpoint that it was not shown"):
        server.witnessing.answered(frame)


def test_a_checkpoint_is_cosigned_once(server: Server) -> None:
    server.witnessing.answered(Cosignature())
    (frame,) = server.stream.sent
    server.answer(frame)

    with pytest.raises(WireError, match="a checkpoint that it was not shown"):
        server.answer(frame)
