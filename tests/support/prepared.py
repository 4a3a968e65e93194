"""Commands that start in a moment: forked from a process that has imported already what takes seconds.

What runs is the same script, with its arguments, environment, folder, session, output and exit code; only
`/proc/PID/cmdline` and `environ` are those of the process from which it was forked.
"""

from __future__ import annotations

import array
import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO

ROOT = Path(__file__).resolve().parents[2]
PREPARING = "tests.support.preparing"

AT_START = ("PYTHON", "LD_", "OMP_", "MKL_", "RAY_")
"""How variables begin that an interpreter, or what it imports, reads when it starts."""
PREPARED = ("run_server.py", "run_client.py", "-m app.", "-m client.", "-m mesh", "-m tests.support.")
"""How commands begin that import all that; others import little, and start others, or are measured."""


@dataclass(frozen=True)
class Start:
    """What is to be started: one of the repository's scripts, or a module (`-m name`)."""

    script: str
    flags: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    """All of its environment."""
    network: str | None = None
    """The namespace whose network it has."""


def network_of(before: Sequence[str]) -> str | None:
    """The namespace in which a command runs that this goes before; None: it does something else."""
    match tuple(before):
        case ("ip", "netns", "exec", name):
            return name
        case _:
            return None


def can_be_prepared(script: str, env: Mapping[str, str], before: Sequence[str] = ()) -> bool:
    """Whether a forked process is the same as a new one. `env`: what is other than here, but for PYTHONPATH,
    which is the repository's folder. `before`: a command that is to start it."""
    return (
        sys.platform == "linux"
        and script.startswith(PREPARED)
        and not any(name.startswith(AT_START) for name in env)
        and (not before or network_of(before) is not None)
    )


class PreparedProcess:
    """A process as `subprocess.Popen` has it, as far as tests use that. May be used in several threads."""

    stdin: None = None

    def __init__(self, args: Sequence[str], pid: int, ended: int, output: TextIO | None) -> None:
        """`ended`: a pipe on which the exit code comes. `output`: what it prints; None: a file has it."""
        self.args = list(args)
        self.pid = pid
        self.stdout = output
        self.returncode: int | None = None
        self._ended = ended
        self._turn = threading.Lock()

    def poll(self) -> int | None:
        """The exit code; None: it runs."""
        return self._look(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout_s: float | None) -> int | None:
        with self._turn:
            if self.returncode is None and _is_ready(self._ended, timeout_s):
                said = os.read(self._ended, 16)
                assert said, f"the process from which {self.args} was forked has ended"
                os.close(self._ended)
                self.returncode = int(said)
            return self.returncode


def _is_ready(pipe: int, timeout_s: float | None) -> bool:
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(None if timeout_s is None else timeout_s * 1000))


class _Preparing:
    """The process that is forked."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._turn = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-u", "-m", PREPARING, str(theirs.fileno())],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        atexit.register(self._end)

    def fork(self, start: Start, *streams: int) -> tuple[int, int]:
        """The new process's id, and the pipe on which its exit code comes. `streams`: its input, its output,
        and that of errors."""
        ended, its_end = os.pipe()
        asked = {**asdict(start), "cwd": str(start.cwd)}
        descriptors = array.array("i", [*streams, its_end])
        with self._turn:
            try:
                self._ours.sendmsg(
                    [json.dumps(asked).encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)]
                )
                pid = int(self._ours.recv(32) or b"0")
            finally:
                os.close(its_end)
        assert pid, "the process from which commands are forked has ended"
        return pid, ended

    def _end(self) -> None:
        self._ours.close()
        self._process.wait()


@cache
def _preparing() -> _Preparing:
    """One for all tests of this process, with which it ends."""
    return _Preparing()


def start_prepared(start: Start) -> PreparedProcess:
    """Start it, with what it prints in a pipe."""
    output, its_output = os.pipe()
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        pid, ended = _preparing().fork(start, nothing, its_output, its_output)
    finally:
        os.close(its_output)
        os.close(nothing)
    text = TextIOWrapper(os.fdopen(output, "rb"), encoding="utf-8", errors="replace")
    return PreparedProcess([start.script, *start.flags], pid, ended, text)


def run_prepared(start: Start, typed: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """The same, done. `typed`: its input. Raises subprocess.TimeoutExpired, and kills it then."""
    with TemporaryFile() as given, TemporaryFile() as output, TemporaryFile() as errors:
        given.write(typed.encode())
        given.seek(0)
        streams = [file.fileno() for file in (given, output, errors)]
        pid, ended = _preparing().fork(start, *streams)
        process = PreparedProcess([start.script, *start.flags], pid, ended, None)
        try:
            code = process.wait(timeout_s)
        except BaseException:
            process.kill()
            process.wait()
            raise
        said = []
        for file in (output, errors):
            file.seek(0)
            said.append(file.read().decode(errors="replace"))
    return subprocess.CompletedProcess(process.args, code, *said)
