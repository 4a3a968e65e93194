"""What nodes tell each other of a folder: messages that fit into one of the mesh's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mesh.files.manifest import MAX_FILE_BYTES
from mesh.files.version import MAX_COUNTER
from mesh.node import Content
from shared.canonical import NotCanonical, canonical, from_canonical
from shared.errors import FedLoomError
from shared.security.merkle import HASH_BYTES

MAX_MESSAGE_BYTES = 512


def topic_of(folder: str) -> str:
    """Under which a folder's messages travel."""
    return f"sync/{folder}"


class MessageRefused(FedLoomError):
    """What came is no message about a folder."""


class Kind(StrEnum):
    """What a message says of a content."""

    MANIFEST = "manifest"
    """it is what the sender has now, signed; `sequence`: its number"""
    NEWS = "news"
    """the same, and the sender asks for what the receivers have"""
    WANT = "want"
    """the sender would like to fetch it"""
    HAVE = "have"
    """it can be fetched from the sender now"""
    LACK = "lack"
    """the sender does not have it any more"""


@dataclass(frozen=True)
class Message:
    """What one node says of a content."""

    kind: Kind
    content: Content
    sequence: int = 0

    @property
    def is_manifest(self) -> bool:
        """Whether the content is the sender's manifest."""
        return self.kind in (Kind.MANIFEST, Kind.NEWS)

    def to_bytes(self) -> bytes:
        """As it travels."""
        told: dict[str, Any] = {
            "kind": self.kind,
            "root": self.content.root.hex(),
            "size": self.content.size,
        }
        return canonical(told | {"sequence": self.sequence} if self.is_manifest else told)

    @classmethod
    def parse(cls, data: bytes) -> Message:
        """The inverse of `to_bytes`. Raises MessageRefused."""
        if len(data) > MAX_MESSAGE_BYTES:
            raise MessageRefused(f"a message of {len(data):,} bytes")
        try:
            told = from_canonical(data)
            kind = Kind(told["kind"])
            message = cls(kind, Content(bytes.fromhex(told["root"]), told["size"]), told.get("sequence", 0))
            is_same = message.to_bytes() == data
        except (NotCanonical, ValueError, TypeError, KeyError, AttributeError) as error:
            raise MessageRefused(f"no message about a folder: {error!r}") from error
        if not is_same or not _is_sane(message):
            raise MessageRefused("a message with fields that it cannot have")
        return message


def _is_sane(message: Message) -> bool:
    content, sequence = message.content, message.sequence
    if type(content.size) is not int or type(sequence) is not int or len(content.root) != HASH_BYTES:
        return False
    is_counted = (0 < sequence <= MAX_COUNTER) if message.is_manifest else sequence == 0
    return 0 <= content.size <= MAX_FILE_BYTES and is_counted
