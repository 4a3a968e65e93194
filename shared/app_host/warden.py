"""The warden of an app's host: its parent, which passes on what it prints and leaves nothing of it behind.

FedLoom runs it by `python -I -S start.py warden CONTROL_FD CHANNEL_FD MEMORY_FD COMMAND...` in a session of
its own: a small process of the standard library alone, which neither Ctrl-C nor the app can reach. It starts
the host in a further session. When the host ends, when FedLoom says so, or when FedLoom is gone, by SIGKILL
as well, it kills whatever is left of the host: its group and, on Linux, all descendants.

A program of FedLoom's own, a client that the page has started, is watched over in the same way: then the
descriptors are -1, and the command gets none.

FedLoom says `terminate` (SIGTERM to the host alone), `kill`, `stop` and `continue`, one a line; the warden
says, as JSON, one a line:

    {"started": pid}
    {"line": text}                              of what the host and its children print
    {"log": {"level": …, "name": …, …}}         of what they log
    {"left_out": number}                        of lines, before this one, that were too many
    {"ended": status as waitpid has it, "last": the last of what was printed to stderr}
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from .offspring import IS_LINUX, adopt_orphans, descendants, start_host
from .output import WAITING_BYTES, Lines, Reports, Terminal

READ_BYTES = 64 << 10
LAST_BYTES = 32 << 10
KILL_S = 10.0
"""For so long it is tried to kill what is left: some may hang in the kernel, or belong to another user."""
LEAVE_S = 2.0
LOG_BYTES = 256 << 10


class Warden:
    """Watches over one host."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._reports = Reports(control)
        self._selector = selectors.DefaultSelector()
        self._terminal = Terminal()
        self._lines = {1: Lines(), 2: Lines()}
        self._last = b""
        self._commands = b""
        self._host = 0
        self._status: int | None = None
        self._is_to_end = False
        self._waits_to_send = False

    def run(self, channel_fd: int, memory_fd: int, command: list[str]) -> None:
        """Start the host, and return when nothing of it is left."""
        self._wake_on_signals()
        outputs = {fd: os.pipe() for fd in (1, 2)}
        if channel_fd >= 0:
            self._start_app(channel_fd, memory_fd, command, outputs)
        else:
            self._host = start_host(command, (), outputs[1][1], outputs[2][1])
        for fd, (reader, writer) in outputs.items():
            os.close(writer)
            os.set_blocking(reader, False)
            self._selector.register(reader, selectors.EVENT_READ, lambda r=reader, f=fd: self._printed(r, f))
        self._selector.register(self._control, selectors.EVENT_READ, self._commanded)
        self._control.setblocking(False)
        self._reports.say(started=self._host)
        while self._status is None and not self._is_to_end:
            self._step(None)
        self._kill_all()
        self._leave()

    def _start_app(
        self, channel_fd: int, memory_fd: int, command: list[str], outputs: dict[int, tuple[int, int]]
    ) -> None:
        log, hosts_log = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with suppress(OSError):
            hosts_log.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LOG_BYTES)
        descriptors = (channel_fd, hosts_log.fileno(), memory_fd)
        self._host = start_host(command, descriptors, outputs[1][1], outputs[2][1])
        os.close(channel_fd)
        if memory_fd >= 0:
            os.close(memory_fd)
        hosts_log.close()
        log.setblocking(False)
        self._selector.register(log, selectors.EVENT_READ, lambda: self._logged(log))

    def _step(self, timeout_s: float | None) -> None:
        if self._reports.is_waiting is not self._waits_to_send and self._control in self._selector.get_map():
            self._waits_to_send = self._reports.is_waiting
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._waits_to_send else 0)
            self._selector.modify(self._control, events, self._commanded)
        for key, _ in self._selector.select(timeout_s):
            key.data()
        with suppress(OSError):  # FedLoom is gone: the control says so as well
            self._reports.send()

    def _wake_on_signals(self) -> None:
        """SIGCHLD makes the selector return; SIGTERM ends the host. Ctrl-C and a hang-up are FedLoom's."""
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        self._wake = (reader, writer)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._end())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])  # whatever FedLoom was started with
        self._selector.register(reader, selectors.EVENT_READ, self._woken)

    def _woken(self) -> None:
        """By a signal: a child may have ended."""
        self._wake[0].recv(4096)
        self._reap()

    def _end(self) -> None:
        self._is_to_end = True

    # what comes

    def _printed(self, reader: int, fd: int) -> None:
        if not self._terminal.has_room():
            time.sleep(0.01)  # the app waits for its terminal, as without a warden
            return
        data = _read(reader)
        if data is None:
            return
        if not data:
            self._selector.unregister(reader)
            os.close(reader)
            self._reports.lines([line for line in [self._lines[fd].finish()] if line.strip()], 0)
            return
        self._terminal.put(fd, data)
        if fd == 2:
            self._last = (self._last + data)[-LAST_BYTES:]
        self._reports.lines(*self._lines[fd].feed(data, self._reports.room("line")))

    def _logged(self, log: socket.socket) -> None:
        with suppress(BlockingIOError):
            self._reports.log(log.recv(LOG_BYTES))

    def _commanded(self) -> None:
        try:
            data = self._control.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:  # FedLoom is gone
            self._selector.unregister(self._control)
            self._is_to_end = True
            return
        *commands, self._commands = (self._commands + data).split(b"\n")
        actions: dict[bytes, Callable[[], None]] = {
            b"terminate": self._terminate,
            b"kill": self._end,
            b"stop": lambda: self._signal(signal.SIGSTOP),
            b"continue": lambda: self._signal(signal.SIGCONT),
        }
        for command in commands:
            actions[command]()

    # the host and its descendants

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid == self._host:
                    self._status = status

    def _terminate(self) -> None:
        """Have it leave by itself; not yet reaped, its number is nobody else's."""
        if self._status is None:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self._host, signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        """To the host's group, and to those who have left that."""
        if self._status is None or not IS_LINUX:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._host, number)
        for pid in descendants():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    def _kill_all(self) -> None:
        """Also those that are started meanwhile: until there are none, or for KILL_S."""
        ends = time.monotonic() + KILL_S
        while True:
            self._signal(signal.SIGKILL)
            self._reap()
            if (self._status is not None and not descendants()) or time.monotonic() > ends:
                return
            self._step(0.02)

    def _leave(self) -> None:
        """Say what there is still to say."""
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fd, int) and key.fileobj not in (self._control, self._wake[0]):
                for _ in range(WAITING_BYTES // READ_BYTES):
                    if key.fileobj in self._selector.get_map():
                        key.data()
        for lines in self._lines.values():
            self._reports.lines([line for line in [lines.finish()] if line.strip()], 0)
        self._reports.say(ended=self._status, last=self._last.decode("utf-8", "replace"))
        self._reports.finish(LEAVE_S)
        self._terminal.finish(LEAVE_S)


def _read(fd: int) -> bytes | None:
    """What there is to read; nothing at the end, None for the moment."""
    try:
        return os.read(fd, READ_BYTES)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def main(arguments: list[str]) -> None:
    """The command: it does not return."""
    while os.open(os.devnull, os.O_RDWR) <= 2:  # FedLoom may have no terminal, and no descriptors for it
        pass
    control_fd, channel_fd, memory_fd = map(int, arguments[:3])
    for fd in (control_fd, channel_fd, memory_fd):
        if fd >= 0:
            os.set_inheritable(fd, False)
    adopt_orphans()
    Warden(socket.socket(fileno=control_fd)).run(channel_fd, memory_fd, arguments[3:])
    os._exit(0)  # whether or not the terminal takes what there still is
