"""The server that runs now, as the other commands of its user find it: by a file in its folder.

While a server runs, it alone decides: what it knows is in its memory, and its store is locked. So a command
asks it over REST, and writes into the store itself only when no server runs.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from shared.errors import FedLoomError

FILE = "server"
TIMEOUT_S = 30.0
"""For an answer. A store that is busy may take five seconds."""

Json = dict[str, Any]


class ServerRefused(FedLoomError):
    """The server that runs did not do what it was asked for; the message is its own."""


@dataclass(frozen=True)
class RunningServer:
    """Where a server answers, and which start of it that is."""

    url: str
    instance: str

    def leave(self, home: Path) -> None:
        """Write this into the server's folder, for its user's eyes only. Raises OSError."""
        descriptor, name = tempfile.mkstemp(dir=home, prefix=".server-")  # of mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"url": self.url, "instance": self.instance}, file)
        Path(name).replace(home / FILE)

    def remove(self, home: Path) -> None:
        """The server ends. Another one's file stays."""
        if _read(home / FILE) == self:
            with suppress(OSError):
                (home / FILE).unlink()

    def get(self, path: str) -> Json:
        """The answer to a GET. Raises ServerRefused."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Json | None = None) -> Json:
        """The answer to a POST. Raises ServerRefused."""
        return self._ask("POST", path, body or {})

    def _ask(self, method: str, path: str, body: Json | None) -> Json:
        try:
            with httpx.Client(base_url=self.url, timeout=TIMEOUT_S, trust_env=False) as http:
                response = http.request(method, path, json=body)
                answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ServerRefused(f"The server at {self.url} did not answer as it should: {error}.") from error
        if response.is_success and isinstance(answer, dict):
            return answer
        words = answer.get("detail") if isinstance(answer, dict) else None
        raise ServerRefused(str(words or f"The server at {self.url} answered {response.status_code}."))


def find(home: Path) -> RunningServer | None:
    """The server whose folder this is, if it runs.

    A file that was left by one that was killed is passed over. Raises ServerRefused for one that others could
    have put there.
    """
    left = _read(home / FILE)
    if left is None:
        return None
    try:
        with httpx.Client(base_url=left.url, timeout=TIMEOUT_S, trust_env=False) as http:
            status = http.get("/api/v1/status").json()
    except (httpx.HTTPError, ValueError):
        return None
    return left if isinstance(status, dict) and status.get("instance") == left.instance else None


def _read(path: Path) -> RunningServer | None:
    try:
        status = path.stat()
        fields = json.loads(path.read_text(encoding="utf-8"))
        left = RunningServer(str(fields["url"]), str(fields["instance"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None
    if os.name == "posix" and (status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022):
        raise ServerRefused(f"{path} can be written by other users of this machine. Delete it.")
    return left
