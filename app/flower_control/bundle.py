"""The Flower App Bundle that `flwr run` sends: a ZIP archive from outside, read in memory, never carried out.

All that is wanted of it is which app it is, so that it can be compared with the server's own.
"""

from __future__ import annotations

import tomllib
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from shared.app_folder import is_never_the_apps
from shared.errors import AppInvalid
from shared.flower_app import PROJECT_FILE, FlowerApp, digest_of, file_digest
from shared.flower_control import FAB_MAX_SIZE

MANIFEST = ".info/CONTENT"
"""Flower's own list of the files, which is no file of the app."""

MAX_FILES = 10_000

MAX_UNPACKED = 128 << 20
"""Bytes of all files together; Flower allows for 10 MiB as they are packed."""

MAX_PROJECT_FILE = 256 << 10
"""Bytes of pyproject.toml, which is read, where the others are only hashed."""

SHOWN_FILES = 5

_ENTRY = b"PK\x01\x02"
"""What each file's line in the archive's directory begins with."""

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RecursionError,  # of TOML that is nested too deep
    RuntimeError,
    TypeError,
    ValueError,
)
"""What Python's own readers raise for an archive, or TOML, that somebody has made up."""


@dataclass(frozen=True)
class Bundle:
    """Which app was sent."""

    name: str
    version: str
    files: dict[str, str]
    """SHA-256, in hex, of each file by its path, as FlowerApp has them."""

    @property
    def digest(self) -> str:
        """Equal to that of a FlowerApp with the same files."""
        return digest_of(self.files)


def read_bundle(content: bytes) -> Bundle:
    """Which app is in a bundle. Raises AppInvalid, in words, for anything that is none, or too large."""
    if len(content) > FAB_MAX_SIZE:
        raise AppInvalid(f"The app is larger than the {FAB_MAX_SIZE >> 20} MiB that Flower allows for.")
    if content.count(_ENTRY) > MAX_FILES:  # before the directory is read, which takes long if it is large
        raise AppInvalid(f"The app has more than {MAX_FILES:,} files.")
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = _checked(archive.infolist())
            name, version = _project(archive, entries)
            # one after the other: no more than one is in memory
            files = {
                path: file_digest(path, _unpacked(archive, entry))
                for path, entry in entries.items()
                if not is_never_the_apps(path)  # which the command bundles, where it lies in the app's folder
            }
    except _UNREADABLE as error:
        raise AppInvalid(f"What was sent is no Flower App Bundle that can be read: {error}.") from error
    return Bundle(name, version, files)


def difference(own: FlowerApp | None, sent: Bundle) -> str | None:
    """Why a server cannot run the app that was sent, in words; None if it is its own."""
    yours = f"{sent.name} {sent.version}"
    if own is None or own.name != sent.name or own.version != sent.version:
        ours = "its built-in app" if own is None else f"the Flower app {own.name} {own.version}"
        return (
            f"This server runs {ours}; yours is {yours}. It never runs code that it was sent, only the app "
            "that it was started with. Start the server, and its clients, with --app and the folder of "
            f"{yours}."
        )
    if own.digest == sent.digest:
        return None
    return (
        f"This server runs {yours} as well, but its files differ from yours: "
        f"{_differing(own.files, sent.files)}. It never runs code that it was sent. Give the server and its "
        "clients the same files, and start them again with --app: they read the app when they start."
    )


def _checked(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The files of an app by their paths, before any of them is unpacked. Raises AppInvalid."""
    checked: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise AppInvalid("The app is packed in a way that Flower does not use.")
        if entry.orig_filename != entry.filename or not _is_plain(entry.filename):
            raise AppInvalid(f"The app has a file with a name that no app has: {entry.orig_filename[:80]!r}.")
        if entry.filename in checked:
            raise AppInvalid(f"The app has two files named {entry.filename[:80]!r}.")
        checked[entry.filename] = entry
    checked.pop(MANIFEST, None)
    unpacked = sum(entry.file_size for entry in checked.values())
    if unpacked > MAX_UNPACKED:
        raise AppInvalid(f"The app's files are larger than {MAX_UNPACKED >> 20} MiB together.")
    return checked


def _is_plain(path: str) -> bool:
    """Whether it leads to a file in the app's own folder, on every system."""
    return not {"\\", ":"} & set(path) and not {"", ".", ".."} & set(path.split("/"))


def _project(archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> tuple[str, str]:
    """Name and version of the app. Raises AppInvalid, and what the readers raise."""
    entry = entries.get(PROJECT_FILE)
    if entry is None:
        raise AppInvalid(f"What was sent is no Flower app: there is no {PROJECT_FILE} in it.")
    if entry.file_size > MAX_PROJECT_FILE:
        raise AppInvalid(f"The app's {PROJECT_FILE} is larger than {MAX_PROJECT_FILE >> 10} KiB.")
    table: Any = tomllib.loads(_unpacked(archive, entry).decode()).get("project")
    project = table if isinstance(table, dict) else {}
    name, version = project.get("name"), project.get("version")
    if not isinstance(name, str) or not isinstance(version, str):
        raise AppInvalid(f"The app's {PROJECT_FILE} has no name and version under [project].")
    return name[:200], version[:200]


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """A file's bytes: never more than its entry says, which `ZipFile.read` unpacks before it looks."""
    with archive.open(entry) as file:
        return file.read(entry.file_size)


def _differing(ours: dict[str, str], theirs: dict[str, str]) -> str:
    """Some of the files that are not the same, and how."""
    differing = [
        f"{path[:80]} ({'changed' if path in ours and path in theirs else _where(path in ours)})"
        for path in sorted({*ours, *theirs})
        if ours.get(path) != theirs.get(path)
    ]
    more = f" and {len(differing) - SHOWN_FILES} more" if len(differing) > SHOWN_FILES else ""
    return ", ".join(differing[:SHOWN_FILES]) + more


def _where(is_ours: bool) -> str:
    return "only at the server" if is_ours else "only with you"
