"""Direct messages of a node that are not confirmed yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mesh.protocol.limits import Pace
from shared.security.key_id import KeyId


@dataclass
class OpenMessage:
    """One that is not confirmed yet."""

    number: int
    """Among the direct messages of this start of the node, by which its receiver knows it in every
    attempt."""
    to: KeyId
    topic: str
    body: bytes
    deadline: float
    try_at: float
    receiver_epoch: int = 0
    """The start of the receiver that it is for, since the first attempt. A later one does not take it, since
    the earlier one may have; 0: it was not sent yet."""
    attempts: int = 0
    tried: set[KeyId] = field(default_factory=set)
    """Neighbours over which it went."""
    last_hop: KeyId | None = None


class OpenMessages:
    """All of them."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._open: dict[int, OpenMessage] = {}
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._open)

    def add(self, to: KeyId, topic: str, body: bytes, now: float, timeout_s: float) -> OpenMessage:
        """A new one, to be tried at once."""
        self._numbers += 1
        message = OpenMessage(self._numbers, to, topic, body, now + timeout_s, now)
        self._open[message.number] = message
        return message

    def sent(self, message: OpenMessage, over: KeyId, now: float) -> None:
        """It has gone out over this neighbour."""
        message.try_at = now + min(self._pace.retry_s * 2**message.attempts, self._pace.retry_most_s)
        message.attempts += 1
        message.tried.add(over)
        message.last_hop = over

    def confirmed(self, number: int, by: KeyId, epoch: int) -> bool:
        """Its receiver has it; False: nobody waits for that."""
        message = self._open.get(number)
        if message is None or (message.to, message.receiver_epoch) != (by, epoch):
            return False
        self.close(message)
        return True

    def close(self, message: OpenMessage) -> None:
        """It is over."""
        del self._open[message.number]

    def expired(self, now: float) -> Sequence[OpenMessage]:
        """Those whose time is over."""
        return [message for message in self._open.values() if message.deadline <= now]

    def of(self, peer: KeyId) -> Sequence[OpenMessage]:
        """Those that are for this node."""
        return [message for message in self._open.values() if message.to == peer]

    def due(self, now: float) -> Sequence[OpenMessage]:
        """Those that are to be tried now."""
        return [message for message in self._open.values() if message.try_at <= now]

    def retry_after_loss_of(self, neighbour: KeyId, now: float) -> None:
        """What went over this neighbour last may be lost with it."""
        for message in self._open.values():
            if message.last_hop == neighbour:
                message.try_at = min(message.try_at, now)
