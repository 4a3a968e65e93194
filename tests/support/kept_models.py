"""Clients that keep the server's models in folders of their own, and go on from those after a restart."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from client.offline.shared_models import SUFFIX
from client.offline.signed_model import SignedModel
from shared.security.key_id import KeyId
from tests.support.forked_server import ForkedServer
from tests.support.ports import free_port
from tests.support.processes import Command, run_command


class KeepingClients:
    """Each with a folder for models, and a port that stays the same: by that they find each other without the
    server."""

    def __init__(self, server: ForkedServer, ending: ExitStack, sites: Path | None = None) -> None:
        """`sites`: where each has a FEDLOOM_HOME of its own; None: all have the server's."""
        self._server, self._ending, self._sites = server, ending, sites
        self._ports: dict[str, int] = {}
        self.commands: dict[str, Command] = {}

    def home(self, name: str) -> Path:
        return self._server.home if self._sites is None else self._sites / name

    def folder(self, name: str) -> Path:
        return self.home(name) / "models" / name

    def start(self, *names: str, after_s: float) -> None:
        """Start these. `after_s`: how long the server has to be away."""
        for name in names:
            self.home(name).mkdir(parents=True, exist_ok=True)
            server = ("--server", self._server.link)
            if self._sites is not None:
                server = ("--invite", str(self._server.invitation))
            self.commands[name] = command = Command(
                "run_client.py",
                *("--client-id", name, *server, "--threads", "1", "--enable-mesh"),
                *("--mesh-after", f"{after_s:g}", "--mesh-dir", str(self.folder(name))),
                *("--mesh-port", str(self._ports.setdefault(name, free_port()))),
                home=self.home(name),
            )
            self._ending.callback(command.end)

    def kill(self, *names: str) -> None:
        for name in names:
            self.commands[name].process.kill()
            self.commands[name].end()

    def rounds(self, name: str, server: KeyId) -> set[int]:
        """After which rounds the models are that lie in a client's folder, verified."""
        found = set()
        for path in self.folder(name).glob(f"*{SUFFIX}"):
            try:
                found.add(SignedModel.parse(path.read_bytes(), [server]).base.round)
            except FileNotFoundError:
                continue  # it was replaced meanwhile
        return found

    def sync_status(self, name: str) -> str:
        """What its user is told."""
        done = run_command("-m mesh", "sync", "--name", name, "status", home=self.home(name))
        return done.stdout + done.stderr
