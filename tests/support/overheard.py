"""What a server hears of its clients: every reply, as the bytes that came."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from flwr.app import Message

from app.federation.grid import codec
from shared.app_host import codec as of_messages
from shared.payload import Payload

DECODE = "decode"
"""The name by which `app.federation.grid.codec` knows what reads a reply."""


@dataclass(frozen=True)
class Overheard:
    """Armed in the server's process, it keeps each reply that is read there, in a file of this folder."""

    folder: Path

    def arm(self) -> None:
        """Called in that process."""
        honest: Callable[[Payload], Message] = getattr(codec, DECODE)
        numbers = count()

        def decode(payload: Payload) -> Message:
            heard = payload.skeleton(), list(payload.arrays())
            (self.folder / f"{next(numbers):06}").write_bytes(pickle.dumps(heard))
            return honest(payload)

        setattr(codec, DECODE, decode)

    def take(self) -> list[bytes]:
        """What has been heard so far, each reply's skeleton and arrays as they came; it is forgotten."""
        files = sorted(self.folder.iterdir())
        heard = [file.read_bytes() for file in files]
        for file in files:
            file.unlink()
        return heard


def messages_in(heard: list[bytes]) -> Iterator[Message]:
    """The replies themselves."""
    for each in heard:
        skeleton, arrays = pickle.loads(each)
        yield of_messages.decode(skeleton, arrays)
