"""Means of usages: many moments as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from app.records import GpuUsage, Usage

_SIZES = ("memory_used", "process_memory", "disk_used")
_RATES = ("cpu", "process_cores", "disk_read", "disk_written", "sent", "received")


def mean_of(usages: Sequence[Usage]) -> Usage:
    """One usage for several, of which there is at least one; what a machine has in all is as it was last."""
    last = usages[-1]
    means: dict[str, float] = {name: fmean(getattr(usage, name) for usage in usages) for name in _RATES}
    sizes = {name: round(fmean(getattr(usage, name) for usage in usages)) for name in _SIZES}
    return last.model_copy(
        update={
            **means,
            **sizes,
            "time": fmean(usage.time for usage in usages),
            "gpus": _gpus([usage.gpus for usage in usages if len(usage.gpus) == len(last.gpus)]),
        }
    )


def _gpus(moments: Sequence[tuple[GpuUsage, ...]]) -> tuple[GpuUsage, ...]:
    return tuple(
        GpuUsage(
            busy=min(1.0, fmean(gpu.busy for gpu in one)),
            memory_used=round(fmean(gpu.memory_used for gpu in one)),
            memory_total=one[-1].memory_total,
        )
        for one in zip(*moments, strict=True)
    )


def downsampled(usages: Iterable[Usage], since: float, until: float, points: int) -> list[Usage]:
    """At most so many, oldest first: the mean of each of as many equal spans of time that has any."""
    span = (until - since) / points
    spans: dict[int, list[Usage]] = {}
    for usage in usages:
        if since <= usage.time <= until:
            number = min(points - 1, int((usage.time - since) / span)) if span > 0 else 0
            spans.setdefault(number, []).append(usage)
    return [mean_of(spans[number]) for number in sorted(spans)]
