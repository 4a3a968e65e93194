"""Whatever people and servers decide, in whatever order, and over restarts: who is trusted follows the rules.

The rules stand here as a few sets, with which the store has to agree after every step.
"""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mesh.members import Origin
from mesh.trust.kept_invitations import Clocks, kept_invitations
from mesh.trust.open_invitations import LIFETIME_S, MAX_OPEN, MAX_WRONG, Invitations, PairingRefused, Refusal
from mesh.trust.store import MemberStore, NotTrusted, RosterOutdated
from shared.address import Address
from shared.security.key_id import KeyId
from shared.security.roster import Roster, RosterEntry
from tests.support.mesh_world import mesh_key

ME, SERVER, OTHER_SERVER = range(3)
PEOPLE = range(3, 6)
HERE = Address("10.0.0.5", 5060)

people = st.sampled_from(PEOPLE)
everybody = st.sampled_from([ME, *PEOPLE])


def id_of(number: int) -> KeyId:
    return mesh_key(number).public.id


class Trusting(RuleBasedStateMachine):
    """A store, and what it has to say."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.store = self.opened()
        self.paired: set[int] = set()
        self.blocked: set[int] = set()
        self.listed: set[int] = set()
        self.newest: dict[int, tuple[int, int]] = {}

    def teardown(self) -> None:
        self.folder.cleanup()

    def opened(self) -> MemberStore:
        return MemberStore(Path(self.folder.name), id_of(ME))

    @rule()
    def restart(self) -> None:
        self.store = self.opened()

    @rule(who=everybody)
    def pair(self, who: int) -> None:
        try:
            self.store.pair(mesh_key(who).public, f"node-{who}", [HERE])
        except NotTrusted:
            assert who == ME or who in self.blocked
        else:
            assert who != ME
            assert who not in self.blocked
            self.paired.add(who)

    @rule(who=people)
    def unpair(self, who: int) -> None:
        try:
            self.store.unpair(id_of(who))
        except NotTrusted:
            assert who not in self.paired
        else:
            self.paired.remove(who)

    @rule(who=everybody)
    def block(self, who: int) -> None:
        try:
            self.store.block(id_of(who))
        except NotTrusted:
            assert who == ME
        else:
            self.paired.discard(who)
            self.blocked.add(who)

    @rule(who=people)
    def unblock(self, who: int) -> None:
        try:
            self.store.unblock(id_of(who))
        except NotTrusted:
            assert who not in self.blocked
        else:
            self.blocked.remove(who)

    @rule(who=people)
    def is_heard_of(self, who: int) -> None:
        self.store.found(id_of(who), Address("10.0.0.9", who))

    @rule(
        server=st.sampled_from([SERVER, OTHER_SERVER]),
        version=st.tuples(st.integers(0, 2), st.integers(0, 2)),
        members=st.sets(everybody),
    )
    def hear_the_server(self, server: int, version: tuple[int, int], members: set[int]) -> None:
        entries = tuple(RosterEntry(f"client-{who}", mesh_key(who).public) for who in members)
        signed = Roster(id_of(server), *version, entries).signed(mesh_key(server))
        newest = self.newest.get(server)
        try:
            is_news = self.store.take_roster(signed, [id_of(server)])
        except RosterOutdated:
            assert newest is not None
            assert version < newest
            return
        assert newest is None or version >= newest
        if is_news:
            self.listed, self.newest[server] = members, version

    @rule()
    def leave_the_federation(self) -> None:
        self.store.drop_roster()
        self.listed = set()

    @invariant()
    def it_trusts_whom_it_should(self) -> None:
        trusted = (self.paired | self.listed) - self.blocked - {ME}
        members = self.store.all()

        assert members.keys() == {id_of(who) for who in trusted}
        assert {key for key, member in members.items() if member.origin is Origin.PAIRED} == {
            id_of(who) for who in self.paired
        }
        assert self.store.blocked().keys() == {id_of(who) for who in self.blocked}


class Inviting(RuleBasedStateMachine):
    """Invitations that are made, used, guessed and expire, at a node that is restarted now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.file = Path(mkdtemp()) / "invitations.json"
        self.now = 0.0
        self.start_s = 0.0
        self.invitations = self.started()
        self.made: list[str] = []
        self.ends: dict[str, float] = {}
        self.users: dict[str, int] = {}
        self.void: set[str] = set()
        self.wrong = 0

    @rule()
    def invite(self) -> None:
        is_open = [self.is_good_for(token, None) for token in self.made]
        if sum(is_open) < MAX_OPEN:
            self.made.append(token := self.invitations.make(self.since_start()))
            self.ends[token] = self.now + LIFETIME_S
            self.wrong = 0

    @precondition(lambda self: self.made)
    @rule(place=st.integers(0, 5), who=people)
    def use(self, place: int, who: int) -> None:
        token = self.made[-1 - place % len(self.made)]
        is_good = self.is_good_for(token, who)
        try:
            self.invitations.use(token, id_of(who), self.since_start())
        except PairingRefused as refused:
            assert not is_good
            if refused.reason is Refusal.UNKNOWN:
                assert self.now >= self.ends[token] + LIFETIME_S, "it was forgotten too early"
                self.count_wrong()
        else:
            assert is_good
            self.users[token] = who

    @rule(who=people)
    def guess(self, who: int) -> None:
        with pytest.raises(PairingRefused):
            self.invitations.use("guess", id_of(who), self.since_start())
        self.count_wrong()

    @rule()
    def restart(self) -> None:
        """Its monotonic clock begins anew."""
        self.start_s = self.now
        self.invitations = self.started()
        self.wrong = 0

    def started(self) -> Invitations:
        return kept_invitations(self.file, Clocks(self.since_start, lambda: 1_700_000_000.0 + self.now))

    def since_start(self) -> float:
        return self.now - self.start_s

    def teardown(self) -> None:
        rmtree(self.file.parent)

    @rule(seconds=st.sampled_from([1.0, LIFETIME_S / 2, LIFETIME_S]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    def is_good_for(self, token: str, who: int | None) -> bool:
        """Whether somebody may use it now; None: somebody new."""
        return (
            self.now < self.ends[token]
            and token not in self.void
            and (token not in self.users or self.users[token] == who)
        )

    def count_wrong(self) -> None:
        self.wrong += 1
        if self.wrong >= MAX_WRONG:
            self.void |= set(self.made) - self.users.keys()


TestTrusting = Trusting.TestCase
TestTrusting.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestInviting = Inviting.TestCase
TestInviting.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
