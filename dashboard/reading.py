"""Reading: how much of a machine was used between two looks at its counters, and how much by one program.

Pure: where the counters come from is another file's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Gpu:
    """One GPU now. `busy`: share of the time, 0 to 1; memory in bytes."""

    busy: float
    memory_used: int
    memory_total: int


@dataclass(frozen=True)
class Process:
    """One process: its id alone may be given again to another one."""

    pid: int
    started: float


@dataclass(frozen=True)
class Counters:
    """What a machine has counted so far. Times are seconds, sizes bytes.

    `at`: of a clock that never goes back.
    `processes`: of the program's own process and its descendants, the CPU time of each.
    """

    at: float
    cpu_busy: float
    cpu_total: float
    cores: int
    memory_used: int
    memory_total: int
    disk_used: int
    disk_total: int
    disk_read: int
    disk_written: int
    sent: int
    received: int
    processes: Mapping[Process, float]
    process_memory: int
    gpus: tuple[Gpu, ...] = field(default=())


@dataclass(frozen=True)
class Reading:
    """The use of a machine. Rates are bytes a second, `cpu` a share of all cores, `process_cores` cores."""

    cpu: float
    cores: int
    process_cores: float
    memory_used: int
    memory_total: int
    process_memory: int
    disk_used: int
    disk_total: int
    disk_read: float
    disk_written: float
    sent: float
    received: float
    gpus: tuple[Gpu, ...]


def reading_between(before: Counters, after: Counters) -> Reading:
    """What was used from one look to the next.

    A counter that went back, as some do when a device goes or they overflow, counts as nothing. Of a process
    that was not there before, nothing is known of when it used its time, so it counts from the next look on.
    """
    passed = after.at - before.at
    used = sum(
        max(0.0, cpu - before.processes[process])
        for process, cpu in after.processes.items()
        if process in before.processes
    )
    return Reading(
        cpu=min(1.0, _ratio(after.cpu_busy - before.cpu_busy, after.cpu_total - before.cpu_total)),
        cores=after.cores,
        process_cores=min(float(after.cores), _ratio(used, passed)),
        memory_used=after.memory_used,
        memory_total=after.memory_total,
        process_memory=after.process_memory,
        disk_used=after.disk_used,
        disk_total=after.disk_total,
        disk_read=_ratio(after.disk_read - before.disk_read, passed),
        disk_written=_ratio(after.disk_written - before.disk_written, passed),
        sent=_ratio(after.sent - before.sent, passed),
        received=_ratio(after.received - before.received, passed),
        gpus=after.gpus,
    )


def _ratio(part: float, whole: float) -> float:
    return max(0.0, part / whole) if whole > 0 else 0.0
