"""AppProcess: the process of an app, with its warden."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from shared.app_host.channel import Channel, ChannelBroken, ChannelClosed, Frame, Part
from shared.app_process.ending import reason_of
from shared.app_process.starting import start_warden
from shared.app_process.watch import Watch
from shared.errors import AppDied, AppEnded, AppInvalid
from shared.flower_app import FlowerApp
from shared.payload import MAX_SKELETON_BYTES
from shared.wire import MAX_MESSAGE_BYTES

MAX_FRAME_BYTES = {
    "client": 2 * (MAX_MESSAGE_BYTES + MAX_SKELETON_BYTES),
    "server": 32 * MAX_MESSAGE_BYTES,
}
"""A reply, and the state beside it; the messages to all clients, each of which may have its own model."""

GONE_S = 15.0
"""How long it is waited for the warden to say how the host ended, when its channel is closed."""

Role = Literal["server", "client"]


@dataclass(frozen=True)
class Loaded:
    """An app that is ready."""

    device: str
    """What it computes on, as PyTorch names it."""


class AppProcess:
    """A process in which one app runs. A context manager, at whose end it has ended.

    Any thread may use `send`, `kill`, `pause` and `is_alive`; one at a time receives.
    """

    def __init__(
        self, warden: subprocess.Popen[bytes], channel: Channel, control: socket.socket, run_id: str | None
    ) -> None:
        self._warden = warden
        self._channel = channel
        self._control = control
        self._watch = Watch(control, run_id, on_gone=warden.wait)
        self._what: dict[str, Any] = {}
        self._loaded: Loaded | None = None
        self._is_killed = False
        """Whether it was FedLoom that ended it."""

    @classmethod
    def start(cls, app: FlowerApp, folder: Path, role: Role, *, cwd: Path, run_id: str | None = None) -> Self:
        """Start the process; `load` is what comes next.

        `folder`: where the app runs, as a copy of its own; `cwd`: its working folder; `run_id`: whose run's
        log has what it prints. Raises AppDied when the system does not let it start.
        """
        started = start_warden(MAX_FRAME_BYTES[role])
        process = cls(started.warden, started.channel, started.control, run_id)
        process._what = {**what_to_load(app, folder, role), "cwd": str(cwd)}
        return process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def load(self) -> Loaded:
        """Have it import the app, unless it has, and wait for that. Raises AppInvalid, in words, when the app
        cannot be imported, and AppDied."""
        if self._loaded is not None:
            return self._loaded
        self.send("load", **self._what)
        answer = self.receive()
        match answer.kind, answer.fields:
            case "ready", {"device": str(device)}:
                self._loaded = Loaded(device)
                return self._loaded
            case "unusable", {"reason": str(reason)}:
                raise AppInvalid(reason)
        raise self.broken(f"it answered with {answer.kind!r} when it was to load the app")

    def belongs_to(self, run_id: str) -> None:
        """From now on this run's log has what it prints."""
        self._watch.run_id = run_id

    def send(self, kind: str, parts: Sequence[Part] = (), **fields: Any) -> None:
        """Send a frame. Raises AppDied."""
        try:
            self._channel.send(kind, parts, **fields)
        except ChannelClosed as error:
            raise self._died() from error

    def receive(self) -> Frame:
        """The next frame; waits for it. Raises AppDied once there will be none."""
        try:
            return self._channel.receive()
        except ChannelBroken as error:
            raise self.broken(str(error)) from error
        except ChannelClosed as error:
            raise self._died() from error

    def broken(self, what: str) -> AppDied:
        """Kill it for what it sent; returns the error that says so."""
        self.kill()
        return AppDied(f"Its process was ended, because what it sent cannot be used: {what}.")

    @property
    def is_alive(self) -> bool:
        """Whether it can be used: it has not ended, as far as is known, and is not about to."""
        return not (self._is_killed or self._watch.is_over)

    def pause(self, paused: bool) -> None:
        """Stop it where it is, with all that it has started, or let it go on."""
        self._command("stop" if paused else "continue")

    def kill(self) -> None:
        """End it now, with all that it has started; does not wait for that. From now on, whoever sends to it
        or receives gets AppEnded."""
        self._is_killed = self._is_killed or not self._watch.is_over
        self._command("kill")

    def wait(self, timeout_s: float) -> bool:
        """Wait until it has ended; whether it has."""
        return self._watch.wait(timeout_s)

    def end(self, grace_s: float) -> None:
        """Have it leave by itself, which may take so long; then as `close`."""
        if grace_s > 0:
            too_late = threading.Timer(grace_s, self.kill)  # also of one that does not even take this
            too_late.daemon = True
            too_late.start()
            with suppress(AppDied):
                self.send("end")
                self._watch.wait(grace_s)
            too_late.cancel()
        self.close()

    def close(self) -> None:
        """Kill it, wait until nothing of it is left, and let go of what belonged to it."""
        self.kill()
        if not self._watch.wait(GONE_S):
            self._warden.kill()  # which does not listen; the host ends with it
        self._channel.close()
        self._control.close()

    def _command(self, command: str) -> None:
        with suppress(OSError):  # it is gone already
            self._control.sendall(f"{command}\n".encode())

    def _died(self) -> AppDied:
        """Why it is gone: the channel is closed. If it has only closed that, it is of no more use either."""
        is_over = self._is_killed or self._watch.wait(GONE_S)
        if self._is_killed:
            return AppEnded("Its process was ended by FedLoom.")
        if not is_over:
            self.kill()
            return AppDied("Its process has closed its connection to FedLoom, and was ended.")
        return AppDied(reason_of(self._watch.status, self._watch.last), self._watch.last)


def what_to_load(app: FlowerApp, folder: Path, role: Role) -> dict[str, Any]:
    """What the process has to know to import an app's ServerApp or ClientApp."""
    return {
        "role": role,
        "reference": app.serverapp if role == "server" else app.clientapp,
        "name": app.name,
        "folder": str(folder),
        "source": str(app.folder),
        "files": sorted(app.files),
        "dependencies": app.dependencies,
    }
