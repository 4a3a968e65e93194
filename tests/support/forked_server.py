"""A server forked from a process that has PyTorch imported: it starts in a moment, and dies as told."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

from app.demo.fleet import PRELOAD
from app.settings import ServerSettings
from shared.errors import FedLoomError
from shared.security.invitation import Invitation
from shared.security.server_identity import local_invitation
from tests.support.ports import free_port

LIMIT_S = 40.0


@dataclass(frozen=True)
class Death:
    """Where a server kills itself, as `kill -9` would: when a function is called for the so manieth time.

    `place`: "app.store.tensors:save_file", as the module that calls the function knows it; a method is named
    with its class. `after`: when the function has done its work, and not before.
    """

    place: str
    call: int = 1
    after: bool = False

    def arm(self) -> None:
        """Called in the process that is to die."""
        module, _, path = self.place.partition(":")
        *outer, name = path.split(".")
        owner: Any = importlib.import_module(module)
        for part in outer:
            owner = getattr(owner, part)
        function: Callable[..., Any] = getattr(owner, name)
        calls = 0

        def deadly(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == self.call and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*args, **kwargs)
            if calls == self.call:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, deadly)


class Armed(Protocol):
    """What is changed in a process before it begins."""

    def arm(self) -> None:
        """Called in that process."""


class ServerRefused(Exception):
    """The server did not start, for a reason that it tells."""


class ForkedServer:
    """A server that can be started again and again; it keeps its home and its ports."""

    def __init__(self, home: Path, **settings: Any) -> None:
        """`settings`: fields of ServerSettings."""
        self.home = home
        self._settings = ServerSettings(
            **{"port": free_port(), "link_port": free_port(), "drain_s": 0, "home": home, **settings}
        )
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOAD)
        self._process: BaseProcess | None = None

    @property
    def invitation(self) -> Invitation:
        """To it, as it leaves one for this machine's clients."""
        invitation = local_invitation(self.home)
        assert invitation is not None
        return invitation

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._settings.port}"

    @property
    def link(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self._settings.link_port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def start(self, death: Armed | None = None, **changes: Any) -> None:
        """Start it and wait until it answers, or is dead already. Raises ServerRefused.

        `changes`: settings that are others from now on.
        """
        assert not self.is_running
        self._settings = replace(self._settings, **changes)
        receiver, sender = self._context.Pipe(duplex=False)
        self._process = self._context.Process(
            target=_serve, args=(self._settings, sender, death), name="server", daemon=True
        )
        self._process.start()
        sender.close()
        assert receiver.poll(LIMIT_S), "the server does not start"
        try:
            answer = receiver.recv()
        except EOFError:
            assert death is not None, "the server ended without a word"
            return
        if isinstance(answer, str):
            self._process.join()
            raise ServerRefused(answer)
        port, link_port = answer
        self._settings = replace(self._settings, port=port, link_port=link_port)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.is_running
        assert self._process is not None
        self._process.kill()
        self._process.join()

    def wait_until_dead(self) -> None:
        """Wait until it has come to where it kills itself."""
        assert self._process is not None
        self._process.join(LIMIT_S)
        assert not self.is_running, "the server has not come to where it should have died"
        assert self._process.exitcode == -signal.SIGKILL

    def end(self) -> None:
        """End it in order, as SIGTERM does."""
        if self._process is not None and self._process.is_alive():
            self._process.terminate()
            self._process.join()


def _serve(settings: ServerSettings, ready: Connection, death: Armed | None) -> None:
    from app.server import serve

    if death is not None:
        death.arm()
    try:
        serve(settings, on_ready=lambda port, link_port: ready.send((port, link_port)))
    except FedLoomError as error:
        ready.send(str(error))
        sys.exit(1)
