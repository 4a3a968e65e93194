"""Effects: what a node wants done, in this order, by whoever drives it."""

from __future__ import annotations

from dataclasses import dataclass

from mesh.node import Received
from shared.address import Address
from shared.security.key_id import KeyId
from shared.security.merkle import Hash


@dataclass(frozen=True)
class Transmit:
    """A frame for a neighbour. `is_bulk`: a chunk of content, which lets others pass."""

    peer: KeyId
    frame: bytes
    is_bulk: bool = False


@dataclass(frozen=True)
class Remember:
    """Keep, before what follows is done, that this was taken: a later start of the node takes it no more."""

    sender: KeyId
    epoch: int
    sequence: int


@dataclass(frozen=True)
class Deliver:
    """A message has come."""

    received: Received


@dataclass(frozen=True)
class Confirmed:
    """A direct message has come to its receiver."""

    message: int


@dataclass(frozen=True)
class Expired:
    """A direct message was not confirmed in time; `why` completes "The message did not come: "."""

    message: int
    why: str


@dataclass(frozen=True)
class PeersChanged:
    """Some member's state has changed, or the way to it."""


@dataclass(frozen=True)
class Found:
    """A member has said where it listens."""

    peer: KeyId
    address: Address


@dataclass(frozen=True)
class Disconnect:
    """End the connection to a neighbour, which the node has forgotten already."""

    peer: KeyId
    why: str


@dataclass(frozen=True)
class ReadChunk:
    """Read a chunk of content that is offered, and give it to `Serving.read` once there is room on the way to
    whom it is for (`Node.next_hop`), or say that there was none (`gave_up`)."""

    receiver: KeyId
    receiver_epoch: int
    root: Hash
    index: int
    start: int
    length: int


@dataclass(frozen=True)
class StoreChunk:
    """A chunk of content that is fetched has come, and is verified."""

    fetch: int
    index: int
    data: bytes


@dataclass(frozen=True)
class FetchEnded:
    """All of the content has come; or `why` completes "The content could not be fetched: "."""

    fetch: int
    why: str = ""


Effect = (
    Transmit
    | Remember
    | Deliver
    | Confirmed
    | Expired
    | PeersChanged
    | Found
    | Disconnect
    | ReadChunk
    | StoreChunk
    | FetchEnded
)
