"""What people see of shared folders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FileCondition(StrEnum):
    """How it stands with a file that is not as it should be."""

    COMING = "coming"
    """chunks arrive"""
    WAITING = "waiting"
    """nobody who has it can be reached, or another file comes first"""
    BLOCKED = "blocked"
    """it cannot come as things are"""
    NOT_SHARED = "not_shared"
    """it lies here, and others do not get it"""
    CHANGED_HERE = "changed_here"
    """the folder only receives, and the file was changed or deleted here"""


@dataclass(frozen=True)
class FileState:
    """A file that is not in sync."""

    name: str
    condition: FileCondition
    chunks: int = 0
    """That are here, of a file that comes."""
    of_chunks: int = 0
    why: str = ""
    """The end of a sentence, for people."""


@dataclass(frozen=True)
class RefusedCount:
    """How much of what came was not taken."""

    why: str
    count: int
    sender: str = ""
    """Whose it was, as people call them; empty: what a file holds was refused, whoever gave it."""


@dataclass(frozen=True)
class FolderView:
    """A shared folder, as this node sees it."""

    id: str
    path: str
    receive_only: bool
    in_sync: int
    """Files that are as the newest of what all say."""
    files: int
    """All that are to be here."""
    conflicts: tuple[str, ...]
    """Copies beside a file that was changed in two places at once; people merge them and delete the copy."""
    not_in_sync: tuple[FileState, ...]
    """At most the first MAX_SHOWN."""
    problem: str = ""
    """What keeps all of the folder from being shared; empty: nothing."""
    scans_only: str = ""
    """Why changes are seen by scans alone; empty: they are seen at once."""
    refused: tuple[RefusedCount, ...] = ()
    """How much of what came was not taken, by reason and sender."""
    bytes: int = 0
    """Of the files that are here."""
    peers: int = 0
    """With whom it is shared."""
    alike: int = 0
    """Of these, how many have said to have what is to be here."""

    @property
    def is_in_sync(self) -> bool:
        """Whether all is here that is known of."""
        return not self.problem and self.in_sync == self.files


MAX_SHOWN = 1_000
