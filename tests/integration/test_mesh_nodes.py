"""Nodes by themselves, as processes: paired by people, found again, parted, and by nobody else to be had."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.trust.folder import folder_of, taken
from mesh.trust.invitation import MeshInvitation
from mesh.trust.store import MemberStore
from shared import qr
from shared.address import Address
from shared.security.client_key import key_file
from shared.security.keys import KeyPair
from shared.security.roster import Roster, RosterEntry
from tests.support.mesh_crew import StartNode, starting_nodes
from tests.support.mesh_nodes import MeshNode
from tests.support.ports import free_port


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartNode]:
    """Starts nodes: `start("ana", "--flag")`; a name that was there before is the same node again."""
    with starting_nodes(tmp_path) as start:
        yield start


def with_token(invitation: str, token: str) -> str:
    parsed = MeshInvitation.parse(invitation)
    return str(MeshInvitation(parsed.addresses, parsed.key, token))


class TestPairing:
    def test_both_ends_show_the_same_code_and_are_members_from_then_on(self, start: StartNode) -> None:
        ana, ben = start("ana"), start("ben")
        inviting = ana.start_command("invite", "--png", "code.png", "--svg", "code.svg")
        try:
            inviting.wait_for_output("Waiting for it")
            shown = ben.ask("join", str(ana.home / "code.png"))
            assert inviting.wait_for_exit(60.0) == 0
        finally:
            inviting.end()

        [at_ana] = re.findall(r"ben has come\. Check code: (\S+)", inviting.output)
        [at_ben] = re.findall(r"Paired with ana\. Check code: (\S+)", shown)
        assert at_ana == at_ben
        assert "██" in inviting.output
        assert qr.read_picture(ana.home / "code.png") in inviting.output
        assert "<svg" in (ana.home / "code.svg").read_text(encoding="utf-8")
        ana.wait_for_peers(ben="online")
        ben.wait_for_peers(ana="online")

    def test_an_invitation_can_be_given_at_the_start(self, start: StartNode) -> None:
        ana = start("ana")
        ben = start("ben", "--mesh-join", ana.invite())

        ben.wait_for_output(r"paired with ana, .* check code")
        ana.wait_for_peers(ben="online")

    def test_a_second_address_is_tried_where_the_first_does_not_answer(self, start: StartNode) -> None:
        ana, ben, other = start("ana"), start("ben"), start("other")
        text = ana.invite("--address", "127.0.0.1:9", "--address", other.address, "--address", ana.address)

        assert "Paired with ana" in ben.ask("join", text)

    def test_a_node_that_was_restarted_is_the_same_and_needs_no_invitation(self, start: StartNode) -> None:
        ana, ben = start("ana"), start("ben")
        ana.pair_with(ben)
        ana.wait_for_peers(ben="online")
        ben.process.send_signal(signal.SIGKILL)
        ben.end()
        again = start("ben")

        assert again.short == ben.short
        assert again.address != ben.address
        again.wait_for_peers(ana="online")
        again.ask("send", "ana", "I am back")
        ana.wait_for_output("message from ben: I am back")

    def test_what_is_sent_is_fit_for_a_terminal(self, start: StartNode) -> None:
        ana, ben = start("ana"), start("ben")
        ana.pair_with(ben)
        ana.wait_for_peers(ben="online")
        ana.ask("send", "ben", "red \x1b[31m alert\nBEN error: x")

        ben.wait_for_output("message from ana: red .*alert.*x")
        assert "\x1b" not in ben.output
        assert ben.count("BEN error") == ben.count("message from ana")


class TestParting:
    def test_who_is_unpaired_is_out_at_once_and_stays_out(self, start: StartNode) -> None:
        ana, ben = start("ana"), start("ben")
        ana.pair_with(ben)
        ana.wait_for_peers(ben="online")
        ben.wait_for_peers(ana="online")

        ana.ask("unpair", "ben")

        ana.wait_for_output("is ended: It is not trusted any more")
        assert ana.peers() == {}
        ben.wait_for_peers(ana="offline")
        refused = ben.attempt("send", "ana", "let me in")
        assert refused.returncode == 1
        assert "did not come" in refused.stderr
        assert "let me in" not in ana.output

    def test_who_is_blocked_cannot_come_by_an_invitation(self, start: StartNode) -> None:
        ana, ben = start("ana"), start("ben")
        ana.pair_with(ben)
        ana.ask("block", "ben")
        ben.wait_for_peers(ana="offline")
        refused = ben.attempt("join", ana.invite())

        assert refused.returncode == 1
        assert "it has blocked it, or has no room" in refused.stderr
        assert ana.peers() == {"ben": "blocked"}
        ana.ask("block", "--undo", "ben")
        assert "Paired with ana" in ben.ask("join", ana.invite())

    def test_a_name_that_two_have_is_asked_for_by_the_key(self, start: StartNode, tmp_path: Path) -> None:
        ana, first = start("ana"), start("ben")
        second = MeshNode("ben", tmp_path / "other")
        try:
            ana.pair_with(first)
            ana.pair_with(second)
            ambiguous = ana.attempt("unpair", "ben")
            assert ambiguous.returncode == 1
            assert first.short in ambiguous.stderr
            assert second.short in ambiguous.stderr
            ana.ask("unpair", first.short)
            assert len(ana.ask("peers").splitlines()) == 1
        finally:
            second.end()


class TestAttacks:
    def test_an_invitation_that_was_used_is_worth_nothing(self, start: StartNode) -> None:
        ana, ben, eve = start("ana"), start("ben"), start("eve")
        stolen = ana.invite()
        ben.ask("join", stolen)
        refused = eve.attempt("join", stolen)

        assert refused.returncode == 1
        assert "Somebody else has used the invitation" in refused.stderr
        assert set(ana.peers()) == {"ben"}
        assert "used-token 1" in ana.ask("status")
        assert "Paired with ana" in ben.ask("join", stolen), "who has used it may have missed the answer"

    def test_an_invitation_outlives_a_restart_and_so_does_that_it_was_used(self, start: StartNode) -> None:
        port = free_port()
        flags = ("--mesh-port", str(port))
        ana, ben, eve = start("ana", *flags), start("ben"), start("eve")
        good = ana.invite()
        ana.process.send_signal(signal.SIGKILL)
        ana.end()
        again = start("ana", *flags)

        assert "Paired with ana" in ben.ask("join", good)
        again.process.send_signal(signal.SIGKILL)
        again.end()
        once_more = start("ana", *flags)
        assert "Somebody else has used the invitation" in eve.attempt("join", good).stderr
        assert set(once_more.peers()) == {"ben"}

    def test_guesses_are_refused_counted_and_end_all_open_invitations(self, start: StartNode) -> None:
        ana, ben, eve = start("ana"), start("ben"), start("eve")
        good = ana.invite()
        for number in range(5):
            refused = eve.attempt("join", with_token(good, f"{number}" * 22))
            assert "knows no such invitation" in refused.stderr

        too_late = ben.attempt("join", good)

        assert "somebody has tried to guess one" in too_late.stderr
        assert ana.peers() == {}
        assert "unknown-token 5, void-token 1" in ana.ask("status")
        assert "Paired with ana" in ben.ask("join", ana.invite())

    def test_an_invitation_does_not_lead_to_who_has_its_address_now(self, start: StartNode) -> None:
        ana, ben, eve = start("ana"), start("ben"), start("eve")
        good = MeshInvitation.parse(ana.invite())
        host, port = eve.address.split(":")
        turned = MeshInvitation((Address(host, int(port)),), good.key, good.token)
        refused = ben.attempt("join", str(turned))

        assert refused.returncode == 1
        assert "another node has this address now, or somebody is between" in refused.stderr
        assert ben.peers() == eve.peers() == {}
        assert "Paired with ana" in ben.ask("join", str(good)), "the secret was not told to Eve"

    def test_at_a_fixed_address_only_a_member_counts(self, start: StartNode) -> None:
        eve = start("eve")
        ana = start("ana", "--mesh-join", eve.address)
        ana.wait_for_output(rf"at {eve.address} is a node with the key {eve.short}…, which is not trusted")

        assert ana.peers() == eve.peers() == {}
        eve.ask("join", ana.invite())
        ana.wait_for_peers(eve="online")

    def test_whom_a_member_trusts_is_no_member_by_that(self, start: StartNode) -> None:
        ana, ben, eve = start("ana"), start("ben"), start("eve")
        ben.pair_with(eve)
        ana.pair_with(ben)
        ben.wait_for_peers(ana="online", eve="online")
        eve.wait_for_peers(ben="online")

        assert ana.peers() == {"ben": "online"}
        assert eve.peers() == {"ben": "online"}
        refused = eve.attempt("send", ana.key, "hello")
        assert refused.returncode == 1


class TestRoster:
    def test_those_for_whom_the_server_vouches_find_each_other_unpaired(
        self, start: StartNode, tmp_path: Path, key: KeyPair
    ) -> None:
        ports = {name: free_port() for name in ("ana", "ben")}
        listed = [
            RosterEntry(
                name,
                KeyPair.load_or_make(key_file(tmp_path / name, name)).public,
                (Address("127.0.0.1", port),),
            )
            for name, port in ports.items()
        ]
        data = Roster(key.public.id, 1, 1, tuple(listed)).signed(key)
        for entry in listed:
            folder = folder_of(tmp_path / entry.name, entry.name)
            with taken(folder):
                MemberStore(folder, entry.key.id).take_roster(data, [key.public.id])
        ana, ben = (start(name, "--mesh-port", str(port)) for name, port in ports.items())

        ana.wait_for_peers(ben="online")
        assert "by the server's word" in ana.ask("peers")
        refused = ana.attempt("unpair", "ben")
        assert "`block` overrules" in refused.stderr
        ana.ask("block", "ben")
        ben.wait_for_peers(ana="offline")


class TestCommands:
    def test_without_a_node_a_command_says_how_to_start_one(self, start: StartNode) -> None:
        ana = start("ana")
        ana.end()
        for command in (["status"], ["peers"], ["invite"], ["unpair", "x"], ["doctor"]):
            done = ana.attempt(*command)
            assert done.returncode == 1
            assert "python -m mesh node --name ana" in done.stdout + done.stderr

    def test_a_node_is_one_process(self, start: StartNode) -> None:
        ana = start("ana")
        second = ana.attempt("node", "--name", "ana", "--mesh-host", "127.0.0.1", "--mesh-port", "0")

        assert second.returncode == 1
        assert "Another process is the node ana already" in second.stderr
        assert ana.ask("status"), "the first is not disturbed"

    def test_a_port_that_is_taken_is_said(self, start: StartNode) -> None:
        ana, ben = start("ana"), start("ben")
        ben.end()
        second = ben.attempt("node", "--name", "ben", "--mesh-host", "127.0.0.1", "--mesh-port", ana.port)

        assert second.returncode == 1
        assert "cannot listen" in second.stderr

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_it_ends_when_told_to(self, start: StartNode, number: signal.Signals) -> None:
        ana, ben = start("ana"), start("ben")
        ana.pair_with(ben)
        ana.wait_for_peers(ben="online")
        ana.signal(number)

        assert ana.wait_for_exit(30.0) == 0
        assert "Traceback" not in ana.output
        ben.wait_for_peers(ana="offline")

    def test_the_doctor_says_whom_it_does_not_reach(self, start: StartNode) -> None:
        ana, ben = start("ana"), start("ben")
        ana.pair_with(ben)
        ana.wait_for_peers(ben="online")
        assert "1 of 1 are reached" in ana.ask("doctor")
        ben.end()
        ana.wait_for_peers(ben="offline")
        sick = ana.attempt("doctor")

        assert sick.returncode == 1
        assert "None of 1 is reached: ben" in sick.stdout
