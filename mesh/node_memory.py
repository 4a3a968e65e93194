"""NodeMemory: what a node keeps over its restarts, so that nobody can play it what it has taken before.

In the node's folder: `epoch`, the number of its last start; `seen`, for each sender the newest that was
taken, one record after the other; `lock`, held while a process uses the folder.
"""

from __future__ import annotations

import errno
import logging
import os
import struct
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from filelock import FileLock, Timeout

from mesh.protocol.replay import Seen
from shared.errors import FedLoomError
from shared.security.files import make_private_folder, write_whole
from shared.security.key_id import ID_BYTES, KeyId

EPOCH = "epoch"
SEEN = "seen"
LOCK = "lock"
MAX_SEEN_BYTES = 1 << 20
_RECORD = struct.Struct(f"!{ID_BYTES}sQQ")
_CHECK = struct.Struct("!I")
_RECORD_BYTES = _RECORD.size + _CHECK.size

log = logging.getLogger(__name__)


class MemoryUnusable(FedLoomError):
    """The folder of a node cannot be used."""


class NodeMemory:
    """Of one node, whose process alone has it open: `with NodeMemory(folder) as memory`."""

    def __init__(self, folder: Path) -> None:
        """Raises MemoryUnusable."""
        self._folder = folder
        try:
            make_private_folder(folder)
            self._lock = FileLock(folder / LOCK)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise MemoryUnusable(
                f"Another process runs the node of {folder}. End that one, or start this one under another "
                "id."
            ) from error
        except OSError as error:
            raise MemoryUnusable(f"The node's folder {folder} cannot be used: {error}.") from error
        try:
            self.epoch = self._next_epoch()
            self._seen = self._read_seen()
            self._is_lost = False
            self._file = self._write_anew()
        except OSError as error:
            self._lock.release()
            raise MemoryUnusable(f"What the node keeps in {folder} cannot be used: {error}.") from error
        except MemoryUnusable:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    @property
    def seen(self) -> Mapping[KeyId, Seen]:
        """The newest that was taken of each sender."""
        return dict(self._seen)

    def remember(self, sender: KeyId, seen: Seen) -> None:
        """This was taken. It is with the system when this returns, and survives the end of the process."""
        known = self._seen.get(sender, seen)
        self._seen[sender] = max(known, seen, key=_age)
        try:
            if self._is_lost or self._file.tell() > MAX_SEEN_BYTES:
                self._file.close()
                self._file = self._write_anew()
            elif self._file.write(_record(sender, seen)) != _RECORD_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            if not self._is_lost:
                log.warning(
                    "what came last cannot be kept in %s: until there is room, whoever recorded it could "
                    "play it to the next start of this node (%s)",
                    self._folder,
                    error,
                )
            self._is_lost = True
        else:
            self._is_lost = False

    def release(self) -> None:
        """Let another process have the folder."""
        self._file.close()
        self._lock.release()

    def _next_epoch(self) -> int:
        """Above those of all starts before. That it is no less than the time helps who has lost the file:
        others take nothing of an older epoch. A clock that is wrong does no harm."""
        path = self._folder / EPOCH
        last = 0
        if path.exists():
            text = path.read_text(encoding="ascii", errors="replace").strip()
            if not text.isdecimal() or len(text) > 18:
                raise MemoryUnusable(
                    f"{path} holds no number. Delete it, and set this machine's clock: the node goes on from "
                    "the time."
                )
            last = int(text)
        epoch = max(last + 1, int(time.time()))
        write_whole(path, f"{epoch}\n".encode())
        return epoch

    def _read_seen(self) -> dict[KeyId, Seen]:
        path = self._folder / SEEN
        data = path.read_bytes() if path.exists() else b""
        found: dict[KeyId, Seen] = {}
        for start in range(0, len(data) - _RECORD_BYTES + 1, _RECORD_BYTES):
            record, check = (
                data[start : start + _RECORD.size],
                data[start + _RECORD.size : start + _RECORD_BYTES],
            )
            if _CHECK.pack(zlib.crc32(record)) != check:
                break  # the machine went down while it was written
            sender, epoch, sequence = _RECORD.unpack(record)
            key, seen = KeyId(sender), Seen(epoch, sequence)
            found[key] = max(found.get(key, seen), seen, key=_age)
        return found

    def _write_anew(self) -> BinaryIO:
        """Keep one record for each sender; returns the file, open for more."""
        path = self._folder / SEEN
        write_whole(path, b"".join(_record(sender, seen) for sender, seen in self._seen.items()))
        return path.open("ab", buffering=0)


def _age(seen: Seen) -> tuple[int, int]:
    return seen.epoch, seen.sequence


def _record(sender: KeyId, seen: Seen) -> bytes:
    record = _RECORD.pack(sender.digest, seen.epoch, seen.sequence)
    return record + _CHECK.pack(zlib.crc32(record))
