"""Starts a warden, which starts the host of an app, or a program of FedLoom's own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import shared.app_host
from shared.app_host.channel import Channel
from shared.app_host.ring import NO_MEMORY, rings, share_memory
from shared.console import logs_json
from shared.errors import AppDied, FedLoomError
from shared.variables import passed_on

START = Path(shared.app_host.__file__).with_name("start.py")
NO_DESCRIPTOR = -1
HOST = (sys.executable, "-P", str(START), "host")
"""The command that serves an app."""


class ProgramNotStarted(FedLoomError):
    """The system has reached a limit."""


@dataclass(frozen=True)
class Started:
    """A warden, and FedLoom's ends of what leads to it and to the host."""

    warden: subprocess.Popen[bytes]
    control: socket.socket
    channel: Channel


@dataclass(frozen=True)
class Program:
    """A warden that watches over a program, and FedLoom's end of what leads to it."""

    warden: subprocess.Popen[bytes]
    control: socket.socket


def start_warden(
    max_frame_bytes: int, command: Sequence[str] = HOST, env: Mapping[str, str] | None = None
) -> Started:
    """Start both. `max_frame_bytes`: that are taken from the host. `command`: what to start as the host; the
    numbers of its descriptors come behind it. `env`: or this process' own, without what is
    meant for it alone. Raises AppDied when the system does not allow it."""
    terminal = subprocess.DEVNULL if logs_json() else None  # what the app prints is in the log as well
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
                    *command,
                ],
                env=passed_on() if env is None else env,
                pass_fds=[each for each in descriptors if each != NO_MEMORY],
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=terminal,
                start_new_session=True,
            )
        except OSError as error:
            raise AppDied(
                f"A process for the app cannot be started: {error}. The system has reached a limit, "
                f"or misses {sys.executable}."
            ) from error
        ours.pop_all()
        return Started(warden, control, channel)


def start_program(command: Sequence[str], *, env: Mapping[str, str]) -> Program:
    """Start a program, by its whole path, which ends with this process, however that ends. Raises
    ProgramNotStarted when the system does not allow it."""
    with ExitStack() as ours, ExitStack() as theirs:
        try:
            control, wardens = map(_closing_in, (ours, theirs), socket.socketpair())
            warden = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(START), "warden"),
                    *map(str, (wardens.fileno(), NO_DESCRIPTOR, NO_DESCRIPTOR)),
                    *command,
                ],
                pass_fds=[wardens.fileno()],
                stdin=subprocess.DEVNULL,
                env=env,
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramNotStarted(f"A process cannot be started: {error}.") from error
        ours.pop_all()
        return Program(warden, control)


def _close(memory: int) -> None:
    if memory != NO_MEMORY:
        os.close(memory)


def _closing_in(stack: ExitStack, end: socket.socket) -> socket.socket:
    return stack.enter_context(end)
