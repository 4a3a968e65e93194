"""A whole node, in the process of a test: what it begins with, and what keeps it from beginning."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from mesh.pairing import NotReached, PairedWith
from mesh.running import NodeNotStarted, NodeSettings, RunningNode, running_node
from mesh.trust.folder import FolderInUse, folder_of, taken
from mesh.trust.invitation import MAX_ADDRESSES
from mesh.trust.store import MemberStore, NotTrusted
from shared.address import Address
from shared.errors import SettingsInvalid
from shared.security.client_key import key_file
from shared.security.invitation_text import InvitationInvalid
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair
from shared.security.roster import Roster, RosterEntry


def settings_of(home: Path, name: str = "ana", servers: tuple[KeyId, ...] | None = None) -> NodeSettings:
    return NodeSettings(name, home, host="127.0.0.1", servers=servers)


def members_at_start(settings: NodeSettings) -> set[str]:
    async def start() -> set[str]:
        async with running_node(settings) as node:
            return {member.name for member in node.members.all().values()}

    return asyncio.run(start())


@pytest.fixture
def in_federation(tmp_path: Path, key: KeyPair, other: KeyPair) -> Path:
    """The home of a node for which the server `key` has vouched, with another member."""
    data = Roster(key.public.id, 1, 1, (RosterEntry("ben", other.public),)).signed(key)
    me = KeyPair.load_or_make(key_file(tmp_path, "ana")).public.id
    folder = folder_of(tmp_path, "ana")
    with taken(folder):
        MemberStore(folder, me).take_roster(data, [key.public.id])
    return tmp_path


class TestBeginning:
    def test_a_node_by_itself_begins_with_the_roster_that_was_taken_last(self, in_federation: Path) -> None:
        assert members_at_start(settings_of(in_federation)) == {"ben"}

    def test_of_its_server_it_counts(self, in_federation: Path, key: KeyPair) -> None:
        assert members_at_start(settings_of(in_federation, servers=(key.public.id,))) == {"ben"}

    def test_where_the_site_takes_no_servers_word_any_more_it_does_not(self, in_federation: Path) -> None:
        assert members_at_start(settings_of(in_federation, servers=())) == set()
        assert members_at_start(settings_of(in_federation)) == set(), "nor later"

    def test_nor_that_of_a_server_that_it_has_left(self, in_federation: Path, other: KeyPair) -> None:
        assert members_at_start(settings_of(in_federation, servers=(other.public.id,))) == set()

    def test_an_interface_that_is_not_there_is_said_before_anything_is_made(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsInvalid, match="no interface 'eth77'"):
            members_at_start(NodeSettings("ana", tmp_path, host="127.0.0.1", interfaces=("eth77",)))
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_in_use_and_a_port_that_is_taken_are_said(self, tmp_path: Path) -> None:
        with taken(folder_of(tmp_path, "ana")), pytest.raises(FolderInUse):
            members_at_start(settings_of(tmp_path))
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            port = listening.getsockname()[1]
            with pytest.raises(NodeNotStarted, match="Choose another port"):
                members_at_start(NodeSettings("ana", tmp_path, host="127.0.0.1", port=port))
        assert members_at_start(settings_of(tmp_path)) == set(), "and nothing is held any more"


class TestPairing:
    def play(self, home: Path) -> tuple[RunningNode, RunningNode, PairedWith, PairedWith]:
        async def both() -> tuple[RunningNode, RunningNode, PairedWith, PairedWith]:
            async with running_node(settings_of(home)) as ana, running_node(settings_of(home, "ben")) as ben:
                invited = ana.pairing.invite(ana.addresses)
                at_ben = await ben.pairing.join(invited.invitation)
                async with asyncio.timeout(30):
                    return ana, ben, await invited.comes, at_ben

        return asyncio.run(both())

    def test_both_know_each_other_by_name_key_and_address(self, tmp_path: Path) -> None:
        ana, ben, at_ana, at_ben = self.play(tmp_path)

        assert (at_ana.name, at_ana.key) == ("ben", ben.network.me)
        assert (at_ben.name, at_ben.key) == ("ana", ana.network.me)
        assert at_ana.code == at_ben.code
        assert ana.members.all()[ben.network.me].addresses == (ben.network.address,)
        assert ben.members.all()[ana.network.me].addresses == (ana.network.address,)

    def test_whom_one_has_blocked_one_does_not_come_to(self, tmp_path: Path) -> None:
        async def attempt() -> None:
            async with (
                running_node(settings_of(tmp_path)) as ana,
                running_node(settings_of(tmp_path, "ben")) as ben,
            ):
                ben.members.block(ana.network.me)
                invited = ana.pairing.invite(ana.addresses)
                with pytest.raises(NotTrusted, match="blocked here"):
                    await ben.pairing.join(invited.invitation)
                ben.members.unblock(ana.network.me)
                await ben.pairing.join(invited.invitation)  # it was not used up

        asyncio.run(attempt())

    def test_an_invitation_is_not_for_oneself_nor_for_nowhere(self, tmp_path: Path) -> None:
        async def attempt() -> None:
            async with running_node(settings_of(tmp_path)) as ana:
                with pytest.raises(NotTrusted, match="this node's own"):
                    await ana.pairing.join(ana.pairing.invite(ana.addresses).invitation)
                for wrong in ([], [Address("127.0.0.1", 1)] * (MAX_ADDRESSES + 1)):
                    with pytest.raises(InvitationInvalid):
                        ana.pairing.invite(wrong)
                async with running_node(settings_of(tmp_path, "ben")) as ben:
                    nowhere = ana.pairing.invite([Address("127.0.0.1", 1)])
                    with pytest.raises(NotReached, match=r"127\.0\.0\.1:1"):
                        await ben.pairing.join(nowhere.invitation)

        asyncio.run(attempt())
