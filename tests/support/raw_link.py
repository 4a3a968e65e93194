"""A client of the link that says whatever a test wants: plain gRPC and the generated code."""

from __future__ import annotations

import hashlib
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc

from shared.app_host.serialised import Serialised
from shared.buffers import MemoryBuffer
from shared.chunks import opening, reply_frames
from shared.payload import Payload
from shared.proto.link_pb2 import Chunk, ClientFrame, Hello, Seal, ServerFrame
from shared.security.certificate import SERVER_NAME, reach
from shared.security.digest import Digests, digest_of
from shared.security.handshake import sign_hello
from shared.security.keys import KeyPair
from shared.security.seals import Update
from shared.security.server_identity import KEYS, local_invitation
from shared.version import __version__
from shared.wire import LINK_METHOD, PROTOCOL_VERSION

TIMEOUT_S = 20.0


class RawClient:
    """One stream to a server. A context manager."""

    def __init__(self, home: Path, method: str = LINK_METHOD, *, before: RawClient | None = None) -> None:
        """`home`: the server's own folder, where its invitation is. `before`: the connection of the same
        client on which messages came that are answered on this one."""
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._home = home
        invitation = local_invitation(home)
        assert invitation is not None
        self._invitation = invitation
        server = reach(invitation.address, [invitation.key], TIMEOUT_S)
        self._channel = grpc.secure_channel(
            str(invitation.address),
            grpc.ssl_channel_credentials(server.certificate),
            [("grpc.ssl_target_name_override", SERVER_NAME)],
        )
        call = self._channel.stream_stream(
            method, request_serializer=None, response_deserializer=ServerFrame.FromString
        )
        self._call: Any = call(iter(self._outgoing.get, None), timeout=TIMEOUT_S)
        self._nonce: bytes | None = None
        self._client_id = ""
        self._asked: dict[str, Seal] = dict(before._asked) if before else {}
        """The seals of the messages that came, with the hash of their arrays."""

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._outgoing.put(None)
        self._call.cancel()
        self._channel.close()

    def send_bytes(self, data: bytes) -> None:
        """Send one frame, whatever is in it."""
        self._outgoing.put(data)

    def send(self, **frame: Any) -> None:
        """Send a frame of one kind, for example `heartbeat=Heartbeat()`."""
        self.send_bytes(ClientFrame(**frame).SerializeToString())

    def hello(
        self, client_id: str, *, token: str | None = None, key: KeyPair | None = None, **fields: Any
    ) -> ServerFrame:
        """Introduce itself; returns the server's answer.

        `token`: in place of the local invitation's. `key`: in place of the one that this name has here.
        """
        known: dict[str, Any] = {
            "protocol": PROTOCOL_VERSION,
            "process": f"process of {client_id}",
            "version": __version__,
            "dataset": "digits",
            "models": ["cnn", "linear"],
            "host": "a test",
            "device": "cpu",
        }
        self._client_id = client_id
        hello = Hello(client_id=client_id, **{**known, **fields})
        given = self._invitation.token if token is None else token
        signed = sign_hello(hello, key or self.key_of(client_id), self._invitation.key, self.nonce, given)
        self.send(signed_hello=signed)
        return self.read()

    @property
    def nonce(self) -> bytes:
        """What the server wants to have signed."""
        if self._nonce is None:
            self._nonce = self.read_kind("challenge").challenge.nonce
        return self._nonce

    def key_of(self, client_id: str) -> KeyPair:
        """That of whoever has this name here."""
        name = hashlib.sha256(client_id.encode()).hexdigest() if "/" in client_id else client_id
        return KeyPair.load_or_make(self._home / KEYS / "clients" / f"{name[:100]}.pem")

    def read(self) -> ServerFrame:
        """The next frame of the server."""
        frame: ServerFrame = next(self._call)
        return frame

    def read_kind(self, kind: str) -> ServerFrame:
        """The next frame of this kind; others are passed over."""
        while (frame := self.read()).WhichOneof("kind") != kind:
            pass
        return frame

    def read_task(self) -> tuple[str, Payload]:
        """The next whole message, and its seal: its id and payload. Other frames are passed over."""
        parts: list[Chunk] = []
        while not parts or sum(len(part.data) for part in parts) < parts[0].total_bytes:
            frame = self.read()
            if frame.WhichOneof("kind") == "task":
                parts.append(frame.task)
        buffer = MemoryBuffer()
        for part in parts:
            buffer.add(part.data)
        payload = Payload(buffer, parts[0].array_bytes)
        seal = self.read_kind("seal").seal
        self._asked[parts[0].message_id] = Seal(
            run_id=seal.run_id, round=seal.round, base=digest_of(payload.arrays())
        )
        return parts[0].message_id, payload

    def reply(self, message_id: str, payload: Serialised | bytes, **seal: Any) -> None:
        """Answer a message, in one chunk, and sign it. Bytes: a skeleton, whatever it is, without arrays."""
        self.send_chunk(message_id, payload)
        self.send(seal=self.seal(message_id, payload, **seal))

    def send_chunk(self, message_id: str, payload: Serialised | bytes) -> None:
        """A reply in one chunk, without a seal."""
        reply = Serialised(payload) if isinstance(payload, bytes) else payload
        data = b"".join([reply.skeleton, *reply.arrays])
        self.send(reply=opening(message_id, data, len(reply.skeleton), reply.array_bytes))

    def send_reply(self, message_id: str, reply: Serialised) -> None:
        """Answer a message in as many chunks as it takes, and sign it."""
        for frame in reply_frames(message_id, reply):
            self.send_bytes(frame)
        self.send(seal=self.seal(message_id, reply))

    def seal(
        self, message_id: str, payload: Serialised | bytes, signer: KeyPair | None = None, **changes: Any
    ) -> Seal:
        """What a client signs of its reply; `changes`: signed as well, but not as they should be."""
        reply = Serialised(payload) if isinstance(payload, bytes) else payload
        key = signer or self.key_of(self._client_id)
        seal = Seal()
        seal.CopyFrom(self._asked.get(message_id, Seal()))
        seal.key, seal.sequence = key.public.id.digest, time.time_ns() // 1000
        for name, value in changes.items():
            setattr(seal, name, value)
        update = Update(
            server=self._invitation.key,
            run_id=seal.run_id,
            round=seal.round,
            message_id=message_id,
            client_id=self._client_id,
            client=key.public.id,
            sequence=seal.sequence,
            digests=Digests(digest_of([reply.skeleton]), digest_of(reply.arrays)),
            base=seal.base,
        )
        seal.signature = key.sign(update.statement())
        return seal

    def ending(self) -> grpc.StatusCode:
        """How the server ends the stream; passes over what comes before."""
        try:
            for _ in self._frames():
                pass
        except grpc.RpcError:
            pass
        code: grpc.StatusCode = self._call.code()
        return code

    def _frames(self) -> Iterator[ServerFrame]:
        yield from self._call
