"""A server's rosters as a node takes them: newer ones replace older ones, and people go before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.members import Member, Origin
from mesh.trust import store as store_module
from mesh.trust.store import MemberStore, NotTrusted, RosterOutdated
from shared.address import Address
from shared.security.keys import BadSignature, KeyPair, PublicKey
from shared.security.roster import Roster, RosterEntry, RosterInvalid

HERE, THERE = Address("10.0.0.5", 5060), Address("10.0.0.6", 5060)

Reopen = Callable[[], MemberStore]
Listed = Callable[..., bytes]


@pytest.fixture(scope="module")
def me() -> KeyPair:
    return KeyPair.make()


@pytest.fixture(scope="module")
def ana() -> PublicKey:
    return KeyPair.make().public


@pytest.fixture(scope="module")
def ben() -> PublicKey:
    return KeyPair.make().public


@pytest.fixture
def reopen(tmp_path: Path, me: KeyPair) -> Reopen:
    """The store as the next start of the node finds it."""
    return lambda: MemberStore(tmp_path, me.public.id)


@pytest.fixture
def store(reopen: Reopen) -> MemberStore:
    return reopen()


@pytest.fixture
def listed(key: KeyPair) -> Listed:
    """A roster by the server `key`, of these members."""

    def make(*members: RosterEntry, generation: int = 1, sequence: int = 0, by: KeyPair = key) -> bytes:
        return Roster(by.public.id, generation, sequence, members).signed(by)

    return make


def names(store: MemberStore) -> dict[str, Origin]:
    return {member.name: member.origin for member in store.all().values()}


def test_for_whom_the_server_vouches_is_a_member(
    store: MemberStore, reopen: Reopen, listed: Listed, me: KeyPair, key: KeyPair, ana: PublicKey
) -> None:
    data = listed(RosterEntry("client-1", me.public), RosterEntry("client-2", ana, (HERE,)))

    assert store.take_roster(data, [key.public.id])
    assert store.all() == {ana.id: Member(ana, "client-2", Origin.ROSTER, (HERE,))}
    assert reopen().all() == store.all()
    assert not store.take_roster(data, [key.public.id]), "it is no news"


def test_a_newer_one_replaces_it_all(
    store: MemberStore, reopen: Reopen, listed: Listed, key: KeyPair, ana: PublicKey, ben: PublicKey
) -> None:
    store.take_roster(listed(RosterEntry("ana", ana)), [key.public.id])
    store.take_roster(listed(RosterEntry("ben", ben), sequence=1), [key.public.id])

    assert names(store) == names(reopen()) == {"ben": Origin.ROSTER}


@pytest.mark.parametrize(("generation", "sequence"), [(1, 9), (2, 2)])
def test_an_older_one_is_refused_also_after_a_restart(
    store: MemberStore,
    reopen: Reopen,
    listed: Listed,
    key: KeyPair,
    ana: PublicKey,
    generation: int,
    sequence: int,
) -> None:
    store.take_roster(listed(generation=2, sequence=3), [key.public.id])
    store.drop_roster()
    store = reopen()

    with pytest.raises(RosterOutdated, match=r"older than 2\.3"):
        store.take_roster(
            listed(RosterEntry("ana", ana), generation=generation, sequence=sequence), [key.public.id]
        )
    assert not store.all()


def test_one_of_another_server_is_refused(
    store: MemberStore, listed: Listed, key: KeyPair, other: KeyPair, ana: PublicKey
) -> None:
    with pytest.raises(RosterInvalid, match="not this node's"):
        store.take_roster(listed(RosterEntry("ana", ana), by=other), [key.public.id])
    assert not store.all()


def test_one_that_was_changed_on_the_way_is_refused(
    store: MemberStore, listed: Listed, key: KeyPair, ana: PublicKey
) -> None:
    data = listed(RosterEntry("ana", ana)).replace(b'\\"ana\\"', b'\\"eve\\"')
    with pytest.raises(BadSignature):
        store.take_roster(data, [key.public.id])


def test_the_servers_next_key_goes_on_where_the_last_one_was(
    store: MemberStore, listed: Listed, key: KeyPair, other: KeyPair, ana: PublicKey
) -> None:
    pins = [key.public.id, other.public.id]
    store.take_roster(listed(RosterEntry("ana", ana), generation=2), pins)

    with pytest.raises(RosterOutdated):
        store.take_roster(listed(generation=1, by=other), pins)
    assert store.take_roster(listed(RosterEntry("ana", ana), generation=3, by=other), pins)
    with pytest.raises(RosterOutdated):
        store.take_roster(listed(generation=2, sequence=5), pins)


def test_in_another_federation_the_first_ones_word_is_nothing(
    store: MemberStore, listed: Listed, key: KeyPair, other: KeyPair, ana: PublicKey, ben: PublicKey
) -> None:
    store.take_roster(listed(RosterEntry("ana", ana), generation=9), [key.public.id])
    store.drop_roster(unless_of=[key.public.id])
    assert names(store) == {"ana": Origin.ROSTER}

    store.take_roster(listed(RosterEntry("ben", ben), by=other), [other.public.id])

    assert names(store) == {"ben": Origin.ROSTER}
    store.drop_roster(unless_of=[key.public.id])
    assert not store.all()


def test_people_go_before_the_server(
    store: MemberStore, reopen: Reopen, listed: Listed, key: KeyPair, ana: PublicKey, ben: PublicKey
) -> None:
    store.pair(ana, "anna")
    store.block(ben.id)
    entries = sorted([RosterEntry("ana", ana), RosterEntry("ben", ben)], key=lambda each: each.name)
    store.take_roster(listed(*entries), [key.public.id])

    assert names(store) == {"anna": Origin.PAIRED}
    left = store.unpair(ana.id)
    assert left is not None
    assert left.origin is Origin.ROSTER
    with pytest.raises(NotTrusted, match="`block` overrules"):
        store.unpair(ana.id)
    store.block(ana.id)
    assert not reopen().all()


def test_one_that_was_damaged_on_the_disk_vouches_for_nobody(
    store: MemberStore, reopen: Reopen, tmp_path: Path, listed: Listed, key: KeyPair, ana: PublicKey
) -> None:
    data = listed(RosterEntry("ana", ana))
    store.take_roster(data, [key.public.id])
    (tmp_path / store_module.ROSTER).write_bytes(data[:-9])
    store = reopen()
    assert not store.all()

    assert store.take_roster(data, [key.public.id]), "the server's next word counts"
    assert names(reopen()) == {"ana": Origin.ROSTER}


def test_an_older_one_that_was_put_back_on_the_disk_vouches_for_nobody(
    store: MemberStore, reopen: Reopen, tmp_path: Path, listed: Listed, key: KeyPair, ana: PublicKey
) -> None:
    old = listed(RosterEntry("ana", ana))
    store.take_roster(old, [key.public.id])
    store.take_roster(listed(sequence=1), [key.public.id])
    (tmp_path / store_module.ROSTER).write_bytes(old)

    assert not reopen().all()


def test_a_cut_between_its_two_files_loses_nothing(
    store: MemberStore, reopen: Reopen, tmp_path: Path, listed: Listed, key: KeyPair, ana: PublicKey
) -> None:
    store.take_roster(listed(), [key.public.id])
    (tmp_path / store_module.ROSTER).write_bytes(listed(RosterEntry("ana", ana), sequence=1))

    assert names(reopen()) == {"ana": Origin.ROSTER}


def test_whoever_is_too_many_is_left_out_and_never_one_that_is_paired(
    store: MemberStore,
    listed: Listed,
    key: KeyPair,
    ana: PublicKey,
    ben: PublicKey,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(store_module, "MAX_MEMBERS", 1)
    store.pair(ben, "ben")
    store.take_roster(listed(RosterEntry("ana", ana)), [key.public.id])

    assert names(store) == {"ben": Origin.PAIRED}
    assert "1 are left out" in caplog.text


def test_rosters_are_compared_within_each_federation(
    store: MemberStore, listed: Listed, key: KeyPair, other: KeyPair, ana: PublicKey
) -> None:
    store.take_roster(listed(RosterEntry("ana", ana), generation=5), [key.public.id])
    store.take_roster(listed(generation=1, by=other), [other.public.id])

    with pytest.raises(RosterOutdated):
        store.take_roster(listed(generation=4), [key.public.id])
    assert store.take_roster(listed(RosterEntry("ana", ana), generation=5), [key.public.id])
    assert names(store) == {"ana": Origin.ROSTER}
