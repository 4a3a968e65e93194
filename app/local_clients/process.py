"""LocalClient: the process of one client, with its warden."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared.address import Address
from shared.app_process.ending import reason_of
from shared.app_process.starting import start_program
from shared.app_process.watch import Watch
from shared.console import logs_json
from shared.flower_app import FlowerApp
from shared.variables import passed_on

RUN_CLIENT = Path(__file__).resolve().parents[2] / "run_client.py"
GONE_S = 5.0
"""How long it is waited for the warden after it was told to kill."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """What the local clients of one server have in common. `app` None: the built-in one."""

    home: Path
    data_dir: Path
    app: FlowerApp | None

    def command(self, client_id: str, dataset: str | None, server: Address) -> Sequence[str]:
        """What is started, without a shell."""
        what = (
            ("--app", str(self.app.folder.absolute()))
            if self.app is not None
            else ("--dataset", str(dataset), "--data-dir", str(self.data_dir.absolute()))
        )
        return (
            *(sys.executable, "-u", str(RUN_CLIENT), "--client-id", client_id),
            *("--server", str(server), *what),
            *(("--log-format", "json") if logs_json() else ()),
        )

    def environment(self) -> dict[str, str]:
        """The server's own, with its folder."""
        return {**passed_on(), "FEDLOOM_HOME": str(self.home.absolute())}


class LocalClient:
    """A client process of this server's. What it prints stands in the server's terminal; its log it sends to
    the server by itself, as every client does."""

    def __init__(self, client_id: str, dataset: str | None, place: Place, server: Address) -> None:
        """Start it. Raises ProgramNotStarted."""
        self.id = client_id
        self.dataset = dataset
        self._is_told_to_end = False
        program = start_program(place.command(client_id, dataset, server), env=place.environment())
        self._warden, self._control = program.warden, program.control
        self._watch = Watch(self._control, None, on_gone=self._gone, logs_output=False)

    @property
    def is_running(self) -> bool:
        """Whether anything of it is left."""
        return not self._watch.is_over

    @property
    def reason(self) -> str | None:
        """Why it has ended by itself, in words; None: it runs, or was told to end."""
        if self.is_running or self._is_told_to_end:
            return None
        return reason_of(self._watch.status, self._watch.last)

    def _gone(self) -> None:
        """In the watch's thread."""
        self._warden.wait()
        if not self._is_told_to_end:
            words = reason_of(self._watch.status, self._watch.last)
            log.warning("the local client %s has ended. %s", self.id, words)

    def ask_to_end(self) -> None:
        """As Ctrl-C would; does not wait for it."""
        self._is_told_to_end = True
        self._command("terminate")

    def close(self, grace_s: float) -> None:
        """Wait for so long until it has left, then end it with all that it has started."""
        if not self._watch.wait(grace_s):
            self._command("kill")
            if not self._watch.wait(GONE_S):
                self._warden.kill()  # which does not listen; the client ends with it
        self._control.close()

    def _command(self, command: str) -> None:
        with suppress(OSError):  # it is gone already
            self._control.sendall(f"{command}\n".encode())


def end_all(clients: Sequence[LocalClient], grace_s: float) -> None:
    """All at the same time."""
    for client in clients:
        client.ask_to_end()
    closing = [threading.Thread(target=client.close, args=(grace_s,)) for client in clients]
    for thread in closing:
        thread.start()
    for thread in closing:
        thread.join()
