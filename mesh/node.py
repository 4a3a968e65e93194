"""The mesh as what is built on it sees it: gossip, files and commands need no more of it than this."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mesh.protocol.counts import Counts
from mesh.refused_models import RefusedModels
from shared.errors import FedLoomError
from shared.security.key_id import KeyId

MAX_BODY_BYTES = 64 << 10
"""Of a message. What is larger goes as content: its root is told, and whoever wants it fetches it."""

CHUNK_BYTES = 256 << 10
"""Of content; the last chunk may be shorter."""


class PeerState(StrEnum):
    """What is known of a member."""

    ONLINE = "online"
    """there is a way to it, and it was heard of just now"""
    STALE = "stale"
    """there may be a way to it, but it has not been heard of for some time"""
    OFFLINE = "offline"
    """there is no way to it"""
    REJOINED = "rejoined"
    """it is online again since a moment"""


@dataclass(frozen=True)
class PeerView:
    """A member as this node sees it."""

    key: KeyId
    name: str
    state: PeerState
    hops: int | None
    """Links on the way to it, 1 for a neighbour; None: there is no way."""
    latency_s: float | None
    """There and back, along that way; None: not measured."""


@dataclass(frozen=True)
class Received:
    """A message, whose sender's signature is verified, and that comes once only."""

    sender: KeyId
    topic: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes by what they are: the root of the Merkle tree (RFC 9162) over their chunks of CHUNK_BYTES.

    Each chunk can be verified by itself, whoever it came from. Content of no bytes has no chunk.
    """

    root: bytes
    size: int

    @property
    def chunks(self) -> int:
        """How many."""
        return -(-self.size // CHUNK_BYTES)


class Source(Protocol):
    """Where the bytes of content are, as long as they are offered."""

    def read(self, start: int, length: int) -> bytes:
        """These bytes. Raises OSError, and ValueError where they are not what they were."""


class Unreachable(FedLoomError):
    """A message has not been confirmed by its receiver in time. It may have come nevertheless."""


class ContentUnavailable(FedLoomError):
    """None of those who were said to have content has given all of it."""


class Mesh(Protocol):
    """A node in its network. Everything is called in its event loop, and handlers are called there.

    Between two nodes messages may change their order. Each comes at most once.
    """

    counts: Counts
    """Where whoever handles messages counts those that it does not take."""
    refused_models: RefusedModels
    """Where whoever averages models of others counts those that it does not take."""

    @property
    def me(self) -> KeyId:
        """This node."""

    def peers(self) -> Sequence[PeerView]:
        """All members, whether or not they are there."""

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after any peer's state has changed."""

    def on(self, topic: str, handler: Callable[[Received], None]) -> Callable[[], None]:
        """Have messages with this topic handled, until the function is called that is returned. There is one
        handler for a topic. A message without a handler is dropped after it was confirmed."""

    def flood(self, topic: str, body: bytes) -> None:
        """To all members that can be reached, each once; not confirmed. At most MAX_BODY_BYTES."""

    async def send(self, to: KeyId, topic: str, body: bytes, timeout_s: float = 10.0) -> None:
        """To one member, over as many hops as it takes. Returns when that has confirmed it.

        Raises Unreachable. At most MAX_BODY_BYTES.
        """

    async def offer(self, source: Source, size: int) -> Content:
        """Give these bytes to any member that asks for them, until they are withdrawn. They are read once
        now, off the event loop, to find their root."""

    def withdraw(self, content: Content) -> None:
        """Give them no more."""

    async def fetch(
        self,
        content: Content,
        holders: Sequence[KeyId],
        store: Callable[[int, bytes], None],
        have: Collection[int] = (),
    ) -> None:
        """Get content from those who have it, several at a time, nearest first.

        `store` is called with each chunk's place, from 0, and its bytes, once these are verified; in any
        order. `have`: chunks that are not needed. Raises ContentUnavailable; what `store` raises ends it.
        """
