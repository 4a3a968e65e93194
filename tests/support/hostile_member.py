"""A member of a real node's that speaks the mesh's protocol over TLS, with a key of its own, and sends what
it likes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from mesh.frame_stream import ConnectionEnded, FrameStream, connect
from mesh.handshake import HandshakePurpose, Introduction, introduce, refusal_of, sign_hello
from mesh.node import CHUNK_BYTES, Content
from mesh.pairing import PairedWith, Pairing
from mesh.protocol import mesh_pb2
from mesh.protocol.envelope import Envelope, Kind, Kinds, open_envelope
from mesh.protocol.limits import MAX_HOPS
from mesh.protocol.mesh_pb2 import Frame, Pong, SignedEnvelope, SignedHello
from mesh.trust.invitation import MeshInvitation
from mesh.trust.open_invitations import Invitations
from mesh.trust.store import MemberStore
from shared.address import Address, parse_address
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair
from shared.security.merkle import LogTree, leaf_hash
from shared.security.statement import Purpose, statement
from tests.support.mesh_crew import told
from tests.support.mesh_nodes import MeshNode

T = TypeVar("T")

LIMIT_S = 60.0


def signed_envelope(key: KeyPair, *, hops_left: int = MAX_HOPS, **fields: Any) -> bytes:
    """A frame with an envelope of these fields, which may be any, signed by this key."""
    data = mesh_pb2.Envelope(**fields).SerializeToString()
    signature = key.sign(statement(Purpose.MESH_ENVELOPE, data))
    return Frame(
        envelope=SignedEnvelope(envelope=data, signature=signature, hops_left=hops_left)
    ).SerializeToString()


class Victim:
    """A real node, as those who attack it know it."""

    def __init__(self, node: MeshNode) -> None:
        status = told(node, "status")
        self.node = node
        self.id = KeyId.parse(status["key"])
        self.epoch = int(status["epoch"])
        self.address: Address = parse_address(node.address)


class HostileMember:
    """Used from the test's thread, within `with`; it has an event loop of its own."""

    def __init__(self, name: str, folder: Path, victim: Victim) -> None:
        """`folder`: for what it keeps when it is paired as nodes are."""
        folder.mkdir(exist_ok=True)
        self.name, self.victim = name, victim
        self.key = KeyPair.make()
        self.id = self.key.public.id
        self.epoch = int(time.time())
        self.heard: list[SignedEnvelope] = []
        """All envelopes that came, whoever had sent them."""
        self.on_direct: Callable[[Envelope], None] = lambda _: None
        """Is called, in its own loop, with each message for it."""
        self.alter_chunk: Callable[[mesh_pb2.Chunk], None] = lambda _: None
        """What it does to each chunk before it gives it."""
        self._contents: dict[bytes, bytes] = {}
        self._folder = folder
        self._sequences, self._numbers = count(1), count(1)
        self._stream: FrameStream | None = None
        self._reading: asyncio.Task[None] | None = None
        self._answers: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._leave())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)
        self._loop.close()

    # Trust

    def join(self, invitation: str) -> PairedWith:
        """Come by an invitation, as nodes do. Raises as `Pairing.join`."""
        store = MemberStore(self._folder, self.id)
        introduction = Introduction(self.name, self.epoch)
        pairing = Pairing(self.key, store, lambda: introduction, Invitations(), time.monotonic)
        return self._do(pairing.join(MeshInvitation.parse(invitation)))

    def enter(self) -> Self:
        """Be paired, and be linked."""
        self.join(self.victim.node.invite())
        self.link()
        return self

    def link(self) -> None:
        """Connect, with its present epoch; in place of the link that it has. Raises HandshakeFailed."""
        self._do(self._leave())
        self._sequences = count(1)
        self._do(self._link())

    def hello(self, nonce: bytes | None = None, hello: SignedHello | None = None) -> SignedHello:
        """Connect with a hello for this nonce, or with one that was made before; what was sent. Raises
        HandshakeFailed."""
        return self._do(self._hello(nonce, hello))

    @property
    def is_linked(self) -> bool:
        """Whether the victim keeps the link."""
        return self._reading is not None and not self._reading.done()

    # What it sends

    def put(self, *frames: bytes) -> None:
        """Frames, whatever is in them. Those that the victim does not wait for are lost."""
        self._do(self._put(frames))

    def answer(self, frame: bytes) -> None:
        """The same, from `on_direct`."""
        task = self._loop.create_task(self._put((frame,)))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    def frame(self, kind: Kind, *, hops_left: int = MAX_HOPS, **fields: Any) -> bytes:
        """A frame with the next envelope of its own; `fields` take the place of what is right."""
        own = {
            "kind": kind,
            "sender": self.id.digest,
            "epoch": self.epoch,
            "sequence": next(self._sequences),
        }
        return signed_envelope(self.key, hops_left=hops_left, **{**own, **fields})

    def flood(self, body: bytes = b"evil", topic: str = "text", **fields: Any) -> bytes:
        """A frame with a message for all."""
        return self.frame(Kinds.FLOOD, topic=topic, body=body, **fields)

    def direct(
        self, body: bytes = b"evil", topic: str = "text", to: Victim | None = None, **fields: Any
    ) -> bytes:
        """A frame with a message for the victim, or another node."""
        to = to or self.victim
        own = {"receiver": to.id.digest, "receiver_epoch": to.epoch, "number": next(self._numbers)}
        return self.frame(Kinds.DIRECT, topic=topic, body=body, **{**own, **fields})

    def offer(self, data: bytes) -> Content:
        """Give this content to whoever asks for it."""
        content = content_of(data)
        self._contents[content.root] = data
        return content

    # How it works

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    async def _link(self) -> None:
        stream = await connect(self.victim.address, self.victim.id)
        self._stream = stream
        await introduce(stream, self.key, Introduction(self.name, self.epoch), self.victim.id)
        self._reading = self._loop.create_task(self._read(stream))

    async def _hello(self, nonce: bytes | None, hello: SignedHello | None) -> SignedHello:
        stream = await connect(self.victim.address, self.victim.id)
        try:
            challenge = (await stream.read_message()).challenge
            introduction = Introduction(self.name, self.epoch)
            sent = hello or sign_hello(
                self.key, introduction, self.victim.id, HandshakePurpose.LINK, "", nonce or challenge.nonce
            )
            await stream.write_message(Frame(hello=sent))
            answer = await stream.read_message()
            if answer.WhichOneof("content") == "refusal":
                raise refusal_of(answer)
        finally:
            stream.abort()
            await stream.close()
        return sent

    async def _leave(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._stream is not None:
            self._stream.abort()
            await self._stream.close()

    async def _put(self, frames: tuple[bytes, ...]) -> None:
        assert self._stream is not None, "it has linked before it sends"
        with suppress(ConnectionEnded):
            for frame in frames:
                await self._stream.write(frame)

    async def _read(self, stream: FrameStream) -> None:
        """Be there, as a neighbour is, and give what is asked for, until the victim ends it."""
        with suppress(ConnectionEnded):
            while True:
                frame = await stream.read_message()
                match frame.WhichOneof("content"):
                    case "ping":
                        await stream.write_message(Frame(pong=Pong(stamp=frame.ping.stamp)))
                    case "envelope":
                        self.heard.append(frame.envelope)
                        await self._answer(stream, open_envelope(frame.envelope).envelope)

    async def _answer(self, stream: FrameStream, envelope: Envelope) -> None:
        if envelope.receiver != self.id:
            return
        to: dict[str, Any] = {"receiver": envelope.sender.digest, "receiver_epoch": envelope.epoch}
        if envelope.kind == Kinds.DIRECT:
            await stream.write(self.frame(Kinds.CONFIRMATION, number=envelope.number, **to))
            self.on_direct(envelope)
        elif envelope.kind == Kinds.CHUNK_REQUEST:
            request = mesh_pb2.ChunkRequest.FromString(envelope.body)
            await stream.write(self.frame(Kinds.CHUNK, body=self._chunk(request).SerializeToString(), **to))

    def _chunk(self, request: mesh_pb2.ChunkRequest) -> mesh_pb2.Chunk:
        data = self._contents.get(request.root)
        if data is None:
            return mesh_pb2.Chunk(root=request.root, index=request.index, absent=True)
        tree = tree_of(data)
        start = request.index * CHUNK_BYTES
        chunk = mesh_pb2.Chunk(
            root=request.root,
            index=request.index,
            proof=tree.inclusion_proof(request.index),
            data=data[start : start + CHUNK_BYTES],
        )
        self.alter_chunk(chunk)
        return chunk


def tree_of(data: bytes) -> LogTree:
    """The Merkle tree of a content."""
    tree = LogTree()
    for start in range(0, len(data), CHUNK_BYTES):
        tree.add(leaf_hash(data[start : start + CHUNK_BYTES]))
    return tree


def content_of(data: bytes) -> Content:
    """How a content is named."""
    tree = tree_of(data)
    return Content(tree.root(tree.size), len(data))
