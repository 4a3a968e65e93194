"""A real Redis of the test's own, on loopback, which keeps nothing on the disk."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import redis

from tests.support.tools import require
from tests.support.waiting import wait_until


class RedisServer:
    """One Redis, which can be stopped and started again at the same port."""

    def __init__(self) -> None:
        self._program = require("redis-server", why="dashboards follow a federation by a real Redis")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns once it answers."""
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        wait_until(self._answers, "Redis answers")

    def kill(self) -> None:
        """SIGKILL: all that it had is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError), redis.Redis(port=self.port) as client:
            return bool(client.ping())
        return False


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A Redis that runs. Skips the test where there is none."""
    server = RedisServer()
    server.start()
    try:
        yield server
    finally:
        server.kill()
