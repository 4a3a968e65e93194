"""Connection: the link to one neighbour, with a bounded queue. A neighbour that is slow loses its own
traffic."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from mesh.frame_stream import ConnectionEnded, FrameStream
from mesh.handshake import Introduction
from shared.address import Address
from shared.security.key_id import KeyId

URGENT_BYTES = 4 << 20
BULK_BYTES = 4 << 20
"""That wait for one neighbour: what is urgent (all but chunks), and chunks."""
BYTES_PER_S = 256 << 20
FRAMES_PER_S = 8_000
"""Read from one neighbour; above, it waits. Before that, what it sends too often is dropped (`Limits`)."""
TURN = 16
"""Frames of one neighbour, before it is the others' turn."""


@dataclass(frozen=True)
class Traffic:
    """Bytes of frames over one connection."""

    sent: int
    received: int

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(self.sent + other.sent, self.received + other.received)


class Connection:
    """One that is through its handshake."""

    def __init__(
        self, stream: FrameStream, peer: KeyId, introduction: Introduction, *, is_outgoing: bool
    ) -> None:
        self.peer, self.introduction, self.is_outgoing = peer, introduction, is_outgoing
        self._stream = stream
        self._urgent: deque[bytes] = deque()
        self._bulk: deque[bytes] = deque()
        self._urgent_bytes = self._bulk_bytes = 0
        self._sent = self._received = 0
        self._waits = asyncio.Event()
        """Something is queued."""
        self._taken = asyncio.Event()
        """Set, and made anew, whenever a chunk has gone out."""
        self.why = ""
        """Why it was ended here; empty: by the other end, or not at all."""

    @property
    def traffic(self) -> Traffic:
        """Until now."""
        return Traffic(self._sent, self._received)

    @property
    def here(self) -> Address:
        """This node's end of it."""
        return self._stream.here

    def put(self, frame: bytes, *, is_bulk: bool) -> bool:
        """Queue a frame; False: there is no room, and it is dropped."""
        if is_bulk:
            if self._bulk_bytes + len(frame) > BULK_BYTES:
                return False
            self._bulk.append(frame)
            self._bulk_bytes += len(frame)
        else:
            if self._urgent_bytes + len(frame) > URGENT_BYTES:
                return False
            self._urgent.append(frame)
            self._urgent_bytes += len(frame)
        self._waits.set()
        return True

    async def room(self) -> None:
        """Wait until at least half of the room for chunks is free. The connection may end meanwhile: whoever
        waits is cancelled then, or waits no longer than it has said."""
        while self._bulk_bytes > BULK_BYTES // 2:
            await self._taken.wait()

    async def run(self, arrived: Callable[[bytes], None]) -> None:
        """Until it ends, by either end: pass on what comes, and send what is queued. Raises what the stream
        raises."""
        writing = asyncio.create_task(self._write())
        try:
            await self._read(arrived)  # aborted, and ended with that, as soon as nothing can be written
        finally:
            self._stream.abort()
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing

    def end(self, why: str) -> None:
        """From here."""
        self.why = self.why or why
        self._stream.abort()

    async def _read(self, arrived: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        free_at = loop.time()
        for number in count(1):
            frame = await self._stream.read()
            self._received += len(frame)
            arrived(frame)
            now = loop.time()
            free_at = max(free_at, now - 1.0) + max(len(frame) / BYTES_PER_S, 1 / FRAMES_PER_S)
            if free_at > now or number % TURN == 0:
                await asyncio.sleep(max(0.0, free_at - now))

    async def _write(self) -> None:
        try:
            await self._write_queued()
        except ConnectionEnded as error:
            self.end(str(error))

    async def _write_queued(self) -> None:
        while True:
            await self._waits.wait()
            self._waits.clear()
            while self._urgent or self._bulk:
                if self._urgent:
                    frame = self._urgent.popleft()
                    self._urgent_bytes -= len(frame)
                else:
                    frame = self._bulk.popleft()
                    self._bulk_bytes -= len(frame)
                    self._taken.set()
                    self._taken = asyncio.Event()
                await self._stream.write(frame)
                self._sent += len(frame)
