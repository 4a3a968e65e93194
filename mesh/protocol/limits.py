"""What a node takes from others, and how fast its own clockwork goes."""

from __future__ import annotations

from dataclasses import dataclass, replace

MAX_FRAME_BYTES = 512 << 10
MAX_HOPS = 64
"""Of a direct message. No network of nodes with several links each is that wide."""


@dataclass(frozen=True)
class Limits:
    """Of what comes from others. What is above is dropped and counted, or waits where it comes from."""

    frames_per_s: float = 4_000.0
    """From one neighbour, whoever has sent what is in them."""
    floods_per_s: float = 50.0
    """From one member, over whichever neighbours."""
    burst_s: float = 4.0
    """So many seconds' worth may come at once."""
    links: int = 64
    """That one node can have, or says that it has."""
    window: int = 16_384
    """Sequences below the highest one that are still told apart; what is older is dropped."""
    requests: int = 32
    """For chunks, that wait here from one member."""
    reads: int = 8
    """Chunks for one member that are being read, or wait for room on the way to it."""
    all_reads: int = 256
    """The same, for all members."""
    open_messages: int = 4_096
    """Direct messages of this node that are not confirmed yet."""


@dataclass(frozen=True)
class Pace:
    """How often things are done, in seconds."""

    ping_s: float = 1.0
    dead_s: float = 3.5
    """A neighbour that says nothing for so long is gone."""
    links_s: float = 2.0
    """Between two link states of a node that has seen no change, with up to `members` members; with more,
    longer in proportion."""
    members: int = 50
    links_pause_s: float = 0.1
    """Between two link states of a node whose links change."""
    stale_s: float = 5.0
    """Without a word of a member; a link state or two may be lost."""
    rejoined_s: float = 10.0
    """For so long a member that was away is shown as one that has come back."""
    forget_s: float = 15.0
    """Until the last word of a member holds no more."""
    retry_s: float = 1.0
    """Until a direct message is sent once more; twice as long each time, up to `retry_most_s`."""
    retry_most_s: float = 8.0
    chunk_s: float = 4.0
    """Until a chunk that was asked for is asked for again, while its holder's speed is not known yet."""
    no_progress_s: float = 30.0
    """Until content is given up, of which no chunk comes."""

    def with_members(self, members: int) -> Pace:
        """With so many members, beyond which link states, and what depends on them, become slower."""
        slower = max(1.0, members / self.members)
        return replace(
            self,
            links_s=self.links_s * slower,
            stale_s=self.stale_s * slower,
            forget_s=self.forget_s * slower,
        )


class TokenBucket:
    """Lets `rate` a second pass, and up to `burst` at once."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, now

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Whether so much more passes now."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._left < amount:
            return False
        self._left -= amount
        return True
