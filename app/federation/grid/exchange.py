"""Exchange: messages that were sent together, and when to stop waiting for their replies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from app.records import WaitingFor, WaitKind


class Patience(Protocol):
    """How long to wait for replies; see `app.federation.grid.owner.Owner`."""

    def deadline_s(self, kind: str) -> float | None:
        """Seconds after which the replies that are there should do."""

    def required(self, kind: str, asked: int, declined: int) -> int:
        """Good replies that are needed all the same."""

    def least(self, kind: str, asked: int, declined: int) -> int:
        """Good replies without which nobody's word ends the exchange either. Called from any thread."""

    def waits(self, waiting_for: WaitingFor) -> None:
        """The exchange has to wait beyond that."""

    def goes_on(self) -> None:
        """It does no longer."""


class Exchange:
    """The replies that one call of `send_and_receive` waits for.

    Times in which the run was paused do not count: `held_s` tells how long it was paused in all, in seconds.
    """

    def __init__(
        self,
        patience: Patience,
        kind: str,
        message_ids: Iterable[str],
        timeout_s: float | None,
        held_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.kind = kind
        self.awaited = set(message_ids)
        self._patience = patience
        self._asked = len(self.awaited)
        self._declined = 0
        self._required = patience.required(kind, self._asked, self._declined)
        self._good = 0
        self._clock = clock
        self._began = clock() - held_s
        self._timeout_s = timeout_s
        self._deadline_s = patience.deadline_s(kind)
        self._late: set[str] = set()
        self._waits = False

    @property
    def missing(self) -> int:
        """Good replies that are still needed."""
        return max(self._required - self._good, 0)

    @property
    def lacking(self) -> int:
        """Good replies that are still needed before somebody's word may end it. From any thread."""
        return max(self._patience.least(self.kind, self._asked, self._declined) - self._good, 0)

    def end_early(self) -> None:
        """Somebody does not want to wait any longer: from now on the run's deadline has passed."""
        self._deadline_s = 0.0

    def answered(self, message_id: str, *, good: bool, declined: bool = False) -> None:
        """A reply came in, or the word that there is none."""
        self.awaited.remove(message_id)
        self._good += good
        if declined:
            self._declined += 1
            self._required = self._patience.required(self.kind, self._asked, self._declined)

    def is_over(self, held_s: float) -> bool:
        """Whether the caller's own timeout has passed."""
        return self._timeout_s is not None and self._passed_s(held_s) >= self._timeout_s

    def is_overdue(self, held_s: float) -> bool:
        """Whether the run's deadline has passed."""
        return self._deadline_s is not None and self._passed_s(held_s) >= self._deadline_s

    def remaining_s(self, held_s: float) -> float | None:
        """Seconds until the next of the two; None: none is to come."""
        passed = self._passed_s(held_s)
        ahead = [
            limit - passed
            for limit in (self._timeout_s, self._deadline_s)
            if limit is not None and limit > passed
        ]
        return min(ahead, default=None)

    def newly_late(self, away: Iterable[str]) -> list[str]:
        """The messages that are overdue since the last call, of clients that are there."""
        late = self.awaited - set(away) - self._late
        self._late |= late
        return sorted(late)

    def waits(self, clients: Iterable[str], lost: Iterable[str]) -> None:
        """Say that, and for which `clients`, the exchange waits; `lost` are those of them who are away."""
        self._waits = True
        self._patience.waits(
            WaitingFor(
                kind=WaitKind.REPLIES,
                clients=tuple(clients),
                lost=tuple(lost),
                have=self._good,
                need=self._required,
            )
        )

    def went_on(self) -> None:
        """What it waited for is there."""
        if self._waits:
            self._waits = False
            self._patience.goes_on()

    def _passed_s(self, held_s: float) -> float:
        return self._clock() - self._began - held_s
