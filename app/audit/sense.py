"""Sense: whether the entries of a log fit each other, and whose keys they name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from app.audit.entry import Entry, Kind, Senseless
from app.audit.replies import Replies
from shared.canonical import canonical
from shared.proto.link_pb2 import NextKey
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyUnusable, PublicKey
from shared.security.next_key import verify_next_key


class OtherLog(ValueError):
    """The entries are of another log than the header says."""


def spec_digest(spec: Mapping[str, Any]) -> str:
    """The SHA-256, in hex, of a run's spec as canonical JSON."""
    return hashlib.sha256(canonical(spec)).hexdigest()


class Sense:
    """Takes one entry after the other."""

    def __init__(self, log: bytes) -> None:
        self._log = log
        self._next = 0
        self.server_keys: dict[KeyId, PublicKey] = {}
        self.newest_server: PublicKey | None = None
        self._clients: dict[KeyId, tuple[set[str], PublicKey]] = {}
        self._models: dict[str, set[tuple[int, str]]] = {}
        """By run: after which rounds the global model had which digest."""
        self._replies = Replies(self.client_key)

    def take(self, entry: Entry) -> None:
        """Raises Senseless."""
        if entry.index != self._next:
            raise Senseless(f"it has the number {entry.index}, and {self._next} comes next")
        self._next += 1
        try:
            match entry.kind:
                case Kind.SERVER_STARTED:
                    self._server_started(entry.fields)
                case Kind.CLIENT_JOINED:
                    self._client_joined(entry.fields)
                case Kind.RUN_QUEUED:
                    if spec_digest(entry.fields["spec"]) != entry.fields["digest"]:
                        raise Senseless("the digest is not that of the spec")
                case Kind.UPDATE_JUDGED:
                    self._replies.judged(entry.fields, self.newest_server)
                case Kind.AGGREGATED | Kind.MERGED:
                    self._aggregated(entry.fields)
                    self._replies.aggregated(entry.fields)
                case Kind.NEXT_KEY_ANNOUNCED:
                    self._next_key_announced(entry.fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise Senseless(f"it lacks what an entry of its kind has ({error})") from error

    def client_key(self, key: KeyId, name: str) -> PublicKey:
        """The key of a client that has joined. Raises Senseless if none with this key and name has."""
        names, found = self._clients.get(key, (set(), None))
        if found is None or name not in names:
            raise Senseless(f"no client {name!r} has joined with the key {key}")
        return found

    def _server_started(self, fields: Mapping[str, Any]) -> None:
        key = _key(fields)
        if fields["log"] != self._log.hex():
            raise OtherLog("it names another log than the first entry")
        self.server_keys[key.id] = self.newest_server = key

    def _next_key_announced(self, fields: Mapping[str, Any]) -> None:
        if self.newest_server is None:
            raise Senseless("a next key was announced before a server was started")
        following = _key(fields)
        try:
            notice = NextKey(public_key=following.der, signature=bytes.fromhex(fields["signature"]))
            verify_next_key(notice, self.newest_server)
        except (BadSignature, KeyUnusable, ValueError) as error:
            raise Senseless("the next key was not announced by the present one") from error

    def _client_joined(self, fields: Mapping[str, Any]) -> None:
        key = _key(fields)
        names, _ = self._clients.setdefault(key.id, (set(), key))
        names.add(fields["client"])

    def _aggregated(self, fields: Mapping[str, Any]) -> None:
        round_, before, after = fields["round"], fields["before"], fields["after"]
        models = self._models.setdefault(fields["run"], {(round_ - 1, before)})
        if (round_ - 1, before) not in models:
            raise Senseless(f"round {round_} does not begin with the model of the round before")
        models.add((round_, after))


def _key(fields: Mapping[str, Any]) -> PublicKey:
    try:
        key = PublicKey(bytes.fromhex(fields["public_key"]))
    except ValueError as error:
        raise Senseless("the public key in it is none") from error
    if str(key.id) != fields["key"]:
        raise Senseless("the public key in it has another id than the one it names")
    return key
