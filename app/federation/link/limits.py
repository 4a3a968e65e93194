"""How much one client may have the server write down, over all its connections and in the long run.

Whoever is a member could write for ever otherwise: verdicts on replies that nobody asked for, lines of its
log, a line for each time that it comes back.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]

UNASKED = 20, 20 / 3600
VISITS = 120, 1 / 5
LOG_BYTES = 2 << 20, 20_000
REPORTS = 200, 20
USAGES = 10, 1.0
MESH = 10, 1.0
"""Of each: how much at once, and how much a second after that. No honest client comes to it: one that comes
back every two seconds does so for minutes, a report comes five times a second, and a usage and what changes
in the mesh every two."""

LINE_BYTES = 200
"""What a line of a log takes beside its text."""


class Allowance:
    """So much at once, and so much a second after that."""

    def __init__(self, most: float, per_s: float, clock: Clock = time.monotonic) -> None:
        self._most = most
        self._per_s = per_s
        self._clock = clock
        self._left = most
        self._at = clock()

    def take(self, amount: float = 1.0) -> bool:
        """Use some of it up; False: there is not so much left, and it stays as it was."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._per_s)
        self._at = now
        if amount > self._left:
            return False
        self._left -= amount
        return True


@dataclass
class ClientLimits:
    """Of one client."""

    unasked: Allowance
    """Replies to nothing, each of which has an entry in the audit log."""
    visits: Allowance
    """Connections, of each of which the log and the history tell."""
    log: Allowance
    """Bytes of its log."""
    reports: Allowance
    """What is shown of it, and not asked for: how far it is, why it waits, its label counts."""
    usages: Allowance
    """What its machine is used for."""
    mesh: Allowance
    """What changes all the time of its node in the mesh."""
    left_out: int = 0
    """Lines of its log that were not taken, of which was not told yet."""
    told_at: float = -math.inf


class Limits:
    """Of all clients, by their ids. Owned by the link thread."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._of: dict[str, ClientLimits] = {}

    def of(self, client_id: str) -> ClientLimits:
        """Those of a client that is a member."""
        found = self._of.get(client_id)
        if found is None:
            found = self._of[client_id] = ClientLimits(
                unasked=self._allowance(UNASKED),
                visits=self._allowance(VISITS),
                log=self._allowance(LOG_BYTES),
                reports=self._allowance(REPORTS),
                usages=self._allowance(USAGES),
                mesh=self._allowance(MESH),
            )
        return found

    def forget(self, client_id: str) -> None:
        """It is no member any more."""
        self._of.pop(client_id, None)

    def _allowance(self, of_it: tuple[float, float]) -> Allowance:
        most, per_s = of_it
        return Allowance(most, per_s, self._clock)
