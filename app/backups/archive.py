"""What is in a backup: a tar archive of files with the digests of all, sealed as a whole."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from app.backups.sealed import BackupUnusable, SealedReader, SealedWriter
from shared.errors import FedLoomError
from shared.security.files import make_private_folder

DIGESTS = "SHA256SUMS.json"
"""The last member: by name, the SHA-256 of every file before it, of which one may have the same name."""

PIECE_BYTES = 1 << 20
MAX_DIGESTS_BYTES = 256 << 20


class BackupFailed(FedLoomError):
    """A backup could not be made. Nothing is left of it."""


class ArchiveWriter:
    """Adds files one after the other; `close` makes it whole."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        self._sealed = SealedWriter(file, passphrase)
        self._tar = tarfile.TarFile.open(fileobj=_Writes(self._sealed), mode="w|", format=tarfile.PAX_FORMAT)
        self._digests: dict[str, str] = {}
        self.bytes = 0

    @property
    def files(self) -> int:
        """How many there are so far."""
        return len(self._digests)

    def add(self, path: Path, name: str) -> None:
        """A file as it is now; one that is gone is left out. Raises OSError, and BackupFailed for a file that
        became shorter meanwhile."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return
        with file:
            member = tarfile.TarInfo(name)
            member.size = os.fstat(file.fileno()).st_size
            hashed = _Hashed(file)
            try:
                self._tar.addfile(member, hashed)
            except OSError as error:
                if hashed.size < member.size and error.errno is None:
                    raise BackupFailed(
                        f"{path} became shorter while it was copied, so the backup would not be whole. "
                        "Try again."
                    ) from error
                raise
        self._digests[name] = hashed.digest
        self.bytes += member.size

    def close(self) -> None:
        """Add the digests, and seal the end."""
        data = json.dumps(self._digests, sort_keys=True, indent=0).encode()
        member = tarfile.TarInfo(DIGESTS)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))
        self._tar.close()
        self._sealed.close()


def extract(sealed: SealedReader, folder: Path, name: str) -> int:
    """Write the files of an archive into a folder, and compare each with its digest. Returns how many there
    are. `name`: the backup, as messages call it.

    Raises BackupUnusable where it is not whole, and OSError where a file cannot be written.
    """
    written: dict[str, str] = {}
    digests: bytes | None = None
    last = ""
    try:
        with tarfile.open(fileobj=_Reads(sealed), mode="r|") as tar:
            for member in tar:
                content = tar.extractfile(member)
                if content is None or digests is not None:
                    raise BackupUnusable(f"{name} holds something that no backup holds: {member.name}.")
                last = member.name
                if last == DIGESTS and DIGESTS in written:  # the first one is a file of the server's folder
                    digests = content.read(MAX_DIGESTS_BYTES)
                else:
                    written[last] = _write(content, folder / _relative(last, name))
        while sealed.read(PIECE_BYTES):  # up to the end, which tells that nothing was cut off
            pass
        if digests is None and last == DIGESTS:
            digests = (folder / DIGESTS).read_bytes()
            (folder / DIGESTS).unlink()
            del written[DIGESTS]
        told: dict[str, str] = json.loads(digests or b"{}")
    except (tarfile.TarError, ValueError) as error:
        raise BackupUnusable(f"{name} cannot be read: {error}.") from error
    if digests is None or told != written:
        different = sorted({name for name, _ in told.items() ^ written.items()})
        raise BackupUnusable(f"{name} is not as it was made: {', '.join(different) or DIGESTS} differs.")
    return len(written)


def _write(content: IO[bytes], path: Path) -> str:
    """Write a file, and return the SHA-256 of what is in it then."""
    make_private_folder(path.parent)
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as file:
        for piece in iter(lambda: content.read(PIECE_BYTES), b""):
            file.write(piece)
        file.flush()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _relative(member: str, name: str) -> PurePosixPath:
    path = PurePosixPath(member)
    if path.is_absolute() or ".." in path.parts or "\\" in member or ":" in member.partition("/")[0]:
        raise BackupUnusable(f"{name} holds a file that would lie outside the folder: {member}.")
    return path


class _Hashed(io.RawIOBase):
    """A file that is hashed while it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        return self._sha256.hexdigest()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._sha256.update(data)
        self.size += len(data)
        return data


class _Writes(io.RawIOBase):
    """For tarfile, which wants a file."""

    def __init__(self, sealed: SealedWriter) -> None:
        self._sealed = sealed

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._sealed.write(data)


class _Reads(io.RawIOBase):
    """The same."""

    def __init__(self, sealed: SealedReader) -> None:
        self._sealed = sealed

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._sealed.read(size)
