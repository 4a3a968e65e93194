"""What an app's host and its children print and log, on its way to the terminal and to FedLoom."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import deque
from contextlib import suppress

LINE_BYTES = 16 << 10
"""Of a line that is passed on to FedLoom; the rest is cut off."""
LINES_PER_S = 100
BURST = 200
"""So many lines may come at once."""
WAITING_BYTES = 1 << 20
"""Of what the terminal, or FedLoom, has not taken yet."""
STUCK_S = 2.0
"""A terminal that takes nothing for so long does not hold the app up any more."""


class Terminal:
    """Writes to this process's own stdout and stderr in a thread, so that nothing waits for them."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._moved_at = time.monotonic()
        self._changed = threading.Condition()
        threading.Thread(target=self._write, name="terminal", daemon=True).start()

    def has_room(self) -> bool:
        """Whether to read on: also when it does not take anything any more."""
        return self._bytes < WAITING_BYTES or time.monotonic() - self._moved_at > STUCK_S

    def put(self, fd: int, data: bytes) -> None:
        """Write this after what is waiting; it is lost when there is no room."""
        with self._changed:
            if self._bytes < WAITING_BYTES:
                if not self._waiting:
                    self._moved_at = time.monotonic()
                self._waiting.append((fd, data))
                self._bytes += len(data)
                self._changed.notify_all()

    def finish(self, timeout_s: float) -> None:
        """Wait until all is written."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, timeout_s)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                fd, data = self._waiting[0]
            with suppress(OSError):  # the terminal is gone
                while data:
                    data = data[os.write(fd, data) :]
                    self._moved_at = time.monotonic()
            with self._changed:
                self._bytes -= len(self._waiting.popleft()[1])
                self._changed.notify_all()


class Allowance:
    """So many lines a second, and some more at once."""

    def __init__(self) -> None:
        self._left = float(BURST)
        self._at = time.monotonic()

    def room(self) -> int:
        """How many lines may come now."""
        now = time.monotonic()
        self._left = min(BURST, self._left + LINES_PER_S * (now - self._at))
        self._at = now
        return int(self._left)

    def take(self, number: int) -> None:
        """So many came."""
        self._left -= number


class Lines:
    """Makes lines of what comes from one pipe, in whatever pieces."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def feed(self, data: bytes, room: int) -> tuple[list[bytes], int]:
        """The lines that are complete now, at most `room`, and how many more there were."""
        lines: list[bytes] = []
        start = 0
        while len(lines) < room and (end := data.find(b"\n", start)) >= 0:
            self._keep(data[start:end])
            lines.append(self.finish())
            start = end + 1
        left_out = data.count(b"\n", start)
        if left_out:
            self._begun.clear()
            start = data.rfind(b"\n") + 1
        self._keep(data[start:])
        return [line for line in lines if line.strip()], left_out

    def finish(self) -> bytes:
        """What there is of a line, as it was written over last."""
        line = _last_state(bytes(self._begun))
        self._begun.clear()
        return line.rstrip(b"\r")[:LINE_BYTES]

    def _keep(self, data: bytes) -> None:
        self._begun += data
        if b"\r" in data:
            self._begun[:] = _last_state(bytes(self._begun))
        del self._begun[2 * LINE_BYTES :]


def _last_state(line: bytes) -> bytes:
    """A line that was written over with carriage returns, as it is in the end; with such a return at its end
    the next writes over it."""
    ends = b"\r" if line.endswith(b"\r") else b""
    return line.rstrip(b"\r").rpartition(b"\r")[2] + ends


class Reports:
    """What is said to FedLoom, which may be slow to listen."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._waiting = bytearray()
        self._allowances = {"line": Allowance(), "log": Allowance()}
        self._left_out = 0

    @property
    def is_waiting(self) -> bool:
        return bool(self._waiting)

    def room(self, kind: str) -> int:
        """How many lines of a kind may be said now."""
        return self._allowances[kind].room() if len(self._waiting) < WAITING_BYTES else 0

    def say(self, **report: object) -> None:
        """Say this, whatever waits."""
        self._say(json.dumps(report).encode())

    def lines(self, lines: list[bytes], left_out: int) -> None:
        """Pass on lines that were printed."""
        if lines:
            self._say_left_out()
            self._allowances["line"].take(len(lines))
        for line in lines:
            self.say(line=line.decode("utf-8", "replace"))
        self._left_out += left_out

    def log(self, record: bytes) -> None:
        """Pass on what was logged, as it is: whether it is JSON, FedLoom sees."""
        if self.room("log"):
            self._say_left_out()
            self._allowances["log"].take(1)
            self._say(b'{"log":' + record.replace(b"\n", b" ") + b"}")
        else:
            self._left_out += 1

    def send(self) -> None:
        """Send what can be sent without waiting."""
        with suppress(BlockingIOError):
            while self._waiting:
                del self._waiting[: self._control.send(self._waiting)]

    def finish(self, timeout_s: float) -> None:
        """Send all that waits."""
        self._say_left_out()
        self._control.settimeout(timeout_s)
        with suppress(OSError):
            self._control.sendall(self._waiting)

    def _say_left_out(self) -> None:
        if self._left_out:
            self.say(left_out=self._left_out)
            self._left_out = 0

    def _say(self, line: bytes) -> None:
        self._waiting += line + b"\n"
