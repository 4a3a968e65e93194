"""Starts a warden, which starts the host of an app."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import shared.app_host
from shared.app_host.channel import Channel
from shared.app_host.ring import NO_MEMORY, rings, share_memory
from shared.errors import AppDied

START = Path(shared.app_host.__file__).with_name("start.py")


@dataclass(frozen=True)
class Started:
    """A warden, and FedLoom's ends of what leads to it and to the host."""

    warden: subprocess.Popen[bytes]
    control: socket.socket
    channel: Channel


def start_warden(max_frame_bytes: int) -> Started:
    """Start both. `max_frame_bytes`: that are taken from the host. Raises AppDied when the system does not
    allow it."""
    with ExitStack() as ours, ExitStack() as theirs:
        try:
            control, wardens = map(_closing_in, (ours, theirs), socket.socketpair())
            connection, hosts = map(_closing_in, (ours, theirs), socket.socketpair())
            memory = share_memory()
            theirs.callback(_close, memory)
            channel = Channel(connection, max_frame_bytes, *rings(memory))
            ours.callback(channel.close)
            descriptors = [wardens.fileno(), hosts.fileno(), memory]
            warden = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(START), "warden"),
                    *map(str, descriptors),
                    *(sys.executable, "-P", str(START), "host"),
                ],
                pass_fds=[each for each in descriptors if each != NO_MEMORY],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise AppDied(
                f"A process for the app cannot be started: {error}. The system has reached a limit, "
                f"or misses {sys.executable}."
            ) from error
        ours.pop_all()
        return Started(warden, control, channel)


def _close(memory: int) -> None:
    if memory != NO_MEMORY:
        os.close(memory)


def _closing_in(stack: ExitStack, end: socket.socket) -> socket.socket:
    return stack.enter_context(end)
