"""What each client has to do and was told, as it is kept: the state that `client_work.py` and
`client_reports.py` change.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from app.federation.link.settled import Settled
from app.federation.link.task import Task, Withdrawn
from shared.proto.link_pb2 import Assignment, Received, ServerFrame

MAX_RECEIPTS = 16
"""Of a client in a run, the newest, that it is told again when it comes back: the connection may have lost
them."""

OutgoingFrame = ServerFrame | bytes
"""A frame, or one that is serialised already."""


class ClientStream(Protocol):
    """A client's connection, as far as its work goes."""

    def send(self, frames: Iterable[OutgoingFrame]) -> None:
        """Write these frames after those of before; does not wait."""

    def transmit(self, task: Task) -> None:
        """Write a message and its seal after what was before; does not wait."""

    def drop(self, message_id: str) -> None:
        """Let go of what has come in of the reply to a message."""


@dataclass
class ClientAtWork:
    """What one client has to do and was told, which outlasts its connections."""

    stream: ClientStream | None = None
    key: str = ""
    """The id of the key that it has shown to own."""
    assignment: Assignment | None = None
    paused: bool = False
    open: dict[str, Task] = field(default_factory=dict)
    """The messages that it owes a reply to, by id, in the order in which they were given to it."""
    says_why: bool = False
    """Whether it has said why it takes no part, or not yet."""
    withdrawn: dict[str, Withdrawn] = field(default_factory=dict)
    """What it may still work on, although nobody waits for it."""
    settled: Settled = field(default_factory=Settled)
    receipts: deque[Received] = field(default_factory=lambda: deque(maxlen=MAX_RECEIPTS))

    def send(self, *frames: ServerFrame) -> None:
        """Send frames, if it is connected."""
        if self.stream is not None:
            self.stream.send(frames)

    @property
    def run(self) -> str | None:
        """The id of the run in which it has a place."""
        return None if self.assignment is None else self.assignment.run

    def is_in(self, run_id: int) -> bool:
        """Whether it has a place in a run."""
        return self.assignment is not None and self.assignment.run_id == run_id


ClientsAtWork = defaultdict[str, ClientAtWork]
"""By their ids."""
