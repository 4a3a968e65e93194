"""Receipts: what clients hold of the server's word that it has accepted a reply, against what the log tells.

The log alone does not show that a verdict was left out of it: it may be on a reply of which no model was
made. A receipt does, since nobody but the server can have signed it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from app.audit.entry import Entry, Kind, Senseless
from shared.errors import FedLoomError
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyUnusable, PublicKey
from shared.security.receipts import Receipt, ReceiptInvalid


class ReceiptsDiffer(FedLoomError):
    """What a client holds does not fit the log, and how."""


@dataclass(frozen=True)
class ReceiptFile:
    """The file of one client: `receipts/CLIENT.jsonl` in its FEDLOOM_HOME."""

    path: Path
    receipts: tuple[Receipt, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises ReceiptInvalid, and OSError. A line that is still being written is left out."""
        receipts = []
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith("\n"):
                    break
                try:
                    receipts.append(Receipt.parse(line))
                except ReceiptInvalid as error:
                    raise ReceiptInvalid(f"{path}, line {number}: {error}") from error
        return cls(path, tuple(receipts))


class Held:
    """The receipts that are held against one log, of which each entry is taken."""

    def __init__(self, files: Iterable[ReceiptFile]) -> None:
        self._files = tuple(files)
        self._told: set[bytes] = set()
        self._wanted = {receipt.signature for file in self._files for receipt in file.receipts}

    def take(self, entry: Entry) -> None:
        """An entry that was found to fit the others."""
        if self._wanted and entry.kind == Kind.UPDATE_JUDGED and entry.fields["receipt"] is not None:
            signature = bytes.fromhex(entry.fields["receipt"]["signature"])
            if signature in self._wanted:
                self._told.add(signature)

    def compare(
        self, servers: Collection[KeyId], client_key: Callable[[KeyId, str], PublicKey], until: int
    ) -> list[str]:
        """What was found, in a line for each file. Raises ReceiptsDiffer for the first that the log leaves
        out.

        `servers`: the keys that have signed the log. `client_key`: that of a client which has joined.
        `until`: when its last checkpoint was signed, in milliseconds.
        """
        return [self._compare(file, servers, client_key, until) for file in self._files]

    def _compare(
        self,
        file: ReceiptFile,
        servers: Collection[KeyId],
        client_key: Callable[[KeyId, str], PublicKey],
        until: int,
    ) -> str:
        ours = [receipt for receipt in file.receipts if receipt.server.id in servers]
        if not ours:
            raise ReceiptsDiffer(f"{file.path} holds no receipt of the server whose log this is.")
        told = later = 0
        left_out: list[Receipt] = []
        for receipt in ours:
            _require_signed(receipt, file.path)
            if receipt.signature in self._told:
                told += 1
            elif receipt.accepted.time_us // 1000 > until:
                later += 1
            else:
                left_out.append(receipt)
        if left_out:
            _require_client(left_out[0], client_key)
            raise ReceiptsDiffer(_words(left_out, file.path))
        newer = f"; {later:,} are newer than the log" if later else ""
        return f"The {told:,} replies of which {file.path} holds receipts are in the log{newer}."


def _require_signed(receipt: Receipt, path: Path) -> None:
    try:
        receipt.verify()
    except (BadSignature, KeyUnusable) as error:
        raise ReceiptsDiffer(f"{path} proves nothing: {error}") from error


def _require_client(receipt: Receipt, client_key: Callable[[KeyId, str], PublicKey]) -> None:
    """Raise ReceiptsDiffer if not even the client is in the log, or has not signed what it holds."""
    update = receipt.accepted.update
    try:
        client_key(update.client, update.client_id).verify(receipt.update_signature, update.statement())
    except Senseless as error:
        raise ReceiptsDiffer(f"The log leaves out that {update.client_id} has joined: {error}.") from error
    except BadSignature as error:
        raise ReceiptsDiffer(f"{update.client_id} holds a receipt for what it has not signed.") from error


def _words(left_out: list[Receipt], path: Path) -> str:
    first = left_out[0]
    update = first.accepted.update
    at = datetime.fromtimestamp(first.accepted.time_us / 1e6, UTC)
    replies = "1 reply" if len(left_out) == 1 else f"{len(left_out):,} replies"
    return (
        f"The log leaves out {replies} that the server has accepted by the receipts in {path}. The first is "
        f"that of {update.client_id} to {update.message_id} in round {update.round} of run "
        f"{update.run_id:08x}, accepted at {at:%Y-%m-%d %H:%M:%S} UTC. A server that was killed may lack "
        "those of the very last moment before; or the receipts are of an older log of this server's."
    )
