"""Memory that FedLoom and an app's host share, for the large parts of frames: half the time of a socket.

A socket takes what is sent into pages of the kernel's, and wakes both sides for every 200 KB. Here the sender
writes into a ring of bytes, from which the receiver copies before it believes anything; the frame, which says
what is in the ring, goes through the socket. Where the ring has no room, or there is none, the socket takes
the parts as well.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections.abc import Iterable

RING_BYTES = 4 << 20
"""Of each direction: a larger part goes through the socket."""

NO_MEMORY = -1
"""In place of a descriptor."""

_COUNT_BYTES = 8
_HEAD_BYTES = 64
"""Before the ring: how many bytes were taken out of it since the beginning, and nothing else."""

_WHOLE_BYTES = _HEAD_BYTES + RING_BYTES


class Ring:
    """One direction. One thread at a time puts in, in one process, and one takes out, in another."""

    def __init__(self, memory: memoryview) -> None:
        """`memory`: of both processes, all zeros when the first of them begins."""
        self._taken = memory[:_COUNT_BYTES]
        self._ring = memory[_HEAD_BYTES:]
        self.size = len(self._ring)
        """How many bytes it holds."""
        self._position = 0
        """Bytes that this end has put in, or taken out, since the beginning."""

    def put(self, length: int, views: Iterable[memoryview]) -> bool:
        """Put these bytes in, so many all together, if there is room for all of them; whether there was."""
        taken = int.from_bytes(self._taken, "little")  # by the other side's word
        free = self.size - (self._position - taken)
        if not length <= free <= self.size:
            return False
        for view in views:
            at = self._position % self.size
            until_end = view[: self.size - at]
            self._ring[at : at + len(until_end)] = until_end
            self._ring[: len(view) - len(until_end)] = view[len(until_end) :]
            self._position += len(view)
        return True

    def take(self, length: int) -> bytes:
        """The next bytes, at most `size`, as they were put in."""
        at = self._position % self.size
        data = bytes(self._ring[at : at + length])
        if len(data) < length:
            data += self._ring[: length - len(data)]
        self._position += length
        self._taken[:] = self._position.to_bytes(_COUNT_BYTES, "little")
        return data


def share_memory() -> int:
    """A descriptor of memory for both directions; NO_MEMORY where the system has none to give.

    All of it is there from the start, and its size is sealed: who touches what is gone is killed.
    """
    if not hasattr(os, "memfd_create"):
        return NO_MEMORY
    try:
        memory = os.memfd_create("fedloom", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError:
        return NO_MEMORY
    try:
        os.posix_fallocate(memory, 0, 2 * _WHOLE_BYTES)
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    except OSError:
        os.close(memory)
        return NO_MEMORY
    return memory


def rings(memory: int) -> tuple[Ring, Ring] | tuple[None, None]:
    """The rings in shared memory, from FedLoom to the host, and back. Raises OSError if it cannot be had."""
    if memory == NO_MEMORY:
        return None, None
    mapped = memoryview(mmap.mmap(memory, 2 * _WHOLE_BYTES))
    return Ring(mapped[:_WHOLE_BYTES]), Ring(mapped[_WHOLE_BYTES:])
