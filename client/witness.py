"""Witness: what this client has seen of its servers' audit logs, and its judgement of what it is shown next.

It keeps the last checkpoint of each log on the disk before it cosigns it. A log that is not the one of before
with more entries is an objection: both checkpoints are kept as evidence, and the client takes no further part
until a person has decided.
"""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from shared.errors import LogObjection
from shared.proto.link_pb2 import Cosignature, LogCheckpoint, NextKey
from shared.security.checkpoint import Checkpoint
from shared.security.files import make_private_folder, write_whole
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyPair, PublicKey
from shared.security.merkle import has_grown
from shared.security.witness_file import Seen, WitnessFile, WitnessFileInvalid

log = logging.getLogger(__name__)

FOLDER = "witness"


@dataclass(frozen=True)
class _Shown:
    """A checkpoint as it came, with what is to prove that it belongs to the log of before."""

    checkpoint: Checkpoint
    since: int
    proof: tuple[bytes, ...]


class Witness:
    """Of one client. Any thread may ask, and waits for the disk."""

    def __init__(self, home: Path, client_id: str, key: KeyPair) -> None:
        self._path = home / FOLDER / f"{client_id}.json"
        self._evidence = home / FOLDER / f"{client_id}.objection.json"
        self._client_id = client_id
        self._key = key
        self._turn = threading.Lock()
        self._watch: object = None
        self._notices: dict[KeyId, NextKey] = {}
        """By the key of the server that has sent it: until something was seen of its log."""

    def require_no_objection(self) -> None:
        """Raise LogObjection if nobody has decided yet about what this client objects to."""
        if self._evidence.exists():
            raise LogObjection(
                f"This client has seen that the server's audit log was changed, and takes no part until "
                f"somebody has decided. {self._what_to_do()}"
            )

    def statement(self, server: PublicKey, watch: object) -> Cosignature:
        """The first word on a connection, whose `watch` it is: what was seen last of this server's log.

        A server whose key is new may be one of before with another key, and the same log. Raises LogObjection
        when what was seen cannot be read.
        """
        with self._turn:
            self._watch = watch
            file = self._read()
        newest = next(reversed(file.seen), None)
        seen = file.of_server(server.id) or file.of_former(server.id) or newest
        if seen is None:
            return Cosignature()
        return Cosignature(log=seen.checkpoint.log, size=seen.checkpoint.size)

    def heard_of(self, server: PublicKey, notice: NextKey) -> None:
        """The server has said, signed by this key of its, which one it will have: whoever has that one then
        must go on with its log. Raises LogObjection when that cannot be kept."""
        with self._turn:
            self._notices[server.id] = notice
            file = self._read()
            seen = file.of_server(server.id)
            if seen is not None and seen.following != notice:
                self._keep(file.with_seen(replace(seen, following=notice)))

    def judge(self, server: PublicKey, frame: LogCheckpoint, watch: object) -> Cosignature | None:
        """Cosign what the server shows, once it is kept; None: there is another connection by now, on which
        the client has said otherwise what it has seen.

        Raises LogObjection if it is not the log of before, or not signed by the server.
        """
        with self._turn:
            return self._judge(server, frame) if watch is self._watch else None

    def _judge(self, server: PublicKey, frame: LogCheckpoint) -> Cosignature:
        shown = _Shown(Checkpoint.of_frame(frame, server.id), frame.since, tuple(frame.proof))
        file = self._read()
        of_server = file.of_server(server.id)
        found = of_server or file.of_former(server.id) or file.of_log(shown.checkpoint.log)
        seen = None if found is None else found.checkpoint
        if (objection := _objection(seen, shown, server)) is not None:
            self._object(objection, seen, shown, server)
        cosignature = shown.checkpoint.cosign(self._key)
        known = None if of_server is None else of_server.following
        following = self._notices.get(server.id, known)
        self._keep(file.with_seen(Seen(shown.checkpoint, server, cosignature, following)))
        return Cosignature(log=shown.checkpoint.log, size=shown.checkpoint.size, signature=cosignature)

    def _read(self) -> WitnessFile:
        try:
            return WitnessFile.read(self._path) or WitnessFile(self._client_id, self._key.public)
        except WitnessFileInvalid as error:
            raise LogObjection(
                f"{error} Without it this client cannot tell whether the server's audit log is the same. "
                "Restore the file from a copy, or move it away to trust the log as it is now."
            ) from error

    def _keep(self, file: WitnessFile) -> None:
        try:
            make_private_folder(self._path.parent)
            write_whole(self._path, file.to_bytes())
        except OSError as error:
            raise LogObjection(
                f"What was seen of the server's audit log cannot be kept in {self._path}: {error}. "
                "A client that forgets is no witness, so it takes no part. Mend that, and start it again."
            ) from error

    def _object(self, objection: str, seen: Checkpoint | None, shown: _Shown, server: PublicKey) -> None:
        evidence = {
            "objection": objection,
            "client": self._client_id,
            "server": str(server.id),
            "server_key": server.der.hex(),
            "seen": None if seen is None else _as_json(seen),
            "shown": {
                **_as_json(shown.checkpoint),
                "since": shown.since,
                "proof": [node.hex() for node in shown.proof],
            },
        }
        try:
            make_private_folder(self._evidence.parent)
            write_whole(self._evidence, json.dumps(evidence, indent=2).encode() + b"\n")
        except OSError:
            log.exception("the evidence cannot be kept in %s; it is:\n%s", self._evidence, evidence)
        raise LogObjection(
            f"The server's audit log is not the one that this client has seen: {objection}. The client takes "
            f"no further part. {self._what_to_do()}"
        )

    def _what_to_do(self) -> str:
        return (
            f"Both versions, as the server has signed them, are in {self._evidence}: show them to the other "
            "sites and ask whoever runs the server. If there is a good reason, such as a restored backup or "
            f"an emptied store, move this file and {self._path} away, and the client trusts the log as it is "
            "then; if the server shows the old log again, move only this file away."
        )


def _objection(seen: Checkpoint | None, shown: _Shown, server: PublicKey) -> str | None:
    """Why a checkpoint cannot be one of the log that was seen before; None: it is."""
    checkpoint = shown.checkpoint
    if not checkpoint.is_well_formed:
        return "what it shows is no checkpoint"
    try:
        checkpoint.verify(server)
    except BadSignature:
        return "its checkpoint is not signed by the server"
    if seen is None:
        return None
    if checkpoint.log != seen.log:
        return f"it is another log, of {checkpoint.size:,} entries, in place of that of {seen.size:,}"
    if checkpoint.size < seen.size:
        return f"it was cut to {checkpoint.size:,} entries, and had {seen.size:,}"
    if checkpoint.size == seen.size and checkpoint.root != seen.root:
        return f"its {seen.size:,} entries are not the same any more"
    if shown.since != seen.size or not has_grown(
        seen.size, seen.root, checkpoint.size, checkpoint.root, shown.proof
    ):
        return f"nothing proves that its first {seen.size:,} entries are still the same"
    return None


def _as_json(checkpoint: Checkpoint) -> dict[str, str | int]:
    return {
        "log": checkpoint.log.hex(),
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "time": checkpoint.time,
        "signature": checkpoint.signature.hex(),
    }
