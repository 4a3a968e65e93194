"""Task: one Flower message for one client, as the link takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shared.payload import Payload
from shared.proto.link_pb2 import Chunk


@dataclass(frozen=True)
class Task:
    """One Flower message for one client.

    `opening` is the first chunk of its serialised form; `following` gives the others as frames that are
    serialised already, since all clients that get the same model share them. A reply of more than
    `max_reply_bytes` is not taken in; it counts as a failure.

    Called in the link thread, unless the task is withdrawn before: once, and then nothing more, `on_reply`
    (with the serialised reply), `on_failure` (the client could not answer, with the reason) or `on_declined`
    (its site takes no part, with the reason, which names the rule); before that, and in turn, `on_away` (the
    client went away, or is not there, with the reason) and `on_back`.
    """

    message_id: str
    client_id: str
    message_type: str
    round: int | None
    opening: Chunk
    following: Callable[[], Iterable[bytes]]
    max_reply_bytes: int
    on_reply: Callable[[Payload], None]
    on_failure: Callable[[str], None]
    on_declined: Callable[[str], None]
    on_away: Callable[[str], None]
    on_back: Callable[[], None]


@dataclass(frozen=True)
class Withdrawn:
    """A message whose reply is no longer wanted, though the client may still send it."""

    round: int | None
    since: float
    late: bool
