"""The server that a client has joined, remembered in FedLoom's folder: the invitation is needed once only."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from shared.address import Address, parse_address
from shared.errors import FedLoomError
from shared.security.key_id import KeyId

SERVERS = "servers"


class MemoryUnusable(FedLoomError):
    """What was remembered of a server cannot be used."""


@dataclass(frozen=True)
class KnownServer:
    """Where it is, and its key. `following`: the one that will take its place, as the server has announced;
    `formerly`: those whose place it has taken. `token`: only that of an ephemeral client, which the server
    forgets."""

    address: Address
    key: KeyId
    following: KeyId | None = None
    formerly: tuple[KeyId, ...] = ()
    token: str = ""

    @property
    def pins(self) -> tuple[KeyId, ...]:
        """The keys by which it may be known now."""
        return (self.key,) if self.following is None else (self.key, self.following)

    def was_ever(self, key: KeyId) -> bool:
        """Whether it has, had or will have this key."""
        return key in (*self.pins, *self.formerly)

    def seen_as(self, key: KeyId) -> Self:
        """The server has answered with this key, which is one of its pins."""
        if key == self.key:
            return self
        return replace(self, key=key, following=None, formerly=(*self.formerly, self.key))

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """What a file says; None: there is none. Raises MemoryUnusable."""
        try:
            status = path.stat()
            fields = json.loads(path.read_text(encoding="utf-8"))
            following = fields["following"]
            known = cls(
                parse_address(fields["address"]),
                KeyId.parse(fields["key"]),
                None if following is None else KeyId.parse(following),
                tuple(KeyId.parse(key) for key in fields["formerly"]),
                str(fields["token"]),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError, AttributeError, FedLoomError) as error:
            raise MemoryUnusable(
                f"{path}, which says which server this client has joined, cannot be read. Move it away, and "
                "start the client with an invitation."
            ) from error
        if os.name == "posix" and (status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022):
            raise MemoryUnusable(f"{path} can be written by other users of this machine. Delete it.")
        return known

    def save(self, path: Path) -> None:
        """Write it whole, for its user's eyes only. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fields = {
            "address": str(self.address),
            "key": str(self.key),
            "following": None if self.following is None else str(self.following),
            "formerly": [str(key) for key in self.formerly],
            "token": self.token,
        }
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".server-")  # of mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(fields, file, indent=1)
        Path(name).replace(path)
