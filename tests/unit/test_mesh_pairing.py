"""Pairing: both ends come to the same check code, and whoever stands between them to two different ones."""

from __future__ import annotations

import asyncio
from base64 import b32encode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.trust.check_code import check_code, commitment, is_bound, new_random
from mesh.trust.open_invitations import PairingRefused, Refusal
from mesh.trust.pairing import (
    MAX_MESSAGE_BYTES,
    Introduction,
    PairingFailed,
    hear_code,
    refuse,
    tell_code,
)
from shared.address import Address
from shared.canonical import canonical, from_canonical
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair

OF_INN = Introduction(KeyPair.make().public, "inn", (Address("10.0.0.5", 5060),))
OF_EVE = Introduction(KeyPair.make().public, "eve", (Address("10.0.0.66", 5060),))
INN, ANA, EVE = OF_INN.key.id, KeyId(bytes(32)), OF_EVE.key.id


@dataclass
class Pipe:
    """A channel's end; `changed` sees each message that comes."""

    inbox: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    outbox: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    changed: Callable[[bytes], bytes] = bytes

    async def send(self, message: bytes) -> None:
        await self.outbox.put(message)

    async def receive(self) -> bytes:
        return self.changed(await self.inbox.get())

    def other_end(self) -> Pipe:
        return Pipe(self.outbox, self.inbox)


async def paired(changed: Callable[[bytes], bytes] = bytes) -> tuple[str, str, Introduction]:
    """The codes of both ends, where `changed` is done to all that the coming one hears."""
    coming = Pipe(changed=changed)
    async with asyncio.TaskGroup() as both:
        told = both.create_task(tell_code(coming.other_end(), ANA, OF_INN, lambda: None))
        heard = both.create_task(hear_code(coming, ANA, INN))
    return told.result(), *heard.result()


def test_both_ends_show_the_same_code() -> None:
    told, heard, introduction = asyncio.run(paired())

    assert told == heard
    assert len(told) == 9
    assert told[4] == "-"
    assert introduction == OF_INN


def test_each_pairing_has_another_code() -> None:
    assert len({asyncio.run(paired())[0] for _ in range(20)}) == 20


def test_a_code_is_of_both_keys_and_both_ends() -> None:
    random, other = new_random(), new_random()
    codes = {
        check_code(INN, ANA, random, other),
        check_code(ANA, INN, random, other),
        check_code(INN, EVE, random, other),
        check_code(EVE, ANA, random, other),
        check_code(INN, ANA, other, random),
        check_code(INN, ANA, random, new_random()),
    }

    assert len(codes) == 6


def test_a_code_is_computed_as_the_specification_says() -> None:
    """With nothing of FedLoom's own but the two ids."""
    random, other = bytes(range(32)), bytes(range(32, 64))
    fields = [b"fedloom/mesh-pairing/v1", INN.digest, ANA.digest, random, other]
    kinds = [b"s", b"b", b"b", b"b", b"b"]
    said = b"".join(
        kind + len(field).to_bytes(8, "big") + field for kind, field in zip(kinds, fields, strict=True)
    )
    letters = b32encode(sha256(said).digest()[:5]).decode()

    assert check_code(INN, ANA, random, other) == f"{letters[:4]}-{letters[4:]}"
    assert commitment(random) == sha256(random).digest()


def test_who_stands_between_with_the_invitation_is_noticed_by_the_codes() -> None:
    async def attack() -> tuple[str, str]:
        """Eve has replaced the picture of the code by one with her key, and passes all on that she can."""
        to_inn, to_ana = Pipe(), Pipe()
        async with asyncio.TaskGroup() as all_three:
            at_inn = all_three.create_task(tell_code(to_inn, EVE, OF_INN, lambda: None))
            at_ana = all_three.create_task(hear_code(to_ana, ANA, EVE))
            await to_ana.inbox.put(await to_inn.outbox.get())
            await to_inn.inbox.put(await to_ana.outbox.get())
            last = from_canonical(await to_inn.outbox.get())
            own = b64encode(OF_EVE.key.der).decode()  # Ana looks for the key that the picture has
            await to_ana.inbox.put(canonical({**last, "key": own}))
        return at_inn.result(), at_ana.result()[0]

    at_inn, at_ana = asyncio.run(attack())

    assert at_inn != at_ana


def test_the_inviting_end_cannot_choose_its_part_after_it_has_heard_the_other() -> None:
    def replaced(message: bytes) -> bytes:
        fields = from_canonical(message)
        return canonical({**fields, "random": new_random().hex()}) if "random" in fields else message

    with pytest.raises(ExceptionGroup) as failed:
        asyncio.run(paired(replaced))
    assert failed.group_contains(PairingFailed, match="changed what it had committed to")


def test_a_commitment_binds() -> None:
    random = new_random()

    assert is_bound(commitment(random), random)
    assert not is_bound(commitment(random), new_random())


@pytest.mark.parametrize("reason", Refusal)
def test_who_is_refused_hears_why(reason: Refusal) -> None:
    async def refused() -> None:
        coming = Pipe()
        await refuse(coming.other_end(), reason)
        await hear_code(coming, ANA, INN)

    with pytest.raises(PairingRefused) as heard:
        asyncio.run(refused())
    assert heard.value.reason is reason


def test_nobody_is_admitted_who_has_not_answered() -> None:
    admitted: list[str] = []

    async def cut() -> None:
        inviting = Pipe()
        await inviting.inbox.put(b"{}")
        await tell_code(inviting, ANA, OF_INN, lambda: admitted.append("ana"))

    with pytest.raises(PairingFailed):
        asyncio.run(cut())
    assert not admitted


def heard(*messages: bytes) -> None:
    """What the coming end makes of these."""

    async def hear() -> None:
        coming = Pipe()
        for message in messages:
            await coming.inbox.put(message)
        await hear_code(coming, ANA, INN)

    asyncio.run(hear())


@given(st.binary(max_size=200) | st.dictionaries(st.text(), st.integers() | st.text()).map(canonical))
def test_whatever_comes_in_place_of_a_message_is_refused(message: bytes) -> None:
    with pytest.raises(PairingFailed):
        heard(message)


RANDOM = bytes(32)
LAST = {
    "addresses": ["10.0.0.5:5060"],
    "key": b64encode(OF_INN.key.der).decode(),
    "name": "inn",
    "random": RANDOM.hex(),
}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "a b"},
        {"name": 5},
        {"name": "x" * 65},
        {"addresses": "10.0.0.5:5060"},
        {"addresses": ["nowhere"]},
        {"addresses": [5]},
        {"addresses": ["10.0.0.5:5060"] * 9},
        {"addresses": ["x" * MAX_MESSAGE_BYTES + ":1"]},
        {"key": b64encode(OF_EVE.key.der).decode()},
        {"key": "AAAA"},
        {"key": 5},
        {"random": "00"},
        {"random": 5},
        {"more": 5},
    ],
)
def test_whoever_invites_and_is_no_node_is_refused(change: dict[str, object]) -> None:
    first = canonical({"commitment": commitment(RANDOM).hex()})
    heard(first, canonical(LAST))

    with pytest.raises(PairingFailed):
        heard(first, canonical({**LAST, **change}))
