"""What a machine is used for: from counters to readings, and with this machine's own counters."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.counters import MachineCounters
from dashboard.gpus import COMMAND, LOOK_S, Gpus, parse_gpus
from dashboard.monitor import Monitor
from dashboard.reading import Counters, Gpu, Process, Reading, reading_between
from tests.support.usage import counters
from tests.support.waiting import wait_until

OWN, CHILD, NEW = Process(1, 10.0), Process(2, 20.0), Process(2, 30.0)


def test_a_reading_is_what_was_used_in_between() -> None:
    before = counters(10, cpu_busy=5, disk_written=1_000, sent=100, processes={OWN: 1.0, CHILD: 4.0})
    after = counters(12, cpu_busy=9, disk_written=5_000, sent=700, processes={OWN: 2.0, CHILD: 5.0})

    reading = reading_between(before, after)

    assert (reading.cpu, reading.process_cores) == (0.5, 1.0)
    assert (reading.disk_written, reading.sent, reading.received) == (2_000, 300, 0)
    assert (reading.memory_used, reading.process_memory, reading.cores) == (4_000, 1_000, 4)


def test_a_process_with_the_number_of_one_that_has_ended_is_another_one() -> None:
    before = counters(10, processes={OWN: 1.0, CHILD: 100.0})
    after = counters(12, processes={OWN: 2.0, NEW: 50.0})

    assert reading_between(before, after).process_cores == 0.5


counts = st.integers(0, 2**63)


@given(st.lists(st.tuples(st.floats(0, 1e9), counts, counts, counts), min_size=2, max_size=2))
def test_whatever_the_counters_say_a_reading_can_be(told: list[tuple[float, int, int, int]]) -> None:
    before, after = (
        counters(at, cpu_busy=float(busy), sent=sent, disk_read=read, processes={OWN: float(busy)})
        for at, busy, sent, read in told
    )

    reading = reading_between(before, after)

    assert 0 <= reading.cpu <= 1
    assert 0 <= reading.process_cores <= reading.cores
    assert min(reading.sent, reading.received, reading.disk_read, reading.disk_written) >= 0


class Told:
    """What a monitor tells, on counters that a test has made up."""

    def __init__(self, *made: Counters | Exception) -> None:
        self.readings: list[Reading] = []
        self._made: Iterator[Counters | Exception] = iter(made)
        self.used_up = threading.Event()
        self.monitor = Monitor(self, self.readings.append, interval_s=0.001)

    def read(self) -> Counters:
        made = next(self._made, None)
        if made is None:
            self.used_up.set()
            return counters(1_000)
        if isinstance(made, Exception):
            raise made
        return made


def test_a_monitor_tells_of_each_span_between_two_looks() -> None:
    told = Told(counters(0), counters(2, sent=20), counters(4, sent=80))

    told.monitor.start()
    assert told.used_up.wait(30)
    told.monitor.stop()

    assert [reading.sent for reading in told.readings[:2]] == [10, 30]


def test_a_machine_that_cannot_be_looked_at_for_a_while_is_told_of_once_and_then_watched_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone = OSError("the disk is gone")
    told = Told(counters(0), gone, gone, counters(6, sent=1_000), counters(8, sent=1_080))

    told.monitor.start()
    assert told.used_up.wait(30)
    told.monitor.stop()

    assert told.readings[0].sent == 40, "the first look after that is none between two"
    assert caplog.text.count("cannot be told now") == 1


def test_a_monitor_that_was_never_started_can_be_stopped() -> None:
    Told().monitor.stop()


BURN = "import time\nuntil = time.process_time() + 60\nwhile time.process_time() < until: pass"


def test_what_a_descendant_burns_counts_as_the_programs(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", BURN]) as child:
        try:
            machine = MachineCounters(tmp_path, Gpus(ask=lambda: ""))
            before = machine.read()
            wait_until(
                lambda: reading_between(before, machine.read()).process_cores > 0.05,
                "the child's CPU is seen",
                timeout_s=60,
            )
            after = machine.read()
        finally:
            child.kill()

    assert child.pid in {process.pid for process in after.processes}
    reading = reading_between(before, after)
    assert 0 < reading.cpu <= 1
    assert 0 < reading.process_memory < reading.memory_total
    assert 0 < reading.memory_used < reading.memory_total
    assert 0 < reading.disk_used < reading.disk_total


def test_a_disk_that_is_written_to_and_a_child_that_ends_are_no_errors(tmp_path: Path) -> None:
    machine = MachineCounters(tmp_path, Gpus(ask=lambda: ""))
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    before = machine.read()
    assert child.pid in {process.pid for process in before.processes}
    child.communicate(b"\n")

    after = machine.read()

    assert child.pid not in {process.pid for process in after.processes}
    assert reading_between(before, after).cores >= 1


MIB = 1 << 20


def test_gpus_are_as_the_command_prints_them() -> None:
    printed = "35, 1024, 81559\n0, [N/A], [N/A]\n100, 512, 2048\n"

    assert parse_gpus(printed) == (Gpu(0.35, 1024 * MIB, 81559 * MIB), Gpu(1.0, 512 * MIB, 2048 * MIB))
    assert parse_gpus("\n") == ()


@given(st.text(alphabet="0123456789,. -naif[]\n", max_size=80) | st.text(max_size=40))
def test_what_is_no_gpu_is_refused_and_never_a_wrong_number(printed: str) -> None:
    try:
        found = parse_gpus(printed)
    except ValueError:
        return
    assert all(0 <= gpu.busy <= 1 and gpu.memory_used >= 0 and gpu.memory_total >= 0 for gpu in found)


def test_the_command_is_asked_seldom_and_not_again_once_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    now, asked = [0.0], []

    def ask() -> str:
        asked.append(now[0])
        if len(asked) > 2:
            raise subprocess.TimeoutExpired(COMMAND, 5)
        return "50, 1, 2"

    gpus = Gpus(ask, lambda: now[0])
    seen = []
    for _ in range(40):
        seen.append(len(gpus.read()))
        now[0] += LOOK_S / 4

    assert asked == [0, LOOK_S, 2 * LOOK_S]
    assert seen == [1] * 8 + [0] * 32
    assert caplog.text.count("not watched any more") == 1
