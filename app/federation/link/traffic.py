"""Traffic: how many bytes of frames the link has carried, before TLS: all of it, and for each client.

gRPC serialises and reads a frame within the task that writes or awaits it, so that the task's context says
whose frame it is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


class Traffic:
    """Of one link, or of one client. The link's thread counts; any thread reads, and may see the sum of a
    moment ago."""

    def __init__(self) -> None:
        self.sent = 0
        self.received = 0

    def counting_sent(self, serialise: Callable[[T], bytes]) -> Callable[[T], bytes]:
        """The same, and what comes of it is counted, for the client of the task as well."""

        def counted(frame: T) -> bytes:
            data = serialise(frame)
            self.sent += len(data)
            if (client := _CLIENT.get()) is not None:
                client.sent += len(data)
            return data

        return counted

    def counting_received(self, read: Callable[[bytes], T]) -> Callable[[bytes], T]:
        """The same, and what goes into it is counted, for the client of the task as well."""

        def counted(data: bytes) -> T:
            self.received += len(data)
            if (client := _CLIENT.get()) is not None:
                client.received += len(data)
            return read(data)

        return counted


_CLIENT: ContextVar[Traffic | None] = ContextVar("client's traffic", default=None)


def count_for(client: Traffic) -> None:
    """What this task, and those that it starts from now on, write and read is a client's."""
    _CLIENT.set(client)
