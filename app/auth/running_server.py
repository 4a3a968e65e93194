"""RunningServer: the word that a server leaves in its folder, by which commands of the same user reach it.

Who may read the file may open the page as an administrator. It holds while the server runs: whoever uses it
makes sure first that a server has the store of that folder open.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.auth.page_key import write_privately

FILE = "page"


@dataclass(frozen=True)
class RunningServer:
    """Where the page of a server is for its own machine, and the key that opens it."""

    url: str
    key: str

    def leave_word(self, home: Path) -> None:
        """For commands of the same user. Raises OSError."""
        write_privately(home / FILE, json.dumps({"url": self.url, "key": self.key}) + "\n")

    @classmethod
    def find(cls, home: Path) -> RunningServer | None:
        """The word that a server has left in its folder; None: there is none."""
        try:
            word = json.loads((home / FILE).read_text(encoding="utf-8"))
            return cls(str(word["url"]), str(word["key"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @staticmethod
    def withdraw(home: Path) -> None:
        """The server that left it runs no more."""
        with suppress(OSError):
            (home / FILE).unlink()
