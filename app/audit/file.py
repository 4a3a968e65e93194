"""The file that an audit log is exported to: lines of canonical JSON, each written in one way only.

The first line is the header, which names the log and its server's key. Then come, in this order,

    {"entry":{…},"leaf":"…"}   each entry, with the hash of its leaf, which shows the line that was changed
    {"checkpoint":{…}}         a checkpoint, right after the last of the entries that it covers
    {"cosignature":{…}}        of the checkpoint above, by the client with this key

It ends with a checkpoint over all of its entries, or the cosignatures of that. What no signature covers is
not in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.audit.entry import Entry, EntryInvalid
from app.store.audit import AuditReader, Cosignature
from shared.canonical import NotCanonical, canonical, from_canonical
from shared.security.checkpoint import Checkpoint
from shared.security.key_id import KeyId, KeyIdInvalid
from shared.security.keys import PublicKey
from shared.security.merkle import leaf_hash

FORMAT = "fedloom-audit/v1"
PAGE = 200
"""Entries that are read at once: a web server has other things to do in between."""

LONGEST_LINE = 64 << 20
"""Bytes. An entry of a round with 10,000 updates has 2 MB."""


class LineInvalid(ValueError):
    """A line is not one of an audit log, or was changed."""


@dataclass(frozen=True)
class Header:
    """Whose log it is."""

    log: bytes
    key: PublicKey
    """Of the server that has signed the last checkpoint."""

    def to_line(self) -> bytes:
        """As the file has it."""
        return canonical({"format": FORMAT, "key": self.key.der.hex(), "log": self.log.hex()}) + b"\n"


@dataclass(frozen=True)
class EntryLine:
    """An entry, and its bytes."""

    entry: Entry
    data: bytes


@dataclass(frozen=True)
class CheckpointLine:
    """What a checkpoint says; of which log it is, the header says."""

    size: int
    root: bytes
    time: int
    signer: KeyId
    signature: bytes


@dataclass(frozen=True)
class CosignatureLine:
    """By the client of this name with this key, of the checkpoint above."""

    client: str
    key: KeyId
    signature: bytes


Line = EntryLine | CheckpointLine | CosignatureLine


def export_lines(reader: AuditReader, key: PublicKey) -> Iterator[bytes]:
    """The file, line by line; the same for the same log. `key`: the server's.

    What is written meanwhile is left out.
    """
    newest = reader.newest_checkpoint()
    log = reader.log_id()
    if newest is None or log is None:
        return
    yield Header(log, key).to_line()
    for first in range(0, newest.size, PAGE):
        last = min(first + PAGE, newest.size)
        yield from _page(reader, first, last)


def _page(reader: AuditReader, first: int, last: int) -> Iterator[bytes]:
    """The entries from `first` to before `last`, with the checkpoints among and after them."""
    checkpoints = reader.checkpoints(first, last)
    cosignatures: dict[tuple[int, int], list[Cosignature]] = {}
    for each in reader.cosignatures(first, last):
        cosignatures.setdefault((each.size, each.time), []).append(each)
    number = first
    entries = iter(reader.entries(first, last - first))
    for checkpoint in checkpoints:
        while number < checkpoint.size:
            yield entry_line(next(entries))
            number += 1
        yield checkpoint_line(checkpoint)
        for each in cosignatures.get((checkpoint.size, checkpoint.time), ()):
            yield cosignature_line(each)
    for entry in entries:
        yield entry_line(entry)


def entry_line(entry: bytes) -> bytes:
    """An entry as the file has it."""
    return b'{"entry":%b,"leaf":"%b"}\n' % (entry, leaf_hash(entry).hex().encode())


def checkpoint_line(checkpoint: Checkpoint | CheckpointLine) -> bytes:
    """A checkpoint as the file has it."""
    fields = {
        "root": checkpoint.root.hex(),
        "signature": checkpoint.signature.hex(),
        "signer": str(checkpoint.signer),
        "size": checkpoint.size,
        "time": checkpoint.time,
    }
    return canonical({"checkpoint": fields}) + b"\n"


def cosignature_line(cosignature: Cosignature) -> bytes:
    """A cosignature as the file has it."""
    fields = {
        "client": cosignature.client_id,
        "key": str(cosignature.key),
        "signature": cosignature.signature.hex(),
    }
    return canonical({"cosignature": fields}) + b"\n"


def parse_header(line: bytes) -> Header:
    """The inverse of `Header.to_line`. Raises LineInvalid."""
    try:
        match from_canonical(_content(line)):
            case {"format": "fedloom-audit/v1", "key": str(key), "log": str(log), **others} if not others:
                return Header(_bytes(log), PublicKey(_bytes(key)))
    except NotCanonical as error:
        raise LineInvalid(str(error)) from error
    raise LineInvalid(f"it is not the header of an audit log of the format {FORMAT}")


def parse_line(line: bytes) -> Line:
    """One of the lines after the header. Raises LineInvalid unless this is how it would have been written."""
    try:
        match from_canonical(_content(line)):
            case {"entry": dict() as entry, "leaf": str() as leaf, **others} if not others:
                return _entry(entry, leaf)
            case {"checkpoint": dict() as fields, **others} if not others:
                return _checkpoint(fields)
            case {"cosignature": dict() as fields, **others} if not others:
                return _cosignature(fields)
    except (NotCanonical, EntryInvalid, KeyIdInvalid) as error:
        raise LineInvalid(str(error)) from error
    raise LineInvalid("it is neither an entry nor a checkpoint nor a cosignature")


def _content(line: bytes) -> bytes:
    if not line.endswith(b"\n"):
        raise LineInvalid("it is cut short, or longer than a line can be")
    return line[:-1]


def _entry(fields: dict[str, Any], leaf: str) -> EntryLine:
    data = canonical(fields)
    if leaf_hash(data) != _bytes(leaf):
        raise LineInvalid("it was changed: the entry does not have the hash of its leaf")
    return EntryLine(Entry.parse(data), data)


def _checkpoint(fields: Mapping[str, Any]) -> CheckpointLine:
    if fields.keys() != {"root", "signature", "signer", "size", "time"}:
        raise LineInvalid("it does not have the fields of a checkpoint")
    return CheckpointLine(
        size=_number(fields["size"]),
        root=_bytes(fields["root"]),
        time=_number(fields["time"]),
        signer=_key_id(fields["signer"]),
        signature=_bytes(fields["signature"]),
    )


def _cosignature(fields: Mapping[str, Any]) -> CosignatureLine:
    if fields.keys() != {"client", "key", "signature"}:
        raise LineInvalid("it does not have the fields of a cosignature")
    return CosignatureLine(_text(fields["client"]), _key_id(fields["key"]), _bytes(fields["signature"]))


def _bytes(value: object) -> bytes:
    text = _text(value)
    try:
        data = bytes.fromhex(text)
    except ValueError as error:
        raise LineInvalid("bytes in it are not written in hex") from error
    if data.hex() != text:
        raise LineInvalid("bytes in it are not written in hex of small letters")
    return data


def _key_id(value: object) -> KeyId:
    key = KeyId.parse(_text(value))
    if str(key) != value:
        raise LineInvalid("the id of a key in it is not written as it must be")
    return key


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise LineInvalid("there is something else where a number must be")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise LineInvalid("there is something else where a text must be")
    return value
