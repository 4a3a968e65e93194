"""The door of the link: who may come in, by their key.

A client that comes for the first time needs the token of an invitation, or the word of an administrator; from
then on its name belongs to its key. Called in the link thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from google.protobuf.message import DecodeError

from app.audit.entry import Kind
from app.audit.log import AuditLog
from app.enrolment.answers import Answer, words
from app.enrolment.enrolment import Enrolment
from app.enrolment.known import token_hash
from app.federation.link.limits import Allowance
from shared.errors import StoreUnavailable
from shared.proto.link_pb2 import Hello, SignedHello
from shared.security.handshake import verify_hello
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyUnusable, PublicKey
from shared.security.server_identity import ServerIdentity

JOINS = 1_000, 1 / 10
"""By one invitation: so many at once, and so many a second after that. Each is written down for good."""
ASKING = 20, 1 / 10
"""The same for lines in the log on strangers who wait; the page shows all of them."""

log = logging.getLogger(__name__)


class Refused(Exception):
    """Somebody may not come in, and why, in words for the person at the client.

    `is_final`: trying again cannot help. `is_news`: worth a line in the log.
    """

    def __init__(self, words: str, *, is_final: bool = True, is_news: bool = True) -> None:
        super().__init__(words)
        self.is_final = is_final
        self.is_news = is_news


@dataclass(frozen=True)
class Guest:
    """Somebody who has shown to own a key, and what they say of themselves."""

    hello: Hello
    public_key: PublicKey

    @property
    def key(self) -> KeyId:
        """Whose key it is."""
        return self.public_key.id


class Door:
    """Of one server."""

    def __init__(self, identity: ServerIdentity, enrolment: Enrolment, audit: AuditLog) -> None:
        self._identity = identity
        self._enrolment = enrolment
        self._audit = audit
        self._joins = defaultdict[str, Allowance](partial(Allowance, *JOINS))
        """By the hash of an invitation's token."""
        self._asking = Allowance(*ASKING)
        self._desk = ThreadPoolExecutor(1, "door")
        """Where new members are written down, which the link's loop must not wait for."""

    def close(self) -> None:
        """Nobody comes any more; who is being written down still is."""
        self._desk.shutdown(cancel_futures=True)

    def examine(self, signed: SignedHello, nonce: bytes) -> Guest:
        """Who it is that answers with this to the nonce of their connection. Raises Refused."""
        try:
            key = verify_hello(signed, self._identity.key.public.id, nonce)
            hello = Hello.FromString(signed.hello)
        except (BadSignature, KeyUnusable, DecodeError) as error:
            raise Refused(
                f"The hello is not signed as it must be. {error} Install the same FedLoom on both sides."
            ) from error
        return Guest(hello, key)

    async def admit(self, guest: Guest, token: str, address: str) -> None:
        """Return once the guest is a member, and that is kept. Raises Refused.

        The guest may have been revoked by the time the caller goes on: see `is_open_to`.
        """
        name = guest.hello.client_id
        waited = str(guest.key) in self._waiting_keys(name)
        given = self._enrolment.ask(name, str(guest.key), token, address)
        if given is Answer.JOIN:
            if not self._joins[token_hash(token)].take():
                raise Refused(
                    "Very many clients have joined by this invitation just now, so this one has to wait.",
                    is_final=False,
                )
            given = await self._join(guest, token)
            if given is Answer.ENTER:
                log.info("%s is new here, and has the key %s", name, guest.key.short)
                self._enter(name, str(guest.key))
        if given is Answer.WAIT and not waited and self._asking.take():
            log.warning("%s asks to join, with the key %s: approve or reject it", name, guest.key.short)
        if given is not Answer.ENTER:
            # those who may still come in ask again and again, and are counted
            raise Refused(
                words(given, name, guest.key.short), is_final=given.is_final, is_news=given.is_final
            )

    def is_open_to(self, guest: Guest) -> bool:
        """Whether a guest is a member now."""
        return self._enrolment.is_admitted(guest.hello.client_id, str(guest.key))

    async def _join(self, guest: Guest, token: str) -> Answer:
        loop = asyncio.get_running_loop()
        name, key = guest.hello.client_id, str(guest.key)
        try:
            return await loop.run_in_executor(self._desk, self._enrolment.join, name, key, token)
        except StoreUnavailable as error:
            log.error("%s cannot join at present: %s", name, error)
            raise Refused(
                "The server cannot keep at present who has joined; its log says why.",
                is_final=False,
                is_news=False,
            ) from error

    def _enter(self, name: str, key: str) -> None:
        """Have the audit log tell by which invitation a member has come."""
        member = self._enrolment.member(name, key)
        invitation = None if member is None else member.invitation
        self._audit.record(Kind.INVITATION_USED, invitation=invitation, client=name, key=key)

    def _waiting_keys(self, name: str) -> tuple[str, ...]:
        standing = self._enrolment.standing(name)
        return () if standing is None else (standing.key, *standing.waiting_keys)
