"""Frames over a local socket between an app's host and FedLoom: a header in JSON, then parts in raw bytes.

A frame is the number of bytes of its header (4 bytes, most significant first), the header, and the parts one
after the other. The header has the frame's `kind`, the `parts`' lengths, and whatever else belongs to it. A
letter for each part says `where` it is: in the stream (s), in the memory that both ends share (m, `ring.py`),
or among the large parts that were kept of the `recurring` frame before it (k, with its place among them in
place of a length).
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Any, TypeVar

from .ring import Ring

MAX_HEADER_BYTES = 16 << 20
SENT_AT_ONCE = 1_000
"""Pieces, of which a system takes 1,024."""
RECEIVED_AT_ONCE = 1 << 30

SMALL = 16 << 10
"""Bytes: parts with fewer are received together."""

LARGE = 64 << 10
"""Bytes: parts with as many go through shared memory, and those of recurring frames not twice."""

KEPT_BYTES = 64 << 20
"""Of recurring parts, at most, at each end."""

STREAM, MEMORY, KEPT = "smk"
"""Where a part is."""

_LENGTH = struct.Struct("!I")
_WHERE_BYTES = len(', "where": ""')


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
    """One frame: `fields` is its header, but for what tells of its kind and of the parts."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    parts: tuple[bytes, ...] = ()


class Channel:
    """One end. Any thread may send; one at a time receives."""

    def __init__(
        self,
        connection: socket.socket,
        max_bytes: int | None = None,
        to_other: Ring | None = None,
        from_other: Ring | None = None,
    ) -> None:
        """`max_bytes`: of the parts of a frame that is taken from the other side, all together; the rings are
        in the memory that both ends share, if they share some."""
        self._connection = connection
        self._max_bytes = max_bytes
        self._to_other = to_other
        self._from_other = from_other
        self._is_closed = False
        self._sending = threading.Lock()
        self._sent: Sequence[Part] = ()
        self._received: Sequence[bytes] = ()
        """What was kept of the last recurring frames."""

    def send(self, kind: str, parts: Sequence[Part] = (), *, recurring: bool = False, **fields: Any) -> None:
        """Send a frame; waits until the other side has taken it, but for what sockets and shared memory hold.
        Raises ChannelClosed, and ValueError for a header that the other side would not take. Whatever else
        interrupts it closes the channel.

        `recurring`: the next such frame is likely to have some of these parts again, as the same objects.
        Both sides keep the large ones until then.
        """
        with self._sending:
            known = {id(part): place for place, part in enumerate(self._sent)} if recurring else {}
            numbers = [known.get(id(part), len(part)) for part in parts]
            header = json.dumps({**fields, "kind": kind, "recurring": recurring, "parts": numbers})
            if len(header) + len(parts) > MAX_HEADER_BYTES - _WHERE_BYTES:
                raise ValueError(
                    f"What was to be sent is of too many parts: their list has {len(header):,} bytes."
                )
            try:
                where = "".join(KEPT if id(part) in known else self._put(part) for part in parts)
                if recurring:
                    self._sent = _kept(parts)
                header = f'{header[:-1]}, "where": "{where}"}}'
                streamed = [part for part, place in zip(parts, where, strict=True) if place == STREAM]
                self._send_all(_LENGTH.pack(len(header)) + header.encode(), streamed)
            except BaseException as error:
                self.close()  # nobody knows how much of it has gone out, and so where the next would begin
                if isinstance(error, OSError):
                    raise ChannelClosed(str(error)) from error
                raise

    def receive(self) -> Frame:
        """The next frame; waits for it. Raises ChannelClosed, or ChannelBroken for what is none."""
        (length,) = _LENGTH.unpack(self._take(_LENGTH.size))
        if length > MAX_HEADER_BYTES:
            raise ChannelBroken(f"a header of {length:,} bytes was announced")
        try:
            fields = json.loads(self._take(length))
            kind, recurring = str(fields.pop("kind")), bool(fields.pop("recurring"))
            numbers = [int(number) for number in fields.pop("parts")]
            places = list(zip(str(fields.pop("where")), numbers, strict=True))
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise ChannelBroken(f"the header of a frame cannot be read: {error}") from error
        parts = self._parts(places)
        if recurring and not self._is_closed:
            self._received = _kept(parts)
        return Frame(kind, fields, tuple(parts))

    def close(self) -> None:
        """Whoever sends or receives at either end gets ChannelClosed."""
        self._is_closed = True
        self._to_other = self._from_other = None
        self._sent = self._received = ()
        with suppress(OSError):  # the other side was faster
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def forget(self) -> None:
        """Let go of this end in a forked child: it stays open where it was opened."""
        self._connection.close()

    def _put(self, part: Part) -> str:
        """Put a part that is sent into shared memory, if it may go there; returns where it is."""
        ring = self._to_other
        is_there = ring is not None and len(part) >= LARGE and ring.put(len(part), _views([part]))
        return MEMORY if is_there else STREAM

    def _parts(self, places: Sequence[tuple[str, int]]) -> list[bytes]:
        """The parts of a frame, of which it says where they are, and how long, or which."""
        if min((number for _, number in places), default=0) < 0:
            raise ChannelBroken("a part of less than no bytes was announced")
        kept = self._received
        if any(where == KEPT and number >= len(kept) for where, number in places):
            raise ChannelBroken("a part was announced that is none of those before")
        total = sum(len(kept[number]) if where == KEPT else number for where, number in places)
        if self._max_bytes is not None and total > self._max_bytes:
            raise ChannelBroken(
                f"a frame of {total:,} bytes was announced, and {self._max_bytes:,} are the most"
            )
        shared = sum(number for where, number in places if where == MEMORY)
        if shared > (self._from_other.size if self._from_other is not None else 0):
            raise ChannelBroken(f"{shared:,} bytes were announced in shared memory, and it has not so many")
        parts: list[bytes] = []
        for where, group in groupby(places, key=itemgetter(0)):
            numbers = [number for _, number in group]
            match where:
                case "s":
                    parts += self._take_all(numbers)
                case "m":
                    parts += map(self._take_shared, numbers)
                case "k":
                    parts += map(kept.__getitem__, numbers)
                case _:
                    raise ChannelBroken(f"a part was announced at {where!r}, which is no place")
        return parts

    def _take_shared(self, length: int) -> bytes:
        if (ring := self._from_other) is None:
            raise ChannelClosed("the channel was closed here")
        return ring.take(length)

    def _take_all(self, lengths: Sequence[int]) -> list[bytes]:
        """Parts that follow each other in the stream: small ones together, since each call of the system
        gives Python's lock away."""
        parts: list[bytes] = []
        for run in _runs(lengths):
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


def _runs(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The same lengths in groups of small ones, which are no more than a large one together."""
    run: list[int] = []
    for length in lengths:
        if run and (max(length, run[-1]) >= SMALL or sum(run) >= LARGE):
            yield run
            run = []
        run.append(length)
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
