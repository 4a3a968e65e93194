"""A federation's roster: what its server vouches for survives the way, and nothing else passes for it."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.address import Address
from shared.canonical import canonical
from shared.security.keys import BadSignature, KeyPair, PublicKey
from shared.security.roster import MAX_MEMBERS, MAX_ROSTER_BYTES, Roster, RosterEntry, RosterInvalid
from shared.security.statement import Purpose, statement

HERE = Address("10.0.0.5", 5060)


@pytest.fixture(scope="module")
def member() -> PublicKey:
    return KeyPair.make().public


@pytest.fixture(scope="module")
def roster(key: KeyPair, other: KeyPair, member: PublicKey) -> Roster:
    entries = (RosterEntry("client-1", other.public, (HERE,)), RosterEntry("client-2", member))
    return Roster(key.public.id, 3, 7, tuple(sorted(entries, key=lambda entry: entry.key.id.digest)))


def signed(content: Any, key: KeyPair, purpose: Purpose = Purpose.MESH_ROSTER) -> bytes:
    """Whatever content, signed as rosters are."""
    said = canonical(content)
    signature = key.sign(statement(purpose, said))
    return canonical(
        {
            "key": b64encode(key.public.der).decode(),
            "roster": said.decode(),
            "signature": b64encode(signature).decode(),
        }
    )


def content_of(roster: Roster, key: KeyPair) -> Any:
    return json.loads(json.loads(roster.signed(key))["roster"])


def test_what_a_server_vouches_for_survives_the_way(roster: Roster, key: KeyPair) -> None:
    assert Roster.verified(roster.signed(key), [key.public.id]) == roster


def test_in_whatever_order_members_are_given_it_is_the_same_roster(roster: Roster, key: KeyPair) -> None:
    turned = replace(roster, members=roster.members[::-1])

    assert content_of(turned, key) == content_of(roster, key)


def test_later_starts_of_a_server_go_before_later_changes(roster: Roster) -> None:
    assert replace(roster, generation=4, sequence=0).version > replace(roster, sequence=99).version


def test_one_of_another_server_is_refused(roster: Roster, key: KeyPair, other: KeyPair) -> None:
    with pytest.raises(RosterInvalid, match="which is not this node's"):
        Roster.verified(roster.signed(key), [other.public.id])


def test_no_server_signs_for_another(roster: Roster, key: KeyPair, other: KeyPair) -> None:
    with pytest.raises(RosterInvalid, match="signed by the server that it names"):
        roster.signed(other)
    forged = signed(content_of(roster, key), other)
    with pytest.raises(RosterInvalid, match="names another server"):
        Roster.verified(forged, [other.public.id])


def test_a_members_signature_does_not_pass_for_the_servers(
    roster: Roster, key: KeyPair, other: KeyPair
) -> None:
    forged = json.loads(signed(content_of(roster, key), other))
    forged["key"] = b64encode(key.public.der).decode()

    with pytest.raises(BadSignature):
        Roster.verified(canonical(forged), [key.public.id])


def test_a_signature_for_another_purpose_is_none(roster: Roster, key: KeyPair) -> None:
    with pytest.raises(BadSignature):
        Roster.verified(signed(content_of(roster, key), key, Purpose.MESH_MANIFEST), [key.public.id])


@given(place=st.integers(0, 10_000), mask=st.integers(1, 255))
def test_no_byte_of_it_can_be_changed(roster: Roster, key: KeyPair, place: int, mask: int) -> None:
    data = bytearray(roster.signed(key))
    data[place % len(data)] ^= mask

    with pytest.raises((RosterInvalid, BadSignature)):
        Roster.verified(bytes(data), [key.public.id])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"generation": -1}, "none from 0 up"),
        ({"sequence": 1.0}, "none from 0 up"),
        ({"sequence": True}, "none from 0 up"),
        ({"more": 1}, "exactly these fields"),
        ({"members": {}}, "no list"),
        ({"members": [{}] * (MAX_MEMBERS + 1)}, "no list of at most 1,000"),
        ({"members": [1]}, "exactly these fields"),
        ({"server": "someone"}, "cannot be used"),
    ],
)
def test_what_no_roster_says_is_refused_though_it_is_signed(
    roster: Roster, key: KeyPair, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(RosterInvalid, match=words):
        Roster.verified(signed({**content_of(roster, key), **change}, key), [key.public.id])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "../../etc"}, "name that no client can have"),
        ({"name": 5}, "cannot be used"),
        ({"addresses": ["nowhere"]}, "not HOST:PORT"),
        ({"addresses": ["10.0.0.5:5060"] * 9}, "no list of at most 8"),
        ({"key": "AAAA"}, "public key is none"),
        ({"key": "ä"}, "cannot be used"),
    ],
)
def test_what_no_member_can_be_is_refused_though_it_is_signed(
    roster: Roster, key: KeyPair, change: dict[str, Any], words: str
) -> None:
    content = content_of(roster, key)
    content["members"][0] = {**content["members"][0], **change}

    with pytest.raises(RosterInvalid, match=words):
        Roster.verified(signed(content, key), [key.public.id])


def test_nobody_is_named_twice(roster: Roster, key: KeyPair) -> None:
    with pytest.raises(RosterInvalid, match="named twice"):
        replace(roster, members=(*roster.members, roster.members[0])).signed(key)
    same_name = tuple(replace(member, name="client-1") for member in roster.members)
    with pytest.raises(RosterInvalid, match="the same name"):
        replace(roster, members=same_name).signed(key)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(key: KeyPair, data: bytes) -> None:
    with pytest.raises(RosterInvalid):
        Roster.verified(data, [key.public.id])


def test_one_that_would_fill_the_memory_is_not_read(key: KeyPair) -> None:
    with pytest.raises(RosterInvalid, match="is not taken"):
        Roster.verified(b"[" * (MAX_ROSTER_BYTES + 1), [key.public.id])
