"""Known: what is known of who may join one server, in memory, so that nobody who asks waits for a disk."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from app.enrolment.answers import OF_INVITATION, Answer, TokenState, answer, owner_of
from app.enrolment.guesses import Guesses
from app.enrolment.waiting import Applicant, WaitingList
from app.records import IssuedInvitation, Member, MembershipState

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Standing:
    """How a name stands.

    `key`: its owner's; if it has none, that of the first who asks for it; else the last that was rejected.
    """

    membership: MembershipState
    key: str
    waiting_keys: tuple[str, ...] = ()
    ephemeral: bool = False


class Known:
    """Of one server. Safe from any thread: a lock is held for moments."""

    def __init__(self, is_local: Callable[[str], bool], clock: Callable[[], float]) -> None:
        """`is_local`: whether a token is that of the invitation in the server's own folder."""
        self._is_local = is_local
        self._clock = clock
        self._lock = threading.Lock()
        self._members: dict[str, Member] = {}
        """By key, in the order of the decisions on them."""
        self._names: dict[str, dict[str, Member]] = {}
        """The same, by name."""
        self._invitations: dict[str, IssuedInvitation] = {}
        """By the hash of the token, oldest first."""
        self._waiting = WaitingList()
        self._guesses = Guesses()
        self._refused: Counter[Answer] = Counter()

    def ask(self, name: str, key: str, token: str, address: str) -> Answer:
        """Somebody who has this key wants to come in under this name, from a network address."""
        now = self._clock()
        with self._lock:
            given = self._answer(name, key, token, address)
            is_claim = given is Answer.OTHER_KEY
            if is_claim or given is Answer.WAIT:
                noted = self._waiting.note(Applicant(name, key, address, is_claim, now))
                if not noted and not is_claim:
                    given = Answer.CROWDED
            if given is Answer.TOKEN_WRONG:
                self._guesses.add(address, now)
                if self._guesses.are_too_many(address, now):
                    log.warning("many wrong invitations come from %s: no more are looked at for now", address)
            if given not in (Answer.ENTER, Answer.JOIN, Answer.WAIT):
                self._refused[given] += 1
            return given

    def is_admitted(self, name: str, key: str) -> bool:
        """Whether a key may be here under a name."""
        member = self.member(name, key)
        return member is not None and member.state is MembershipState.ADMITTED

    def standing(self, name: str) -> Standing | None:
        """How a name stands; None: nobody has it or asks for it."""
        with self._lock:
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
        with self._lock:
            return self._waiting.expire(self._clock())

    def owner(self, name: str) -> Member | None:
        """Whose a name is."""
        with self._lock:
            return owner_of(self._members_of(name))

    def member(self, name: str, key: str) -> Member | None:
        """What was decided on a key under a name."""
        with self._lock:
            return self._names.get(name, {}).get(key)

    def members(self) -> list[Member]:
        """All keys on which something was decided, the oldest decision first."""
        with self._lock:
            return list(self._members.values())

    def invitations(self) -> list[IssuedInvitation]:
        """All invitations, newest first."""
        with self._lock:
            return list(self._invitations.values())[::-1]

    def is_issued(self, token: str) -> bool:
        """Whether this is the secret of an invitation that was made here, also one that holds no more."""
        with self._lock:
            return token_hash(token) in self._invitations

    def refused(self) -> dict[str, int]:
        """How often somebody was not let in so far, by the code of the answer."""
        with self._lock:
            return {given.value: times for given, times in sorted(self._refused.items())}

    # for who decides, with the lock

    def _read(self, members: Iterable[Member], invitations: Mapping[str, IssuedInvitation]) -> None:
        """Know these, and no others."""
        self._members.clear()
        self._names.clear()
        for member in members:
            self._set(member)
        self._invitations = dict(invitations)

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

    def _members_of(self, name: str) -> list[Member]:
        return list(self._names.get(name, {}).values())

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
        invitation = self._invitations.get(token_hash(token))
        return TokenState.WRONG if invitation is None else OF_INVITATION[invitation.state(self._clock())]


def token_hash(token: str) -> str:
    """What is kept of a token. It is random and long, so that no slow hash is needed."""
    return hashlib.sha256(token.encode()).hexdigest()
