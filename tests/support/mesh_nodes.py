"""Nodes of the mesh as real processes, each with a folder of its own, and the commands of their users."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from tests.support.processes import Command, run_command
from tests.support.waiting import wait_until

READY = re.compile(r"is a node of the mesh at (\S+?), key ([A-Z2-7-]{9})…")
COMMAND_TIMEOUT_S = 60.0


class MeshNode(Command):
    """`python -m mesh node` by this name, on loopback."""

    def __init__(
        self,
        name: str,
        home: Path,
        *flags: str,
        host: str = "127.0.0.1",
        script: str = "-m mesh",
        **options: Any,
    ) -> None:
        """`script`: what takes the place of `python -m mesh`. `options`: of `Command`."""
        home.mkdir(exist_ok=True)
        self.called = name
        self._before = tuple(options.get("before", ()))
        port = () if "--mesh-port" in flags else ("--mesh-port", "0")
        super().__init__(
            script, "node", "--name", name, "--mesh-host", host, *port, *flags, home=home, **options
        )
        try:
            ready = self.wait_for_output(READY)
        except BaseException:
            self.end()
            raise
        self.address, self.short = ready[1], ready[2]

    @property
    def port(self) -> str:
        """Where it listens."""
        return self.address.rpartition(":")[2]

    def ask(self, *arguments: str) -> str:
        """What one of its user's commands prints, which must succeed."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}\n{self}"
        return done.stdout

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of its user's commands, done."""
        return run_command(
            "-m mesh", *arguments, home=self.home, before=self._before, timeout_s=COMMAND_TIMEOUT_S
        )

    def start_command(self, *arguments: str) -> Command:
        """One of its user's commands, which may take its time."""
        return Command("-m mesh", *arguments, home=self.home)

    def invite(self, *flags: str) -> str:
        """An invitation, for which nobody waits at a terminal."""
        return self.ask("invite", "--no-qr", "--no-wait", *flags).splitlines()[0]

    def pair_with(self, other: MeshNode) -> str:
        """Have both paired; the code that they show."""
        shown = other.ask("join", self.invite())
        code = _code(shown)
        self.wait_for_output(rf"paired with {other.called}, .*{code}")
        return code

    def peers(self) -> dict[str, str]:
        """The first words on each peer, by its name: its state."""
        lines = [line.split() for line in self.ask("peers").splitlines() if "  " in line]
        return {words[0]: words[2] for words in lines}

    def wait_for_peers(self, **states: str) -> None:
        """Wait until it has exactly these peers, in these states."""
        wait_until(lambda: self.peers() == states, f"{self.called} sees {states}: {self.peers()}", 60.0)

    @property
    def key(self) -> str:
        """The whole id of its key."""
        found = re.search(r"key +(\S+)", self.ask("status"))
        assert found
        return found[1]


def _code(shown: str) -> str:
    found = re.search(r"Check code: ([A-Z2-7]{4}-[A-Z2-7]{4})", shown)
    assert found, f"no check code in {shown!r}"
    return found[1]
