"""Manifest: what one node has of a folder, signed by it, as it travels."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mesh.files.entry import Entry
from mesh.files.names import NameRefused, require_safe
from mesh.files.version import MAX_COUNTER, Version
from mesh.node import Content
from shared.canonical import NotCanonical, canonical, from_canonical
from shared.errors import FedLoomError
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyPair, PublicKey
from shared.security.merkle import EMPTY_ROOT, HASH_BYTES
from shared.security.statement import Purpose, statement

MAX_MANIFEST_BYTES = 64 << 20
MAX_ENTRIES = 200_000
"""Files, with those that were deleted: each takes some 500 bytes of memory where it is not as it is here."""
MAX_FILE_BYTES = 1 << 40
MAX_WRITERS = 1_024
"""Of one file."""
WRITER = re.compile(r"[A-Z2-7]{7}-[0-9a-f]{16}")
_SIGNATURE_BYTES = 256
_FORMAT = 1
_BEGINNING = '{"entries":['
_DECODER = json.JSONDecoder()
_MAX_TIME = 1 << 63


class ManifestRefused(FedLoomError):
    """What came as a manifest is none, or not one that an honest node writes."""


@dataclass(frozen=True)
class Manifest:
    """What one node has of a folder."""

    folder: str
    sequence: int
    """Grows with each manifest of its author's, so that none is taken for a newer one."""
    entries: Mapping[str, Entry]
    """By name."""


def signed(manifest: Manifest, author: KeyPair) -> bytes:
    """A manifest with its author's signature before it."""
    entries = b",".join(to_bytes(manifest.entries[name]) for name in sorted(manifest.entries))
    rest = canonical({"folder": manifest.folder, "format": _FORMAT, "sequence": manifest.sequence})
    body = b"".join((_BEGINNING.encode(), entries, b"],", rest[1:]))
    return author.sign(_statement(manifest.folder, author.public.id, body)) + body


def opened(
    data: bytes, folder: str, author: PublicKey, same: Callable[[Entry], Entry] = lambda entry: entry
) -> Manifest:
    """The inverse of `signed`. Raises ManifestRefused for anything but a manifest of this folder, by this
    author, with names that are safe everywhere. A single bad entry spoils all: no honest node writes one.

    `same`: an entry that is equal, and in memory already, or else the one that was read.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        raise ManifestRefused(f"a manifest of {len(data):,} bytes is not taken")
    signature, body = data[:_SIGNATURE_BYTES], memoryview(data)[_SIGNATURE_BYTES:]
    try:
        author.verify(signature, _statement(folder, author.id, bytes(body)))
        return _parsed(str(body, "ascii"), folder, same)
    except BadSignature as error:
        raise ManifestRefused("its signature is not one by its author for this folder") from error
    except NotCanonical as error:
        raise ManifestRefused(str(error)) from error
    except NameRefused as error:
        raise ManifestRefused(f"it names a file that is not taken: {error}") from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ManifestRefused(f"it is not made as it must be: {error!r}") from error


def to_bytes(entry: Entry) -> bytes:
    """An entry, for this node's own index."""
    return canonical(_to_json(entry))


def from_bytes(data: bytes) -> Entry:
    """The inverse of `to_bytes`. Raises ValueError, TypeError or KeyError, and NameRefused."""
    return _entry(from_canonical(data), least_writers=0)


def _statement(folder: str, author: KeyId, body: bytes) -> bytes:
    return statement(Purpose.MESH_MANIFEST, folder, author.digest, body)


def _to_json(entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = {
        "modified": entry.modified_ns,
        "name": entry.name,
        "version": dict(entry.version.counters),
        "writer": entry.writer,
    }
    if entry.content is not None:
        told |= {"executable": entry.executable, "root": entry.content.root.hex(), "size": entry.content.size}
    return told


def _parsed(text: str, folder: str, same: Callable[[Entry], Entry]) -> Manifest:
    """Entry by entry: all of it, as JSON has it, would take several times the memory."""
    if not text.startswith(_BEGINNING):
        raise NotCanonical("it does not begin with its entries")
    entries: dict[str, Entry] = {}
    place, last = len(_BEGINNING), ""
    while not text.startswith("]", place):
        if len(entries) == MAX_ENTRIES:
            raise ManifestRefused(f"it names more than {MAX_ENTRIES:,} files")
        told, end = _DECODER.raw_decode(text, place)
        if canonical(told).decode() != text[place:end]:
            raise NotCanonical("it is not written in the one way that is allowed")
        entry = _entry(told)
        if entry.name <= last:
            raise ValueError("names are sorted, and none comes twice")
        last = entry.name
        entries[last] = same(entry)
        place = end
        if text.startswith(",{", place):
            place += 1
        elif not text.startswith("]", place):
            raise NotCanonical("after an entry comes another one, or the end")
    if not text.startswith("],", place):
        raise NotCanonical("its entries are not all")
    rest = from_canonical(b"{" + text[place + 2 :].encode())
    _require_keys(rest, {"folder", "format", "sequence"})
    if rest["format"] != _FORMAT or rest["folder"] != folder:
        raise ManifestRefused("it is in another format, or of another folder")
    return Manifest(folder, _integer(rest["sequence"], 1, MAX_COUNTER), entries)


def _entry(told: Any, least_writers: int = 1) -> Entry:
    is_file = isinstance(told, dict) and "root" in told
    common = {"modified", "name", "version", "writer"}
    _require_keys(told, common | {"executable", "root", "size"} if is_file else common)
    require_safe(_of(told["name"], str))
    content = Content(_root(told["root"]), _integer(told["size"], 0, MAX_FILE_BYTES)) if is_file else None
    if content is not None and (content.size == 0) != (content.root == EMPTY_ROOT):
        raise ValueError("a file of no bytes has the root of nothing, and no other file has it")
    return Entry(
        name=told["name"],
        version=_version(_of(told["version"], dict), least_writers),
        writer=_writer(told["writer"]),
        modified_ns=_integer(told["modified"], -_MAX_TIME, _MAX_TIME - 1),
        content=content,
        executable=_of(told["executable"], bool) if is_file else False,
    )


def _version(told: Mapping[str, Any], least: int) -> Version:
    if not least <= len(told) <= MAX_WRITERS:
        raise ValueError(f"a version has from {least} to {MAX_WRITERS:,} writers")
    return Version.of({_writer(writer): _integer(count, 1, MAX_COUNTER) for writer, count in told.items()})


def _writer(told: Any) -> str:
    writer: str = _of(told, str)
    if not WRITER.fullmatch(writer):
        raise ValueError("a writer is seven letters of a key's id, a hyphen, and sixteen hexadecimal digits")
    return sys.intern(writer)  # there are few, in very many entries


def _root(told: Any) -> bytes:
    text: str = _of(told, str)
    root = bytes.fromhex(text)
    if len(root) != HASH_BYTES or root.hex() != text:
        raise ValueError("a root is 32 bytes in hexadecimal digits")
    return root


def _integer(told: Any, least: int, most: int) -> int:
    number: int = _of(told, int)
    if not least <= number <= most:
        raise ValueError(f"{number} is not from {least} to {most}")
    return number


def _of(told: Any, kind: type) -> Any:
    if type(told) is not kind:
        raise TypeError(f"{told!r:.60} is no {kind.__name__}")
    return told


def _require_keys(told: Any, keys: Iterable[str]) -> None:
    if not isinstance(told, dict) or told.keys() != set(keys):
        raise TypeError("fields are missing, or there are others")
