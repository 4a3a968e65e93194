"""Terminal: asks the person in front of the client, and takes the answer in a thread of its own."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Callable

POLL_S = 0.5
MAX_LINE = 4096
ANSWERS = {"yes": True, "y": True, "no": False, "n": False}


class Terminal:
    """What the client was started from, if that is one. One question at a time: a new one replaces the one
    before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: Callable[[bool], None] | None = None
        self._is_read = False

    @property
    def is_there(self) -> bool:
        """Whether somebody can be asked. On Windows a console cannot be read without waiting for it."""
        return os.name == "posix" and _is_terminal()

    def ask(self, question: str, answered: Callable[[bool], None]) -> None:
        """Put a question; `answered` is called with what comes, in the thread that reads."""
        with self._lock:
            self._answered = answered
            _forget_what_was_typed()
            if not self._is_read:
                self._is_read = True
                threading.Thread(target=self._read, name="terminal", daemon=True).start()
        _say(f"{question} Type yes or no:")

    def let_go(self) -> None:
        """The question is settled, or nobody waits for it any more."""
        with self._lock:
            self._answered = None

    def _read(self) -> None:
        """Line by line, until the terminal is gone.

        Not by `input`, which at the end of the process would hold a lock; and only while the client is in the
        foreground: the system stops a process that reads in the background.
        """
        typed = b""
        while _is_terminal():
            ready, _, _ = select.select([sys.stdin.fileno()], [], [], POLL_S)
            if not ready or not _is_in_foreground():
                continue
            try:
                data = os.read(sys.stdin.fileno(), MAX_LINE)
            except OSError:
                return
            if not data:
                return
            *lines, typed = (typed + data)[-MAX_LINE:].split(b"\n")
            for line in lines:
                self._take(line.decode(errors="replace").strip().lower())

    def _take(self, line: str) -> None:
        with self._lock:
            answered = self._answered
            if answered is None:
                return
            if line in ANSWERS:
                self._answered = None
        if line in ANSWERS:
            answered(ANSWERS[line])
        else:
            _say("Type yes or no:")


def _say(line: str) -> None:
    """On a line of its own, since the log goes on meanwhile."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _is_terminal() -> bool:
    try:
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    except ValueError:  # it is closed
        return False


def _forget_what_was_typed() -> None:
    """Nobody has answered a question before it was put."""
    if _is_in_foreground():
        import termios  # not on Windows

        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def _is_in_foreground() -> bool:
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return False
