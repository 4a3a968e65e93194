"""Starts a warden, which starts the host of an app."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import shared.app_host
from shared.errors import AppDied

START = Path(shared.app_host.__file__).with_name("start.py")


@dataclass(frozen=True)
class Started:
    """A warden, and FedLoom's ends of what leads to it and to the host."""

    warden: subprocess.Popen[bytes]
    control: socket.socket
    channel: socket.socket


def start_warden() -> Started:
    """Start both. Raises AppDied when the system does not allow it."""
    with ExitStack() as ours, ExitStack() as theirs:
        try:
            control, wardens = map(_closing_in, (ours, theirs), socket.socketpair())
            channel, hosts = map(_closing_in, (ours, theirs), socket.socketpair())
            warden = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(START), "warden"),
                    *(str(wardens.fileno()), str(hosts.fileno())),
                    *(sys.executable, "-P", str(START), "host"),
                ],
                pass_fds=(wardens.fileno(), hosts.fileno()),
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


def _closing_in(stack: ExitStack, end: socket.socket) -> socket.socket:
    return stack.enter_context(end)
