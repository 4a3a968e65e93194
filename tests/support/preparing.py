"""The process from which `tests.support.prepared` forks commands: `python -u -m tests.support.preparing`."""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from app.demo.fleet import PRELOAD

ROOT = Path(__file__).resolve().parents[2]
ALSO = ("app.cli", "client.cli", "mesh.commands.table")
NOT_HERE = ("app.demo.ignore_interrupt",)
"""What commands do for themselves, or not at all."""
MAX_BYTES = 1 << 20
NETWORKS = "/run/netns"
CLONE_NEWNET = 0x40000000

had = dict(os.environ)
"""What the environment was before anything was imported: some of that may add to it."""


def asked_for(orders: socket.socket) -> dict[str, Any]:
    """Fork, and tell of exit codes, until the tests are over. Returns in each child: what it is to be."""
    waker, wake = socket.socketpair()
    for each in (waker, wake):
        each.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno())
    ends: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([orders, waker], [], [])
        if waker in ready:
            waker.recv(4096)
            tell_ended(ends)
        if orders not in ready:
            continue
        data, descriptors, _, _ = socket.recv_fds(orders, MAX_BYTES, 4)
        if not data:
            os._exit(0)
        *streams, end = descriptors
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for each in (orders, waker, wake):
                each.close()
            for descriptor in (*ends.values(), end):
                os.close(descriptor)
            asked: dict[str, Any] = json.loads(data)
            become(asked, streams)
            return asked
        ends[pid] = end
        for descriptor in streams:
            os.close(descriptor)
        orders.send(str(pid).encode())


def tell_ended(ends: dict[int, int]) -> None:
    """All that have ended, to whoever waits for them."""
    for pid in tuple(ends):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            end = ends.pop(pid)
            with suppress(BrokenPipeError):  # nobody waits for it any more
                os.write(end, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(end)


def become(asked: dict[str, Any], streams: list[int]) -> None:
    """Be in the state in which a new process begins. `streams`: its input, its output, and that of errors."""
    os.setsid()
    if asked["network"] is not None:
        enter(asked["network"])
    for place, descriptor in enumerate(streams):
        os.dup2(descriptor, place)
        os.close(descriptor)
    open_streams()
    os.chdir(asked["cwd"])
    for name in had.keys() - asked["env"].keys():
        os.environ.pop(name, None)
    os.environ.update(asked["env"])
    sys.argv = [asked["script"], *asked["flags"]]


def open_streams() -> None:
    """Have the streams as `python -u` opens them, which remember what kind of file each is."""
    given = open(0, "rb", closefd=False)  # noqa: SIM115 - as Python opens it
    sys.stdin = sys.__stdin__ = TextIOWrapper(given, sys.stdin.encoding, sys.stdin.errors)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _unbuffered(1, sys.stdout)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _unbuffered(2, sys.stderr)  # type: ignore[misc]


def _unbuffered(place: int, before: TextIO) -> TextIOWrapper:
    raw = open(place, "wb", buffering=0, closefd=False)  # noqa: SIM115 - as Python opens it
    return TextIOWrapper(raw, before.encoding, before.errors, newline="\n", write_through=True)


def enter(network: str) -> None:
    """Have the network of a namespace, as `ip netns exec` has it."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(NETWORKS, network).open() as place:
        if libc.setns(place.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"the network of {network} cannot be had")


for name in (*PRELOAD, *ALSO):
    if name not in NOT_HERE:
        importlib.import_module(name)
gc.collect()
gc.freeze()
asked = asked_for(socket.socket(fileno=int(sys.argv[1])))
script = asked["script"]
if script.startswith("-m "):
    sys.path[0] = asked["cwd"]
    for name in (module := script.removeprefix("-m "), f"{module}.__main__"):
        if not hasattr(sys.modules.get(name), "__path__"):
            sys.modules.pop(name, None)  # a new process has not imported it either, and runpy would warn
    runpy.run_module(module, run_name="__main__", alter_sys=True)
else:
    sys.path[0] = str(ROOT)
    runpy.run_path(str(ROOT / script), run_name="__main__")
