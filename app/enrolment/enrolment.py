"""Enrolment: who may join one server. What is decided is kept first and true afterwards.

Everything is in memory as well, so that a client that is known is let in without a look into the database.
There are two locks. One is held while something is decided and written, one thing at a time, so that an
invitation is never used once too often. The other is held for moments, so that the link's thread, which asks,
never waits for a disk.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.enrolment.answers import OF_INVITATION, Answer, TokenState, answer, owner_of
from app.enrolment.guesses import Guesses
from app.enrolment.waiting import Applicant, WaitingList
from app.records import InvitationKind, IssuedInvitation, Member, MembershipState
from app.store.enrolment import NotOpen
from shared.errors import FedLoomError, StoreUnavailable

TOKEN_BYTES = 24
ID_BYTES = 4


class EnrolmentRefused(FedLoomError):
    """What an administrator wants does not fit what is known of a client or an invitation."""


class NotKnown(EnrolmentRefused):
    """There is no such client or invitation."""


@dataclass(frozen=True)
class Standing:
    """How a name stands.

    `key`: its owner's; if it has none, that of the first who asks for it; else the last that was rejected.
    """

    membership: MembershipState
    key: str
    waiting_keys: tuple[str, ...] = ()
    ephemeral: bool = False


class Kept(Protocol):
    """Where members and invitations are kept: see `app.store.enrolment.EnrolmentStore`."""

    def members(self) -> list[Member]: ...
    def invitations(self) -> dict[str, IssuedInvitation]: ...
    def put(self, *members: Member) -> None: ...
    def join(self, member: Member) -> None: ...
    def forget(self, key: str) -> None: ...
    def add(self, invitation: IssuedInvitation, token_hash: str) -> None: ...
    def revoke(self, invitation_id: str, at: float) -> None: ...


class Enrolment:
    """Of one server. Safe from any thread; what blocks says so."""

    def __init__(
        self,
        kept: Kept,
        is_local: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`is_local`: whether a token is that of the invitation in the server's own folder. Blocks.

        Raises StoreUnavailable.
        """
        self._kept = kept
        self._is_local = is_local
        self._clock = clock
        self._deciding = threading.Lock()
        self._memory = threading.Lock()
        self._waiting = WaitingList()
        self._guesses = Guesses()
        self._refused: Counter[Answer] = Counter()
        self._is_stale = False
        """Whether the store may have more than is known here, since its answer was lost."""
        self._read()

    # for the link, which must not wait

    def ask(self, name: str, key: str, token: str, address: str) -> Answer:
        """Somebody who has this key wants to come in under this name, from a network address."""
        now = self._clock()
        with self._memory:
            given = self._answer(name, key, token, address)
            is_claim = given is Answer.OTHER_KEY
            if is_claim or given is Answer.WAIT:
                noted = self._waiting.note(Applicant(name, key, address, is_claim, now))
                if not noted and not is_claim:
                    given = Answer.CROWDED
            if given is Answer.TOKEN_WRONG:
                self._guesses.add(address, now)
            if given not in (Answer.ENTER, Answer.JOIN, Answer.WAIT):
                self._refused[given] += 1
            return given

    def is_admitted(self, name: str, key: str) -> bool:
        """Whether a key may be here under a name."""
        with self._memory:
            return self._answer(name, key, "", "") is Answer.ENTER

    def standing(self, name: str) -> Standing | None:
        """How a name stands; None: nobody has it or asks for it."""
        with self._memory:
            members = self._members_of(name)
            owner = owner_of(members)
            waiting = self._waiting.keys(name)
            if owner is not None:
                return Standing(owner.state, owner.key, waiting, owner.ephemeral)
            if waiting:
                return Standing(MembershipState.PENDING, waiting[0], waiting[1:])
            return Standing(members[-1].state, members[-1].key) if members else None

    def expire(self) -> set[str]:
        """Forget those who do not wait any more; returns the names that they asked for."""
        with self._memory:
            return self._waiting.expire(self._clock())

    # for anybody

    def members(self) -> list[Member]:
        """All keys on which something was decided, the oldest decision first."""
        with self._memory:
            return list(self._members.values())

    def invitations(self) -> list[IssuedInvitation]:
        """All invitations, newest first."""
        with self._memory:
            return list(self._invitations.values())[::-1]

    def refused(self) -> dict[str, int]:
        """How often somebody was not let in so far, by the code of the answer."""
        with self._memory:
            return {given.value: times for given, times in sorted(self._refused.items())}

    # decisions: these block, and raise StoreUnavailable if they cannot be kept

    def join(self, name: str, key: str, token: str) -> Answer:
        """Let somebody in who is invited: ENTER once that is kept, or why it was not."""
        with self._deciding:
            self._read_if_stale()
            with self._memory:
                given = self._answer(name, key, token, "")
                invitation = self._invitation(token)
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
            with self._memory:
                self._set(member)
                if invitation is not None:
                    self._put(invitation.changed(uses=invitation.uses + 1))
        return Answer.ENTER

    def approve(self, name: str, key: str) -> None:
        """Let in a key that asks for a name that is free."""
        with self._deciding:
            self._require_applicant(name, key)
            if (owner := self._owner(name)) is not None:
                raise EnrolmentRefused(
                    f"The name {name!r} belongs to another key, {owner.key[:7]}…, so this one cannot be "
                    "approved. To have it take the other's place, re-admit the client with it."
                )
            self._decide(self._member(name, key, MembershipState.ADMITTED))

    def reject(self, name: str, key: str) -> None:
        """Send away a key that asks for a name."""
        with self._deciding:
            self._require_applicant(name, key)
            self._decide(self._member(name, key, MembershipState.REJECTED))

    def revoke(self, name: str) -> None:
        """Its key is not let in any more."""
        with self._deciding:
            owner = self._owner(name)
            if owner is None:
                raise NotKnown(f"There is no client {name!r} that was admitted, so nothing is revoked.")
            if owner.state is MembershipState.REVOKED:
                raise EnrolmentRefused(f"The key of {name!r} is revoked already.")
            self._decide(owner.changed(state=MembershipState.REVOKED, since=self._clock()))

    def readmit(self, name: str, key: str | None = None) -> None:
        """Let a key in again that was revoked or rejected; or, in place of the one that a client has lost,
        another that asks for its name, after which the old one is revoked."""
        with self._deciding:
            owner = self._owner(name)
            if key is None:
                key = self._only_key_to_readmit(name, owner)
            elif self._member_with(name, key) is None:
                self._require_applicant(name, key)
            if owner is not None and owner.key == key and owner.state is MembershipState.ADMITTED:
                raise EnrolmentRefused(f"{name!r} is admitted with this key already.")
            decided = [self._member(name, key, MembershipState.ADMITTED)]
            if owner is not None and owner.key != key:
                decided.append(owner.changed(state=MembershipState.REVOKED))
            self._decide(*decided)

    def leave(self, name: str, key: str) -> bool:
        """An ephemeral client is gone for good: forget it. False: it is none."""
        with self._deciding:
            member = self._member_with(name, key)
            if member is None or not member.ephemeral or member.state is not MembershipState.ADMITTED:
                return False
            self._keep(lambda: self._kept.forget(key))
            with self._memory:
                self._unset(member)
        return True

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
        with self._deciding:
            self._keep(lambda: self._kept.add(invitation, token_hash(token)))
            with self._memory:
                self._invitations[token_hash(token)] = invitation
        return invitation, token

    def revoke_invitation(self, invitation_id: str) -> IssuedInvitation:
        """Nobody may join by it any more; those who have stay."""
        with self._deciding:
            found = next((each for each in self.invitations() if each.id == invitation_id), None)
            if found is None:
                raise NotKnown(f"There is no invitation {invitation_id!r}.")
            if found.revoked_at is not None:
                return found
            revoked = found.changed(revoked_at=self._clock())
            self._keep(lambda: self._kept.revoke(invitation_id, self._clock()))
            with self._memory:
                self._put(revoked)
        return revoked

    # with the memory's lock

    def _answer(self, name: str, key: str, token: str, address: str) -> Answer:
        of_key = self._members.get(key)
        owner = None if of_key is not None else owner_of(self._members_of(name))
        judged = TokenState.NONE if of_key is not None or owner is not None else self._judge(token, address)
        return answer(name, of_key, owner, judged)

    def _judge(self, token: str, address: str) -> TokenState:
        if not token:
            return TokenState.NONE
        if self._is_local(token):
            return TokenState.GOOD
        if self._guesses.are_too_many(address, self._clock()):
            return TokenState.UNTRIED
        invitation = self._invitation(token)
        return TokenState.WRONG if invitation is None else OF_INVITATION[invitation.state(self._clock())]

    def _invitation(self, token: str) -> IssuedInvitation | None:
        return self._invitations.get(token_hash(token))

    def _members_of(self, name: str) -> list[Member]:
        """Those who have or had a name, in the order of the decisions on them."""
        return list(self._names.get(name, {}).values())

    def _set(self, member: Member) -> None:
        self._unset(member)  # so that the newest decision is the last
        self._members[member.key] = member
        self._names.setdefault(member.client_id, {})[member.key] = member
        self._waiting.remove(member.client_id, member.key)

    def _unset(self, member: Member) -> None:
        self._members.pop(member.key, None)
        of_name = self._names.get(member.client_id, {})
        of_name.pop(member.key, None)
        if not of_name:
            self._names.pop(member.client_id, None)

    def _put(self, invitation: IssuedInvitation) -> None:
        for hashed, known in self._invitations.items():
            if known.id == invitation.id:
                self._invitations[hashed] = invitation
                return

    # while something is decided

    def _owner(self, name: str) -> Member | None:
        self._read_if_stale()
        with self._memory:
            return owner_of(self._members_of(name))

    def _member_with(self, name: str, key: str) -> Member | None:
        with self._memory:
            member = self._members.get(key)
        return member if member is not None and member.client_id == name else None

    def _member(self, name: str, key: str, state: MembershipState) -> Member:
        known = self._member_with(name, key)
        if known is not None:
            return known.changed(state=state, since=self._clock())
        return Member(key=key, client_id=name, state=state, since=self._clock())

    def _require_applicant(self, name: str, key: str) -> None:
        with self._memory:
            waits = key in self._waiting.keys(name)
            taken = self._members.get(key)
        if not waits:
            raise EnrolmentRefused(
                f"No client {name!r} with the key {key[:7]}… asks to join just now. It may have given up, or "
                "somebody else has decided on it."
            )
        if taken is not None and taken.client_id != name:
            raise EnrolmentRefused(f"The key {key[:7]}… belongs to the client {taken.client_id!r}.")

    def _only_key_to_readmit(self, name: str, owner: Member | None) -> str:
        if owner is not None:
            if owner.state is MembershipState.ADMITTED:
                raise EnrolmentRefused(
                    f"{name!r} is admitted already. If it has lost its key, name the new one with which it "
                    "asks to join."
                )
            return owner.key
        with self._memory:
            members = self._members_of(name)
        if not members:
            raise NotKnown(f"There is no client {name!r} that was revoked or rejected.")
        return members[-1].key

    def _decide(self, *members: Member) -> None:
        self._keep(lambda: self._kept.put(*members))
        with self._memory:
            for member in reversed(members):
                self._set(member)

    def _keep(self, write: Callable[[], None]) -> None:
        try:
            write()
        except StoreUnavailable:
            self._is_stale = True
            raise

    def _read_if_stale(self) -> None:
        if self._is_stale:
            self._read()

    def _read(self) -> None:
        members, invitations = self._kept.members(), self._kept.invitations()
        with self._memory:
            self._members: dict[str, Member] = {}
            self._names: dict[str, dict[str, Member]] = {}
            for member in members:
                self._set(member)
            self._invitations = invitations
        self._is_stale = False


def token_hash(token: str) -> str:
    """What is kept of a token. It is random and long, so that no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
