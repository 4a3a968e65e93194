"""Refusals: who was not let in at the link, counted, and said without filling the log."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

IN_FULL = 10
"""Lines in one spell; the rest of it is summed up."""

SPELL_S = 30.0

MOST_HOSTS = 1_000
"""That are told apart between two sums."""

OTHERS = "elsewhere"

log = logging.getLogger(__name__)


class Reason(StrEnum):
    """Why somebody was not let in, as a code."""

    SILENT = "silent"
    CROWD = "crowd"
    HELLO = "hello"


WORDS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.SILENT: "did not say in time who they are",
        Reason.CROWD: "were among too many that had not said who they are",
        Reason.HELLO: "were refused for what they said",
    }
)
"""The same, as the sum has it."""


class Refusals:
    """Of one link. Safe from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[Reason] = Counter()
        self._begun = -SPELL_S
        self._said = 0
        self._unsaid: Counter[tuple[str, Reason]] = Counter()
        """By address and reason."""

    @property
    def total(self) -> int:
        """Since the server started."""
        return self._counts.total()

    def counts(self) -> dict[str, int]:
        """The same, by the reason's code."""
        with self._lock:
            return {f"link-{reason}": count for reason, count in sorted(self._counts.items())}

    def count(self, host: str, reason: Reason, words: str) -> None:
        """Somebody at an address was not let in. `words` is what happened, for the log."""
        with self._lock:
            self._counts[reason] += 1
            now = self._clock()
            if not self._unsaid and now - self._begun >= SPELL_S:
                self._begun, self._said = now, 0
            if not self._unsaid and self._said < IN_FULL:
                self._said += 1
                log.warning("refused a client at %s: %s", host, words)
            else:
                known = (host, reason) in self._unsaid or len(self._unsaid) < MOST_HOSTS
                self._unsaid[host if known else OTHERS, reason] += 1

    def sum_up(self) -> None:
        """Say what was not said, when it is time for that. Called now and then."""
        with self._lock:
            if not self._unsaid or self._clock() - self._begun < SPELL_S:
                return
            reasons: Counter[Reason] = Counter()
            hosts: Counter[str] = Counter()
            for (host, reason), count in self._unsaid.items():
                reasons[reason] += count
                hosts[host] += count
            (worst, most), *_ = hosts.most_common(1)
            log.warning(
                "refused %s more clients at the link: %s. %s of them came from %s. Since the start: %s",
                f"{reasons.total():,}",
                ", ".join(f"{count:,} {WORDS[reason]}" for reason, count in reasons.most_common()),
                f"{most:,}",
                worst,
                f"{self.total:,}",
            )
            self._unsaid.clear()
            self._begun, self._said = self._clock(), IN_FULL
