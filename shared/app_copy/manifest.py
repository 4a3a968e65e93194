"""Manifest: what FedLoom has put into a copy of an app; the rest the app wrote."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from shared.app_folder import COPY_MARK


@dataclass(frozen=True)
class Manifest:
    """Paths are those in the copy, with slashes."""

    files: dict[str, str] = field(default_factory=dict)
    """SHA-256, in hex, of each file's content."""
    links: dict[str, str] = field(default_factory=dict)
    """Where each link leads."""
    pid: int = 0
    """The process that has the copy."""

    @classmethod
    def read(cls, copy: Path) -> Self:
        """The one in a copy; an empty one where there is none that can be read."""
        try:
            known = json.loads((copy / COPY_MARK).read_text(encoding="ascii"))
            return cls(files=dict(known["files"]), links=dict(known["links"]), pid=int(known["pid"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    def write(self, copy: Path) -> None:
        """Raises OSError."""
        text = json.dumps({"pid": self.pid, "files": self.files, "links": self.links}, indent=1)
        partial = copy / f"{COPY_MARK}.{os.getpid()}"
        try:
            partial.write_text(text, encoding="ascii")
            partial.replace(copy / COPY_MARK)
        finally:
            partial.unlink(missing_ok=True)

    def and_of(self, other: Self) -> Self:
        """This one, with what only the other has."""
        return type(self)({**other.files, **self.files}, {**other.links, **self.links}, self.pid)

    def has_file(self, copy: Path, path: str) -> bool:
        """Whether a file of the manifest is in the copy as it was put there."""
        file = copy / path
        return (
            path in self.files
            and not file.is_symlink()
            and file.is_file()
            and sha256_of(file.read_bytes()) == self.files[path]
        )

    def has_link(self, copy: Path, path: str) -> bool:
        """Whether a link of the manifest is in the copy as it was put there."""
        link = copy / path
        return path in self.links and link.is_symlink() and str(link.readlink()) == self.links[path]


def sha256_of(content: bytes) -> str:
    """In hex."""
    return hashlib.sha256(content).hexdigest()
