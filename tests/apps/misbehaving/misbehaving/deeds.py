"""misbehaving: what it does."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

CHILDREN = 20
MANY_TIMES = 10**9


def abort(_):
    os.abort()


def crash(_):
    ctypes.string_at(0)


def overflow_the_stack(_):
    """In compiled code, where Python does not count."""
    sys.setrecursionlimit(MANY_TIMES)

    def deeper(_):
        return sorted([1], key=deeper)

    deeper(0)


def exit_by_sys(_):
    sys.exit(3)


def exit_at_once(_):
    os._exit(0)


def kill_itself(_):
    os.kill(os.getpid(), signal.SIGKILL)


def swallow_everything(_):
    """For ever."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            while True:
                pass
        except BaseException:  # noqa: BLE001, S110
            pass


def hold_the_gil(_):
    """For ever: PyDLL does not let go of it."""
    ctypes.PyDLL(None).sleep(1000)


def print_without_end(_):
    line = "and so on, " * 100
    while True:
        print(line)


def print_two_gigabytes(_):
    """And be done."""
    line = "x" * 1023
    for _ in range(2**31 // 1024):
        print(line)


def start_children(_):
    """Half of them in sessions of their own, all deaf, and waits for them."""
    children = []
    for number in range(CHILDREN):
        pid = os.fork()
        if not pid:
            if number % 2:
                os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            while True:
                time.sleep(1000)
        children.append(pid)
    orphan = "trap '' TERM HUP; while :; do sleep 1000; done"
    subprocess.run(f'setsid sh -c "{orphan}" >/dev/null 2>&1 &', shell=True)
    os.waitpid(children[0], 0)


def want_more_memory(_):
    """Than the system gives it."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20),) * 2)
    _take_memory()


def use_up_memory(cgroup):
    """In a group of processes that has little, until the system kills one."""
    Path(cgroup, "cgroup.procs").write_text(str(os.getpid()))
    _take_memory()


def _take_memory():
    taken = []
    while True:
        taken.append(bytearray(b"x" * (10 << 20)))


def commit(name, cgroup):
    """Do one of the above."""
    globals()[name.replace("-", "_")](cgroup)
