"""Envelopes: what one node says to another or to all, signed by it, whoever passes it on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from mesh.node import CHUNK_BYTES, MAX_BODY_BYTES
from mesh.protocol import mesh_pb2
from mesh.protocol.framing import FrameInvalid, FrameTooLarge
from mesh.protocol.limits import MAX_HOPS
from shared.security.key_id import ID_BYTES, KeyId
from shared.security.keys import KeyPair, PublicKey
from shared.security.statement import Purpose, statement

Kinds = mesh_pb2.Envelope
"""Where the kinds of envelopes are: `Kinds.FLOOD`."""
Kind = mesh_pb2.Envelope.Kind

FOR_ALL = frozenset({Kinds.FLOOD, Kinds.LINKS})
WITH_TOPIC = frozenset({Kinds.FLOOD, Kinds.DIRECT})
WITH_NUMBER = frozenset({Kinds.DIRECT, Kinds.CONFIRMATION})
TOPIC = re.compile(r"[a-z][a-z0-9._/-]{0,63}")
MAX_CHUNK_BODY_BYTES = CHUNK_BYTES + (4 << 10)
"""With the proof, and what says which chunk it is."""
MAX_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class Envelope:
    """What is signed. `receiver`, and what belongs to it, only where it is for one node."""

    kind: Kind
    sender: KeyId
    epoch: int
    sequence: int
    body: bytes
    topic: str = ""
    receiver: KeyId | None = None
    receiver_epoch: int = 0
    number: int = 0

    def require_valid(self) -> None:
        """Raise FrameInvalid unless its fields belong together and are within their limits."""
        if self.kind not in Kinds.Kind.values() or self.kind == Kinds.NONE:
            raise FrameInvalid(f"An envelope is of the kind {self.kind}, which is not known here.")
        if (self.kind in FOR_ALL) is not (self.receiver is None):
            raise FrameInvalid(f"An envelope of the kind {self.kind} has a receiver, or lacks one.")
        if (self.kind in WITH_TOPIC) is not bool(self.topic):
            raise FrameInvalid(f"An envelope of the kind {self.kind} has a topic, or lacks one.")
        if (self.kind in WITH_NUMBER) is not bool(self.number):
            raise FrameInvalid(f"An envelope of the kind {self.kind} has a message's number, or lacks one.")
        if self.topic and TOPIC.fullmatch(self.topic) is None:
            raise FrameInvalid(
                "An envelope's topic is not of 1 to 64 small letters, digits and . _ / - alone."
            )
        most = MAX_CHUNK_BODY_BYTES if self.kind == Kinds.CHUNK else MAX_BODY_BYTES
        if len(self.body) > most:
            raise FrameTooLarge(f"An envelope's body has {len(self.body):,} bytes, and {most:,} are allowed.")
        numbers = (self.epoch, self.sequence, self.receiver_epoch, self.number)
        if not (all(0 <= number <= MAX_NUMBER for number in numbers) and self.epoch and self.sequence):
            raise FrameInvalid("An envelope's epoch or sequence is not from 1 to 2^63 - 1.")


def require_message(topic: str, body: bytes) -> None:
    """Raise ValueError unless a message may have this topic and this body."""
    if TOPIC.fullmatch(topic) is None:
        raise ValueError(f"{topic!r} is no topic: it has 1 to 64 small letters, digits and . _ / -")
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"a message has {MAX_BODY_BYTES:,} bytes at most, and this has {len(body):,}")


@dataclass(frozen=True)
class Sealed:
    """An envelope with its signature, as it travels. Whether the signature is good is for `verify` to say."""

    envelope: Envelope
    data: bytes
    signature: bytes
    hops_left: int

    def frame(self, hops_left: int) -> bytes:
        """As a frame that goes to a neighbour."""
        signed = mesh_pb2.SignedEnvelope(envelope=self.data, signature=self.signature, hops_left=hops_left)
        return mesh_pb2.Frame(envelope=signed).SerializeToString()

    def verify(self, key: PublicKey) -> None:
        """Raise BadSignature unless the owner of this key has signed exactly these bytes."""
        key.verify(self.signature, _statement(self.data))


def seal(envelope: Envelope, key: KeyPair) -> Sealed:
    """Sign an envelope. Raises FrameInvalid for one that nobody would take."""
    envelope.require_valid()
    data = mesh_pb2.Envelope(
        kind=envelope.kind,
        sender=envelope.sender.digest,
        epoch=envelope.epoch,
        sequence=envelope.sequence,
        receiver=envelope.receiver.digest if envelope.receiver else b"",
        receiver_epoch=envelope.receiver_epoch,
        number=envelope.number,
        topic=envelope.topic,
        body=envelope.body,
    ).SerializeToString()
    return Sealed(envelope, data, key.sign(_statement(data)), MAX_HOPS)


def open_envelope(signed: mesh_pb2.SignedEnvelope) -> Sealed:
    """What came, as values; not verified yet. Raises FrameInvalid."""
    message = mesh_pb2.Envelope()
    try:
        message.ParseFromString(signed.envelope)
    except DecodeError as error:
        raise FrameInvalid("An envelope cannot be read.") from error
    if len(message.sender) != ID_BYTES or len(message.receiver) not in (0, ID_BYTES):
        raise FrameInvalid(f"The id of a node has {ID_BYTES} bytes, and that in an envelope has not.")
    envelope = Envelope(
        kind=message.kind,
        sender=KeyId(message.sender),
        epoch=message.epoch,
        sequence=message.sequence,
        body=message.body,
        topic=message.topic,
        receiver=KeyId(message.receiver) if message.receiver else None,
        receiver_epoch=message.receiver_epoch,
        number=message.number,
    )
    envelope.require_valid()
    return Sealed(envelope, signed.envelope, signed.signature, min(signed.hops_left, MAX_HOPS))


def _statement(data: bytes) -> bytes:
    return statement(Purpose.MESH_ENVELOPE, data)
