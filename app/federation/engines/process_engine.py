"""ProcessEngine: one of Flower's engines, which a child process drives or reaches."""

from __future__ import annotations

import os
import queue
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.federation.engines.failures import failed_by, reason_in
from app.federation.engines.frames import layout_of
from app.federation.link.task import Task
from app.federation.link.traffic import Traffic
from shared.app_host.channel import Frame
from shared.app_process import AppProcess
from shared.app_process.process import MAX_FRAME_BYTES
from shared.app_process.starting import start_warden
from shared.buffers import MemoryBuffer
from shared.errors import AppDied, AppEnded, EngineFailed
from shared.payload import Payload
from shared.variables import passed_on

ROOT = Path(__file__).resolve().parents[3]
"""Where FedLoom's own packages are."""

SHORT = "/tmp"
PREFIX = "fl-"


@dataclass(frozen=True)
class Program:
    """What is started. `module`: by `python -m`; `begin`: what it is told first, beside the folder for its
    temporary files; `env`: may hold a secret; `end_s`: how long it may take to end by itself when the run is
    over; `longest_folder`: characters that the path of that folder may have."""

    name: str
    what: str
    module: str
    begin: Mapping[str, Any]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    end_s: float = 0.0
    longest_folder: int | None = None


def temporary_folder(program: Program) -> str:
    """Make the folder for a program's temporary files: one in /tmp, where that can be, as TMPDIR may lead far
    down. Raises EngineFailed where it cannot be made, or is too far down."""
    try:
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=SHORT)
    except OSError:
        try:
            folder = tempfile.mkdtemp(prefix=PREFIX)
        except OSError as error:
            raise EngineFailed(f"{program.name} cannot have a temporary folder: {error}.") from error
    if program.longest_folder is None or len(os.fsencode(folder)) <= program.longest_folder:
        return folder
    Path(folder).rmdir()
    raise EngineFailed(
        f"{program.name} makes sockets in its temporary folder, whose path may have {program.longest_folder} "
        f"characters; {folder} has more. Have {SHORT} writable, or start the server with a shorter TMPDIR."
    )


class ProcessEngine:
    """As `app.federation.engines.engine.Engine` has it."""

    def __init__(self, run_id: str, program: Program) -> None:
        self._run_id = run_id
        self._program = program
        self.traffic = Traffic()
        self._nodes: dict[str, int] = {}
        self._lock = threading.Lock()
        self._open: dict[str, Task] = {}
        self._outgoing: queue.SimpleQueue[Callable[[AppProcess], None] | None] = queue.SimpleQueue()
        self._process: AppProcess | None = None
        self._temporary: str | None = None
        self._threads: list[threading.Thread] = []

    @property
    def what(self) -> str:
        """What is waited for until it has clients, in words."""
        return self._program.what

    def start(self, on_change: Callable[[], None], on_failure: Callable[[Exception], None]) -> None:
        """Start the process. Raises EngineFailed."""
        self._on_change, self._on_failure = on_change, on_failure
        self._temporary = temporary_folder(self._program)
        try:
            command = (sys.executable, "-m", self._program.module)
            started = start_warden(MAX_FRAME_BYTES["client"], command, self._environment())
        except AppDied as error:
            raise EngineFailed(str(error)) from error
        process = AppProcess(started.warden, started.channel, started.control, self._run_id)
        self._process = process
        self._outgoing.put(self._begin)
        for work in (self._send, self._receive):
            thread = threading.Thread(target=work, args=(process,), name="engine", daemon=True)
            self._threads.append(thread)
            thread.start()

    def clients(self) -> Sequence[str]:
        """Those that are there."""
        return tuple(self._nodes)

    def close(self, *, completed: bool) -> None:
        """End the process with all that it has started."""
        if self._process is not None:
            self._outgoing.put(lambda process: process.send("end", completed=completed))
            self._outgoing.put(None)
            self._process.wait(self._program.end_s)
            self._process.close()
        for thread in self._threads:
            thread.join()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    # app.federation.grid.transport.Transport

    def dispatch(self, tasks: Iterable[Task]) -> None:
        """Give messages to the engine."""
        known, tasks = self._nodes, list(tasks)
        given = [(task, known[task.client_id]) for task in tasks if task.client_id in known]
        for task in tasks:
            if task.client_id not in known:
                task.on_failure("It has left the engine.", None)
        with self._lock:
            self._open.update((task.message_id, task) for task, _ in given)
        self.traffic.sent += sum(task.opening.total_bytes for task, _ in given)
        layout, parts = layout_of(given)
        self._outgoing.put(lambda process: process.send("send", parts, **layout))

    def withdraw(self, client_id: str, message_id: str, reason: str, *, late: bool = False) -> None:
        """A client that works on it comes to its end, which nobody waits for."""
        with self._lock:
            self._open.pop(message_id, None)
        self._outgoing.put(lambda process: process.send("withdraw", message_id=message_id))

    def mark_late(self, client_id: str, message_id: str) -> None:
        """Nothing to do: an engine's client is nowhere shown but in its rounds."""

    def set_paused(self, run_id: int, paused: bool) -> None:
        """Clients that work come to their end; no other begins."""
        self._outgoing.put(lambda process: process.send("pause", paused=paused))

    # threads

    def _send(self, process: AppProcess) -> None:
        """The edge of a thread. That the process is gone, the other thread hears as well."""
        try:
            while (command := self._outgoing.get()) is not None:
                command(process)
        except AppDied:
            pass
        except Exception as error:  # noqa: BLE001 - raised in the run thread, which reports it
            self._on_failure(error)

    def _receive(self, process: AppProcess) -> None:
        """The edge of a thread."""
        try:
            while True:
                self._take(process, process.receive())
        except AppEnded:
            pass
        except AppDied as error:
            self._on_failure(failed_by(self._program.name, error))
        except Exception as error:  # noqa: BLE001 - raised in the run thread, which reports it
            self._on_failure(error)

    def _take(self, process: AppProcess, frame: Frame) -> None:
        match frame.kind, frame.fields:
            case "clients", {"clients": dict(clients)}:
                self._nodes = clients
                self._on_change()
            case "replied", {"message_id": str(message_id)}:
                self._replied(message_id, frame.parts)
            case "failed", {"message_id": str(message_id), "reason": str(reason)}:
                if (task := self._closed(message_id)) is not None:
                    task.on_failure(reason_in(reason), None)
            case kind, _:
                raise process.broken(f"a frame of kind {kind!r}")

    def _replied(self, message_id: str, parts: Sequence[bytes]) -> None:
        task = self._closed(message_id)
        size = sum(map(len, parts))
        self.traffic.received += size
        if task is None:
            return
        if size > task.max_reply_bytes:
            most = task.max_reply_bytes
            task.on_failure(f"Its reply has {size:,} bytes, more than the {most:,} that are taken.", None)
            return
        buffer = MemoryBuffer()
        for part in parts:
            buffer.add(part)
        task.on_reply(Payload(buffer, list(map(len, parts[1:]))), lambda verdict, reason: None)

    def _closed(self, message_id: str) -> Task | None:
        with self._lock:
            return self._open.pop(message_id, None)

    def _begin(self, process: AppProcess) -> None:
        process.send("begin", temporary=self._temporary, **self._program.begin)

    def _environment(self) -> dict[str, str]:
        own = passed_on()
        path = os.pathsep.join(filter(None, (str(ROOT), own.get("PYTHONPATH"))))
        return {
            **own,
            "PYTHONPATH": path,
            "FLWR_TELEMETRY_ENABLED": "0",
            "FLWR_DISABLE_UPDATE_CHECK": "1",
            **self._program.env,
        }
