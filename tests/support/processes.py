"""FedLoom's commands as real processes, with their output kept for the message of a test that fails."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.support.ports import free_port
from tests.support.prepared import (
    PreparedProcess,
    Start,
    can_be_prepared,
    network_of,
    run_prepared,
    start_prepared,
)
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 120.0
END_TIMEOUT_S = 30.0
"""Limits for what does not happen at all. On a machine that has ten times as much to do as it has cores, a
process needs a minute to import what it uses, and one that was killed needs seconds to be gone."""
RUN_TIMEOUT_S = 120.0
NO_NETWORK = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
"""An environment in which nothing can be downloaded, also where there is a network: nobody listens there."""

IN_TERMINAL = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
"""A program that starts another in a terminal of its own."""

READY = re.compile(
    r"FedLoom is ready at (https?)://(?:\[\S+\]|[^:]+):(\d+) \(clients connect to port (\d+)\)"
)


def _without_data(env: Mapping[str, str]) -> dict[str, str]:
    """The environment without the developer's own data sets, which a test must neither find nor touch."""
    return {name: value for name, value in env.items() if name != "FEDLOOM_DATA_DIR"}


class Command:
    """One of the repository's scripts, or a module (`-m name`), as a running process."""

    def __init__(
        self,
        script: str,
        *flags: str,
        home: Path,
        env: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
        in_terminal: bool = False,
    ) -> None:
        """`before`: a command that is to start it, such as `ip netns exec NAME`. `in_terminal`: a person can
        `type` there."""
        self.name = " ".join((script, *flags))
        self.home = home
        environment = {
            **_without_data(os.environ),
            "PYTHONPATH": str(ROOT),
            "FEDLOOM_HOME": str(home),
            **(env or {}),
        }
        self.process: subprocess.Popen[str] | PreparedProcess
        if not in_terminal and can_be_prepared(script, env or {}, before):
            self.process = start_prepared(Start(script, flags, home, environment, network_of(before)))
        else:
            self.process = _new_process(script, flags, home, environment, before, in_terminal=in_terminal)
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._lines.append(line)

    def type(self, line: str) -> None:
        """Type a line in its terminal."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    @property
    def output(self) -> str:
        """All that it has printed so far, to stdout and stderr."""
        return "".join(self._lines.copy())

    def count(self, text: str) -> int:
        """How many lines contain `text`."""
        return sum(text in line for line in self._lines.copy())

    def wait_for_output(
        self, pattern: str | re.Pattern[str], timeout_s: float = START_TIMEOUT_S
    ) -> re.Match[str]:
        """Wait until it has printed something that matches."""

        def look() -> re.Match[str] | None:
            found = re.search(pattern, self.output)
            assert found or self.process.poll() is None, f"{self} ended before it printed {pattern!r}"
            return found

        return wait_until(look, f"{self} prints {pattern!r}", timeout_s)

    def wait_for_exit(self, timeout_s: float) -> int:
        """The exit code, once it has ended and its output is complete."""
        wait_until(lambda: self.process.poll() is not None, f"{self} ends", timeout_s)
        self._reader.join()
        assert self.process.returncode is not None
        return self.process.returncode

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def family(self) -> list[psutil.Process]:
        """It and all its descendants that live now."""
        try:
            me = psutil.Process(self.process.pid)
            return [me, *me.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def end(self) -> None:
        """End it as Ctrl-C would; by force, with all that it started, when that does not help."""
        if self.process.poll() is None:
            family = self.family()
            self.signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            for survivor in alive(family):
                survivor.kill()
            self.process.wait()
        self._reader.join()
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()

    def __repr__(self) -> str:
        return f"<{self.name}, which printed:\n{self.output or '(nothing)'}>"


def run_command(
    script: str,
    *flags: str,
    home: Path,
    before: Sequence[str] = (),
    typed: str = "",
    timeout_s: float = RUN_TIMEOUT_S,
) -> subprocess.CompletedProcess[str]:
    """One of the repository's commands, done. `before`: as Command has it; `typed`: its input. Raises
    subprocess.TimeoutExpired."""
    environment = {**_without_data(os.environ), "PYTHONPATH": str(ROOT), "FEDLOOM_HOME": str(home)}
    if can_be_prepared(script, {}, before):
        return run_prepared(Start(script, flags, home, environment, network_of(before)), typed, timeout_s)
    return subprocess.run(
        [*before, sys.executable, *_program(script), *flags],
        cwd=home,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def _program(script: str) -> list[str]:
    return ["-m", script.removeprefix("-m ")] if script.startswith("-m ") else [str(ROOT / script)]


def _new_process(
    script: str,
    flags: Sequence[str],
    home: Path,
    environment: Mapping[str, str],
    before: Sequence[str],
    *,
    in_terminal: bool,
) -> subprocess.Popen[str]:
    if in_terminal:
        before = (*before, sys.executable, "-c", IN_TERMINAL)
    return subprocess.Popen(
        [*before, sys.executable, "-u", *_program(script), *flags],
        cwd=home,
        env=environment,
        stdin=subprocess.PIPE if in_terminal else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


class ServerProcess(Command):
    """`run_server.py`, answering on `port` and, for clients, `link_port`."""

    def __init__(
        self,
        *flags: str,
        home: Path,
        port: int | None = None,
        link_port: int | None = None,
        script: str = "run_server.py",
        start_s: float = START_TIMEOUT_S,
        **options: Any,
    ) -> None:
        """`start_s`: how long it may take until it answers. `options`: of `Command`."""
        ports = ("--port", str(port or free_port()), "--link-port", str(link_port or free_port()))
        super().__init__(script, *ports, *flags, home=home, **options)
        try:
            ready = self.wait_for_output(READY, start_s)
        except BaseException:
            self.end()
            raise
        self.scheme, self.port, self.link_port = ready[1], int(ready[2]), int(ready[3])

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def link(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.link_port}"


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended."""
    return [process for process in processes if _is_alive(process)]


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until_gone(processes: list[psutil.Process], timeout_s: float = END_TIMEOUT_S) -> None:
    """Wait until all of these have ended."""
    wait_until(lambda: not alive(processes), f"these have ended: {processes}", timeout_s)


def app_family() -> list[psutil.Process]:
    """Of the one app that this process has started: its warden, its host, and all that this has started.

    Others that this process has started, such as servers that tests share, are not of it.
    """
    (warden,) = [child for child in psutil.Process().children() if "warden" in child.cmdline()]
    return [warden, *warden.children(recursive=True)]
