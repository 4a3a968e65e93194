"""The process of an app: imports it and calls it, in the main thread, as FedLoom says over the channel."""

from __future__ import annotations

import faulthandler
import importlib
import io
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from .channel import Channel, ChannelClosed
from .loading import Component, Unusable, load
from .log_socket import log_to
from .ring import NO_MEMORY, rings

ROOT = Path(__file__).resolve().parents[2]
"""Where FedLoom's own packages are."""


def main(arguments: list[str]) -> None:
    """The command: serve one app until FedLoom has no more to say, or is gone."""
    channel, log_socket = connections(arguments)
    os.register_at_fork(after_in_child=channel.forget)
    faulthandler.enable()
    _flush_every_line()
    _hide_fedloom()
    with suppress(ChannelClosed):
        _serve(channel, log_socket)


def connections(arguments: list[str]) -> tuple[Channel, socket.socket]:
    """The channel to FedLoom, and the socket to the warden for what is logged, by the numbers that the warden
    has given."""
    channel_fd, log_fd, memory_fd = map(int, arguments)
    channel_socket, log_socket = socket.socket(fileno=channel_fd), socket.socket(fileno=log_fd)
    for each in (channel_socket, log_socket):
        each.set_inheritable(False)
    from_fedloom, to_fedloom = rings(memory_fd)
    if memory_fd != NO_MEMORY:
        os.close(memory_fd)
    return Channel(channel_socket, None, to_fedloom, from_fedloom), log_socket


def _serve(channel: Channel, log_socket: socket.socket) -> None:
    what = channel.receive().fields
    log_to(log_socket, role=what["role"])
    os.chdir(what["cwd"])
    serve = importlib.import_module(f".{what['role']}_host", __package__).prepare()
    try:
        component = load(Component.from_fields(what))
    except Unusable as unusable:
        channel.send("unusable", reason=str(unusable))
        return
    channel.send("ready", device=_device())
    serve(channel, component)


def _flush_every_line() -> None:
    """A pipe would take what is printed only in large pieces."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")


def _hide_fedloom() -> None:
    """Take FedLoom's folder off the path of modules, here and for children, where it was put on that.

    Where FedLoom is installed, it lies among all packages, and the app's folder goes before them.
    """
    if "site-packages" in ROOT.parts:
        return
    sys.path[:] = [place for place in sys.path if not _is_root(place)]
    if (places := os.environ.get("PYTHONPATH")) is not None:
        os.environ["PYTHONPATH"] = os.pathsep.join(
            place for place in places.split(os.pathsep) if not _is_root(place)
        )


def _is_root(place: str) -> bool:
    return bool(place) and Path(place).resolve() == ROOT


def _device() -> str:
    """What the app computes on, if it uses PyTorch, as that names it. CUDA is not touched by asking."""
    torch: ModuleType | None = sys.modules.get("torch")
    if torch is not None and torch.cuda.device_count():
        return "cuda"
    return "mps" if torch is not None and torch.backends.mps.is_available() else "cpu"
