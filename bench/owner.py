"""The run of a benchmark that has none: a grid's owner with a fixed set of clients."""

from __future__ import annotations

from collections.abc import Sequence

from app.records import WaitingFor
from shared.wire import MAX_MESSAGE_BYTES


class BenchOwner:
    """Waits for all replies."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def admit(self) -> Sequence[str]:
        """Those that the benchmark started."""
        return self._names

    def sending(self) -> None:
        """Nothing to do."""

    def membership_changed(self) -> None:
        """Nothing to do."""

    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        """Whatever the link carries."""
        return MAX_MESSAGE_BYTES

    def deadline_s(self, kind: str) -> None:
        """There is none."""

    def cohort(self, asked: int) -> int:
        return asked

    def required(self, kind: str, asked: int, declined: int) -> int:
        """A client that is lost ends the benchmark by its error reply."""
        return 0

    def least(self, kind: str, asked: int, declined: int) -> int:
        """As required."""
        return self.required(kind, asked, declined)

    def can_start_over(self, kind: str) -> bool:
        """No."""
        return False

    def waits(self, waiting_for: WaitingFor) -> None:
        """Nothing to do."""

    def goes_on(self) -> None:
        """Nothing to do."""

    def paused(self) -> None:
        """Nothing to do."""

    def resumed(self) -> None:
        """Nothing to do."""
