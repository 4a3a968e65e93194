"""Whatever is sent to the link, or said by a server to a client: no traceback, no hang, no leak."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flwr.clientapp import ClientApp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.built_in_app import BuiltInApp
from client.connection import Connection
from client.link import ClientIdentity, Link
from client.log_watch import LogWatch
from client.open_messages import OpenMessages
from client.receipts import Receipts
from client.runtime import Runtime
from client.sealing import Sealing
from client.witness import Witness
from shared.address import Address, parse_address
from shared.errors import FedLoomError
from shared.proto.link_pb2 import (
    Assignment,
    Cancel,
    Challenge,
    Chunk,
    ClientFrame,
    Failure,
    Heartbeat,
    Held,
    LabelCounts,
    LogCheckpoint,
    LogLine,
    NextKey,
    Pause,
    Progress,
    Receipt,
    Received,
    Refusal,
    Released,
    RunOver,
    Seal,
    ServerFrame,
    SignedHello,
    Value,
    Welcome,
)
from tests.support.api import Api
from tests.support.membership import member
from tests.support.memory import PeakMemory
from tests.support.processes import ServerProcess
from tests.support.raw_link import RawClient
from tests.support.sealing import SERVER, THREADS, a_key
from tests.support.strangers import client_context, over_http2, with_a_call

a_few_examples = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

GROWTH = 100 << 20

SEALING = Sealing("a", a_key("a"), THREADS)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
IDS = st.sampled_from(["", "m", "x" * 300]) | TEXT
NUMBERS = st.sampled_from([0, 1, 2, 255, 2**31, 2**32, 2**63, 2**64 - 1])
SMALL_NUMBERS = st.sampled_from([0, 1, 2, 2**31, 2**32 - 1])
FLOATS = st.floats()

CHUNKS = st.builds(
    Chunk,
    message_id=IDS,
    total_bytes=NUMBERS,
    index=SMALL_NUMBERS,
    data=st.binary(max_size=60),
    array_bytes=st.lists(NUMBERS, max_size=4),
)
SIGNED = st.builds(
    SignedHello,
    hello=st.binary(max_size=80),
    public_key=st.binary(max_size=80),
    signature=st.binary(max_size=300),
    token=TEXT,
)
SEALS = st.builds(
    Seal,
    run_id=NUMBERS,
    round=SMALL_NUMBERS,
    key=st.binary(max_size=40),
    sequence=NUMBERS,
    base=st.binary(max_size=40),
    signature=st.binary(max_size=300),
)

FROM_CLIENTS = st.one_of(
    st.builds(ClientFrame, signed_hello=SIGNED),
    st.builds(ClientFrame, reply=CHUNKS),
    st.builds(ClientFrame, seal=SEALS),
    st.builds(
        ClientFrame,
        progress=st.builds(
            Progress, message_id=IDS, done=NUMBERS, total=NUMBERS, examples_per_s=FLOATS, loss=FLOATS
        ),
    ),
    st.builds(ClientFrame, log=st.builds(LogLine, level=TEXT, logger=TEXT, message=TEXT, traceback=TEXT)),
    st.builds(ClientFrame, failure=st.builds(Failure, message_id=IDS, reason=TEXT, rule=TEXT)),
    st.builds(ClientFrame, held=st.builds(Held, message_id=IDS, reason=TEXT)),
    st.builds(ClientFrame, released=st.builds(Released, message_id=IDS)),
    st.builds(
        ClientFrame, label_counts=st.builds(LabelCounts, run_id=NUMBERS, counts=st.lists(NUMBERS, max_size=9))
    ),
    st.just(ClientFrame(heartbeat=Heartbeat())),
).map(lambda frame: bytes(frame.SerializeToString()))

VALUES = st.one_of(
    st.builds(Value, flag=st.booleans()),
    st.builds(Value, integer=st.integers(-(2**63), 2**63 - 1)),
    st.builds(Value, number=FLOATS),
    st.builds(Value, text=TEXT),
    st.just(Value()),
)
CONFIGS = st.dictionaries(
    st.sampled_from(["dataset", "seed", "partition-id", "num-partitions", "model", ""]) | TEXT,
    VALUES,
    max_size=5,
)
KEYS = st.binary(max_size=80) | st.just(a_key("a").public.der)
RECEIVED = st.builds(
    Received,
    message_id=IDS,
    receipt=st.none() | st.builds(Receipt, time_us=NUMBERS, signature=st.binary(max_size=300)),
    verdict=TEXT,
    detail=TEXT,
)
NONCES = st.sampled_from([b"", bytes(32), bytes(33)])
FROM_SERVERS = st.one_of(
    st.builds(ServerFrame, welcome=st.builds(Welcome, version=TEXT, awaited=st.lists(IDS, max_size=3))),
    st.builds(ServerFrame, refusal=st.builds(Refusal, reason=TEXT, final=st.just(False))),
    st.builds(
        ServerFrame,
        assignment=st.builds(
            Assignment,
            run_id=NUMBERS,
            run=TEXT,
            node_config=CONFIGS,
            run_config=CONFIGS,
            clients_on_host=SMALL_NUMBERS,
        ),
    ),
    st.builds(ServerFrame, task=CHUNKS),
    st.builds(ServerFrame, seal=SEALS),
    st.builds(ServerFrame, cancel=st.builds(Cancel, message_id=IDS, reason=TEXT)),
    st.builds(ServerFrame, received=RECEIVED),
    st.builds(
        ServerFrame,
        next_key=st.builds(NextKey, public_key=KEYS, signature=st.binary(max_size=300)),
    ),
    st.builds(
        ServerFrame,
        checkpoint=st.builds(
            LogCheckpoint,
            log=st.binary(max_size=20),
            size=NUMBERS,
            root=st.binary(max_size=40),
            time=NUMBERS,
            signature=st.binary(max_size=300),
            since=NUMBERS,
            proof=st.lists(st.binary(max_size=40), max_size=4),
        ),
    ),
    st.builds(ServerFrame, pause=st.builds(Pause, paused=st.booleans())),
    st.just(ServerFrame(run_over=RunOver())),
    st.builds(ServerFrame, challenge=st.builds(Challenge, nonce=NONCES)),
    st.just(ServerFrame()),
)


@pytest.fixture(scope="module")
def server(session_server: ServerProcess) -> Iterator[ServerProcess]:
    """Which must be as healthy afterwards as it was, and not much larger."""
    with closing(Api(session_server.url)) as api:
        before = api.get("/status")["seq"]
        memory = PeakMemory(session_server.process.pid)
        yield session_server
        with RawClient(session_server.home) as client:
            assert client.hello("well-behaved").WhichOneof("kind") == "welcome"
        errors = [
            entry
            for entry in api.logs(source="server", limit=5_000)
            if entry["seq"] > before and entry["traceback"]
        ]
        assert {(entry["message"], entry["traceback"]) for entry in errors} == set()
        assert "Traceback" not in session_server.output
        assert memory.grown_by < GROWTH


@pytest.fixture
def address(server: ServerProcess) -> Address:
    return parse_address(server.link)


def answered(connection: socket.socket) -> bytes:
    """What is answered until the connection is closed, or nothing comes."""
    connection.settimeout(0.05)
    answer = b""
    with suppress(OSError):
        while data := connection.recv(1 << 16):
            answer += data
    return answer


@a_few_examples
@given(noise=st.binary(max_size=300))
def test_no_bytes_on_the_port_do_harm(address: Address, noise: bytes) -> None:
    with socket.create_connection(address, 20) as connection:
        with suppress(OSError):
            connection.sendall(noise)
        assert b"Traceback" not in answered(connection)


@a_few_examples
@given(noise=st.binary(min_size=1, max_size=300))
def test_no_bytes_in_tls_do_harm(address: Address, noise: bytes) -> None:
    with client_context().wrap_socket(socket.create_connection(address, 20)) as connection:
        with suppress(OSError):
            connection.sendall(noise)
        assert b"Traceback" not in answered(connection)


@a_few_examples
@given(noise=st.binary(min_size=1, max_size=300), has_a_call=st.booleans())
def test_no_bytes_in_http2_do_harm(address: Address, noise: bytes, has_a_call: bool) -> None:
    with suppress(ssl.SSLError), (with_a_call if has_a_call else over_http2)(address) as connection:
        with suppress(OSError):
            connection.sendall(noise)
        assert b"Traceback" not in answered(connection)


@a_few_examples
@given(first=st.binary(max_size=300) | FROM_CLIENTS)
def test_no_first_frame_lets_anybody_in(server: ServerProcess, first: bytes) -> None:
    with RawClient(server.home) as link:
        assert link.nonce
        link.send_bytes(first)
        frames = []
        with suppress(Exception):
            while True:
                frames.append(link.read().WhichOneof("kind"))
        assert "welcome" not in frames


@a_few_examples
@given(frames=st.lists(st.binary(max_size=100) | FROM_CLIENTS, max_size=6))
def test_no_frames_of_a_client_that_is_in_do_harm(server: ServerProcess, frames: list[bytes]) -> None:
    with RawClient(server.home) as link:
        assert link.hello("fuzzer", process="the same").WhichOneof("kind") == "welcome"
        for frame in frames:
            link.send_bytes(frame)


class Script:
    """A call to a server that says what a test has made up."""

    def __init__(self, frames: list[ServerFrame]) -> None:
        self._frames = iter(frames)
        self.written: list[object] = []

    async def read(self) -> ServerFrame | None:
        await asyncio.sleep(0)
        return next(self._frames, None)

    async def write(self, frame: object) -> None:
        self.written.append(frame)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    runtime = Runtime(BuiltInApp(ClientApp()), {}, threads=1)
    runtime.start()
    yield runtime
    runtime.stop(2.0)


@pytest.fixture
def link(runtime: Runtime, tmp_path: Path) -> Link:
    identity = ClientIdentity("a", "digits", ("cnn",), "here", "cpu")
    return Link(member("a", "127.0.0.1:1", tmp_path), identity, runtime, lambda _: None)


@pytest.fixture
def open_messages(runtime: Runtime, tmp_path: Path) -> Callable[[], OpenMessages]:
    """Of a client in the loop that runs."""
    receipts = Receipts(tmp_path, "a", THREADS)
    return lambda: OpenMessages(runtime, asyncio.get_running_loop(), SEALING, receipts)


@a_few_examples
@given(frames=st.lists(FROM_SERVERS, max_size=6))
def test_whatever_a_server_says_a_client_ends_that_connection_in_words_or_goes_on(
    runtime: Runtime,
    link: Link,
    open_messages: Callable[[], OpenMessages],
    tmp_path: Path,
    frames: list[ServerFrame],
) -> None:
    server = a_key(SERVER).public

    async def serve() -> None:
        held = open_messages()
        next_key = partial(link._hear_of_next_key, server)
        script: Any = Script(frames)
        watch = LogWatch(Witness(tmp_path, "a", a_key("a")), server)
        connection = Connection(script, runtime, held, SEALING, server, THREADS, next_key, watch)
        held.connected(Welcome(), connection.send)
        with suppress(FedLoomError):  # in words
            async with asyncio.timeout(20):
                await connection.serve()
        held.disconnected()

    asyncio.run(serve())


@a_few_examples
@given(frames=st.lists(FROM_SERVERS, max_size=2))
def test_whatever_a_server_answers_to_a_hello_is_taken_or_refused(
    link: Link, open_messages: Callable[[], OpenMessages], frames: list[ServerFrame]
) -> None:
    script: Any = Script(frames)

    async def greet() -> None:
        with suppress(FedLoomError):  # in words
            async with asyncio.timeout(20):
                await link._greet(script, a_key(SERVER).public.id, "t" * 20, open_messages())

    asyncio.run(greet())
