"""Frames over a local socket between an app's host and FedLoom: a header in JSON, then parts in raw bytes.

A frame is the number of bytes of its header (4 bytes, most significant first), the header, and the parts one
after the other. The header has the frame's `kind`, the `parts`' lengths, and whatever else belongs to it. A
frame that is `recurring` may have parts that the recurring frame before it has had: of those only the place
is sent, as -1 for the first large part of that frame, -2 for the second.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, TypeVar

MAX_HEADER_BYTES = 16 << 20
SENT_AT_ONCE = 1_000
"""Pieces, of which a system takes 1,024."""
RECEIVED_AT_ONCE = 1 << 30

SMALL = 16 << 10
"""Bytes: parts with fewer are received together."""

LARGE = 64 << 10
"""Bytes: parts with as many are not sent twice."""

KEPT_BYTES = 64 << 20
"""Of recurring parts, at most, at each end."""

_LENGTH = struct.Struct("!I")


class ChannelClosed(ConnectionError):
    """The other side has gone."""


class ChannelBroken(ChannelClosed):
    """What came is no frame, or one that is too large: nothing that follows can be read either."""


@dataclass(frozen=True)
class Pieces:
    """A part whose bytes lie in several places, and need not be put together to be sent."""

    views: Sequence[memoryview]

    def __len__(self) -> int:
        return sum(map(len, self.views))

    def beginning(self, length: int) -> bytes:
        """The first bytes, so many or all that there are."""
        begun = bytearray()
        for view in self.views:
            if len(begun) >= length:
                break
            begun += view[: length - len(begun)]
        return bytes(begun)


Part = bytes | Pieces
P = TypeVar("P", bytes, Part)


@dataclass(frozen=True)
class Frame:
    """One frame: `fields` is its header but for `kind` and `parts`."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    parts: tuple[bytes, ...] = ()


class Channel:
    """One end. Any thread may send; one at a time receives."""

    def __init__(self, connection: socket.socket, max_bytes: int | None = None) -> None:
        """`max_bytes`: of the parts of a frame that is taken from the other side, all together."""
        self._connection = connection
        self._max_bytes = max_bytes
        self._sending = threading.Lock()
        self._sent: Sequence[Part] = ()
        self._received: Sequence[bytes] = ()
        """What was kept of the last recurring frames."""

    def send(self, kind: str, parts: Sequence[Part] = (), *, recurring: bool = False, **fields: Any) -> None:
        """Send a frame; waits until the other side has taken it, but for a small rest. Raises
        ChannelClosed, and ValueError for a header that the other side would not take.

        `recurring`: the next such frame is likely to have some of these parts again, as the same objects.
        Both sides keep them until then.
        """
        with self._sending:
            known = {id(part): -number for number, part in enumerate(self._sent, 1)} if recurring else {}
            lengths = [known.get(id(part)) or len(part) for part in parts]
            header = json.dumps({**fields, "kind": kind, "recurring": recurring, "parts": lengths}).encode()
            if len(header) > MAX_HEADER_BYTES:
                raise ValueError(
                    f"What was to be sent is of too many parts: their list has {len(header):,} bytes."
                )
            new = [part for part in parts if id(part) not in known]
            if recurring:
                self._sent = _kept(parts)
            try:
                self._send_all(_LENGTH.pack(len(header)) + header, new)
            except OSError as error:
                raise ChannelClosed(str(error)) from error

    def receive(self) -> Frame:
        """The next frame; waits for it. Raises ChannelClosed, or ChannelBroken for what is none."""
        (length,) = _LENGTH.unpack(self._take(_LENGTH.size))
        if length > MAX_HEADER_BYTES:
            raise ChannelBroken(f"a header of {length:,} bytes was announced")
        try:
            fields = json.loads(self._take(length))
            kind, recurring = str(fields.pop("kind")), bool(fields.pop("recurring"))
            sizes = [int(size) for size in fields.pop("parts")]
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise ChannelBroken(f"the header of a frame cannot be read: {error}") from error
        parts = self._parts(sizes)
        if recurring:
            self._received = _kept(parts)
        return Frame(kind, fields, tuple(parts))

    def close(self) -> None:
        """Whoever sends or receives at either end gets ChannelClosed."""
        with suppress(OSError):  # the other side was faster
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def forget(self) -> None:
        """Let go of this end in a forked child: it stays open where it was opened."""
        self._connection.close()

    def _parts(self, sizes: Sequence[int]) -> list[bytes]:
        """The parts of a frame that announces these sizes, or places of parts that were kept."""
        if min(sizes, default=0) < -len(self._received):
            raise ChannelBroken("a part was announced that is none of those before")
        lengths = [size if size >= 0 else len(self._received[-1 - size]) for size in sizes]
        if self._max_bytes is not None and sum(lengths) > self._max_bytes:
            raise ChannelBroken(
                f"a frame of {sum(lengths):,} bytes was announced, and {self._max_bytes:,} are the most"
            )
        parts: list[bytes] = []
        for run in _runs(sizes):
            if run[0] < 0:
                parts.append(self._received[-1 - run[0]])
                continue
            data = self._take(sum(run))
            if len(run) == 1:
                parts.append(data)
            else:
                parts += [data[end - length : end] for length, end in zip(run, accumulate(run), strict=True)]
        return parts

    def _send_all(self, opening: bytes, parts: Sequence[Part]) -> None:
        """All in as few calls of the system as it allows: each gives Python's lock away, and waits for it."""
        views = [memoryview(opening), *filter(None, _views(parts))]
        begin = 0
        while begin < len(views):
            sent = self._connection.sendmsg(views[begin : begin + SENT_AT_ONCE])
            while begin < len(views) and sent >= len(views[begin]):
                sent -= len(views[begin])
                begin += 1
            if sent:
                views[begin] = views[begin][sent:]

    def _take(self, length: int) -> bytes:
        """So many bytes: of a large part one object that they are received into, and no copies."""
        pieces = []
        while length:
            try:
                piece = self._connection.recv(min(length, RECEIVED_AT_ONCE), socket.MSG_WAITALL)
            except OSError as error:
                raise ChannelClosed(str(error)) from error
            if not piece:
                raise ChannelClosed("the other side has closed the channel")
            pieces.append(piece)
            length -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _views(parts: Sequence[Part]) -> Iterator[memoryview]:
    for part in parts:
        if isinstance(part, Pieces):
            yield from part.views
        else:
            yield memoryview(part)


def _runs(sizes: Sequence[int]) -> Iterator[list[int]]:
    """The same sizes, small ones that follow each other together."""
    run: list[int] = []
    for size in sizes:
        if run and not (0 <= size < SMALL and 0 <= run[-1] < SMALL):
            yield run
            run = []
        run.append(size)
    if run:
        yield run


def _kept(parts: Sequence[P]) -> list[P]:
    """The large parts of a recurring frame, as far as there is room for them."""
    large: list[P] = []
    room = KEPT_BYTES
    for part in parts:
        if LARGE <= len(part) <= room:
            large.append(part)
            room -= len(part)
    return large
