"""What clients say of their machines: their word within bounds, and not too often."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.federation.link.client_usage import ClientUsage, usage_of
from app.federation.link.limits import USAGES, Limits
from app.usage.history import UsageHistory
from client.usage_report import UsageReport, usage_frame
from dashboard.reading import Counters, Gpu, reading_between
from shared.errors import WireError
from shared.proto.link_pb2 import GpuUsage, Usage
from tests.support.usage import KeptInMemory, counters
from tests.support.waiting import wait_until

FINE: dict[str, Any] = {"cpu": 0.5, "cores": 4}


def test_a_reading_arrives_as_it_was_with_the_servers_time() -> None:
    gpu = Gpu(0.5, 1_000, 2_000)
    reading = reading_between(counters(0), counters(2, sent=8, cpu_busy=2.0, gpus=(gpu,)))

    usage = usage_of(Usage.FromString(usage_frame(reading).SerializeToString()), 77.0)

    assert (usage.time, usage.sent, usage.cpu, usage.memory_total) == (77.0, 4, 0.25, 8_000)
    assert usage.gpus[0].model_dump() == {"busy": 0.5, "memory_used": 1_000, "memory_total": 2_000}


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"cpu": 1.5}, "cpu"),
        ({"cpu": math.nan}, "cpu"),
        ({"sent": math.inf}, "sent"),
        ({"received": -1.0}, "received"),
        ({"cores": 0}, "cores"),
        ({"memory_used": 2**63}, "memory_used"),
        ({"gpus": [GpuUsage(busy=2.0)]}, "gpus"),
        ({"gpus": [GpuUsage()] * 17}, "gpus"),
    ],
)
def test_what_no_machine_has_is_refused_by_name(wrong: dict[str, Any], name: str) -> None:
    assert usage_of(Usage(**FINE), 1.0).cores == 4
    with pytest.raises(WireError, match=f"cannot be: {name}"):
        usage_of(Usage(**{**FINE, **wrong}), 1.0)


@given(st.binary(max_size=200))
def test_any_frame_is_a_usage_or_an_error_of_the_wire(data: bytes) -> None:
    try:
        frame = Usage.FromString(data)
    except Exception:  # noqa: BLE001 - protobuf's own, before any of ours looks at it
        return
    try:
        usage = usage_of(frame, 1.0)
    except WireError:
        return
    assert math.isfinite(sum((usage.cpu, usage.sent, usage.received, usage.process_cores)))


def test_nobody_looks_at_the_machine_while_no_server_asks() -> None:
    told: list[Usage] = []
    read: list[int] = []

    class Machine:
        def read(self) -> Counters:
            read.append(len(read))
            return counters(float(len(read)))

    def opened() -> Machine:
        read.append(-1)
        return Machine()

    report = UsageReport(opened, told.append)
    report.is_wanted(False)
    assert read == []

    report.is_wanted(True)
    report.is_wanted(True)
    wait_until(lambda: told, "the machine is told of", 30.0)
    report.is_wanted(False)
    assert read.count(-1) == 1

    report.is_wanted(True)
    assert read.count(-1) == 2, "it begins anew with the next server"
    report.is_wanted(False)


def test_a_client_that_floods_gets_so_many_and_takes_nothing_from_another() -> None:
    now = [0.0]
    added: Counter[str | None] = Counter()

    class Counted(UsageHistory):
        def add(self, node: str | None, usage: object) -> None:
            added[node] += 1

    history = Counted(KeptInMemory(), lambda: now[0])
    usage = ClientUsage(Limits(lambda: now[0]), history, lambda: now[0])
    for tenth in range(100):
        now[0] += 0.1
        for _ in range(100):
            usage.told("flood", Usage(**FINE))
        if tenth % 20 == 0:
            usage.told("other", Usage(**FINE))

    most, per_s = USAGES
    assert most <= added["flood"] <= most + per_s * 10
    assert added["other"] == 5
