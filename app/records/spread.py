"""How the clients' numbers of one round lie, where there are too many clients to show each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import Field

from app.records.base import Record


class Spread(Record):
    """Five numbers of a distribution; quartiles are interpolated linearly between neighbours (Hyndman and
    Fan, type 7, as NumPy does)."""

    count: int = Field(description="clients that have told the number")
    min: float
    q1: float
    median: float
    q3: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The spread of finite numbers, of which there is at least one."""
        ordered = sorted(values)
        low, q1, median, q3, high = (_quantile(ordered, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0))
        return cls(count=len(ordered), min=low, q1=q1, median=median, q3=q3, max=high)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def spreads(values: Mapping[str, Sequence[float]]) -> dict[str, Spread]:
    """The spread of each number that anybody has told, by its name."""
    return {name: Spread.of(told) for name, told in values.items() if told}
