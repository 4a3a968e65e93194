"""What a serialised Flower message is on the link: a skeleton, and the data of its arrays.

The skeleton is Flower's protobuf, in which each array has the number of its data in place of the data. Then
the data follow, one array's after the other's. So protobuf, which copies a bytes field on every level of
nesting and again when it is read, never has them in its hands, and nobody but protobuf parses the skeleton.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from shared.buffers import Buffer, Place
from shared.errors import WireError
from shared.security.digest import Digests
from shared.wire import MAX_MESSAGE_BYTES

MAX_SKELETON_BYTES = 64 << 20
"""Bytes of a message that are no array's."""

MAX_ARRAYS = 100_000
"""In one message."""


@dataclass(frozen=True)
class Payload:
    """A message that came in whole: its bytes, and how many of them, at the end, are each array's.

    Whoever has it last releases it, by name or by `with`.
    """

    buffer: Buffer
    array_bytes: Sequence[int] = ()
    digests: Digests | None = None
    """Of a reply, as its client has signed them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def skeleton(self) -> bytes:
        """The protobuf."""
        return self.buffer.read(0, len(self.buffer) - sum(self.array_bytes))

    def arrays(self) -> Iterator[bytes]:
        """The data of each array in turn."""
        for start, length in places(len(self.buffer), self.array_bytes):
            yield self.buffer.read(start, length)

    def array_pieces(self) -> Iterator[Sequence[memoryview]]:
        """The same as they lie in the buffer; they stay when that is released."""
        for start, length in places(len(self.buffer), self.array_bytes):
            yield self.buffer.pieces(start, length)

    def release(self) -> None:
        """Let go of the bytes."""
        self.buffer.release()


def places(total_bytes: int, array_bytes: Sequence[int]) -> Iterator[Place]:
    """Where the data of each array are in a message of so many bytes."""
    start = total_bytes - sum(array_bytes)
    for length in array_bytes:
        yield start, length
        start += length


def require_size(skeleton_bytes: int, array_bytes: Sequence[int]) -> None:
    """Raise WireError for a message that the link does not carry."""
    total_bytes = skeleton_bytes + sum(array_bytes)
    if total_bytes > MAX_MESSAGE_BYTES:
        raise WireError(
            f"A message of {total_bytes:,} bytes was not sent: "
            f"the link carries at most {MAX_MESSAGE_BYTES:,}. "
            "Use a smaller model, or send fewer arrays in one message."
        )
    if len(array_bytes) > MAX_ARRAYS:
        raise WireError(
            f"A message with {len(array_bytes):,} arrays was not sent: "
            f"the link carries at most {MAX_ARRAYS:,}. Join some of them, or send several messages."
        )
    if skeleton_bytes > MAX_SKELETON_BYTES:
        raise WireError(
            f"A message with {skeleton_bytes:,} bytes that belong to no array was not sent: "
            f"the link carries at most {MAX_SKELETON_BYTES:,} of them. Put large values into arrays."
        )


def objection(total_bytes: int, array_bytes: Sequence[int], max_bytes: int = MAX_MESSAGE_BYTES) -> str | None:
    """Why a message that announces so many bytes, and so many of them for arrays, is not taken."""
    if total_bytes > max_bytes:
        return f"announces {total_bytes:,} bytes, more than the {max_bytes:,} that are taken"
    if len(array_bytes) > MAX_ARRAYS:
        return f"announces {len(array_bytes):,} arrays, more than the {MAX_ARRAYS:,} that are taken"
    beside = total_bytes - sum(array_bytes)
    if beside < 0:
        return f"announces arrays of more bytes than the {total_bytes:,} that it has in all"
    if beside > MAX_SKELETON_BYTES:
        return f"announces {beside:,} bytes of no array, more than the {MAX_SKELETON_BYTES:,} that are taken"
    return None
