"""The hashes by which a message is known: of its skeleton, and of the data of its arrays.

They are two, since a model that goes to many clients in envelopes of their own is hashed once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

DIGEST_BYTES = 32


@dataclass(frozen=True)
class Digests:
    """SHA-256 of a message's skeleton as it travelled, and of the data of all of its arrays in turn.

    How many bytes each array has follows from the data themselves, or else from what reads them.
    """

    skeleton: bytes
    arrays: bytes

    @property
    def combined(self) -> bytes:
        """The hash of both, where a message is to have one name."""
        return hashlib.sha256(self.skeleton + self.arrays).digest()


def digest_of(parts: Iterable[bytes]) -> bytes:
    """SHA-256 of the concatenation; large parts are hashed without the interpreter's lock."""
    running = hashlib.sha256()
    for part in parts:
        running.update(part)
    return running.digest()


class RunningDigests:
    """The hashes of a message of which `skeleton_bytes` are the skeleton, taken in as it comes."""

    def __init__(self, skeleton_bytes: int) -> None:
        self._left = skeleton_bytes
        self._skeleton, self._arrays = hashlib.sha256(), hashlib.sha256()

    def update(self, data: bytes) -> None:
        """The next bytes, wherever they were cut."""
        view = memoryview(data)
        if self._left:
            self._skeleton.update(view[: self._left])
            view, self._left = view[self._left :], max(self._left - len(view), 0)
        if view:
            self._arrays.update(view)

    def digests(self) -> Digests:
        """Of all that has come."""
        return Digests(self._skeleton.digest(), self._arrays.digest())
