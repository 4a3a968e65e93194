"""Direct: messages for one node, tried over one way after the other until it confirms them or their time is
over."""

from __future__ import annotations

from collections.abc import Callable

from mesh.node import Received
from mesh.protocol.counts import Counts, Reason
from mesh.protocol.effects import Confirmed, Deliver, Expired
from mesh.protocol.envelope import Envelope, Kinds
from mesh.protocol.limits import Limits, Pace
from mesh.protocol.open_messages import OpenMessage, OpenMessages
from mesh.protocol.outgoing import Outgoing
from mesh.protocol.replay import Novelty, Replay
from shared.security.key_id import KeyId


class Direct:
    """Both ends: what this node sends, and what it gets. A message is delivered once, however often it is
    tried."""

    def __init__(
        self,
        limits: Limits,
        pace: Pace,
        outgoing: Outgoing,
        counts: Counts,
        epoch_of: Callable[[KeyId], int],
    ) -> None:
        self._limits, self._outgoing, self._counts, self._epoch_of = limits, outgoing, counts, epoch_of
        self._open = OpenMessages(pace)
        self._delivered = Replay(limits.window, {})
        """By the messages' numbers."""

    def send(self, to: KeyId, topic: str, body: bytes, now: float, timeout_s: float) -> int:
        """Returns the message's number."""
        message = self._open.add(to, topic, body, now, timeout_s)
        if len(self._open) > self._limits.open_messages:
            self._expire(message, "too many messages wait for their confirmation already.")
        else:
            self._attempt(message, now)
        return message.number

    def take(self, envelope: Envelope, neighbour: KeyId) -> None:
        """A message has come. Each attempt is confirmed, since the confirmation of the one before may be
        lost."""
        sender, number = envelope.sender, envelope.number
        if self._delivered.judge(sender, envelope.epoch, number) is Novelty.NEW:
            self._delivered.take(sender, envelope.epoch, number)
            self._outgoing.effects.append(Deliver(Received(sender, envelope.topic, envelope.body)))
        self._outgoing.confirm(envelope, neighbour)

    def confirmed(self, envelope: Envelope) -> None:
        """A receiver says that a message has come."""
        if self._open.confirmed(envelope.number, envelope.sender, envelope.epoch):
            self._outgoing.effects.append(Confirmed(envelope.number))
        else:
            self._counts.drop(Reason.NOT_ASKED, envelope.sender)

    def lost(self, neighbour: KeyId, now: float) -> None:
        """What went over this neighbour last may be lost with it."""
        self._open.retry_after_loss_of(neighbour, now)

    def forget(self, peer: KeyId) -> None:
        """It is no member any more."""
        for message in self._open.of(peer):
            self._expire(message, "its receiver is not trusted any more.")

    def tick(self, now: float) -> None:
        """Some time has passed."""
        for message in self._open.expired(now):
            self._expire(message, "it was not confirmed in time.")
        for message in self._open.due(now):
            self._attempt(message, now)

    def _attempt(self, message: OpenMessage, now: float) -> None:
        """Over a way that was not tried yet, as long as there is one; without any, at the next tick again."""
        epoch = self._epoch_of(message.to)
        if message.receiver_epoch and epoch != message.receiver_epoch:
            self._expire(message, "its receiver was started anew before it confirmed it.")
            return
        hop = self._transmit(message, epoch, frozenset(message.tried))
        if hop is None and message.tried:
            message.tried.clear()
            hop = self._transmit(message, epoch, frozenset())
        if hop is not None:
            message.receiver_epoch = epoch
            self._open.sent(message, hop, now)

    def _transmit(self, message: OpenMessage, epoch: int, avoid: frozenset[KeyId]) -> KeyId | None:
        return self._outgoing.direct(
            Kinds.DIRECT,
            message.to,
            epoch,
            message.body,
            topic=message.topic,
            number=message.number,
            avoid=avoid,
        )

    def _expire(self, message: OpenMessage, why: str) -> None:
        self._open.close(message)
        self._outgoing.effects.append(Expired(message.number, why))
