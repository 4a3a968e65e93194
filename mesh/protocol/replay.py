"""Replay: which envelopes have come before, by their senders' epochs and sequences. Clocks play no part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from shared.security.key_id import KeyId


class Window:
    """Which of the numbers were taken, within `size` of the highest; what is older counts as taken (RFC 4303,
    3.4.3)."""

    def __init__(self, size: int, highest: int = 0) -> None:
        self._size = size
        self.highest = highest
        self._taken = (1 << size) - 1
        """Bit n: highest - n; what was before is taken."""

    def is_new(self, number: int) -> bool:
        """Whether it was not taken yet."""
        behind = self.highest - number
        return behind < 0 or (behind < self._size and not self._taken >> behind & 1)

    def take(self, number: int) -> bool:
        """Take it, and say whether it was new."""
        if not self.is_new(number):
            return False
        ahead = number - self.highest
        if ahead <= 0:
            self._taken |= 1 << -ahead
            return True
        mask = (1 << self._size) - 1
        self._taken = (self._taken << ahead | 1) & mask if ahead < self._size else 1
        self.highest = number
        return True


@dataclass(frozen=True)
class Seen:
    """The newest of a sender that has been taken."""

    epoch: int
    sequence: int


class Novelty(Enum):
    """What an envelope is, by its numbers."""

    NEW = auto()
    SEEN = auto()
    """It came before, or so long ago that this cannot be told."""
    OLDER_EPOCH = auto()


class Replay:
    """What has come from each sender. `seen`: what an earlier start of this node had taken: nothing up to
    that is taken again."""

    def __init__(self, window: int, seen: Mapping[KeyId, Seen]) -> None:
        self._size = window
        self._epochs = {sender: was.epoch for sender, was in seen.items()}
        self._windows = {sender: Window(window, was.sequence) for sender, was in seen.items()}

    def epoch(self, sender: KeyId) -> int:
        """The newest that was seen; 0: none."""
        return self._epochs.get(sender, 0)

    def judge(self, sender: KeyId, epoch: int, sequence: int) -> Novelty:
        """Changes nothing: who has sent it, is not verified yet."""
        known = self.epoch(sender)
        if epoch < known:
            return Novelty.OLDER_EPOCH
        if epoch > known or self._windows[sender].is_new(sequence):
            return Novelty.NEW
        return Novelty.SEEN

    def take(self, sender: KeyId, epoch: int, sequence: int) -> None:
        """It is verified, and new."""
        self.begin(sender, epoch)
        self._windows[sender].take(sequence)

    def begin(self, sender: KeyId, epoch: int) -> None:
        """This start of the sender is known, by a verified word of its own."""
        if epoch > self.epoch(sender):
            self._epochs[sender] = epoch
            self._windows[sender] = Window(self._size)
