"""A warden's children: the host that it starts, and all that comes of it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
IS_LINUX = sys.platform == "linux"


def adopt_orphans() -> None:
    """From now on this process is the parent of those below it who have lost theirs; on Linux only."""
    if IS_LINUX:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


def start_host(command: list[str], descriptors: Sequence[int], stdout: int, stderr: int) -> int:
    """Fork and become the host in the child, with these descriptors as its arguments; those below 0 stand for
    what there is not. Returns its process id."""
    warden = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if IS_LINUX:
            _be_first_to_go()
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != warden:
                os._exit(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        for descriptor in descriptors:
            if descriptor >= 0:
                os.set_inheritable(descriptor, True)
        os.execv(command[0], [*command, *map(str, descriptors)])
    except BaseException as error:  # noqa: BLE001 - a child that has become nothing must not go on
        os.write(2, f"the app's process cannot be started: {error}\n".encode())
    finally:
        os._exit(127)


def _be_first_to_go() -> None:
    """When memory runs out, the system is to end the app, and neither FedLoom nor anything else."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _prctl(option: int, value: int) -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def descendants() -> list[int]:
    """All descendants of this process, also those that have ended and are still to be reaped: other threads
    of theirs may live. None where the system does not tell."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir() if IS_LINUX else ():
        if entry.name.isdecimal():
            with suppress(OSError):
                text = (entry / "stat").read_text(errors="replace")
                parent = int(text.rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    asked = [os.getpid()]
    while asked:
        below = children.get(asked.pop(), [])
        found += below
        asked += below
    return found
