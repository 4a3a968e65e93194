"""Shares: accuracies as shares, whether an app reports shares or percentages.

One value does not tell: 0.9 may be 0.9 %. So all values of a name are looked at, of all clients and rounds of
a run. One above 1 makes all of them percentages, also those that were shown before. One above 100 or below 0
makes the name that of something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from app.federation.rounds.known_metrics import Numbers, accuracy_names
from app.federation.rounds.seen import kind_of

TOLERANCE = 1e-6
"""An accuracy that is a 32-bit float may be above 1 by so much, a percentage above 100 by a hundred times."""


class Unit(IntEnum):
    """What the values of one name are, as far as they have been seen; it can only become more."""

    SHARE = 0
    PERCENT = 1
    NO_ACCURACY = 2


class Shares:
    """What is known of the accuracies of one run, by stage and name."""

    def __init__(self) -> None:
        self._units: dict[tuple[str, str], Unit] = {}

    def note(self, stage: str, numbers: Numbers) -> bool:
        """Look at further numbers; returns whether accuracies that were read before are others now."""
        changed = False
        for name in accuracy_names(kind_of(stage), numbers):
            unit, before = _unit(numbers[name]), self._units.get((stage, name))
            if before is None or unit > before:
                self._units[stage, name] = unit
                changed = changed or before is not None
        return changed

    def of_stage(self, stage: str, numbers: Numbers) -> float | None:
        """The accuracy among the numbers of one stage, as a share."""
        for name in accuracy_names(kind_of(stage), numbers):
            unit = self._units.get((stage, name), Unit.SHARE)
            if unit is not Unit.NO_ACCURACY:
                return min(numbers[name] / (100 if unit is Unit.PERCENT else 1), 1.0)
        return None

    def of_stages(self, stages: Mapping[str, Numbers]) -> float | None:
        """The accuracy in the newest stage that has one."""
        found = (self.of_stage(stage, numbers) for stage, numbers in reversed(list(stages.items())))
        return next((accuracy for accuracy in found if accuracy is not None), None)


def _unit(value: float) -> Unit:
    if not 0 <= value <= 100 * (1 + TOLERANCE):
        return Unit.NO_ACCURACY
    return Unit.SHARE if value <= 1 + TOLERANCE else Unit.PERCENT
