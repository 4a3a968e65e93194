"""Task: one Flower message for one client, as the link takes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Protocol

from app.records import Verdict
from shared.payload import Payload
from shared.proto.link_pb2 import Chunk

Judged = Callable[[Verdict, str | None], object]
"""Takes what was decided of a reply that is genuine, and why, when its content was looked at; from any
thread."""


class TaskContent(Protocol):
    """What a message has in common with others: what comes after its envelope."""

    @property
    def skeleton(self) -> bytes:
        """Its protobuf."""

    @property
    def arrays(self) -> Sequence[bytes]:
        """The data of each array."""

    def frames(self) -> Iterable[bytes]:
        """The chunks that follow the first one of a message, as serialised frames."""

    def arrays_digest(self, threads: Executor) -> Future[bytes]:
        """The hash of its arrays, which is computed once, by these threads. Called in the link thread."""


class OnFailure(Protocol):
    """Takes the word that there will be no reply that could be used."""

    def __call__(self, reason: str, verdict: Verdict | None, rule: str = "", /) -> None:
        """`verdict`: if a reply was refused, or the site declines, by a `rule` of its policy."""


@dataclass(frozen=True)
class Task:
    """One Flower message for one client, in the run and the round that it belongs to.

    `opening` is the first chunk of its serialised form, with its envelope; all clients that get the same
    model share its `content`. A reply of more than `max_reply_bytes` is not taken in; it counts as a failure.

    Called in the link thread, unless the task is withdrawn before: once, and then nothing more, `on_reply`
    (with the serialised reply, which is genuine, and whom to tell what is decided of it) or `on_failure`
    (there is none that could be used); before that, and in turn, `on_away` (the client went away, or is not
    there, with the reason) and `on_back`.
    """

    run_id: int
    message_id: str
    client_id: str
    message_type: str
    round: int | None
    opening: Chunk
    content: TaskContent
    max_reply_bytes: int
    on_reply: Callable[[Payload, Judged], None]
    on_failure: OnFailure
    on_away: Callable[[str], None]
    on_back: Callable[[], None]


@dataclass(frozen=True)
class Withdrawn:
    """A message whose reply is no longer wanted, though the client may still send it."""

    run_id: int
    message_type: str
    round: int | None
    since: float
    """By the monotonic clock."""
    late: bool

    @property
    def passed_s(self) -> float:
        """How long ago that was, in seconds."""
        return time.monotonic() - self.since
