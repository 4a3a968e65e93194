"""The server's end of the link in the test's own process, with clients that say what a test wants."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf.message import DecodeError

from app.federation.link.clients import ClientRegistry
from app.federation.link.server import LinkServer
from app.federation.link.spool import Spool
from app.records import Client, ClientState
from shared.buffers import Buffer
from shared.proto.link_pb2 import Chunk, ClientFrame, Goodbye, Heartbeat, Released, ServerFrame
from shared.security.digest import digest_of
from shared.security.handshake import sign_hello
from shared.security.keys import KeyPair
from shared.security.server_identity import ServerIdentity
from shared.wire import PROTOCOL_VERSION
from tests.support.a_link import a_link
from tests.support.raw_link import RawClient
from tests.support.records import a_hello
from tests.support.waiting import wait_until
from tests.support.working import RUN_ID, a_task

LIMIT_S = 2.0


class Counting(Spool):
    """Tells when a room was made, and when one in memory was given back."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.taken, self.given_back = threading.Event(), threading.Event()

    def buffer(self, total_bytes: int) -> Buffer:
        self.taken.set()
        return super().buffer(total_bytes)

    def give_back(self, size: int) -> None:
        super().give_back(size)
        self.given_back.set()


@dataclass
class Served:
    """A link that listens, what it tells the registry, and what was told of messages."""

    link: LinkServer
    registry: ClientRegistry
    receiving: Counting
    told: list[str]
    home: Path

    def dispatch(self, on_reply: Callable[[object, object], None] | None = None) -> None:
        """Send message m to client a."""
        task = a_task(self.told, "m", "a")
        self.link.dispatch([replace(task, on_reply=on_reply or task.on_reply)])

    def flush(self) -> None:
        """Return when the link thread has done all that it was told to."""
        done = threading.Event()
        self.link.post(done.set)
        assert done.wait(LIMIT_S)

    def client(self) -> Client:
        self.flush()
        return self.registry.known("a")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    receiving = Counting(tmp_path / "spool")
    identity = ServerIdentity.load_or_make(tmp_path)
    link, registry = a_link(identity, receiving)
    identity.invite(tmp_path, "127.0.0.1", link.start("127.0.0.1", 0))
    yield Served(link, registry, receiving, [], tmp_path)
    link.stop(0.0)


def test_a_deadline_that_crosses_the_reply_changes_nothing(served: Served) -> None:
    """The run thread finds the message overdue, while the link thread has its reply already."""
    answered = threading.Event()

    def reply(*_: object) -> None:
        served.link.mark_late("a", "m")
        served.link.post(answered.set)

    with RawClient(served.home) as client:
        client.hello("a")
        served.dispatch(on_reply=reply)
        client.read_task()
        client.reply("m", b"y")
        assert answered.wait(LIMIT_S)

        assert served.client().state is ClientState.IDLE
        assert served.client().late_since is None


def test_a_client_that_misses_a_deadline_is_late_until_it_answers(served: Served) -> None:
    with RawClient(served.home) as client:
        client.hello("a")
        served.dispatch()
        client.read_task()
        served.link.mark_late("a", "another")
        assert served.client().state is ClientState.TRAINING
        served.link.mark_late("a", "m")
        assert served.client().state is ClientState.LATE

        client.reply("m", b"y")
        assert client.read_kind("received").received.message_id == "m"

        assert served.client().state is ClientState.IDLE
        assert served.told == ["replied"]


def test_a_client_that_is_late_stays_late_over_a_reconnect_until_it_has_stopped(served: Served) -> None:
    with RawClient(served.home) as client:
        client.hello("a")
        served.dispatch()
        client.read_task()
        served.link.withdraw("a", "m", "the round went on without it", late=True)
        assert client.read_kind("cancel").cancel.message_id == "m"
        assert served.client().state is ClientState.LATE

    with RawClient(served.home) as client:
        welcome = client.hello("a", holding=["m"]).welcome
        assert list(welcome.awaited) == []
        assert served.client().state is ClientState.LATE

        client.send(released=Released(message_id="m"))
        client.send(heartbeat=Heartbeat())
        assert_becomes_idle(served)


def test_a_client_that_was_late_and_comes_back_with_empty_hands_is_free(served: Served) -> None:
    with RawClient(served.home) as client:
        client.hello("a")
        served.dispatch()
        client.read_task()
        served.link.withdraw("a", "m", "the round went on without it", late=True)
        assert served.client().state is ClientState.LATE

    with RawClient(served.home) as client:
        client.hello("a")
        assert served.client().state is ClientState.IDLE


def test_what_was_withdrawn_while_its_client_was_away_is_late_when_it_is_back(served: Served) -> None:
    with RawClient(served.home) as client:
        client.hello("a")
        served.dispatch()
        client.read_task()
    wait_for_state(served, ClientState.LOST)
    served.link.withdraw("a", "m", "the round went on without it", late=True)
    assert served.client().state is ClientState.LOST

    with RawClient(served.home) as client:
        client.hello("a", holding=["m"])
        assert served.client().state is ClientState.LATE
        client.send(released=Released(message_id="m"))
        assert_becomes_idle(served)


def test_a_client_that_reconnects_at_once_was_never_away(served: Served) -> None:
    with RawClient(served.home) as client, RawClient(served.home) as again:
        client.hello("a")
        served.dispatch()
        client.read_task()

        welcome = again.hello("a", holding=["m"]).welcome
        assert list(welcome.awaited) == ["m"]
        served.flush()
        assert served.told == ["back"]

        again.reply("m", b"y", base=digest_of([]), run_id=RUN_ID, round=1)
        assert again.read_kind("received").received.message_id == "m"
        assert served.told == ["back", "replied"]
        assert served.client().state is ClientState.IDLE


@pytest.mark.parametrize("end", ["it leaves", "its line is cut", "it breaks the protocol"])
def test_half_a_reply_is_freed_when_its_client_goes(served: Served, end: str) -> None:
    with RawClient(served.home) as client:
        client.hello("a")
        served.dispatch()
        client.read_task()
        client.send(reply=Chunk(message_id="m", total_bytes=50 << 20, data=b"z" * 100_000))
        assert served.receiving.taken.wait(LIMIT_S)
        assert not served.receiving.given_back.is_set()
        if end == "it leaves":
            client.send(goodbye=Goodbye())
            client.ending()
        elif end == "it breaks the protocol":
            client.send(reply=Chunk(index=7, data=b"1"))
            client.ending()
    wait_for_state(served, ClientState.LOST)

    assert served.receiving.given_back.wait(LIMIT_S)


class Cut:
    """A connection on which half a reply comes and then what is no frame; it is gone before it was closed."""

    def __init__(self, identity: ServerIdentity, key: KeyPair, *frames: ClientFrame) -> None:
        self._identity = identity
        self._key = key
        self._frames = deque(frames)
        self.handler: asyncio.Task[None] | None = None

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"

    async def read(self) -> ClientFrame:
        if not self._frames:
            raise DecodeError
        return self._frames.popleft()

    async def write(self, frame: ServerFrame) -> None:
        if frame.WhichOneof("kind") == "challenge":
            hello, server = a_hello("a", protocol=PROTOCOL_VERSION), self._identity.key.public.id
            signed = sign_hello(hello, self._key, server, frame.challenge.nonce, self._identity.token)
            self._frames.appendleft(ClientFrame(signed_hello=signed))
            return
        try:
            await asyncio.Event().wait()
        finally:  # as gRPC does, which hears of the cut while the server still closes the connection
            assert self.handler is not None
            self.handler.cancel()


def test_half_a_reply_is_freed_when_the_line_is_cut_while_the_connection_is_closed(
    key: KeyPair, tmp_path: Path
) -> None:
    spool = Counting(tmp_path)
    identity = ServerIdentity.load_or_make(tmp_path)
    link, _ = a_link(identity, spool)
    half = Chunk(message_id="m", total_bytes=10, data=b"12345")

    async def serve() -> None:
        context = Cut(identity, key, ClientFrame(reply=half))
        context.handler = asyncio.create_task(link._connect(None, cast(Any, context)))
        await asyncio.wait([context.handler])

    link._client_work.dispatch([a_task([], "m", "a")])
    asyncio.run(serve())

    assert spool.taken.is_set()
    assert spool.given_back.is_set()


class Panic(BaseException):
    """As a library in Rust raises it."""


@pytest.mark.parametrize("error", [ValueError, Panic, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_error_in_what_a_reply_sets_off_costs_no_other_client_its_connection(
    served: Served, error: type[BaseException]
) -> None:
    def fail(*_: object) -> None:
        raise error

    with RawClient(served.home) as client, RawClient(served.home) as other:
        client.hello("a")
        other.hello("b")
        served.dispatch(on_reply=fail)
        client.read_task()
        client.reply("m", b"y")
        wait_for_state(served, ClientState.LOST)

        served.link.dispatch([a_task(served.told, "n", "b")])
        assert other.read_task()[0] == "n"
        other.reply("n", b"y")
        assert other.read_kind("received").received.message_id == "n"

    with RawClient(served.home) as again:
        assert again.hello("a").WhichOneof("kind") == "welcome"


def test_bytes_are_counted_for_the_client_whose_they_are_over_all_its_connections(served: Served) -> None:
    size = 100_000
    with RawClient(served.home) as client, RawClient(served.home) as other:
        client.hello("a")
        other.hello("b")
        served.dispatch()
        client.read_task()
        client.reply("m", b"y" * size)
        wait_until(lambda: served.client().bytes_received > size, "the reply is counted", LIMIT_S)
        first = served.client()
    with RawClient(served.home) as client:
        client.hello("a")
        served.dispatch()
        client.read_task()
        client.reply("m", b"y" * size)
        wait_until(lambda: served.client().bytes_received > 2 * size, "so is the second", LIMIT_S)
    wait_until(lambda: served.registry.known("b").state is ClientState.LOST, "b has left", LIMIT_S)

    b, traffic = served.registry.known("b"), served.link.traffic
    assert b.bytes_received < size
    assert 0 < b.bytes_sent < first.bytes_sent < served.client().bytes_sent
    assert served.client().bytes_received + b.bytes_received <= traffic.received
    assert served.client().bytes_sent + b.bytes_sent <= traffic.sent


def test_who_posts_to_a_link_that_has_ended_is_not_told_off(tmp_path: Path) -> None:
    identity = ServerIdentity.load_or_make(tmp_path)
    link, _ = a_link(identity, Spool(tmp_path))
    link.start("127.0.0.1", 0)
    link.stop(0.0)

    link.withdraw("a", "m", "the run is over")


def wait_for_state(served: Served, state: ClientState) -> None:
    wait_until(lambda: served.client().state is state, f"the client is {state}", LIMIT_S)


def assert_becomes_idle(served: Served) -> None:
    wait_for_state(served, ClientState.IDLE)
    assert served.client().late_since is None
