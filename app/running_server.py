"""The server that runs now, as the other commands of its user find it: by a file in its folder.

While a server runs, it alone decides: what it knows is in its memory, and its store is locked. So a command
asks it over REST, and writes into the store itself only when no server runs. Who may read the file may do
all that an administrator may: so the key in it goes to no address whose server may have ended. The server
holds a lock as long as it runs, which ends with its process.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from filelock import FileLock, Timeout

from shared.errors import FedLoomError
from shared.security.files import NotOwn, read_own, write_whole

FILE = "server"
LOCK = "server.lock"
MAX_BYTES = 4096
TIMEOUT_S = 30.0
"""For an answer. A store that is busy may take five seconds."""

Json = dict[str, Any]

log = logging.getLogger(__name__)


class ServerRefused(FedLoomError):
    """The server that runs did not do what it was asked for, or could not be asked."""


@dataclass(frozen=True)
class RunningServer:
    """Where a server answers its own machine, and the key that opens its page."""

    url: str
    key: str

    @classmethod
    def find(cls, home: Path) -> Self | None:
        """The server whose folder this is, if it runs.

        Raises ServerRefused for a file that others could have put there, or read.
        """
        if not (home / FILE).exists() or not _is_held(home / LOCK):
            return None
        try:
            fields = json.loads(read_own(home / FILE, MAX_BYTES))
            return cls(str(fields["url"]), str(fields["key"]))
        except NotOwn as error:
            raise ServerRefused(f"{home / FILE} is not used: it {error}. Delete it.") from error
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def get(self, path: str) -> Json:
        """The answer to a GET. Raises ServerRefused."""
        return self.ask("GET", path)

    def post(self, path: str, body: Json | None = None) -> Json:
        """The answer to a POST. Raises ServerRefused."""
        return self.ask("POST", path, body or {})

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """The answer, empty where there is none. Raises ServerRefused."""
        try:
            with self._client() as client:
                response = client.request(method, path, json=body)
                answer = response.json() if response.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise ServerRefused(f"The server at {self.url} did not answer as it should: {error}.") from error
        if response.is_success and isinstance(answer, dict):
            return answer
        words = answer.get("detail") if isinstance(answer, dict) else None
        raise ServerRefused(str(words or f"The server at {self.url} answered {response.status_code}."))

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=TIMEOUT_S,
            trust_env=False,  # a proxy for the web is not meant for this machine's own server
            verify=False,  # no other user of this machine has the port while this server listens on it
        )


class Word:
    """What a running server leaves in its folder for the commands of its user."""

    def __init__(self, home: Path) -> None:
        self._file = home / FILE
        self._lock = FileLock(home / LOCK)

    def leave(self, server: RunningServer) -> None:
        """Until `withdraw`, or the end of the process. Raises OSError."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            log.warning(
                "another server runs in %s: commands of this user's, such as `python -m app.invite`, go to "
                "that one",
                self._file.parent,
            )
            return
        write_whole(self._file, json.dumps(asdict(server)).encode())

    def withdraw(self) -> None:
        """The server ends."""
        if self._lock.is_locked:
            with suppress(OSError):
                self._file.unlink()
            self._lock.release()


def _is_held(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
