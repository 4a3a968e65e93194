"""Enrolment: who may join one server. What is decided is kept first, and true afterwards.

One thing is decided at a time, so that an invitation is never used once too often, and each decision is on
the disk before anybody hears of it: after a crash, a client that was let in is known and its invitation used.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Protocol

from app.enrolment.answers import Answer
from app.enrolment.known import Known, token_hash
from app.records import InvitationKind, IssuedInvitation, Member, MembershipState
from app.store.enrolment import NotOpen
from shared.errors import FedLoomError, StoreUnavailable
from shared.security.key_id import KeyId

log = logging.getLogger(__name__)

TOKEN_BYTES = 24
ID_BYTES = 4


class EnrolmentRefused(FedLoomError):
    """What an administrator wants does not fit what is known of a client or an invitation."""


class NotKnown(EnrolmentRefused):
    """There is no such client or invitation."""


class Kept(Protocol):
    """Where members and invitations are kept: see `app.store.enrolment.EnrolmentStore`."""

    def members(self) -> list[Member]: ...
    def invitations(self) -> dict[str, IssuedInvitation]: ...
    def put(self, *members: Member) -> None: ...
    def join(self, member: Member) -> None: ...
    def forget(self, key: str) -> None: ...
    def add(self, invitation: IssuedInvitation, token_hash: str) -> None: ...
    def revoke(self, invitation_id: str, at: float) -> None: ...


class Enrolment(Known):
    """Of one server. Safe from any thread.

    All methods that are not those of `Known` block for the database. They raise StoreUnavailable if nothing
    can be kept, and then nothing is changed.
    """

    def __init__(
        self, kept: Kept, is_local: Callable[[str], bool], clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(is_local, clock)
        self._kept = kept
        self._turn = threading.Lock()
        """Held while something is decided and written."""
        self._is_stale = True
        """Whether the store may have more than is known here, since its answer was lost."""
        self._read_if_stale()

    # those who come and go

    def join(self, name: str, key: str, token: str) -> Answer:
        """Let somebody in who is invited: ENTER once that is kept, or why it was not."""
        with self._turn:
            self._read_if_stale()
            with self._lock:
                given = self._answer(name, key, token, "")
                hashed = token_hash(token)
                invitation = self._invitations.get(hashed)
            if given is not Answer.JOIN:
                return given
            member = Member(
                key=key,
                client_id=name,
                state=MembershipState.ADMITTED,
                invitation=None if invitation is None else invitation.id,
                ephemeral=invitation is not None and invitation.kind is InvitationKind.EPHEMERAL,
                since=self._clock(),
            )
            try:
                self._keep(lambda: self._kept.join(member))
            except NotOpen:
                return Answer.TOKEN_USED_UP
            with self._lock:
                self._set(member)
                if invitation is not None:
                    self._invitations[hashed] = invitation.changed(uses=invitation.uses + 1)
        return Answer.ENTER

    def leave(self, name: str, key: str) -> bool:
        """An ephemeral client is gone for good: forget it. False: it is none."""
        with self._turn:
            member = self.member(name, key)
            if member is None or not member.ephemeral or member.state is not MembershipState.ADMITTED:
                return False
            self._keep(lambda: self._kept.forget(key))
            with self._lock:
                self._unset(member)
        return True

    # what an administrator decides

    def approve(self, name: str, key: str) -> Member:
        """Let in a key that asks for a name that is free. Returns who is let in."""
        with self._turn:
            self._require_applicant(name, key)
            if (owner := self.owner(name)) is not None:
                raise EnrolmentRefused(
                    f"The name {name!r} belongs to another key, {_short(owner.key)}, so this one cannot be "
                    "approved. To have it take the other's place, re-admit the client with it."
                )
            return self._decide(self._member_as(name, key, MembershipState.ADMITTED))

    def reject(self, name: str, key: str) -> Member:
        """Send away a key that asks for a name. Returns who is sent away."""
        with self._turn:
            self._require_applicant(name, key)
            return self._decide(self._member_as(name, key, MembershipState.REJECTED))

    def revoke(self, name: str) -> Member:
        """The key of a client is not let in any more. Returns who that is."""
        with self._turn:
            self._read_if_stale()
            owner = self.owner(name)
            if owner is None:
                raise NotKnown(f"There is no client {name!r} that was admitted, so nothing is revoked.")
            if owner.state is MembershipState.REVOKED:
                raise EnrolmentRefused(f"The key of {name!r} is revoked already.")
            return self._decide(owner.changed(state=MembershipState.REVOKED, since=self._clock()))

    def forget(self, name: str) -> Member | None:
        """A client is gone for good: nothing is known of its key any more, which needs an invitation or an
        approval to come again. Returns who it was; None: it was here before clients had keys."""
        with self._turn:
            self._read_if_stale()
            with self._lock:
                members = self._members_of(name)
            owner = self.owner(name)
            if any(member.state is not MembershipState.ADMITTED for member in members):
                raise EnrolmentRefused(
                    f"A key of {name!r} was revoked or rejected. That is remembered, with the name, so that "
                    "it is not let in again. Re-admit it first if it is to be forgotten."
                )
            if owner is not None:
                self._keep(lambda: self._kept.forget(owner.key))
                with self._lock:
                    self._unset(owner)
                log.info("%s with the key %s is forgotten", name, _short(owner.key))
        return owner

    def readmit(self, name: str, key: str | None = None) -> tuple[Member, Member | None]:
        """Let a key in again that was revoked or rejected; or, in place of the one that a client has lost,
        another that asks for its name, after which the old one is revoked. Returns who is let in, and in
        whose place."""
        with self._turn:
            self._read_if_stale()
            owner = self.owner(name)
            if key is None:
                key = self._only_key_to_readmit(name, owner)
            elif self.member(name, key) is None:
                self._require_applicant(name, key)
            if owner is not None and owner.key == key and owner.state is MembershipState.ADMITTED:
                raise EnrolmentRefused(f"{name!r} is admitted with this key already.")
            before = owner if owner is not None and owner.key != key else None
            revoked = () if before is None else (before.changed(state=MembershipState.REVOKED),)
            return self._decide(self._member_as(name, key, MembershipState.ADMITTED), *revoked), before

    def invite(
        self, kind: InvitationKind, label: str, expires_at: float | None, max_uses: int | None
    ) -> tuple[IssuedInvitation, str]:
        """A new invitation, and its token, which nobody can be told again."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        invitation = IssuedInvitation(
            id=secrets.token_hex(ID_BYTES),
            kind=kind,
            label=label,
            max_uses=1 if kind is InvitationKind.ONE_OFF else max_uses,
            created_at=self._clock(),
            expires_at=expires_at,
        )
        with self._turn:
            self._keep(lambda: self._kept.add(invitation, token_hash(token)))
            with self._lock:
                self._invitations[token_hash(token)] = invitation
        log.info("invitation %s (%s) was made", invitation.id, kind)
        return invitation, token

    def revoke_invitation(self, invitation_id: str) -> tuple[IssuedInvitation, bool]:
        """Nobody may join by it any more; those who have stay. Returns it, and whether it was not revoked
        before."""
        with self._turn:
            self._read_if_stale()
            with self._lock:
                of_id = [item for item in self._invitations.items() if item[1].id == invitation_id]
            if not of_id:
                raise NotKnown(f"There is no invitation {invitation_id!r}.")
            ((hashed, known),) = of_id
            if known.revoked_at is not None:
                return known, False
            revoked = known.changed(revoked_at=self._clock())
            self._keep(lambda: self._kept.revoke(invitation_id, self._clock()))
            with self._lock:
                self._invitations[hashed] = revoked
        log.info("invitation %s was revoked", invitation_id)
        return revoked, True

    # in turn

    def _member_as(self, name: str, key: str, state: MembershipState) -> Member:
        known = self.member(name, key)
        if known is not None:
            return known.changed(state=state, since=self._clock())
        return Member(key=key, client_id=name, state=state, since=self._clock())

    def _require_applicant(self, name: str, key: str) -> None:
        self._read_if_stale()
        with self._lock:
            waits = key in self._waiting.keys(name)
            taken = self._members.get(key)
        if not waits:
            raise EnrolmentRefused(
                f"No client {name!r} with the key {_short(key)} asks to join just now. It may have given up, "
                "or somebody else has decided on it."
            )
        if taken is not None and taken.client_id != name:
            raise EnrolmentRefused(f"The key {_short(key)} belongs to the client {taken.client_id!r}.")

    def _only_key_to_readmit(self, name: str, owner: Member | None) -> str:
        if owner is not None:
            if owner.state is MembershipState.ADMITTED:
                raise EnrolmentRefused(
                    f"{name!r} is admitted already. If it has lost its key, name the new one with which it "
                    "asks to join."
                )
            return owner.key
        with self._lock:
            members = self._members_of(name)
        if not members:
            raise NotKnown(f"There is no client {name!r} that was revoked or rejected.")
        return members[-1].key

    def _decide(self, first: Member, *others: Member) -> Member:
        members = first, *others
        self._keep(lambda: self._kept.put(*members))
        with self._lock:
            for member in reversed(members):
                self._set(member)
        for member in members:
            log.info("%s with the key %s is %s", member.client_id, _short(member.key), member.state)
        return first

    def _keep(self, write: Callable[[], None]) -> None:
        try:
            write()
        except StoreUnavailable:
            self._is_stale = True
            raise

    def _read_if_stale(self) -> None:
        if self._is_stale:
            members, invitations = self._kept.members(), self._kept.invitations()
            with self._lock:
                self._read(members, invitations)
            self._is_stale = False


def _short(key: str) -> str:
    return KeyId.parse(key).short
