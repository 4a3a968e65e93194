"""The handshake of two nodes, in TLS: the one that has connected proves its key, the other takes it or not.

The connector has compared the acceptor's key with the one that it expects. It signs the acceptor's nonce and
key, so that its hello is good for one connection to one node: nobody gains anything by passing it on.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum

from google.protobuf.message import DecodeError

from mesh.frame_stream import FrameStream
from mesh.protocol import mesh_pb2
from mesh.protocol.envelope import MAX_NUMBER
from mesh.protocol.mesh_pb2 import Challenge, Frame, Refusal, SignedHello, Welcome
from shared.address import Address, parse_address
from shared.errors import FedLoomError
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyPair, KeyUnusable, PublicKey
from shared.security.statement import Purpose, statement

PROTOCOL = 1
NONCE_BYTES = 32
MAX_NAME = 64
MAX_TOKEN = 128


class HandshakePurpose(StrEnum):
    """What a connection is for."""

    LINK = "link"
    PAIR = "pair"


class HandshakeFailed(FedLoomError):
    """The other node does not do its part as it must, or does not take this one: then `code` says why."""

    def __init__(self, message: str, code: Refusal.Code = Refusal.NONE) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Introduction:
    """What a node says of itself."""

    name: str
    epoch: int
    listening: Address | None = None

    @property
    def listening_text(self) -> str:
        """As it is sent."""
        return "" if self.listening is None else str(self.listening)


@dataclass(frozen=True)
class Guest:
    """A node that has connected, and has proven its key."""

    key: PublicKey
    introduction: Introduction
    purpose: HandshakePurpose
    token: str
    """With PAIR: of the invitation that it comes by."""


async def introduce(
    stream: FrameStream,
    key: KeyPair,
    me: Introduction,
    acceptor: KeyId,
) -> Introduction:
    """The connector's part, for a link; returns what the acceptor says of itself. Raises HandshakeFailed, and
    as the stream does."""
    await say_hello(stream, key, me, acceptor, HandshakePurpose.LINK)
    answer = await stream.read_message()
    match answer.WhichOneof("content"):
        case "welcome":
            welcome = answer.welcome
            return _introduction(welcome.name, welcome.listening, welcome.epoch)
        case "refusal":
            raise refusal_of(answer)
    raise HandshakeFailed("The node answers a hello with neither a welcome nor a refusal.")


def refusal_of(answer: Frame) -> HandshakeFailed:
    """Why the acceptor does not take a hello, from its frame."""
    return HandshakeFailed(f"The node refuses: {answer.refusal.text[:500]}", answer.refusal.code)


async def say_hello(
    stream: FrameStream,
    key: KeyPair,
    me: Introduction,
    acceptor: KeyId,
    purpose: HandshakePurpose,
    token: str = "",
) -> None:
    """The connector's hello. With PAIR, what follows is up to both ends' pairing, or a refusal. Raises as
    `introduce`."""
    frame = await stream.read_message()
    if frame.WhichOneof("content") != "challenge" or frame.challenge.protocol != PROTOCOL:
        raise HandshakeFailed(
            f"The node does not speak version {PROTOCOL} of the mesh's protocol. Bring both nodes to the "
            "same version of FedLoom."
        )
    await stream.write_message(
        Frame(hello=sign_hello(key, me, acceptor, purpose, token, frame.challenge.nonce))
    )


async def examine(stream: FrameStream, me: KeyId) -> Guest:
    """The first half of the acceptor's part: who has connected, and what for. Raises HandshakeFailed, and as
    the stream does."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    await stream.write_message(Frame(challenge=Challenge(protocol=PROTOCOL, nonce=nonce)))
    frame = await stream.read_message()
    if frame.WhichOneof("content") != "hello":
        raise HandshakeFailed("The node did not begin with a hello.", Refusal.BAD_HELLO)
    return verify_hello(frame.hello, me, nonce)


async def welcome(stream: FrameStream, me: Introduction) -> None:
    """The second half: the guest is taken. Raises as the stream does."""
    answer = Welcome(name=me.name, listening=me.listening_text, epoch=me.epoch)
    await stream.write_message(Frame(welcome=answer))


async def refuse(stream: FrameStream, code: Refusal.Code, text: str) -> None:
    """Or: it is not, and is told why. Raises as the stream does."""
    await stream.write_message(Frame(refusal=Refusal(code=code, text=text)))


def verify_hello(signed: SignedHello, acceptor: KeyId, nonce: bytes) -> Guest:
    """Who has signed a hello for this connection. Nothing in it is read before its signature is found good.
    Raises HandshakeFailed."""
    key = PublicKey(signed.public_key)
    try:
        key.verify(signed.signature, _statement(signed.hello, nonce, acceptor, key.id))
    except (BadSignature, KeyUnusable) as error:
        raise HandshakeFailed(f"The hello is not signed as it must be. {error}", Refusal.BAD_HELLO) from error
    hello = mesh_pb2.Hello()
    try:
        hello.ParseFromString(signed.hello)
    except DecodeError as error:
        raise HandshakeFailed("The hello cannot be read.", Refusal.BAD_HELLO) from error
    purposes = {mesh_pb2.Hello.LINK: HandshakePurpose.LINK, mesh_pb2.Hello.PAIR: HandshakePurpose.PAIR}
    purpose = purposes.get(hello.purpose)
    if purpose is None or len(hello.token) > MAX_TOKEN:
        raise HandshakeFailed("The hello says not what for, or has a token too long.", Refusal.BAD_HELLO)
    introduction = _introduction(hello.name, hello.listening, hello.epoch)
    return Guest(key, introduction, purpose, hello.token)


def sign_hello(
    key: KeyPair, me: Introduction, acceptor: KeyId, purpose: HandshakePurpose, token: str, nonce: bytes
) -> SignedHello:
    """What the connector says of itself, signed for this acceptor and this nonce."""
    hello = mesh_pb2.Hello(
        purpose=mesh_pb2.Hello.LINK if purpose is HandshakePurpose.LINK else mesh_pb2.Hello.PAIR,
        name=me.name,
        listening=me.listening_text,
        epoch=me.epoch,
        token=token,
    ).SerializeToString()
    signature = key.sign(_statement(hello, nonce, acceptor, key.public.id))
    return SignedHello(hello=hello, public_key=key.public.der, signature=signature)


def _statement(hello: bytes, nonce: bytes, acceptor: KeyId, connector: KeyId) -> bytes:
    return statement(Purpose.MESH_HANDSHAKE, nonce, acceptor.digest, connector.digest, hello)


def _introduction(name: str, listening: str, epoch: int) -> Introduction:
    if len(name) > MAX_NAME or not name.isprintable() or not 0 < epoch <= MAX_NUMBER:
        raise HandshakeFailed("The node's name, or its epoch, cannot be used.", Refusal.BAD_HELLO)
    try:
        return Introduction(name, epoch, parse_address(listening) if listening else None)
    except ValueError as error:
        raise HandshakeFailed(f"The node's address cannot be used: {error}.", Refusal.BAD_HELLO) from error
