"""Discovery by multicast and at fixed addresses: members are found there, and strangers are none by that."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from typing import Any

import pytest
from zeroconf import ServiceInfo

from mesh.discovery import fixed, interfaces, mdns
from mesh.discovery.fixed import find_at
from mesh.discovery.mdns import KEY, MAX_HEARD, SERVICE, Multicast, Nearby, heard_in
from shared.address import Address
from shared.errors import SettingsInvalid
from shared.security.key_id import KeyId
from tests.support.mesh import KnownMembers, a_key

ANA, BEN, CAT, EVE = map(a_key, range(1, 5))
AT_CAT = Address("10.0.0.7", 5060)


def announced(key: str | None, port: int = 5060, address: str = "10.0.0.7") -> ServiceInfo:
    properties = {} if key is None else {KEY: key}
    return ServiceInfo(SERVICE, f"x.{SERVICE}", port, parsed_addresses=[address], properties=properties)


class TestMulticast:
    def test_what_a_node_says_is_heard(self) -> None:
        assert heard_in(announced(str(CAT))) == [(CAT, AT_CAT)]

    @pytest.mark.parametrize(
        "info", [announced(None), announced("cat"), announced("ä"), announced(str(CAT), 0)]
    )
    def test_what_is_no_node_is_not_heard(self, info: ServiceInfo) -> None:
        assert heard_in(info) == []

    def test_only_members_count(self) -> None:
        members = KnownMembers()
        members.add(CAT)
        nearby = Nearby(members)
        nearby.heard(CAT, AT_CAT)
        nearby.heard(EVE, AT_CAT)

        assert list(members.members) == [CAT]
        assert members.members[CAT].addresses == (AT_CAT,)

    def test_who_was_heard_first_and_is_trusted_later_counts_then(self) -> None:
        members = KnownMembers()
        nearby = Nearby(members)
        nearby.heard(CAT, AT_CAT)
        members.add(CAT)

        assert members.members[CAT].addresses == (AT_CAT,)

    def test_a_network_full_of_strangers_fills_nothing(self) -> None:
        members = KnownMembers()
        nearby = Nearby(members)
        for number in range(2 * MAX_HEARD):
            nearby.heard(KeyId(number.to_bytes(32)), AT_CAT)

        assert len(nearby._heard) == MAX_HEARD

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_without_it_there_is_one_line_in_the_log_and_no_more(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mdns, "LOOK_S", 0.01)
        looked = 0

        def nobodys() -> list[str]:
            nonlocal looked
            looked += 1
            return ["192.0.2.77"]

        play_until(lambda: bool(looked > 20 and caplog.records), nobodys)

        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "are not found by themselves" in caplog.text
        caplog.clear()
        gc.collect()  # zeroconf leaves a socket open when it fails, which the error in the log holds

    def test_it_begins_when_there_is_a_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mdns, "LOOK_S", 0.01)
        used: list[list[str]] = []

        def no_multicast(interfaces: list[str], **_options: Any) -> None:
            used.append(interfaces)
            raise OSError("no multicast here")

        monkeypatch.setattr(mdns, "AsyncZeroconf", no_multicast)
        present = iter([[], ["gone"], ["10.0.0.7"], ["10.0.0.7"]])

        def addresses() -> list[str]:
            now = next(present, ["10.0.0.8"])
            if now == ["gone"]:
                raise SettingsInvalid("It is gone.")
            return now

        play_until(lambda: len(used) == 2, addresses)

        assert used == [["10.0.0.7"], ["10.0.0.8"]]


def play_until(condition: Callable[[], bool], addresses: Callable[[], list[str]]) -> None:
    """Have a node take part in multicast DNS until something is so."""

    async def play() -> None:
        task = asyncio.ensure_future(Multicast(ANA, 5060, Nearby(KnownMembers())).run(addresses))
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(play())


class TestInterfaces:
    def test_one_is_chosen_by_its_name_or_its_address(self) -> None:
        assert interfaces.addresses_on(["lo"]) == ("127.0.0.1",)
        assert interfaces.addresses_on(["127.0.0.1", "lo"]) == ("127.0.0.1",)

    def test_without_a_choice_it_is_the_default_routes_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(interfaces, "default_address", lambda: "10.0.0.7")
        assert interfaces.addresses_on([]) == ("10.0.0.7",)
        monkeypatch.setattr(interfaces, "default_address", lambda: None)
        assert interfaces.addresses_on([]) == ()

    def test_the_default_routes_address_is_this_machines(self) -> None:
        address = interfaces.default_address()
        if address is not None:
            with socket.socket() as listening:
                listening.bind((address, 0))

    def test_one_that_is_not_there_is_said(self) -> None:
        with pytest.raises(SettingsInvalid, match=r"no interface 'eth77'.* It has: .*lo"):
            interfaces.addresses_on(["eth77"])

    @pytest.mark.parametrize(
        ("host", "is_so"),
        [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("example.org", False)],
    )
    def test_what_others_cannot_reach(self, host: str, is_so: bool) -> None:
        assert interfaces.is_loopback(host) is is_so


class TestFixedAddresses:
    """`answers`: who is there, one time after the other; None: nobody."""

    def found(
        self, members: KnownMembers, answers: list[KeyId | None], trusts_later: KeyId | None = None
    ) -> int:
        """How many times the address was asked before a member was found there."""
        asked = 0

        async def key_at(_address: Address) -> KeyId:
            nonlocal asked
            there = answers[min(asked, len(answers) - 1)]
            asked += 1
            if trusts_later is not None:
                asyncio.get_running_loop().call_soon(members.add, trusts_later)
            if there is None:
                raise ConnectionRefusedError("nobody")
            return there

        async def play() -> None:
            async with asyncio.timeout(30):
                await find_at(AT_CAT, members, key_at)

        asyncio.run(play())
        return asked

    def test_a_member_that_answers_is_kept(self) -> None:
        members = KnownMembers()
        members.add(CAT)

        assert self.found(members, [CAT]) == 1
        assert members.members[CAT].addresses == (AT_CAT,)

    def test_where_nobody_is_yet_it_is_asked_again(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(fixed, "FIRST_S", 0.01)
        members = KnownMembers()
        members.add(CAT)

        assert self.found(members, [None, None, EVE, EVE, CAT]) == 5
        assert list(members.members) == [CAT], "Eve is none for being there"
        assert len(caplog.messages) == 2, "each is said once"

    def test_who_is_trusted_later_counts_from_then_on_without_being_asked_again(self) -> None:
        members = KnownMembers()

        assert self.found(members, [EVE], trusts_later=EVE) == 1
        assert members.members[EVE].addresses == (AT_CAT,)
