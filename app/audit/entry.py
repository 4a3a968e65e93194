"""Entry: one thing that happened, in the bytes that the log's tree is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from shared.canonical import NotCanonical, canonical, from_canonical


class Kind(StrEnum):
    """What can happen. Whoever adds one says beside it which fields it has.

    `by` is who did it, in words, and `address` where the request came from. What lets anybody in is in none.
    """

    SERVER_STARTED = "server-started"
    """version, log, key and public_key of the server, app (name, version and digest, or null), users (name
    and role) and tokens (id, label, role and creator): also those that were made while no server ran"""
    SERVER_STOPPED = "server-stopped"
    """in order; nothing is said of a server that was killed"""
    RUN_COMMANDED = "run-commanded"
    """run, command (start, pause, resume, stop or go-on), by and address; what comes of it may stand before
    it"""
    RUN_NOTED = "run-noted"
    """run, name, tags and notes (null, or the SHA-256 of the text, in hex) from now on, by and address"""
    RUN_DELETED = "run-deleted"
    """run, state (which it was in), by (also the server itself, by its settings) and address; what this log
    says of it stays"""
    CHECKPOINTS_DELETED = "checkpoints-deleted"
    """run, by and address; its models are gone, its curves and what this log says of it stay"""
    RUN_QUEUED = "run-queued"
    """run, spec, digest (of the spec)"""
    RUN_TAKEN_UP = "run-taken-up"
    """run; it was interrupted, and is queued again"""
    RUN_STARTED = "run-started"
    """run, round; it is carried out from now on, after a cut from the round after this one"""
    RUN_PAUSED = "run-paused"
    """run, round"""
    RUN_RESUMED = "run-resumed"
    """run, round"""
    RUN_ENDED = "run-ended"
    """run, round, state, cause, reason; interrupted, it may be taken up"""
    ROUND_COMPLETED = "round-completed"
    """run, round, clients (those of whom something came in)"""
    AGGREGATED = "aggregated"
    """run, round, strategy, before and after (digests of the global model), updates (client, digest and
    samples of each, in the order in which they were folded), kept (whether they are on the server's disk)"""
    MERGED = "mesh-merged"
    """run, round, strategy, before and after as in aggregated, updates (client, digest and samples of each,
    contribution, generation, base_round, mesh_rounds and steps, in the order in which they were folded)"""
    UPDATE_JUDGED = "update-judged"
    """run, round, client, key, message, type (of the message), verdict, detail, bytes; of a reply that came
    in whole, digests (skeleton and arrays) and base (that of the arrays in the message); signed: what its
    client has signed (run, round, sequence, base and the signature), or null; receipt (time_us and signature)
    if it was accepted"""
    CLIENT_JOINED = "client-joined"
    """client, key, public_key, host, device, dataset, app; the first time with this key"""
    CLIENT_REFUSED = "client-refused"
    """client and key as far as known, reason, repeated (how often that was so since the last such entry)"""
    CLIENT_APPROVED = "client-approved"
    """client, key, by and address"""
    CLIENT_REJECTED = "client-rejected"
    """client, key, by and address"""
    CLIENT_REVOKED = "client-revoked"
    """client, key, by and address"""
    CLIENT_READMITTED = "client-readmitted"
    """client, key, before (the key in whose place it comes, which is revoked, or null), by and address"""
    CLIENT_FORGOTTEN = "client-forgotten"
    """client, key; an ephemeral one, which has left. With by and address: one that is gone, by somebody's
    decision; key is null if it was here before clients had keys"""
    LOCAL_CLIENTS_STARTED = "local-clients-started"
    """clients (their names), dataset (null: the server's app decides), by and address; on its own machine"""
    LOCAL_CLIENTS_ENDED = "local-clients-ended"
    """clients, by and address; not those that end by themselves or with the server"""
    INVITATION_MADE = "invitation-made"
    """invitation (its id), type, label, max_uses, expires_at, by and address"""
    INVITATION_USED = "invitation-used"
    """invitation (null: the one in the server's own folder), client, key"""
    INVITATION_REVOKED = "invitation-revoked"
    """invitation, label, by and address"""
    MESH_BLOCKED = "mesh-blocked"
    """client, key, reason, by and address; the server does not vouch for this key in the mesh any more"""
    MESH_UNBLOCKED = "mesh-unblocked"
    """client, key, by and address; it does again"""
    NEXT_KEY_ANNOUNCED = "next-key-announced"
    """key and public_key of the server's next key, signature (by the present one), by and address"""
    KEY_CHANGED = "key-changed"
    """before and key (ids): the server was started with another key than before"""
    DOWNLOADED = "downloaded"
    """what (model, run or audit), by and address; of a model run and round, of a run run and format"""
    LOGGED_IN = "logged-in"
    """by and address; whoever started the server, and a program with a token, does not log in"""
    LOGIN_REFUSED = "login-refused"
    """user (null: none has the name that was tried), address (of IPv6 the network), reason, repeated"""
    USER_ADDED = "user-added"
    """user, role, by and address"""
    USER_CHANGED = "user-changed"
    """user, role, password (whether it is another one, which ends the user's other sessions), by, address"""
    USER_REMOVED = "user-removed"
    """user, by and address; all sessions and tokens of the user have ended"""
    TOKEN_MADE = "token-made"
    """token (its id), label, role, creator (the user with whom it ends, or null), expires_at, by, address"""
    TOKEN_REVOKED = "token-revoked"
    """token, label, by and address"""


KIND = re.compile(r"[a-z]{1,30}(-[a-z]{1,30}){0,4}")


class EntryInvalid(ValueError):
    """Bytes are no entry of an audit log."""


class Senseless(ValueError):
    """An entry cannot be true together with those before it."""


@dataclass(frozen=True)
class Entry:
    """An entry in its place. `time`: milliseconds since 1970, in UTC, by the server's clock."""

    index: int
    time: int
    kind: str
    fields: Mapping[str, Any]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an entry that is written in the one way that is allowed. Raises EntryInvalid."""
        try:
            found = from_canonical(data)
        except NotCanonical as error:
            raise EntryInvalid(str(error)) from error
        match found:
            case {
                "fields": dict() as fields,
                "index": int() as index,
                "kind": str() as kind,
                "time": int() as at,
            }:
                is_whole = len(found) == 4 and index >= 0 and at >= 0 and KIND.fullmatch(kind) is not None
                if is_whole and not isinstance(index, bool) and not isinstance(at, bool):
                    return cls(index, at, kind, fields)
        raise EntryInvalid("it does not have the fields of an entry")


@dataclass(frozen=True)
class Draft:
    """An entry that has no place yet: that is given to it when it is written."""

    time: int
    kind: str
    fields: bytes
    """As canonical JSON."""

    @classmethod
    def of(cls, time: int, kind: str, fields: Mapping[str, Any]) -> Self:
        """Raises TypeError and ValueError for fields that JSON does not have."""
        if KIND.fullmatch(kind) is None:
            raise ValueError(f"{kind!r} cannot be the kind of an entry")
        return cls(time, str(kind), canonical(fields))

    def at(self, index: int) -> bytes:
        """The entry's bytes, as `Entry.parse` takes them."""
        return b'{"fields":%b,"index":%d,"kind":"%b","time":%d}' % (
            self.fields,
            index,
            self.kind.encode(),
            self.time,
        )
