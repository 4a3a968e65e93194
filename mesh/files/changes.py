"""What a scan has found, as entries of the index."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.files.entry import Entry
from mesh.files.index import Index, Local
from mesh.files.manifest import MAX_FILE_BYTES
from mesh.files.scan import Read, Scan
from mesh.files.version import Version, VersionUsedUp
from mesh.files.walk import NotShared

_MAX_TIME = (1 << 63) - 1


def take_in(found: Scan, index: Index, now_ns: int, *, receive_only: bool) -> list[NotShared]:
    """Have the index say what was found; returns what is not shared. Raises IndexUnusable."""
    not_shared = list(found.not_shared)
    locals_: list[Local] = []
    for local in _locals(found, index, now_ns, receive_only):
        if isinstance(local, NotShared):
            not_shared.append(local)
        else:
            locals_.append(local)
    index.put(*locals_)
    index.forget(*found.ignored, *(name for name in found.gone if _is_untold(index, name)))
    return not_shared


def _locals(found: Scan, index: Index, now_ns: int, receive_only: bool) -> Iterator[Local | NotShared]:
    for read in found.read:
        try:
            yield _as_read(read, index, receive_only)
        except VersionUsedUp as error:
            yield NotShared(read.found.name, str(error))
    for name in found.gone:
        if _is_untold(index, name):
            continue
        try:
            yield _as_gone(name, index, now_ns, receive_only)
        except VersionUsedUp as error:
            yield NotShared(name, str(error))


def _as_read(read: Read, index: Index, receive_only: bool) -> Local | NotShared:
    name, known = read.found.name, index.files.get(read.found.name)
    before = known.entry if known is not None and not known.entry.version.is_untold else None
    if before is not None and (before.content, before.executable) == (read.content, read.found.executable):
        return Local(before, read.seen)
    if receive_only and before is not None:
        return Local(before, read.seen, is_own_affair=True)
    if read.content.size > MAX_FILE_BYTES:
        return NotShared(name, f"it has more than {MAX_FILE_BYTES >> 40} TiB")
    version = before.version if before is not None else Version()
    version = version if receive_only else version.changed(index.writer, index.next_count())
    modified_ns = min(max(read.found.stat.modified_ns, -_MAX_TIME), _MAX_TIME)
    entry = Entry(name, version, index.writer, modified_ns, read.content, read.found.executable)
    return Local(entry, read.seen, is_own_affair=receive_only)


def _is_untold(index: Index, name: str) -> bool:
    return name in index.files and index.files[name].entry.version.is_untold


def _as_gone(name: str, index: Index, now_ns: int, receive_only: bool) -> Local:
    if receive_only:
        return Local(index.files[name].entry, is_own_affair=True)
    return Local(tombstone(name, index, now_ns))


def tombstone(name: str, index: Index, now_ns: int) -> Entry:
    """That a file is deleted here. Raises VersionUsedUp."""
    version = index.files[name].entry.version.changed(index.writer, index.next_count())
    return Entry(name, version, index.writer, now_ns, None)
