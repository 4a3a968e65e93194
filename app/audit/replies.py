"""Replies: whether what the log tells of clients' replies is what they signed, and what was made of them.

Nobody but a client can make its signature, so that a server that has changed what it tells of a reply is
found also if it has signed all of its log anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from app.audit.entry import Senseless
from shared.security.digest import Digests
from shared.security.key_id import KeyId, KeyIdInvalid
from shared.security.keys import BadSignature, PublicKey
from shared.security.seals import MAX_SEQUENCE, Accepted, Update

Fields = Mapping[str, Any]

ACCEPTED, BAD_SIGNATURE = "accepted", "bad_signature"
GENUINE = frozenset({ACCEPTED, "malformed", "late", "replayed", "wrong_round", "wrong_base_model"})
"""Verdicts on what its client has signed, if there is a signature at all."""


class Replies:
    """Of one log. Raises Senseless for what cannot be, and KeyError, TypeError or AttributeError for an entry
    that lacks something."""

    def __init__(self, client_key: Callable[[KeyId, str], PublicKey]) -> None:
        """`client_key`: that of a client which has joined, by its id and the client's name."""
        self._client_key = client_key
        self._newest = defaultdict[KeyId, int](int)
        """By key, the number of the newest reply that was accepted."""
        self._accepted = defaultdict[str, dict[tuple[int, str, str], str]](dict)
        """By run: what was accepted since the last aggregate, by round, client and digest; which model it was
        made from."""
        self._models = defaultdict[str, dict[str, str]](dict)
        """By run: of which global model, by its digest in the log, this was the model in the message."""

    def judged(self, fields: Fields, server: PublicKey | None) -> None:
        """A reply was judged by the server with this key."""
        verdict, signed = fields["verdict"], fields["signed"]
        if (fields["receipt"] is None) is (verdict == ACCEPTED):
            raise Senseless("a reply has a receipt if it was accepted, and then alone")
        if signed is None:
            if verdict == ACCEPTED:
                raise Senseless("a reply was accepted that its client has not signed")
            return
        if server is None:
            raise Senseless("a reply was judged before a server was started")
        key = self._client_key(_key_id(fields["key"]), fields["client"])
        update = _update(fields, server.id, key.id)
        if verdict == BAD_SIGNATURE and _is_signed(update, signed, key):
            raise Senseless(
                f"the signature of {update.client_id} under its reply to {update.message_id} is right, and "
                "the server says that it is not"
            )
        if verdict in GENUINE and not _is_signed(update, signed, key):
            raise Senseless(
                f"{update.client_id} has not signed what is told of its reply to {update.message_id}: one of "
                "the two is not as it was"
            )
        fits = (update.run_id, update.round) == (_run(fields["run"]), fields["round"] or 0)
        if verdict == "wrong_round" and fits:
            raise Senseless("the reply was refused for its run or round, and is for those in which it came")
        if verdict == "wrong_base_model" and signed["base"] == fields["base"]:
            raise Senseless("the reply was refused for its model, and was made from the one that was sent")
        if verdict == ACCEPTED:
            self._take(fields, update, server, fits=fits and signed["base"] == fields["base"])

    def aggregated(self, fields: Fields) -> None:
        """A model was made of replies: each must have been accepted, and be in it once."""
        run, number, before = fields["run"], fields["round"], fields["before"]
        accepted = self._accepted.pop(run, {})
        bases = set()
        for each in fields["updates"]:
            base = accepted.pop((number, each["client"], each["digest"]), None)
            if base is None:
                raise Senseless(
                    f"no reply of {each['client']} with the digest {each['digest']} was accepted in round "
                    f"{number}, or it is in the model twice"
                )
            bases.add(base)
        if len(bases) > 1:
            raise Senseless(f"the replies of round {number} were made from {len(bases)} different models")
        for base in bases:
            if self._models[run].setdefault(base, before) != before:
                raise Senseless(
                    f"the clients began round {number} with the model of another round: with what was the "
                    f"model {self._models[run][base]} then"
                )

    def _take(self, fields: Fields, update: Update, server: PublicKey, *, fits: bool) -> None:
        """One that was accepted."""
        if not fits:
            raise Senseless(
                f"a reply of {update.client_id} was accepted that it has signed for another run or round, or "
                "made from another model"
            )
        if not self._newest[update.client] < update.sequence <= MAX_SEQUENCE:
            raise Senseless(
                f"a reply of {update.client_id} with the number {update.sequence} was accepted after number "
                f"{self._newest[update.client]}"
            )
        receipt = fields["receipt"]
        try:
            server.verify(
                bytes.fromhex(receipt["signature"]), Accepted(update, int(receipt["time_us"])).statement()
            )
        except (BadSignature, ValueError) as error:
            raise Senseless(f"the receipt of {update.client_id} is not one by the server") from error
        self._newest[update.client] = update.sequence
        place = update.round, update.client_id, update.digests.combined.hex()
        self._accepted[fields["run"]][place] = fields["base"]


def _update(fields: Fields, server: KeyId, client: KeyId) -> Update:
    """What the client has signed, by what is told of it."""
    signed, digests = fields["signed"], fields["digests"]
    try:
        return Update(
            server=server,
            run_id=_run(signed["run"]),
            round=int(signed["round"]),
            message_id=str(fields["message"]),
            client_id=str(fields["client"]),
            client=client,
            sequence=int(signed["sequence"]),
            digests=Digests(bytes.fromhex(digests["skeleton"]), bytes.fromhex(digests["arrays"])),
            base=bytes.fromhex(signed["base"]),
        )
    except ValueError as error:
        raise Senseless(f"a number or a digest in it is none ({error})") from error


def _is_signed(update: Update, signed: Fields, key: PublicKey) -> bool:
    try:
        key.verify(bytes.fromhex(signed["signature"]), update.statement())
    except (BadSignature, ValueError):
        return False
    return True


def _run(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError as error:
        raise Senseless(f"{text!r} is not the id of a run") from error


def _key_id(text: str) -> KeyId:
    try:
        return KeyId.parse(text)
    except KeyIdInvalid as error:
        raise Senseless(str(error)) from error
