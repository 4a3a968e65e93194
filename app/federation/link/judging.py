"""Whether a reply is genuine: by the client's seal, before anybody reads what is in it."""

from __future__ import annotations

from dataclasses import dataclass

from app.federation.link.task import Task
from app.records import Verdict
from shared.payload import Payload
from shared.proto.link_pb2 import Seal
from shared.security.digest import Digests
from shared.security.key_id import ID_BYTES, KeyId
from shared.security.keys import BadSignature, PublicKey
from shared.security.seals import MAX_SEQUENCE, Update


class ReplyRefused(Exception):
    """A reply must not be used, and why."""

    def __init__(self, verdict: Verdict, words: str) -> None:
        super().__init__(words)
        self.verdict = verdict


@dataclass(frozen=True)
class SealedReply:
    """A reply that came in whole, from a client that has shown to own a key.

    `seal`: None: it has none. `base`: the hash of the arrays in the message that it answers.
    """

    message_id: str
    payload: Payload
    digests: Digests
    seal: Seal | None
    signer: PublicKey
    base: bytes


def require_genuine(task: Task, reply: SealedReply, server: KeyId, newest_sequence: int) -> Update:
    """What a client has signed with its reply to a message.

    Raises ReplyRefused unless it has signed exactly this reply, to this message of the server with this key,
    in its run and its round, made from the model in it, and after the reply with the `newest_sequence`.
    """
    update = _signed(task, reply, server)
    if (update.run_id, update.round) != (task.run_id, task.round or 0):
        raise ReplyRefused(
            Verdict.WRONG_ROUND,
            f"The reply is signed for round {update.round} of run {update.run_id:08x}, and answers a message "
            f"of round {task.round or 0} of run {task.run_id:08x}.",
        )
    if update.base != reply.base:
        raise ReplyRefused(
            Verdict.WRONG_BASE_MODEL,
            f"The reply was made from the model {update.base.hex()[:16]}…, and the model that was sent is "
            f"{reply.base.hex()[:16]}…: the client did not begin with what it was given.",
        )
    if not newest_sequence < update.sequence <= MAX_SEQUENCE:
        raise ReplyRefused(
            Verdict.REPLAYED,
            f"The reply has number {update.sequence} among the client's, and number {newest_sequence} was "
            "accepted before: it may have been sent a second time.",
        )
    return update


def _signed(task: Task, reply: SealedReply, server: KeyId) -> Update:
    """What a client has signed, true or not. Raises ReplyRefused if it has not signed this reply."""
    seal = reply.seal
    if seal is None:
        raise ReplyRefused(
            Verdict.BAD_SIGNATURE,
            "The reply came without a signature, so nobody knows whether it was changed.",
        )
    if seal.key != reply.signer.id.digest:
        whose = KeyId(seal.key).short if len(seal.key) == ID_BYTES else "that is none"
        raise ReplyRefused(
            Verdict.UNKNOWN_KEY,
            f"The reply is signed by a key {whose}; that of {task.client_id} is {reply.signer.id.short}.",
        )
    update = Update(
        server=server,
        run_id=seal.run_id,
        round=seal.round,
        message_id=reply.message_id,
        client_id=task.client_id,
        client=reply.signer.id,
        sequence=seal.sequence,
        digests=reply.digests,
        base=seal.base,
    )
    try:
        reply.signer.verify(seal.signature, update.statement())
    except BadSignature as error:
        raise ReplyRefused(
            Verdict.BAD_SIGNATURE,
            "The reply is not what its client signed: it was changed on the way, or the signature is of "
            "another one.",
        ) from error
    return update
