"""Incoming: what of the envelopes that come is genuine, new, and not too much."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.members import Members
from mesh.protocol.counts import Counts, Reason
from mesh.protocol.envelope import FOR_ALL, Sealed, open_envelope
from mesh.protocol.framing import FrameInvalid
from mesh.protocol.limits import Limits, TokenBucket
from mesh.protocol.mesh_pb2 import SignedEnvelope
from mesh.protocol.replay import Novelty, Replay, Seen
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyUnusable


class Incoming:
    """Judges each envelope once: what comes out of `take` was sent by a member, and never comes out again."""

    def __init__(
        self,
        me: KeyId,
        epoch: int,
        members: Members,
        limits: Limits,
        counts: Counts,
        seen: Mapping[KeyId, Seen],
    ) -> None:
        self._me, self._epoch = me, epoch
        self._members, self._limits, self._counts = members, limits, counts
        self._frames: dict[KeyId, TokenBucket] = {}
        self._floods: dict[KeyId, TokenBucket] = {}
        self.replay = Replay(limits.window, seen)

    def may_come(self, neighbour: KeyId, now: float) -> bool:
        """Whether a neighbour may send one frame more now; counted if not."""
        return self._passes(self._frames, neighbour, self._limits.frames_per_s, now)

    def take(self, signed: SignedEnvelope, neighbour: KeyId, now: float) -> Sealed | None:
        """A verified envelope; None: it was dropped, and counted."""
        try:
            sealed = open_envelope(signed)
        except FrameInvalid as error:
            return self._drop(error.reason, neighbour)
        envelope = sealed.envelope
        if envelope.sender == self._me:
            self._counts.duplicates += 1  # its own, by another link
            return None
        member = self._members.all().get(envelope.sender)
        if member is None:
            return self._drop(Reason.UNKNOWN_SENDER, neighbour)
        novelty = self.replay.judge(envelope.sender, envelope.epoch, envelope.sequence)
        if novelty is Novelty.OLDER_EPOCH:
            return self._drop(Reason.OLDER_EPOCH, neighbour)
        if novelty is Novelty.SEEN:
            return self._again(sealed, neighbour)
        try:
            sealed.verify(member.key)
        except (BadSignature, KeyUnusable):
            return self._drop(Reason.BAD_SIGNATURE, neighbour)
        self.replay.take(envelope.sender, envelope.epoch, envelope.sequence)
        if envelope.receiver == self._me and envelope.receiver_epoch != self._epoch:
            return self._drop(Reason.OLDER_EPOCH, neighbour)
        is_flood = envelope.kind in FOR_ALL
        if is_flood and not self._passes(self._floods, envelope.sender, self._limits.floods_per_s, now):
            return None
        return sealed

    def forget(self, peer: KeyId) -> None:
        """It is no member any more. Its epoch and sequences stay known, in case it becomes one again."""
        self._frames.pop(peer, None)
        self._floods.pop(peer, None)

    def _again(self, sealed: Sealed, neighbour: KeyId) -> Sealed | None:
        """A flood comes over every link. Anything else comes twice only if somebody repeats it."""
        if sealed.envelope.kind in FOR_ALL:
            self._counts.duplicates += 1
            return None
        return self._drop(Reason.REPLAY, neighbour)

    def _passes(self, buckets: dict[KeyId, TokenBucket], of: KeyId, rate: float, now: float) -> bool:
        bucket = buckets.get(of)
        if bucket is None:
            bucket = buckets[of] = TokenBucket(rate, rate * self._limits.burst_s, now)
        if bucket.take(now):
            return True
        self._counts.drop(Reason.RATE, of)
        return False

    def _drop(self, reason: Reason, neighbour: KeyId) -> Sealed | None:
        self._counts.drop(reason, neighbour)
        return None
