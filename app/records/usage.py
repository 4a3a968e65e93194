"""How much of its machine a node uses: the server, or a client by its own word."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.records.base import Record

MAX_GPUS = 16

Share = Annotated[float, Field(ge=0, le=1)]
Cores = Annotated[float, Field(ge=0, le=65_536)]
Bytes = Annotated[int, Field(ge=0, le=2**60)]
Rate = Annotated[float, Field(ge=0, le=2.0**50)]


class GpuUsage(Record):
    busy: Share = Field(description="share of the time")
    memory_used: Bytes
    memory_total: Bytes


class Usage(Record):
    """Memory and disk are bytes, rates bytes a second."""

    time: float
    cpu: Share = Field(description="of all cores of the machine, by all programs")
    cores: int = Field(ge=1, le=65_536)
    process_cores: Cores = Field(description="cores that FedLoom's process and its descendants use")
    memory_used: Bytes = Field(description="of the machine, by all programs")
    memory_total: Bytes
    process_memory: Bytes = Field(
        description="resident, of the process and its descendants; what they share counts for each"
    )
    disk_used: Bytes = Field(description="of the disk with FedLoom's folder")
    disk_total: Bytes
    disk_read: Rate = Field(description="by all programs, from all disks")
    disk_written: Rate
    sent: Rate = Field(description="by all programs, over all interfaces, loopback too")
    received: Rate
    gpus: tuple[GpuUsage, ...] = Field(default=(), max_length=MAX_GPUS)


class NodeUsage(Record):
    """The newest of a node."""

    client: str | None = Field(description="the client's id; null: the server")
    usage: Usage


class UsageUpdate(Record):
    """What Socket.IO tells as `usage_update`, at most every two seconds: all nodes of which there is news."""

    nodes: tuple[NodeUsage, ...]
