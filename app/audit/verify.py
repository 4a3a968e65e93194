"""Verifies an exported audit log with nothing but the file: every line, hash and signature.

Whose log it is, the reader has to know: the id of the server's key is the one in the clients' invitations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO

from app.audit.entry import Entry, Senseless
from app.audit.file import (
    LONGEST_LINE,
    CheckpointLine,
    CosignatureLine,
    EntryLine,
    Header,
    LineInvalid,
    parse_header,
    parse_line,
)
from app.audit.receipts import Held, ReceiptFile, ReceiptsDiffer
from app.audit.sense import OtherLog, Sense
from shared.errors import FedLoomError
from shared.security.checkpoint import Checkpoint
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyUnusable
from shared.security.merkle import Growing, leaf_hash
from shared.security.witness_file import Seen, WitnessFile


class NotVerified(FedLoomError):
    """An audit log is not what was signed. The message says where, and what is wrong."""


@dataclass(frozen=True)
class Verified:
    """What a file was found to be."""

    server: KeyId
    log: bytes
    entries: int
    checkpoints: int
    witnesses: dict[str, int]
    """By client, how many entries the newest checkpoint has that it has cosigned."""
    receipts: tuple[str, ...] = ()
    """What the receipts of each client come to, in words."""

    @property
    def unwitnessed(self) -> int:
        """Entries at the end for which the server alone vouches."""
        return self.entries - max(self.witnesses.values(), default=0)


def verify(
    file: IO[bytes], witnesses: Iterable[WitnessFile] = (), receipts: Iterable[ReceiptFile] = ()
) -> Verified:
    """Raises NotVerified for the first thing that is wrong. `witnesses`, `receipts`: what clients have kept
    of it, and of what the server has accepted."""
    lines = _lines(file)
    try:
        header = parse_header(next(lines, b""))
    except LineInvalid as error:
        raise NotVerified(f"Line 1, the header: {error}.") from error
    witnesses = tuple(witnesses)
    held = Held(receipts)
    wanted = {each.checkpoint.size for witness in witnesses for each in witness.seen}
    verifier = _Verifier(header, wanted, held)
    for number, line in enumerate(lines, 2):
        verifier.take(number, line)
    verified = verifier.conclude()
    for witness in witnesses:
        verifier.compare(witness)
    return replace(verified, receipts=verifier.compare_receipts())


def entries_of(file: IO[bytes]) -> Iterator[Entry]:
    """The entries of a file that was verified."""
    for line in _lines(file):
        if line.startswith(b'{"entry"') and isinstance(parsed := parse_line(line), EntryLine):
            yield parsed.entry


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE):
        yield line


class _Verifier:
    def __init__(self, header: Header, wanted: set[int], held: Held) -> None:
        """`wanted`: at which sizes the root of the tree will be asked for."""
        self._header = header
        self._held = held
        self._sense = Sense(header.log)
        self._tree = Growing()
        self._wanted = wanted
        self._roots: dict[int, bytes] = {}
        self._newest: Checkpoint | None = None
        self._newest_line = 1
        self._checkpoints = 0
        self._cosigned: list[tuple[int, Checkpoint, CosignatureLine]] = []
        """With the number of the line. Checked in the end: a client can cosign what is there before the entry
        that it has joined."""

    def take(self, number: int, line: bytes) -> None:
        """The next line. Raises NotVerified."""
        try:
            match parse_line(line):
                case EntryLine(entry, data):
                    self._sense.take(entry)
                    self._held.take(entry)
                    self._tree.add(leaf_hash(data))
                    if self._tree.size in self._wanted:
                        self._roots[self._tree.size] = self._tree.root
                case CheckpointLine() as checkpoint:
                    self._take_checkpoint(number, checkpoint)
                case CosignatureLine() as cosignature:
                    if self._newest is None or self._newest.size != self._tree.size:
                        raise LineInvalid("a cosignature does not come right after its checkpoint")
                    self._cosigned.append((number, self._newest, cosignature))
        except OtherLog as error:
            raise NotVerified(f"Line 1, the header: {error}.") from error
        except Senseless as error:
            raise NotVerified(f"Line {number}, entry {self._tree.size}: {error}.") from error
        except (LineInvalid, BadSignature, KeyUnusable) as error:
            place = (
                f"Line {number}, after entry {self._tree.size - 1}" if self._tree.size else f"Line {number}"
            )
            raise NotVerified(f"{place}: {str(error).rstrip('.')}.") from error

    def conclude(self) -> Verified:
        """That was all. Raises NotVerified."""
        newest, header = self._newest, self._header
        if newest is None or newest.size != self._tree.size:
            raise NotVerified(
                f"The file was cut: it does not end with a checkpoint over its {self._tree.size} entries."
            )
        server = self._sense.newest_server
        if server is None or server != header.key or newest.signer != header.key.id:
            raise NotVerified(
                "Line 1, the header: it names another key than the one that has signed the last checkpoint."
            )
        witnesses: dict[str, int] = {}
        for number, checkpoint, line in self._cosigned:
            try:
                key = self._sense.client_key(line.key, line.client)
                checkpoint.verify_cosignature(line.signature, key)
            except (Senseless, BadSignature) as error:
                raise NotVerified(f"Line {number}, a cosignature: {str(error).rstrip('.')}.") from error
            witnesses[line.client] = max(checkpoint.size, witnesses.get(line.client, 0))
        return Verified(header.key.id, header.log, self._tree.size, self._checkpoints, witnesses)

    def compare(self, witness: WitnessFile) -> None:
        """Raise NotVerified unless the log has grown from what a client has seen of it."""
        of_server = [each for each in witness.seen if each.server.id in self._sense.server_keys]
        if not of_server:
            raise NotVerified(
                f"{witness.client_id} has seen no log of the server with the key {self._header.key.id}."
            )
        for seen in of_server:
            self._compare(witness.client_id, seen)

    def compare_receipts(self) -> tuple[str, ...]:
        """Raise NotVerified unless the log has all that clients hold receipts of."""
        until = self._newest.time if self._newest is not None else 0
        try:
            return tuple(self._held.compare(self._sense.server_keys, self._sense.client_key, until))
        except ReceiptsDiffer as error:
            raise NotVerified(str(error)) from error

    def _compare(self, client_id: str, seen: Seen) -> None:
        checkpoint = seen.checkpoint
        if checkpoint.log != self._header.log:
            raise NotVerified(
                f"{client_id} has seen another log of this server: {checkpoint.log.hex()}, with "
                f"{checkpoint.size} entries. The file holds {self._header.log.hex()}."
            )
        if checkpoint.size > self._tree.size:
            raise NotVerified(
                f"The file was cut, or is older than what {client_id} has seen: it has {self._tree.size} "
                f"entries, and {client_id} has seen {checkpoint.size}."
            )
        if self._roots[checkpoint.size] != checkpoint.root:
            raise NotVerified(
                f"The file is another version of the log than the one that {client_id} has seen: somewhere "
                f"in the first {checkpoint.size} entries they differ, and the server has signed both."
            )

    def _take_checkpoint(self, number: int, line: CheckpointLine) -> None:
        if line.size != self._tree.size or line.size == 0:
            raise LineInvalid(
                f"a checkpoint over {line.size} entries comes after {self._tree.size}: some were cut out, "
                "or put in"
            )
        signer = self._sense.server_keys.get(line.signer)
        if signer is None:
            raise LineInvalid(f"the checkpoint is by a key that is no server's of this log: {line.signer}")
        checkpoint = Checkpoint(
            self._header.log, line.size, line.root, line.time, line.signer, line.signature
        )
        checkpoint.verify(signer)
        if checkpoint.root != self._tree.root:
            first = self._newest.size if self._newest else 0
            raise LineInvalid(
                f"the entries {first} to {line.size - 1} (lines {self._newest_line + 1} to {number - 1}) are "
                "not those that the server has signed: one of them was changed, cut out or put in"
            )
        self._newest, self._newest_line = checkpoint, number
        self._checkpoints += 1
