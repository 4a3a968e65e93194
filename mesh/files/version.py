"""Version: which of two states of a file came after the other, without any clock.

A version vector (Parker et al. 1983, "Detection of mutual inconsistency in distributed systems"): each writer
counts its own changes, and a state knows how many of each writer's are in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Self

from shared.errors import FedLoomError

MAX_COUNTER = (1 << 53) - 1
"""The largest integer that every JSON parser keeps."""


class VersionUsedUp(FedLoomError):
    """A writer cannot count on: another one has claimed the largest number in its name."""


class Order(Enum):
    """How one version stands to another."""

    SAME = auto()
    OLDER = auto()
    NEWER = auto()
    CONCURRENT = auto()
    """neither has seen the other"""


@dataclass(frozen=True, slots=True)
class Version:
    """How many changes by each writer are in a state of a file."""

    counters: tuple[tuple[str, int], ...] = ()
    """By the writers' names, each above 0."""

    @classmethod
    def of(cls, counters: Mapping[str, int]) -> Self:
        """From counters in any order."""
        return cls(tuple(sorted(counters.items())))

    @property
    def is_untold(self) -> bool:
        """Whether no node has ever told of it: a file that was added where a folder only receives."""
        return not self.counters

    def compared(self, other: Version) -> Order:
        """How this one stands to another."""
        if self.counters == other.counters:
            return Order.SAME
        mine, its = dict(self.counters), dict(other.counters)
        has_more = any(count > its.get(writer, 0) for writer, count in self.counters)
        has_less = any(count > mine.get(writer, 0) for writer, count in other.counters)
        match has_more, has_less:
            case False, False:
                return Order.SAME
            case True, False:
                return Order.NEWER
            case False, True:
                return Order.OLDER
        return Order.CONCURRENT

    def joined(self, other: Version) -> Version:
        """The smallest version that has seen both."""
        both = dict(self.counters)
        for writer, count in other.counters:
            both[writer] = max(count, both.get(writer, 0))
        return Version.of(both)

    def changed(self, writer: str, least: int = 1) -> Version:
        """After one more change by a writer, whose count is `least` or more then. Raises VersionUsedUp."""
        count = max(dict(self.counters).get(writer, 0) + 1, least)
        if count > MAX_COUNTER:
            raise VersionUsedUp(
                "its version number is used up, which only a node that lies can have done: give the file "
                "another name"
            )
        return Version.of({**dict(self.counters), writer: count})
