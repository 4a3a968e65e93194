"""Which folders a node shares, and with whom: a file of JSON in FedLoom's home."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from shared.errors import SettingsInvalid
from shared.security.files import write_whole
from shared.security.key_id import KeyId, KeyIdInvalid

FOLDER_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
SETTINGS_FILE = "folders.json"
DEFAULT_KEEP = 5
DEFAULT_KEEP_DAYS = 30


@dataclass(frozen=True)
class FolderSettings:
    """A folder that is shared, as this node has it."""

    id: str
    """The same on all nodes that share it."""
    path: Path
    """Absolute."""
    members: frozenset[KeyId] | None = None
    """Who shares it, beside this node; None: all members of the mesh. Nobody else gets anything."""
    receive_only: bool = False
    """What is changed here stays here."""
    keep: int = DEFAULT_KEEP
    """Old versions of a file that are kept."""
    keep_days: int = DEFAULT_KEEP_DAYS
    """For how long."""

    def __post_init__(self) -> None:
        if not FOLDER_ID.fullmatch(self.id):
            raise SettingsInvalid(
                f"{self.id!r} cannot be a folder's id: it has 1 to 48 small letters, digits and hyphens, and "
                "begins with a letter or digit."
            )
        if not self.path.is_absolute():
            raise SettingsInvalid(f"The path of a shared folder is absolute, and {self.path} is not.")
        if self.keep < 0 or self.keep_days < 0:
            raise SettingsInvalid("The number of old versions, and of days to keep them, is 0 or more.")

    def to_json(self) -> dict[str, Any]:
        """For the file."""
        members = None if self.members is None else sorted(map(str, self.members))
        return {
            "id": self.id,
            "path": str(self.path),
            "members": members,
            "receive_only": self.receive_only,
            "keep": self.keep,
            "keep_days": self.keep_days,
        }

    @classmethod
    def from_json(cls, told: Any) -> Self:
        """The inverse of `to_json`. Raises SettingsInvalid, KeyIdInvalid, TypeError or KeyError."""
        members = told["members"]
        if (
            type(told["receive_only"]) is not bool
            or type(told["keep"]) is not int
            or type(told["keep_days"]) is not int
        ):
            raise TypeError("a field has a value of another kind")
        return cls(
            told["id"],
            Path(told["path"]),
            None if members is None else frozenset(map(KeyId.parse, members)),
            told["receive_only"],
            told["keep"],
            told["keep_days"],
        )


def load_folders(home: Path) -> list[FolderSettings]:
    """Those of a node, whose folder in FedLoom's home this is. Raises SettingsInvalid."""
    path = home / SETTINGS_FILE
    try:
        told = json.loads(path.read_text())
        if not isinstance(told, list):
            raise TypeError("it is no list")
        return [FolderSettings.from_json(item) for item in told]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, KeyIdInvalid) as error:
        raise SettingsInvalid(
            f"The list of shared folders {path} cannot be read: {error}. Mend it, or remove it and add the "
            "folders again."
        ) from error


def add_folder(home: Path, folder: FolderSettings) -> None:
    """Share one more, or one with this id in another way. Raises SettingsInvalid where folders would lie in
    one another, and OSError."""
    others = [other for other in load_folders(home) if other.id != folder.id]
    require_beside(folder, others)
    _save(home, [*others, folder])


def require_beside(folder: FolderSettings, others: Iterable[FolderSettings]) -> None:
    """Raise SettingsInvalid if a folder and one of the others would lie in one another, or have one id."""
    for other in others:
        if folder.id == other.id:
            raise SettingsInvalid(
                f"{other.path} is shared as {other.id} already. `python -m mesh sync remove {other.id}` ends "
                "that."
            )
        if folder.path.is_relative_to(other.path) or other.path.is_relative_to(folder.path):
            raise SettingsInvalid(
                f"{folder.path} and {other.path}, which is shared as {other.id}, lie in one another. Share "
                "folders that lie side by side."
            )


def remove_folder(home: Path, folder_id: str) -> None:
    """Share it no more; its files stay. Raises SettingsInvalid if it is not shared, and OSError."""
    folders = load_folders(home)
    left = [folder for folder in folders if folder.id != folder_id]
    if len(left) == len(folders):
        raise SettingsInvalid(
            f"No folder is shared here as {folder_id}. `python -m mesh sync list` names those that are."
        )
    _save(home, left)


def _save(home: Path, folders: list[FolderSettings]) -> None:
    text = json.dumps([folder.to_json() for folder in folders], indent=2)
    write_whole(home / SETTINGS_FILE, text.encode() + b"\n")
