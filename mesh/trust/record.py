"""What a node keeps of its trust, as it stands in a file: JSON, read once into typed objects."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from mesh.trust.folder import FolderUnusable
from shared.errors import FedLoomError
from shared.names import CLIENT_ID
from shared.security.files import NotOwn, read_own, write_whole
from shared.security.key_id import KeyId
from shared.security.keys import PublicKey

MAX_BYTES = 8 << 20
"""Of a file."""

Version = tuple[int, int]
"""Of a roster: the server's generation, and the sequence in it."""


@dataclass(frozen=True)
class Paired:
    """A node that people have paired with this one."""

    key: PublicKey
    name: str


@dataclass(frozen=True)
class Trust:
    """What people have decided here, and which rosters were taken."""

    paired: Mapping[KeyId, Paired] = field(default_factory=dict)
    blocked: Mapping[KeyId, str] = field(default_factory=dict)
    """With the name by which each was known; empty: it was not."""
    rosters: Mapping[KeyId, Version] = field(default_factory=dict)
    """The newest of each server that was ever taken; none older is."""
    federation: KeyId | None = None
    """The server whose roster counts now."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """What a file says; nobody is trusted without it. Raises FolderUnusable."""
        data = read(path, MAX_BYTES)
        if data is None:
            return cls()
        try:
            return cls._parse(json.loads(data))
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, FedLoomError) as error:
            raise FolderUnusable(
                f"{path}, which says whom this node trusts and whom it has blocked, cannot be read: {error}. "
                "Restore it from a copy. If there is none, move it away, and pair anew."
            ) from error

    def save(self, path: Path) -> None:
        """Write it whole, for its user's eyes only. Raises FolderUnusable."""
        fields = {
            "paired": [
                {"key": b64encode(each.key.der).decode(), "name": each.name} for each in self.paired.values()
            ],
            "blocked": {str(key): name for key, name in self.blocked.items()},
            "rosters": {str(key): version for key, version in self.rosters.items()},
            "federation": None if self.federation is None else str(self.federation),
        }
        write(path, json.dumps(fields, indent=1).encode())

    @classmethod
    def _parse(cls, fields: Any) -> Self:
        paired = [Paired(_key(each["key"]), _name(each["name"])) for each in fields["paired"]]
        federation = fields["federation"]
        return cls(
            {each.key.id: each for each in paired},
            {KeyId.parse(key): name and _name(name) for key, name in fields["blocked"].items()},
            {KeyId.parse(key): _version(version) for key, version in fields["rosters"].items()},
            None if federation is None else KeyId.parse(federation),
        )


def read(path: Path, limit: int) -> bytes | None:
    """A file of this user's alone; None: there is none. Raises FolderUnusable."""
    try:
        data = read_own(path, limit + 1)
    except FileNotFoundError:
        return None
    except NotOwn as error:
        raise FolderUnusable(
            f"{path} is not used: it {error}, who could have changed whom this node trusts. Look at what it "
            f"says. If it is right, make it this user's own (`chown`), and run `chmod 600 {path}`."
        ) from error
    except OSError as error:
        raise FolderUnusable(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(data) > limit:
        raise FolderUnusable(f"{path} has more than {limit:,} bytes, so that it is none of this node's.")
    return data


def write(path: Path, data: bytes) -> None:
    """Write a file whole. Raises FolderUnusable; then it is as it was."""
    try:
        write_whole(path, data)
    except OSError as error:
        raise FolderUnusable(
            f"{path} cannot be written ({error.strerror or error}), so that nothing was changed. Give this "
            "user the right to write there, or free some space."
        ) from error


def _key(text: str) -> PublicKey:
    key = PublicKey(b64decode(text, validate=True))
    key.require_usable()
    return key


def _name(text: str) -> str:
    if not CLIENT_ID.fullmatch(text):
        raise ValueError(f"{text!r} is no name of a node")
    return text


def _version(value: Any) -> Version:
    generation, sequence = value
    if type(generation) is not int or type(sequence) is not int:
        raise ValueError("the version of a roster is of two whole numbers")
    return generation, sequence
