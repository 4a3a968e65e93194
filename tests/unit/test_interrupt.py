"""Signals end a process in order, however many come at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BOTH_AT_ONCE = """
import os, signal
from shared.interrupt import end_on_signals

end_on_signals()
both = {signal.SIGINT, signal.SIGTERM}
try:
    signal.pthread_sigmask(signal.SIG_BLOCK, both)
    for number in both:
        os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, both)
except KeyboardInterrupt:
    print("ended in order")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signal masks")
def test_two_signals_at_the_same_moment_are_one_quiet_interrupt() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BOTH_AT_ONCE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.stdout == "ended in order\n"
    assert ended.stderr == ""
    assert ended.returncode == 0


SWALLOWED = """
import os, signal, time
import shared.interrupt

shared.interrupt.GRACE_S = 0.2
shared.interrupt.end_on_signals()
try:
    os.kill(os.getpid(), signal.SIGINT)
except BaseException:
    pass  # as some library does
time.sleep(60)
"""


DRAINING = """
import os, signal, sys, threading, time
from shared.interrupt import drain_on_sigterm, end_on_signals

def drain():
    os.write(1, b"draining\\n")
    threading.Event().wait(None if sys.argv[1:] else 0.1)
    os.write(1, b"drained\\n")

end_on_signals()
drain_on_sigterm(drain)
try:
    os.kill(os.getpid(), signal.SIGTERM)
    if sys.argv[1:]:
        os.write(1, b"goes on\\n")
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    time.sleep(60)
except KeyboardInterrupt:
    os.write(1, b"ended in order\\n")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize(
    ("second", "printed"),
    [
        ([], {"draining", "drained", "ended in order"}),
        (["SIGTERM"], {"goes on", "ended in order"}),
        (["SIGINT"], {"goes on", "ended in order"}),
    ],
)
def test_a_process_ends_when_it_has_drained_or_is_told_again(second: list[str], printed: set[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", DRAINING, *second],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert set(ended.stdout.split("\n")[:-1]) - ({"draining"} if second else set()) == printed
    assert (ended.stderr, ended.returncode) == ("", 0)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_process_ends_although_its_interrupt_was_swallowed() -> None:
    ended = subprocess.run([sys.executable, "-c", SWALLOWED], cwd=ROOT, timeout=30, check=False)

    assert ended.returncode == 130
