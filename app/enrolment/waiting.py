"""Those who wait to be let in: so many at most that nobody can fill the list, or keep it full.

They are in memory alone: who still wants to come in asks again, and those who do not are forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST = 64
MOST_OF_ADDRESS = 8
FORGOTTEN_AFTER_S = 30.0
"""A client that waits asks every two seconds, or a little less often."""
CLAIM_FORGOTTEN_AFTER_S = 3600.0
"""A client whose name belongs to another key asks once: an administrator should have time to look."""


@dataclass(frozen=True)
class Applicant:
    """A key that asks for a name. `is_claim`: the name belongs to another key."""

    name: str
    key: str
    address: str
    is_claim: bool
    seen: float

    def is_gone(self, now: float) -> bool:
        """Whether it has not asked for too long."""
        return now - self.seen > (CLAIM_FORGOTTEN_AFTER_S if self.is_claim else FORGOTTEN_AFTER_S)


class WaitingList:
    """Of one server."""

    def __init__(self) -> None:
        self._applicants: dict[tuple[str, str], Applicant] = {}

    def note(self, applicant: Applicant) -> bool:
        """Somebody asks. False: there is no room for them."""
        place = applicant.name, applicant.key
        if place not in self._applicants:
            from_there = sum(each.address == applicant.address for each in self._applicants.values())
            if len(self._applicants) >= MOST or from_there >= MOST_OF_ADDRESS:
                return False
        self._applicants[place] = applicant
        return True

    def keys(self, name: str) -> tuple[str, ...]:
        """The keys that ask for a name, in the order in which they came."""
        return tuple(key for asked, key in tuple(self._applicants) if asked == name)

    def names(self) -> set[str]:
        """The names that are asked for."""
        return {name for name, _ in tuple(self._applicants)}

    def remove(self, name: str, key: str) -> None:
        """It was decided on this one."""
        self._applicants.pop((name, key), None)

    def expire(self, now: float) -> set[str]:
        """Forget those who do not ask any more; returns the names that they asked for."""
        gone = [place for place, applicant in self._applicants.items() if applicant.is_gone(now)]
        for place in gone:
            del self._applicants[place]
        return {name for name, _ in gone}
